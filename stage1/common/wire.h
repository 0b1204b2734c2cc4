/*
 * The protocol between the supervisor in dom0 and the guest's PID 1. This header is the contract of
 * both sides; docs/protocol.md tells its story.
 *
 * Transport: one libxenvchan per pod, the guest is its server at xenstore path WIRE_VCHAN below its
 * own directory, dom0 the client. A byte stream in each direction, reliable and ordered until one
 * end goes away.
 *
 * Frames: a head of WIRE_HEAD bytes, little-endian, then `len` bytes of payload:
 *
 *      u32 len      0 to WIRE_PAYLOAD_MAX
 *      u8  type     enum wire_type
 *      u8  stream   enum wire_stream for DATA, EOF, CREDIT; else 0
 *      u16 app      the process that DATA, EOF, CREDIT, APP, EXEC, START, KILL, WINSIZE are about:
 *                   below WIRE_EXEC_FIRST an index into the guest plan's apps, or an added app's
 *                   number (ADD, STOP_APP, REMOVE too); from there on a process that EXEC began; else 0
 *
 * The first frame in each direction is HELLO. Dom0 then sends the guest plan, and the guest reports
 * what becomes of each app. DATA is limited by credit per (app, stream): a sender starts with
 * WIRE_WINDOW bytes, and CREDIT gives more. So a reader that stalls stalls its own stream only, and
 * neither side ever buffers more than the window.
 *
 * Beside the plan's apps dom0 may begin processes in them: EXEC frames carry a request
 * (stage1/common/exec_request.h) for a number of dom0's choice, START ends it. From then on the
 * process has streams and states as an app has; its EXITED, KILLED or FAILED is the guest's last
 * frame about it, after which the number is free again.
 *
 * In a pod whose plan says `stays` apps come and go: ADD frames carry a plan of one app for a number of
 * dom0's choice below WIRE_APPS_MAX, START begins it, STOP_APP asks it to end; when it is over, REMOVE
 * has the guest let go of it and of its files, which it answers by WIRE_APP_GONE: its last frame about
 * the number, which is then free. An app is started again by the same way.
 *
 * The guest ends with END, after which it sends
 * nothing; dom0 answers BYE when everything before END is where it belongs, and the guest powers
 * off.
 *
 * Dom0 trusts nothing of what it reads: a frame that breaks a rule ends the pod.
 */
#ifndef STAGE1_COMMON_WIRE_H
#define STAGE1_COMMON_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"

#define WIRE_VCHAN "data/ctl" /* libxenvchan cuts paths of 64 bytes and more */

enum {
	WIRE_MAGIC = 0x31435853, /* "SXC1" */
	WIRE_VERSION = 5,
	WIRE_HEAD = 8,
	WIRE_PAYLOAD_MAX = 16 << 10,
	WIRE_WINDOW = 64 << 10,   /* bytes in flight of one stream of one app */
	WIRE_RING = 64 << 10,     /* bytes of each vchan ring */
	WIRE_PLAN_MAX = 8 << 20,  /* bytes of an encoded guest plan */
	WIRE_LOG_MAX = 64 << 10,  /* bytes of LOG dom0 shows of one guest; the rest is dropped */
	WIRE_TEXT_MAX = 400,      /* bytes of text in one LOG or APP */
	WIRE_APPS_MAX = 64,       /* apps at once, of a pod in which they come and go */
	WIRE_EXEC_FIRST = 0x100,  /* numbers of processes that EXEC begins, */
	WIRE_EXEC_COUNT = 64,     /* and how many there may be at once */
	WIRE_EXEC_MAX = 256 << 10, /* bytes of one request */
};

