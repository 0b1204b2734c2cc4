/* See crilog.h. */
#include "stage1/crilog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/common/wire.h"

enum { HEAD_MAX = 60 };

struct crilog {
	int fd;
	unsigned long lost;
	struct part {
		size_t len;
		char buf[CRILOG_LINE_MAX]; /* of a line that is not whole yet */
	} parts[WIRE_STREAMS];
};

static int open_in(int dir, const char *name, int *fd_r, struct err *e)
{
	AUTO_CLOSE int fd = openat(dir, name, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		0640);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "open it");
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		return err_set(e, ERR_HOST, "it is not a file of its own");
	if (ftruncate(fd, 0) < 0)
		return err_sys(e, "empty it");
	*fd_r = STEAL_FD(fd);
	return 0;
}

int crilog_open(const char *dir, const char *name, struct crilog **log_r, struct err *e)
{
	AUTO_CLOSE int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (at < 0)
		return err_sys(e, "log %s/%s: open the directory", dir, name);
	if (open_in(at, name, &fd, e) < 0)
		return err_prefix(e, "log %s/%s", dir, name);
	*log_r = xcalloc(1, sizeof(**log_r));
	(*log_r)->fd = fd;
	return 0;
}

/* With its blank. */
static size_t put_head(char head[HEAD_MAX], unsigned stream)
{
	struct timespec now;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	(void)gmtime_r(&now.tv_sec, &tm);
	n = strftime(head, HEAD_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(head + n, HEAD_MAX - n, ".%09ld", now.tv_nsec);
	while (head[n - 1] == '0')
		n--;
	n -= head[n - 1] == '.';
	return n + (size_t)snprintf(head + n, HEAD_MAX - n, "Z %s ", stream == WIRE_STDOUT ? "stdout" : "stderr");
}

static void write_line(struct crilog *log, unsigned stream, struct part *part)
{
	char line[HEAD_MAX + CRILOG_LINE_MAX + 1];
	size_t n = put_head(line, stream);

	memcpy(line + n, part->buf, part->len);
	n += part->len;
	line[n++] = '\n';
	if (write_all(log->fd, line, n) < 0)
		log->lost++;
	part->len = 0;
}

void crilog_write(struct crilog *log, unsigned stream, const uint8_t *data, size_t len)
{
	struct part *part = &log->parts[stream];

	while (len > 0) {
		const uint8_t *end = memchr(data, '\n', len);
		size_t n = end ? (size_t)(end - data) : len, room = sizeof(part->buf) - part->len;
		bool whole = end && n <= room;

		n = n < room ? n : room;
		memcpy(part->buf + part->len, data, n);
		part->len += n;
		data += n + whole;
		len -= n + whole;
		if (whole || (part->len == sizeof(part->buf) && len > 0 && *data != '\n'))
			write_line(log, stream, part);
	}
}

unsigned long crilog_close(struct crilog *log)
{
	unsigned long lost;

	if (!log)
		return 0;
	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (log->parts[k].len > 0)
			write_line(log, k, &log->parts[k]);
	lost = log->lost;
	(void)close(log->fd);
	free(log);
	return lost;
}
