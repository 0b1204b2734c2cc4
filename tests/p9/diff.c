/*
 * Random operations on two directories, side by side: results, errno, what is read and the trees must
 * be the same. For a pod: one directory on its 9p root, the other on a tmpfs. Or on one directory, and what
 * came of each is printed: to compare with what the same seed prints elsewhere.
 *
 * The directories are made, and removed when nothing differed. Prints the steps before a difference.
 */
#include "tests/p9/gaps.h"
#include "tests/p9/p9test.h"
#include "tests/p9/side.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { FILES = SIDE_FILES, DATA = SIDE_DATA, LINES = 40 };

static struct side sides[2];
static int nsides;
static bool gaps; /* what QEMU does otherwise is left out */
static char lines[LINES][200];
static unsigned step, nlines;
static uint64_t state;

static uint32_t any(uint32_t bound)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 32) % bound;
}

/* The step as a line, for the report. */
static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(lines[nlines++ % LINES], sizeof(lines[0]), fmt, ap);
	va_end(ap);
}

static void report(void)
{
	for (unsigned i = nlines > LINES ? nlines - LINES : 0; i < nlines; i++)
		printf("%s%s\n", i + 1 == nlines ? "=> " : "   ", lines[i % LINES]);
	for (int k = 0; k < nsides; k++)
		printf("--- %s\n%.3000s", k ? "other" : "one", sides[k].result);
	(void)fflush(stdout);
	exit(1);
}

/* A step and what came of it, on a line. */
static void print(void)
{
	const struct side *s = &sides[0];
	uint32_t sum = 2166136261u;
	size_t text = 0;

	for (size_t i = 0; i < s->len; i++) {
		sum = (sum ^ (unsigned char)s->result[i]) * 16777619u;
		text += s->result[i] == '\n' || (s->result[i] >= ' ' && s->result[i] <= '~');
	}
	printf("%u %s:", step, lines[(nlines - 1) % LINES]);
	if (text == s->len && s->len < 4000)
		for (size_t i = 0; i < s->len; i++)
			putchar(s->result[i] == '\n' ? ' ' : s->result[i]);
	else
		printf(" %zu bytes, sum %08x", s->len, sum);
	putchar('\n');
}

static void compare(void)
{
	if (nsides == 1)
		print();
	else if (sides[0].len != sides[1].len || memcmp(sides[0].result, sides[1].result, sides[0].len) != 0)
		report();
	sides[0].len = sides[1].len = 0;
	*sides[0].result = *sides[1].result = '\0';
}

static const char *path(char buf[64])
{
	static const char *const dirs[] = { "", "", "d1/", "d2/", "d1/e/", "link/" };
	static const char *const names[] = { "a", "b", "c", "d", "d1", "d2", "e", "link", "none" };

	(void)snprintf(buf, 64, "%s%s", dirs[any(6)], names[any(9)]);
	return buf;
}

static void do_open(void)
{
	static const int flags[] = { O_RDONLY, O_WRONLY, O_RDWR, O_RDWR | O_CREAT, O_RDWR | O_CREAT | O_EXCL,
		O_RDWR | O_CREAT | O_TRUNC, O_WRONLY | O_APPEND | O_CREAT, O_RDWR | O_TRUNC, O_RDONLY | O_DIRECTORY,
		O_RDWR | O_CREAT | O_SYNC, O_RDWR | O_NOFOLLOW };
	int slot = (int)any(FILES), how = flags[any(11)], mode = 0600 | (int)any(0100);
	char p[64];

	say("%d = open %s 0%o mode 0%o", slot, path(p), how, mode);
	for (int k = 0; k < nsides; k++) {
		struct side *s = &sides[k];

		struct stat st;

		if (s->fd[slot] >= 0)
			(void)close(s->fd[slot]);
		s->fd[slot] = -1;
		if (fstatat(s->dir, p, &st, 0) == 0 && S_ISCHR(st.st_mode))
			continue; /* a tmpfs may be nodev */
		s->fd[slot] = openat(s->dir, p, how | O_NONBLOCK | O_CLOEXEC, mode);
		side_add_result(s, s->fd[slot] < 0 ? -1 : 0);
	}
}