enum wire_type {
	WIRE_HELLO = 1,  /* both: u32 WIRE_MAGIC, u32 WIRE_VERSION */
	WIRE_PLAN = 2,   /* to the guest: bytes of the plan */
	WIRE_READY = 3,  /* to the guest: the plan is complete, begin */
	WIRE_DATA = 4,   /* both: bytes of a stream */
	WIRE_EOF = 5,    /* both: the sender of a stream will send no more of it, or its receiver
			  * wants no more: whichever end of it the sender of this frame is */
	WIRE_CREDIT = 6, /* both: u32 bytes that were consumed */
	WIRE_APP = 7,    /* to dom0: u32 enum wire_app_state, u32 value, text */
	WIRE_LOG = 8,    /* to dom0: text, one line for the operator */
	WIRE_STOP = 9,   /* to the guest: u32 milliseconds from TERM to KILL */
	WIRE_END = 10,   /* to dom0: the apps are gone, the file systems are synced */
	WIRE_BYE = 11,   /* to the guest: END was understood, power off */
	WIRE_EXEC = 12,  /* to the guest: bytes of an exec request */
	WIRE_START = 13, /* to the guest: the exec request is complete, begin */
	WIRE_KILL = 14,  /* to the guest: u32 signal for the process */
	WIRE_WINSIZE = 15, /* to the guest: u32 rows, u32 columns of the process's terminal */
	WIRE_ADD = 16,     /* to the guest: bytes of a plan with one app */
	WIRE_STOP_APP = 17, /* to the guest: u32 milliseconds from the app's TERM to its KILL */
	WIRE_REMOVE = 18,  /* to the guest: forget the app, which is over; u32: 1 its files as well, which go; 0 they stay */
};

enum wire_stream { WIRE_STDIN, WIRE_STDOUT, WIRE_STDERR, WIRE_STREAMS };

enum wire_app_state {
	WIRE_APP_STARTED = 1, /* value: the pid in the guest, 1 and up */
	WIRE_APP_EXITED = 2,  /* value: the exit code, 0 to 255 */
	WIRE_APP_KILLED = 3,  /* value: the signal, 1 to 64 */
	WIRE_APP_FAILED = 4,  /* it never ran. value: the exit status rkt's users know for the cause
			       * (203 exec, 200 working directory, 254 else; of a pre-start handler
			       * that failed: its own, or 128 + signal); text: why */
	WIRE_APP_HANDLER = 5, /* an event handler began, which writes to the app's streams. value: its pid */
	WIRE_APP_READY = 6,   /* it has started, and now says that it is ready: once, and only of an app whose
			       * plan has `notify`. value: 0 */
	WIRE_APP_GONE = 7,    /* the answer to REMOVE. value: 0 */
};

struct frame {
	enum wire_type type;
	unsigned stream, app;
	const uint8_t *data; /* `len` bytes; valid until the next frame_space() of its reader */
	uint32_t len;
};

/* Reader: bytes in, frames out. Pure; never allocates. */
struct frame_reader {
	size_t start, end;
	uint8_t buf[4 * (WIRE_HEAD + WIRE_PAYLOAD_MAX)];
};

enum frame_status { FRAME_READY, FRAME_NEED_MORE, FRAME_BAD };

/* Where the next bytes go: at least one byte of room unless frames were left unpopped. */
uint8_t *frame_space(struct frame_reader *rd, size_t *room_r);
void frame_added(struct frame_reader *rd, size_t n);
/*
 * The next whole frame. FRAME_BAD (with *e set) for a length, type or field out of range; the reader
 * is of no further use then.
 */
enum frame_status frame_pop(struct frame_reader *rd, struct frame *frame_r, struct err *e);
/* Bytes of an unfinished frame, for the message when a peer goes away inside it. */
static inline size_t frame_pending(const struct frame_reader *rd)
{
	return rd->end - rd->start;
}

/* Writer: a queue of encoded frames, fixed in size. */
struct frame_writer {
	size_t start, end;
	uint8_t buf[4 * (WIRE_HEAD + WIRE_PAYLOAD_MAX)];
};

/* False, and nothing is queued, when there is no room: try again after frame_sent(). */
bool frame_put(struct frame_writer *wr, enum wire_type type, unsigned app, unsigned stream,
	const void *data, size_t len);
bool frame_put_u32(struct frame_writer *wr, enum wire_type type, unsigned app, unsigned stream,
	uint32_t value);
/* As frame_put, the payload being two numbers and a text, which is cut at WIRE_TEXT_MAX. */
bool frame_put_app(struct frame_writer *wr, unsigned app, enum wire_app_state state, uint32_t value,
	const char *text);
bool frame_put_hello(struct frame_writer *wr);
size_t frame_room(const struct frame_writer *wr); /* largest payload that fits now */
const uint8_t *frame_queued(const struct frame_writer *wr, size_t *len_r);
void frame_sent(struct frame_writer *wr, size_t n);

/* A HELLO of a peer that speaks our version, or an error that says what it speaks. */
int frame_check_hello(const struct frame *f, struct err *e);
uint32_t wire_u32(const uint8_t *p);
void wire_put_u32(uint8_t *p, uint32_t value);

#endif
