/*
 * An app's log in the pod's directory: logs/APP, and logs/APP.1 with what came before. Each holds at most
 * APPLOG_MAX bytes, so that a pod's logs are bounded whatever its apps write. A line is
 *
 *      2026-11-24T22:04:05.678901Z stdout text
 *
 * What cannot be written (a full disk, no way to make a new file) is lost here, and only here; it is counted.
 */
#ifndef STAGE1_APPLOG_H
#define STAGE1_APPLOG_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define APPLOG_DIR "logs"

enum { APPLOG_MAX = 1 << 20 };

struct applog {
	const char *app; /* borrowed */
	int fd;          /* -1: nothing was written yet */
	size_t size;
	unsigned long lost;
	size_t len;      /* bytes that wait in buf */
	char buf[16 << 10];
};

void applog_open(struct applog *log, const char *app); /* makes nothing yet */
void applog_line(struct applog *log, const struct timespec *when, const char *stream, const void *text,
	size_t len);
void applog_flush(struct applog *log);
void applog_close(struct applog *log); /* flushes */

#endif
