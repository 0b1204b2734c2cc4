/*
 * The supervisor's socket in the pod's directory, for those who enter the pod (stage1/enter.h). It
 * speaks the protocol of stage1/common/wire.h with the guest's part: whoever connects greets, sends one
 * exec request for number WIRE_EXEC_FIRST, and then moves that process's streams. Here each of them is
 * given a process of the session, and frames are passed on with flow control on either side: who does
 * not read stalls one stream of its own.
 *
 * The socket is root's alone (mode 0600, and the peer's user is looked at).
 */
#ifndef STAGE1_CONTROL_H
#define STAGE1_CONTROL_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "stage1/common/err.h"
#include "stage1/session.h"

#define CONTROL_SOCKET "enter.sock" /* in the pod's directory, which is the working directory */

enum { CONTROL_POLL_MAX = 1 + WIRE_EXEC_COUNT };

struct control;

/* Listens. A socket that a killed supervisor left is replaced. */
int control_open(struct control **c_r, struct err *e);
/* What it waits for, at most CONTROL_POLL_MAX entries; returns how many. */
size_t control_prepare(const struct control *c, const struct session *s, struct pollfd *fds);
/*
 * Serves whoever can be served without blocking. True when that moved something: then the session may
 * have more to say to the guest.
 */
bool control_serve(struct control *c, struct session *s);
/* Tells everybody what can be told at once, closes, and removes the socket. Either may be NULL. */
void control_close(struct control *c, struct session *s);

#endif
