/* See trace.h. */
#include "stage1/trace.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "stage1/terminal.h"

static struct {
	bool on;
	int64_t start; /* monotonic us */
} trace;

static int64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

void trace_open(void)
{
	trace.start = now_us();
}

void trace_on(bool on)
{
	trace.on = on;
}

void trace_step(const char *fmt, ...)
{
	int64_t us = now_us() - trace.start;
	va_list ap;

	if (!trace.on)
		return;
	fprintf(stderr, "stage1 run: %d.%03d s: ", (int)(us / 1000000), (int)(us % 1000000 / 1000));
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(terminal_eol(), stderr);
}
