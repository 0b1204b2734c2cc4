/*
 * One who calls the supervisor of a running pod at its socket (stage1/control.h), in the pod's directory: what
 * the entrypoints that do have in common.
 */
#ifndef STAGE1_CALLER_H
#define STAGE1_CALLER_H

#include <stdbool.h>

#include "stage1/common/err.h"
#include "stage1/session.h"
#include "stage1/sink.h"

struct caller {
	struct session *s; /* ours: the supervisor is its guest */
	int sock;
	bool gone;         /* the supervisor is */
};

#define CALLER_INIT { .s = NULL, .sock = -1 }

/* `plan` (borrowed) is what the supervisor is told first, `napps` of how many apps it may speak then. */
int caller_open(struct caller *c, uint8_t *plan, size_t plan_len, size_t napps,
	void (*log)(void *arg, const char *line), struct err *e);
/* Everything that can be read and sent without waiting. */
int caller_exchange(struct caller *c, struct err *e);
/* What came of a stream, as far as it can be written without waiting. False: nobody reads it any more. */
bool caller_write(struct sink *to, struct session_out *out);
/* The process or app of that number is to have the size of our terminal. */
void caller_resize(struct caller *c, unsigned id);
/* What to poll the socket for. */
short caller_events(const struct caller *c);
void caller_close(struct caller *c);

#endif
