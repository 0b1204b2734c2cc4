/*
 * Writing to a descriptor of the user's (stdout, stderr) without ever blocking on it, and without
 * setting O_NONBLOCK on it: others share its open file.
 */
#ifndef STAGE1_SINK_H
#define STAGE1_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct sink {
	int fd;        /* poll it for POLLOUT to know when to write */
	bool own;      /* opened by us, non-blocking */
	bool socket;
	size_t chunk;  /* most bytes a write may take without blocking once poll said so */
};

void sink_open(struct sink *sink, int fd);
void sink_close(struct sink *sink);
/* Bytes written, 0 when it would block, -1 when nobody reads any more. */
ssize_t sink_write(struct sink *sink, const void *data, size_t len);

#endif