static void do_io(void)
{
	static char data[DATA], got[DATA];
	int slot = (int)any(FILES), what = (int)any(8);
	size_t n = any(4) ? any(200) : any(DATA);
	off_t at = any(4) ? any(300) : any(3 * DATA);
	static const char *const names[] = { "pwrite", "write", "pread", "ftruncate", "fsync", "fstat", "lseek end", "mmap" };

	for (size_t i = 0; i < n; i++)
		data[i] = (char)any(256);
	say("%s %d, %zu bytes at %ld", names[what], slot, n, (long)at);
	for (int k = 0; k < nsides; k++) {
		struct side *s = &sides[k];
		int fd = s->fd[slot];
		struct stat st;
		ssize_t ret;
		char *m;

		if (gaps && gap_at(names[what], fd, n))
			continue;
		switch (what) {
		case 0: side_add_result(s, pwrite(fd, data, n, at)); break;
		case 1: side_add_result(s, write(fd, data, n)); break;
		case 2:
			ret = pread(fd, got, n, at);
			side_add_result(s, ret);
			for (ssize_t i = 0; i < ret; i++)
				s->result[s->len++] = got[i];
			break;
		case 3: side_add_result(s, ftruncate(fd, at)); break;
		case 4: side_add_result(s, fsync(fd)); break;
		case 5:
			ret = fstat(fd, &st);
			side_add_result(s, ret);
			if (ret == 0)
				side_add_stat(s, &st);
			break;
		case 6: /* of a directory it means nothing */
			if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
				side_add_result(s, lseek(fd, 0, SEEK_END));
			break;
		case 7: /* shared and written to, where the file has bytes */
			if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
				break;
			m = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			side_add_result(s, m == MAP_FAILED ? -1 : 0);
			if (m == MAP_FAILED)
				break;
			m[at % st.st_size] = (char)n;
			side_add_result(s, msync(m, (size_t)st.st_size, MS_SYNC));
			(void)munmap(m, (size_t)st.st_size);
			break;
		}
	}
}

static void do_name(void)
{
	static const char *const names[] = { "mkdir", "rmdir", "unlink", "mkfifo", "symlink", "truncate", "chmod", "chown",
		"lstat", "readlink", "utimens", "mknod", "bind", "access" };
	static const char *const targets[] = { "a", "d1", "../none-such/x", "/none/at/all", "link", "d1/e" };
	int what = (int)any(14), mode = (int)any(07777 + 1), target = (int)any(6);
	long number = any(5000);
	char p[64];

	say("%s %s mode 0%o number %ld", names[what], path(p), mode, number);
	for (int k = 0; k < nsides; k++) {
		struct side *s = &sides[k];
		/* whole seconds: Linux 6.1 keeps no more of what is set on a 9p file (s_time_gran) */
		struct timespec ts[2] = { { .tv_sec = number }, { .tv_sec = 2 * number } };
		char text[300] = "";
		struct stat st;
		long ret = 0;

		if (fchdir(s->dir) < 0)
			exit(2);
		if (gaps && gap_at(names[what], -1, 1))
			continue;
		switch (what) {
		case 0: ret = mkdir(p, (mode_t)mode | 0700); break;
		case 1: ret = rmdir(p); break;
		case 2: ret = unlink(p); break;
		case 3: ret = mkfifo(p, (mode_t)mode); break;
		case 4: ret = symlink(targets[target], p); break;
		case 5: ret = truncate(p, number); break;
		case 6: ret = chmod(p, (mode_t)mode | 0700); break;
		case 7: ret = lchown(p, (uid_t)number, (gid_t)(number / 2)); break;
		case 8: ret = lstat(p, &st); break;
		case 9: ret = readlink(p, text, sizeof(text) - 1); break;
		case 10: ret = utimensat(AT_FDCWD, p, ts, 0); break;
		case 11: ret = mknod(p, S_IFCHR | 0600, makedev(1, 3)); break;
		case 12: {
			struct sockaddr_un sun = { .sun_family = AF_UNIX };
			int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

			(void)snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", p);
			ret = bind(fd, (struct sockaddr *)&sun, sizeof(sun));
			(void)close(fd);
			break;
		}
		case 13: ret = access(p, R_OK | X_OK); break;
		}
		side_add_result(s, ret);
		if (what == 8 && ret == 0)
			side_add_stat(s, &st);
		if (what == 9 && ret >= 0)
			side_add(s, "%s\n", text);
		if (what == 10 && ret == 0 && stat(p, &st) == 0)
			side_add(s, "%ld %ld.%ld\n", (long)st.st_atim.tv_sec, (long)st.st_mtim.tv_sec, (long)st.st_mtim.tv_nsec);
	}
}

static void do_two(void)
{
	int what = (int)any(3);
	char p[64], q[64];

	(void)path(p);
	(void)path(q);
	say("%s %s %s", what ? "rename" : "link", p, q);
	for (int k = 0; k < nsides; k++) {
		struct side *s = &sides[k];

		side_add_result(s, what ? renameat(s->dir, p, s->dir, q) : linkat(s->dir, p, s->dir, q, 0));
	}
}

