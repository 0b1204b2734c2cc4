/*
 * The streams of one process in the guest: pipes or a terminal on one side, credited DATA frames on the
 * other (stage1/common/wire.h).
 */
#ifndef INIT_STREAMS_H
#define INIT_STREAMS_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "stage1/common/wire.h"

struct out_stream {
	int fd;          /* read end of the pipe, or the terminal; 0 or less when over */
	uint32_t credit; /* bytes dom0 will take */
	uint32_t last;   /* after streams_finish(): bytes that are still read */
	bool eof_due;    /* the pipe ended: EOF is to be sent */
};

struct streams {
	unsigned app;
	bool finishing;
	int stdin_fd; /* write end; 0 or less when none or over */
	struct out_stream out[WIRE_STREAMS]; /* [WIRE_STDIN] is unused */
	uint8_t in[WIRE_WINDOW]; /* stdin on its way to the app: in_start .. in_end */
	uint32_t in_start, in_end;
	uint32_t in_taken; /* bytes the app took, not yet credited to dom0 */
	bool in_eof;       /* dom0 sent EOF: close once `in` is empty */
	bool in_closed_due; /* the app closed its stdin: EOF is to be sent */
};

/*
 * Takes the descriptors, which do not block; -1: no such stream. An all-zero struct has no streams (0 is
 * no descriptor here).
 */
void streams_init(struct streams *s, unsigned app, const int fds[WIRE_STREAMS]);
/* A DATA, EOF or CREDIT frame from dom0. */
void streams_frame(struct streams *s, const struct frame *f);
/* Reads from the app and writes to it what can be done without blocking, queueing frames. */
void streams_produce(struct streams *s, struct frame_writer *wr);
/* Fills fds[0..WIRE_STREAMS-1]; output is waited for only when it could be sent. */
void streams_poll(const struct streams *s, bool room, struct pollfd *fds);
/*
 * The process is over, though others may hold its ends: what it has written is still read, then its
 * streams end. At most what a pipe can hold: the others may write without end.
 */
void streams_finish(struct streams *s);
void streams_close_stdin(struct streams *s);
void streams_resize(const struct streams *s, uint32_t rows, uint32_t cols); /* of a terminal */
/* All output was queued, to the end of each pipe. */
bool streams_done(const struct streams *s);
/* Nobody reads any more. */
void streams_close(struct streams *s);

#endif
