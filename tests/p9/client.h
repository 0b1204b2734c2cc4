/* A 9p client of a few lines, over memory: for the tests of stage1/p9. */
#ifndef TESTS_P9_CLIENT_H
#define TESTS_P9_CLIENT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/p9/proto.h"
#include "stage1/p9/server.h"

struct client {
	struct p9_server *server;
	uint8_t reply[P9_MSIZE_MAX]; /* the last one, all of it */
	size_t len, at;              /* at: up to where it has been read */
	unsigned slow;               /* operations that said they may take long */
	size_t split;                /* replies are written in two pieces, the first of this size; 0: one */
};

/*
 * Sends a request whose body is described by fmt: b, w, d, q: 1 to 8 bytes; s: a string; D: a size_t
 * and as many bytes (of a Twrite). 0, or -errno as the server says. Aborts when the reply is no
 * answer to it.
 */
int client_call(struct client *c, uint8_t type, const char *fmt, ...);
/* The same with bytes that are there already: all of a message. */
int client_send(struct client *c, const uint8_t *msg, size_t len);
/* Reads the reply's body on: a number, or just past what is longer than one. */
uint64_t client_get(struct client *c, size_t bytes);
/* Attaches fid 0 with the given user, agreeing on the version first. */
int client_start(struct client *c, uint32_t uid);

#endif