/* Attributes and ACLs: only where both file systems keep them (a tmpfs does not). */
static void do_attr(void)
{
	static const char *const names[] = { "user.a", "user.b", "user.none", "system.posix_acl_access",
		"system.posix_acl_default" };
	static const char *const whats[] = { "setxattr", "getxattr", "removexattr" };
	/* version 2; user, user 1000, group, mask, others */
	unsigned char value[44] = { 2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, (unsigned char)any(8), 0, 0xe8, 3, 0, 0, 4, 0, 4, 0,
		255, 255, 255, 255, 16, 0, (unsigned char)any(8), 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255 };
	const char *name = names[any(5)];
	int what = (int)any(3), flags = name[0] == 'u' ? (int)any(3) : 0;
	size_t size = name[0] == 'u' ? any(sizeof(value)) : sizeof(value);
	char p[64];

	say("%s %s %s, %zu bytes, flags %d", whats[what], path(p), name, size, flags);
	for (int k = 0; k < nsides; k++) {
		struct side *s = &sides[k];
		unsigned char got[200];
		struct stat st;
		long ret = -1;

		if (fchdir(s->dir) < 0)
			exit(2);
		if (gaps && gap_at(whats[what], -1, size))
			continue;
		if (what == 0 && size == 0 && flags == XATTR_REPLACE)
			continue; /* on the wire it is a removal, see gaps.h */
		if (what == 0 && strstr(name, "default") && stat(p, &st) == 0 && !S_ISDIR(st.st_mode))
			continue; /* EACCES; Linux 6.1 says EINVAL on 9p */
		switch (what) {
		case 0: ret = setxattr(p, name, value, size, flags); break;
		case 1: ret = getxattr(p, name, got, sizeof(got)); break;
		case 2: ret = removexattr(p, name); break;
		}
		side_add_result(s, ret);
		for (long i = 0; what == 1 && i < ret; i++)
			side_add(s, "%02x", got[i]);
		if (stat(p, &st) == 0)
			side_add_stat(s, &st); /* an ACL changes the mode */
	}
}

static void do_close(void)
{
	int slot = (int)any(FILES);

	say("close %d", slot);
	for (int k = 0; k < nsides; k++) {
		if (sides[k].fd[slot] >= 0)
			(void)close(sides[k].fd[slot]);
		sides[k].fd[slot] = -1;
	}
}

static void whole(const char *why)
{
	say("the trees, %s", why);
	for (int k = 0; k < nsides; k++)
		side_add_tree(&sides[k], sides[k].dir, 0);
	compare();
}

static int make_side(struct side *s, const char *name)
{
	if (mkdir(name, 0755) < 0)
		return -1;
	s->dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (int i = 0; i < FILES; i++)
		s->fd[i] = -1;
	return s->dir;
}

static int run(int n, char **dirs, const char *seed, const char *count)
{
	unsigned steps = (unsigned)strtoul(count, NULL, 0);

	nsides = n;
	state = strtoull(seed, NULL, 0) * 2654435761u + 88172645463325252u;
	(void)umask(022);
	for (int k = 0; k < nsides; k++)
		if (make_side(&sides[k], dirs[k]) < 0) {
			perror(dirs[k]);
			return 2;
		}
	for (step = 0; step < steps; step++) {
		switch (any(nsides == 1 ? 13 : 12)) {
		case 0: case 1: case 2: do_open(); break;
		case 3: case 4: case 5: do_io(); break;
		case 6: case 7: case 8: do_name(); break;
		case 9: case 10: do_two(); break;
		case 11: do_close(); break;
		default: do_attr(); break;
		}
		compare();
		if (step % 500 == 499)
			whole("on the way");
	}
	for (int i = 0; i < FILES; i++)
		for (int k = 0; k < nsides; k++)
			if (sides[k].fd[i] >= 0)
				(void)close(sides[k].fd[i]);
	whole("at the end");
	for (int k = 0; k < nsides; k++) {
		side_remove_tree(sides[k].dir);
		if (chdir("/") < 0 || rmdir(dirs[k]) < 0) {
			perror(dirs[k]);
			return 1;
		}
	}
	return 0;
}

int diff(char **argv)
{
	int ret = run(2, argv + 1, argv[3], argv[4]);

	if (ret == 0)
		printf("%s steps from seed %s, no difference\n", argv[4], argv[3]);
	return ret;
}

int steps(char **argv)
{
	return run(1, argv + 1, argv[2], argv[3]);
}

int steps_without_gaps(char **argv)
{
	gaps = true;
	return steps(argv);
}
