/*
 * The supervisor's socket in the pod's directory, for those who enter the pod (stage1/enter.h) or attach
 * to an app (stage1/attach.h). It speaks the protocol of stage1/common/wire.h with the guest's part: whoever connects greets, sends one
 * exec request for number WIRE_EXEC_FIRST, and then moves that process's streams. Here each of them is
 * given a process of the session, and frames are passed on with flow control on either side: who does
 * not read stalls one stream of its own.
 *
 * Who attaches asks by a plan of its own (stage1/attach_request.h), and shares the streams of an app with others.
 * What the app writes is for those who are there when it comes, and waits for the slowest of them: who takes
 * nothing for CONTROL_PATIENCE_MS, or less than a window in that time, is let go. Of several who write to a pipe
 * each has its lines whole; the end of one's input is not the end of the app's.
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

enum {
	CONTROL_POLL_MAX = 1 + WIRE_EXEC_COUNT,
	CONTROL_PATIENCE_MS = 30000,
	CONTROL_LAST_PATIENCE_MS = 3000, /* once the pod has ended; of who has entered it, once it is to end */
};

struct control;

/* Listens. A socket that a killed supervisor left is replaced. */
int control_open(struct control **c_r, struct err *e);
/*
 * App number `app` of the session, whose streams can be attached to (enum endpoint); again: it has changed, or is gone
 * (NULL). The name is borrowed.
 */
void control_attachable(struct control *c, size_t app, const char *name, uint32_t endpoints);
/* What such an app has written, for all who are attached: how much is taken. All of it when nobody is. */
size_t control_give(struct control *c, size_t app, unsigned stream, const uint8_t *data, size_t len);
/* When control_serve() is due though nothing happens (monotonic_ms()), -1: never. */
int64_t control_deadline(const struct control *c, const struct session *s);
/* What it waits for, at most CONTROL_POLL_MAX entries; returns how many. */
size_t control_prepare(const struct control *c, const struct session *s, struct pollfd *fds);
/*
 * Serves whoever can be served without blocking. True when that moved something: then the session may
 * have more to say to the guest.
 */
bool control_serve(struct control *c, struct session *s);
/*
 * Tells everybody what can be told at once; when the pod has ended those who have entered it also the rest, as long as
 * they take some of it in CONTROL_LAST_PATIENCE_MS. Closes, and removes the socket. Either may be NULL.
 */
void control_close(struct control *c, struct session *s);

#endif
