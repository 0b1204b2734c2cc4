/*
 * Moves the bytes of a session (stage1/session.h), which is pure: to and from its peer, and from our stdin to
 * one of its apps. For the supervisor, whose peer is the guest, and for enter, whose peer is the supervisor.
 */
#ifndef STAGE1_PUMP_H
#define STAGE1_PUMP_H

#include <stdbool.h>
#include <sys/types.h>

#include "stage1/common/err.h"
#include "stage1/common/transport.h"
#include "stage1/session.h"

/*
 * Everything that can be read and sent without waiting. *gone is set when the peer is, and nothing is done when
 * it was before. -1: the peer broke the protocol.
 */
int pump_exchange(struct session *s, const struct transport *io, bool *gone, struct err *e);
/*
 * Once stdin can be read: as much as the app takes, also in `buf`. How much; 0 when it has ended, which the app
 * is told; -1 when there was nothing.
 */
ssize_t pump_stdin(struct session *s, unsigned id, uint8_t buf[WIRE_PAYLOAD_MAX]);

#endif
