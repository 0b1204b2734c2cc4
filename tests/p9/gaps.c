/* See gaps.h. */
#include "tests/p9/gaps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/p9/p9test.h"

static bool always(int fd, size_t size)
{
	(void)fd;
	(void)size;
	return true;
}

static bool nameless(int fd, size_t size)
{
	struct stat st;

	(void)size;
	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

static bool nothing(int fd, size_t size)
{
	(void)fd;
	return size == 0;
}

static const struct {
	const char *op;
	bool (*at)(int fd, size_t size);
} gaps[] = {
	{ "mkfifo", always }, { "mknod", always }, { "bind", always }, { "ftruncate", nameless }, { "setxattr", nothing },
};

bool gap_at(const char *op, int fd, size_t size)
{
	for (size_t i = 0; i < sizeof(gaps) / sizeof(gaps[0]); i++)
		if (!strcmp(op, gaps[i].op) && gaps[i].at(fd, size))
			return true;
	return false;
}

static void show(const char *op, long ret)
{
	printf("%s: %s\n", op, ret < 0 ? strerrorname_np(errno) : "done");
}

int show_gaps(char **argv)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd, sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (mkdir(argv[1], 0755) < 0 || chdir(argv[1]) < 0) {
		perror(argv[1]);
		return 1;
	}
	show("mkfifo", mkfifo("fifo", 0600));
	show("mknod", mknod("null", S_IFCHR | 0600, makedev(1, 3)));
	show("bind", bind(sock, (struct sockaddr *)&sun, sizeof(sun)));
	fd = open("file", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	(void)setxattr("file", "user.a", "", 0, XATTR_CREATE);
	show("an attribute set to nothing", getxattr("file", "user.a", NULL, 0));
	(void)unlink("file");
	show("ftruncate without a name", ftruncate(fd, 5));
	(void)close(fd);
	(void)close(sock);
	(void)unlink("fifo");
	(void)unlink("null");
	(void)unlink("socket");
	return chdir("/") < 0 || rmdir(argv[1]) < 0;
}
