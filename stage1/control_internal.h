/* What the files of the supervisor's socket share (stage1/control.h). */
#ifndef STAGE1_CONTROL_INTERNAL_H
#define STAGE1_CONTROL_INTERNAL_H

#include "stage1/attach_request.h"
#include "stage1/control.h"

enum { CONTROL_FAILED_STATUS = 254 };

struct client {
	int fd;
	bool gone;     /* to be closed and freed */
	bool moved;    /* something was passed on, see control_serve() */
	bool greeted;
	bool started_said;
	bool over, over_said;   /* there is a last word, `last`; it is on its way */
	struct {
		enum wire_app_state how;
		uint32_t value;
		char text[WIRE_TEXT_MAX + 1];
	} last;
	bool eof_said[WIRE_STREAMS];
	bool cut;      /* some of its output was thrown away */
	bool exec;     /* `id` is a process of the session */
	bool attached; /* `id` is an app of it */
	unsigned id;
	unsigned number; /* what the client calls it */
	uint8_t *request; /* as far as it has arrived; NULL once the session has it */
	size_t len;
	uint8_t attach[ATTACH_REQUEST_MAX]; /* the request to attach, as far as it has arrived */
	size_t attach_len;
	uint32_t endpoints;            /* what it has attached to */
	/* since when it has no room for output there is; 0: it has; of a process, while the pod does not end: not looked at */
	int64_t stalled_ms[WIRE_STREAMS];
	uint32_t credit[WIRE_STREAMS]; /* bytes of output it takes */
	uint8_t in[WIRE_WINDOW];       /* stdin on its way to the guest: in_start .. in_end */
	uint32_t in_start, in_end;
	uint32_t in_taken;             /* passed on, not yet credited */
	bool in_eof, in_over;
	bool in_line;                  /* of its stdin a line is passed on in part */
	struct frame_reader rd;
	struct frame_writer wr;
};

struct control_app {
	const char *name;   /* borrowed */
	uint32_t endpoints; /* enum endpoint */
};

struct control {
	int fd;
	int64_t patience_ms, last_patience_ms; /* see CONTROL_PATIENCE_MS */
	struct control_app *apps; /* by their number in the session */
	size_t napps;
	struct client *clients[WIRE_EXEC_COUNT];
	size_t nclients;
};

/* control.c: what it is attached to or has entered; an app also when the guest has let go of it. */
struct session_app *client_app(const struct client *cl, const struct session *s);
/* The last it hears, as soon as there is room for it. */
void client_end(struct client *cl, enum wire_app_state how, uint32_t value, const char *text);
void client_refuse(struct client *cl, const char *why);

/* control_stdin.c: of a client that has a process or an app */
bool client_take_stdin(struct client *cl, const struct frame *f);
bool client_take_credit(struct client *cl, const struct frame *f);
/* On to the guest, as much as it takes. */
void client_pass_stdin(struct client *cl, struct session *s);
/* Likewise; of several who write to a pipe, each its lines whole. */
void client_share_stdin(struct client *cl, const struct control *c, struct session *s);

/* control_exec.c: those who enter. False when the frame is out of turn. */
bool client_exec_take(struct client *cl, struct session *s, const struct frame *f);
void client_exec_produce(struct client *cl, const struct control *c, struct session *s);

/* control_attach.c: those who attach. Likewise; READY ends the request. */
bool client_attach_take(struct client *cl, const struct control *c, struct session *s, const struct frame *f);
void client_attach_produce(struct client *cl, const struct control *c, struct session *s);
bool client_attach_asked(const struct client *cl); /* for more than the app of an EXEC to come */

#endif
