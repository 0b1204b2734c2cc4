/*
 * The ends of a process's descriptors 0 to 2 as its plan wants them: pipes, a terminal, /dev/null.
 */
#ifndef INIT_ENDS_H
#define INIT_ENDS_H

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"
#include "stage1/common/wire.h"

struct ends {
	int ours[WIRE_STREAMS];   /* non-blocking; -1: nothing travels. A terminal's output is [WIRE_STDOUT] */
	int theirs[WIRE_STREAMS]; /* become descriptors 0 to 2 of the process; -1 once closed */
};

#define ENDS_INIT { .ours = { -1, -1, -1 }, .theirs = { -1, -1, -1 } }

/* Opens all of them, close-on-exec. On success they are the caller's. */
int ends_open(const struct guest_io *io, struct ends *ends_r, struct err *e);
/* Once the last process that is to have them is there: else no end of file is ever seen. */
void ends_close_theirs(struct ends *ends);
void ends_close(struct ends *ends);

#endif
