/*
 * Connections to the sockets that our service manager has handed to us, relayed into the guest (stage1/plan/listen.h):
 * each is a process of the session that is none (stage1/common/exec_request.h), with its windows; so who does not read
 * stalls itself only. The socket itself stays here: the app sees its own, and one peer, 127.0.0.1.
 *
 * At most RELAY_MAX at once; others wait in the host's socket. Nobody is accepted before the app has started, nor once the
 * pod is ending: what waits is then for who comes after us.
 */
#ifndef STAGE1_RELAY_H
#define STAGE1_RELAY_H

#include <poll.h>
#include <stdbool.h>

#include "stage1/plan/listen.h"
#include "stage1/session.h"

enum {
	RELAY_MAX = WIRE_EXEC_COUNT - 16, /* the others are for those who enter */
	RELAY_POLL_MAX = LISTEN_MAX + RELAY_MAX,
};

struct relay;

/* `plans` is borrowed. */
struct relay *relay_open(const struct listen_plans *plans);
size_t relay_prepare(const struct relay *r, const struct session *s, struct pollfd *fds);
/* Whoever can be served without waiting. True when something moved. */
bool relay_serve(struct relay *r, struct session *s);
/* What is left is written as far as the sockets take it. NULL is fine. */
void relay_close(struct relay *r, struct session *s);

#endif
