/* See notify.h. */
#include "init/notify.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum {
	MESSAGE_MAX = 4096, /* bytes looked at: systemd's own limit */
	TURN = 16,          /* messages at once; who sends more waits for PID 1's next turn */
};

/* Under a short name first, for app names are longer than a socket's address may be. */
int notify_open(const char *app, struct err *e)
{
	static const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = NOTIFY_DIR "/.new" };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	char path[PATH_MAX];
	int yes = 1;

	(void)snprintf(path, sizeof(path), NOTIFY_DIR "/%s", app);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) < 0)
		return err_sys(e, "make a socket");
	if (mkdir(NOTIFY_DIR, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make " NOTIFY_DIR);
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0 || chmod(addr.sun_path, 0666) < 0 ||
		rename(addr.sun_path, path) < 0)
		return err_sys(e, "make %s", path);
	return STEAL_FD(fd);
}

static bool says_ready(const char *text, size_t len)
{
	static const char word[] = "READY=1";

	for (const char *line = text, *end = text + len; line < end;) {
		const char *eol = memchr(line, '\n', (size_t)(end - line));
		size_t n = (size_t)((eol ? eol : end) - line);

		if (n == strlen(word) && !memcmp(line, word, n))
			return true;
		line += n + 1;
	}
	return false;
}

bool notify_ready(int fd, pid_t pid)
{
	bool ready = false;

	for (int i = 0; i < TURN; i++) {
		char text[MESSAGE_MAX];
		/* Room for who sent it and for nothing else: descriptors that come along are closed by the kernel. */
		union {
			struct cmsghdr head;
			char room[CMSG_SPACE(sizeof(struct ucred))];
		} control;
		struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) };
		struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			.msg_controllen = sizeof(control) };
		struct ucred from;
		ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		const struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);

		if (n < 0)
			break;
		if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
			continue;
		memcpy(&from, CMSG_DATA(c), sizeof(from));
		ready = ready || (from.pid == pid && says_ready(text, (size_t)n));
	}
	return ready;
}
