/* See applog.h. Paths are relative to the pod's directory, which is the current one. */
#include "stage1/applog.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage1/common/util.h"

void applog_open(struct applog *log, const char *app)
{
	*log = (struct applog){ .app = app, .fd = -1 };
}

static void shut(struct applog *log)
{
	if (log->fd >= 0)
		(void)close(log->fd);
	log->fd = -1;
}

static void path_of(const struct applog *log, const char *suffix, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, APPLOG_DIR "/%s%s", log->app, suffix);
}

static int open_file(struct applog *log)
{
	char path[PATH_MAX];
	struct stat st;

	path_of(log, "", path);
	if (mkdir(APPLOG_DIR, 0750) < 0 && errno != EEXIST)
		return -1;
	log->fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
	if (log->fd < 0 || fstat(log->fd, &st) < 0)
		return -1;
	log->size = (size_t)st.st_size;
	return 0;
}

/* A log that somebody took away has made way by itself. */
static int rotate(struct applog *log)
{
	char path[PATH_MAX], old[PATH_MAX];

	path_of(log, "", path);
	path_of(log, ".1", old);
	shut(log);
	if (rename(path, old) < 0 && errno != ENOENT)
		return -1;
	return open_file(log);
}

static int make_room(struct applog *log, size_t len)
{
	if (log->fd < 0 && open_file(log) < 0)
		return -1;
	return log->size > 0 && log->size + len > APPLOG_MAX ? rotate(log) : 0;
}

static void lose(struct applog *log, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		log->lost += data[i] == '\n';
}

/* Whole lines. */
static void write_lines(struct applog *log, const char *data, size_t len)
{
	if (make_room(log, len) < 0) {
		shut(log);
		lose(log, data, len);
		return;
	}
	if (write_all(log->fd, data, len) < 0)
		lose(log, data, len);
	log->size += len;
}

void applog_flush(struct applog *log)
{
	if (log->len > 0)
		write_lines(log, log->buf, log->len);
	log->len = 0;
}

void applog_line(struct applog *log, const struct timespec *when, const char *stream, const void *text,
	size_t len)
{
	char stamp[40], head[80];
	struct tm tm;
	size_t n;

	(void)gmtime_r(&when->tv_sec, &tm);
	(void)strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%S", &tm);
	n = (size_t)snprintf(head, sizeof(head), "%s.%06ldZ %s ", stamp, when->tv_nsec / 1000, stream);
	if (n + len + 1 > sizeof(log->buf) - log->len)
		applog_flush(log);
	if (n + len + 1 > sizeof(log->buf)) { /* larger than the buffer: in one piece, on its own */
		AUTO_FREE char *line = xmalloc(n + len + 1);

		memcpy(line, head, n);
		memcpy(line + n, text, len);
		line[n + len] = '\n';
		write_lines(log, line, n + len + 1);
		return;
	}
	memcpy(log->buf + log->len, head, n);
	memcpy(log->buf + log->len + n, text, len);
	log->buf[log->len + n + len] = '\n';
	log->len += n + len + 1;
}

void applog_close(struct applog *log)
{
	applog_flush(log);
	shut(log);
}
