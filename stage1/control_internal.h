/* What the files of the supervisor's socket share (stage1/control.h). */
#ifndef STAGE1_CONTROL_INTERNAL_H
#define STAGE1_CONTROL_INTERNAL_H

#include "stage1/control.h"

enum { CONTROL_FAILED_STATUS = 254 };

struct client {
	int fd;
	bool gone;     /* to be closed and freed */
	bool moved;    /* something was passed on, see control_serve() */
	bool greeted;
	bool started_said, over_said;
	bool eof_said[WIRE_STREAMS];
	bool exec;     /* `id` is a process of the session */
	unsigned id;
	unsigned number; /* what the client calls it */
	uint8_t *request; /* as far as it has arrived; NULL once the session has it */
	size_t len;
	uint32_t rows, cols;
	uint32_t credit[WIRE_STREAMS]; /* bytes of output it takes */
	uint8_t in[WIRE_WINDOW];       /* stdin on its way to the guest: in_start .. in_end */
	uint32_t in_start, in_end;
	uint32_t in_taken;             /* passed on, not yet credited */
	bool in_eof, in_over;
	struct frame_reader rd;
	struct frame_writer wr;
};

/* control_stdin.c: of a client that has a process */
bool client_take_stdin(struct client *cl, const struct frame *f);
bool client_take_credit(struct client *cl, const struct frame *f);
/* On to the guest, as much as it takes. */
void client_pass_stdin(struct client *cl, struct session *s);

/* control_exec.c: those who enter. False when the frame is out of turn. */
bool client_exec_take(struct client *cl, struct session *s, const struct frame *f);
void client_exec_produce(struct client *cl, struct session *s);

#endif
