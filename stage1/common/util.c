/* See util.h. */
#include "stage1/common/util.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static void *or_die(void *p)
{
	if (!p) {
		static const char msg[] = "out of memory\n";
		(void)!write(STDERR_FILENO, msg, sizeof(msg) - 1);
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return or_die(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t n, size_t size)
{
	return or_die(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s)
{
	return or_die(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return or_die(strndup(s, n));
}

char *xasprintf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return or_die(n < 0 ? NULL : s);
}

int read_file_fd(int fd, const char *name, size_t max, char **data_r, size_t *len_r, struct err *e)
{
	AUTO_FREE char *data = NULL;
	size_t len = 0, room = 0;
	ssize_t n;

	do {
		if (len == room) {
			room = room ? 2 * room : 4096;
			data = xrealloc(data, room + 1, 1);
		}
		n = read(fd, data + len, room - len);
		if (n < 0 && errno != EINTR)
			return err_sys(e, "read %s", name);
		len += n > 0 ? (size_t)n : 0;
		if (len > max)
			return err_set(e, ERR_INPUT, "%s: larger than %zu bytes", name, max);
	} while (n != 0);
	data[len] = '\0';
	*data_r = STEAL(data);
	*len_r = len;
	return 0;
}

int read_file_at(int dirfd, const char *path, size_t max, char **data_r, size_t *len_r,
	struct err *e)
{
	AUTO_CLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, "open %s", path) : read_file_fd(fd, path, max, data_r, len_r, e);
}

DIR *dir_read(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = own < 0 ? NULL : fdopendir(own);

	if (!dir && own >= 0)
		(void)close(own);
	return dir;
}

int write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int write_file_atomic(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
	struct err *e)
{
	AUTO_FREE char *tmp = xasprintf("%s.new", path);
	AUTO_CLOSE int fd = -1;

	(void)unlinkat(dirfd, tmp, 0); /* left by a writer that was killed */
	fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_sys(e, "create %s", tmp);
	if (fchmod(fd, mode) < 0 || write_all(fd, data, len) < 0 || renameat(dirfd, tmp, dirfd, path) < 0) {
		int why = errno;

		(void)err_sys(e, "write %s", path);
		(void)unlinkat(dirfd, tmp, 0);
		errno = why;
		return -1;
	}
	return 0;
}

/* Bytes of the printable character at p; 0 when there is none. Reads no further than the NUL. */
static size_t printable(const unsigned char *p)
{
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] < 0x80)
		return p[0] >= 0x20 && p[0] != 0x7f;
	if (p[0] < 0xc2 || p[0] > 0xf4 || (p[0] == 0xc2 && p[1] < 0xa0))
		return 0; /* no first byte, or a control character */
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xf0 && p[1] < 0x90))
		return 0; /* longer than need be: another way to write a control character */
	for (size_t i = 1; i < len; i++)
		if (p[i] < 0x80 || p[i] > 0xbf)
			return 0;
	return len;
}

void text_make_harmless(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p;) {
		size_t len = printable(p);

		if (len == 0)
			*p = '?';
		p += len ? len : 1;
	}
}

bool str_has_prefix(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

int64_t monotonic_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
