/*
 * A reliable byte stream to the peer, whatever carries it: libxenvchan in a pod (init/server.c,
 * stage1/xen/vchan.c), a socket in tests. Never blocks.
 */
#ifndef STAGE1_COMMON_TRANSPORT_H
#define STAGE1_COMMON_TRANSPORT_H

#include <stddef.h>
#include <sys/types.h>

struct transport {
	void *ctx;
	/*
	 * Readable when the peer did something. Then call ack(), and read and write again: both
	 * directions are announced by this one event, so each must be driven until it gives 0.
	 */
	int fd;
	void (*ack)(void *ctx);
	/* Bytes moved, 0 when it would block, -1 when the peer is gone and nothing is left to read. */
	ssize_t (*read)(void *ctx, void *buf, size_t len);
	ssize_t (*write)(void *ctx, const void *buf, size_t len);
};

#endif
