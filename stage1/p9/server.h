/*
 * The 9P2000.L server of one exported directory: fids, and the operations on them. Reads requests
 * from memory and writes replies to a transport it is given; knows nothing of Xen.
 *
 * The process is expected to have its current directory in its own /proc/self/fd and a umask of 0
 * (server_enter()): files are opened anew, and changed, through that directory.
 *
 * Requests may be served by several threads at once. What the guest does wrong is answered with an
 * error; no request ends the server.
 */
#ifndef STAGE1_P9_SERVER_H
#define STAGE1_P9_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct p9_server;

struct p9_limits {
	uint32_t fids;
	size_t nodes_open;  /* descriptors kept of files that are known */
	size_t files_open;  /* descriptors of files the guest has open */
	size_t xattr_bytes; /* held in all fids that read or write an attribute */
	uint32_t msize;     /* what the transport can carry */
};

#define P9_LIMITS_DEFAULT { .fids = 1 << 19, .nodes_open = 32768, .files_open = 28672, \
	.xattr_bytes = 16 << 20, .msize = 524288 }

/* Where one request's reply goes. */
struct p9_io {
	void *ctx;
	/*
	 * Room for a reply of n bytes in one or two pieces (the second's length may be 0), waiting for
	 * it if need be, the caller's alone until put(). -1: there is no transport any more.
	 */
	int (*get)(void *ctx, size_t n, struct iovec room[2]);
	/* The first n bytes of that room are a message. 0: there is none after all. */
	void (*put)(void *ctx, size_t n);
	/* What follows may take long, and needs nothing of the request's own memory `data`. */
	void (*slow)(void *ctx);
};

/* For the whole process, once. -errno. */
int server_enter(int proc_self_fd);

/* Takes root_fd (O_PATH, a directory). NULL and errno. */
struct p9_server *server_open(int root_fd, const struct p9_limits *limits);
/* The transport carries no message longer than `size`; before the guest agrees on one. */
void server_bound(struct p9_server *s, uint32_t size);
void server_close(struct p9_server *s); /* nothing is being served any more */

/*
 * Serves one request: its bytes msg[0..len), which are changed, and for a Twrite its data. len is at
 * least P9_HEAD.
 */
void server_serve(struct p9_server *s, uint8_t *msg, size_t len, const struct iovec data[2],
	const struct p9_io *io);

#endif
