/*
 * The supervisor's side of the protocol (stage1/common/wire.h) as a function of state and frame:
 * what the guest has said, what it may still say, what is to be written where. Pure; the loop around
 * it (stage1/supervise.c) moves the bytes. Everything the guest controls is bounded here.
 */
#ifndef STAGE1_SESSION_H
#define STAGE1_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/common/wire.h"

/* Output of one stream on its way from the guest to a descriptor of ours. */
struct session_out {
	uint8_t buf[WIRE_WINDOW]; /* start .. end is to be written */
	uint32_t start, end;
	uint32_t allowed;  /* bytes the guest may still send */
	uint32_t written;  /* bytes written out, not yet credited */
	bool eof;          /* the guest will send no more */
	bool refused;      /* our reader is gone: discard, and tell the guest once */
	bool refusal_due;
};

/* Of an app that comes and goes (session_add()): how far the guest is with it. */
enum session_phase {
	SESSION_FIXED,   /* it does not: an app of the plan, or a process that entered one */
	SESSION_ABSENT,  /* there is none of that number */
	SESSION_IDLE,    /* the guest knows nothing of it (any more) */
	SESSION_SENDING, /* its plan is on the way */
	SESSION_BEGUN,   /* START was sent: `state` says the rest */
	SESSION_LEAVING, /* REMOVE was sent, its answer awaited */
};

/* An app, or a process that entered one. What is looked at of those that are absent stands before the buffers. */
struct session_app {
	enum session_phase phase;
	uint8_t *plan; /* of one that comes and goes: ours */
	size_t plan_len, plan_sent;
	bool start_due, remove_due;
	bool stop_due;
	bool attached;           /* somebody is (stage1/control.h): not begun again or gone before they know its end */
	uint32_t stop_grace_ms;
	enum { SESSION_APP_NEW, SESSION_APP_STARTED, SESSION_APP_OVER } state;
	enum wire_app_state how; /* when OVER: EXITED, KILLED or FAILED */
	uint32_t value;
	char text[WIRE_TEXT_MAX + 1];
	uint32_t pid;            /* in the guest: of what writes to the streams now; 0 before the first */
	bool by_shutdown;        /* it ended after the pod began to end */
	bool says_ready, ready;  /* it is to say that it is ready, and has */
	struct session_out out[WIRE_STREAMS]; /* [WIRE_STDIN] unused */
	uint32_t stdin_credit;
	bool stdin_over;         /* EOF was sent, or the app wants no more */
	bool size_due;           /* rows and cols are to be sent */
	uint32_t rows, cols;
	uint32_t kill_due;       /* the signal to be sent, or 0 */
};

struct session_exec {
	struct session_app run;
	uint8_t *request; /* encoded, ours */
	size_t len, sent;
	bool begun;       /* START was sent */
	bool abandoned;   /* by session_exec_close(): freed once it is over */
};

struct session {
	bool greeted, ended, bye_due, ready_sent;
	bool stays;         /* apps come and go; see session_let_come_and_go() */
	bool stopping;      /* STOP was asked for, or an app failed */
	bool stop_due;
	uint32_t stop_grace_ms;
	uint8_t *plan;      /* encoded guest plan, borrowed */
	bool plan_awaited;  /* it is still to come */
	size_t plan_len, plan_sent;
	struct session_app *apps; /* by their numbers */
	size_t napps;       /* with those that are absent */
	struct session_exec *execs[WIRE_EXEC_COUNT]; /* by number - WIRE_EXEC_FIRST; NULL: free */
	int first_bad;      /* index of the app that failed first, -1 */
	uint32_t logged;    /* bytes of LOG shown */
	void (*log)(void *arg, const char *line);
	void *log_arg;
	struct frame_reader rd;
	struct frame_writer wr;
};

/* `s` is large: allocate it. The plan must outlive it. */
void session_init(struct session *s, uint8_t *plan, size_t plan_len, size_t napps,
	void (*log)(void *arg, const char *line), void *arg);
void session_dispose(struct session *s);

/*
 * The plan has no app; from now on, as it says itself, apps come and go, and the pod ends by session_stop()
 * only, whatever becomes of them. There is room for WIRE_APPS_MAX.
 */
void session_let_come_and_go(struct session *s);
/*
 * An app more, which is not begun: takes its malloc'ed plan, encoded. Errors (the plan is then freed): too
 * many, or the pod is ending. Its number is *id_r until session_remove() has had its effect.
 */
int session_add(struct session *s, uint8_t *plan, size_t len, unsigned *id_r, struct err *e);
/* Begins it when it does not run: also again, once session_app_written(). */
void session_start(struct session *s, unsigned id);
/* TERM now and KILL after `grace_ms`, if it runs. */
void session_stop_app(struct session *s, unsigned id, uint32_t grace_ms);
/* It does not run: the guest forgets it, then its number is free, see session_has(). */
void session_remove(struct session *s, unsigned id);
bool session_has(const struct session *s, unsigned id); /* an app of that number */
bool session_runs(const struct session *s, unsigned id); /* it was begun, or is about to, and is not over */

/* The plan comes later than the session: until session_plan() the guest is sent a greeting, and STOP. */
void session_awaits_plan(struct session *s);
void session_plan(struct session *s, uint8_t *plan, size_t plan_len);

/* App `i` counts as started only when it says that it is ready: see session_all_ready(). */
void session_awaits_ready(struct session *s, size_t i);

/* Takes every whole frame out of s->rd. -1: the guest broke the protocol, *e says how. */
int session_receive(struct session *s, struct err *e);
/* Queues into s->wr what is due and fits: greeting, plan, credits, STOP, BYE. */
void session_produce(struct session *s);
/* The pod is to end: apps get TERM now and KILL after `grace_ms`. Again: the shorter grace counts. */
void session_stop(struct session *s, uint32_t grace_ms);

bool session_waits(const struct session_out *out); /* there is something to be written out */
/* Bytes of a stream were written out, or its reader went away. */
void session_wrote(struct session_out *out, size_t n);
void session_refuse(struct session_out *out);
/*
 * The app of that index, or the process of that number; NULL when there is none that the guest has begun. What follows names
 * both by such a number.
 */
struct session_app *session_find(const struct session *s, unsigned id);
/* How much stdin it would take now; queues what it is given (len at most that); 0 = EOF. */
size_t session_stdin_room(const struct session *s, unsigned id);
void session_stdin(struct session *s, unsigned id, const void *data, size_t len);
/* The size of its terminal, when that changed; a signal for it and its process group. */
void session_resize(struct session *s, unsigned id, uint32_t rows, uint32_t cols);
void session_signal(struct session *s, unsigned id, uint32_t sig);

/*
 * A process that enters an app: takes the malloc'ed request (stage1/common/exec_request.h), which is
 * sent as soon as the plan is. Its number is *id_r until session_exec_close(). Errors (the request is
 * then freed): too many of them, or the pod is ending.
 */
int session_exec(struct session *s, uint8_t *request, size_t len, unsigned *id_r, struct err *e);
size_t session_exec_room(const struct session *s); /* how many more there may be now */
/* Nobody is interested any more: its output is refused, and it gets HUP when it still runs. */
void session_exec_close(struct session *s, unsigned id);

bool session_all_started(const struct session *s); /* that were begun; or are over */
/*
 * The same, and those that are to say so have said that they are ready: what "ready" means for a pod. One
 * that ended without a word never was.
 */
bool session_all_ready(const struct session *s);
/* Nothing of it waits for a descriptor of ours, nor its end for those who are attached: it may go, or begin again. */
bool session_app_written(const struct session_app *app);
bool session_all_written(const struct session *s);

/* The number for rkt's status file: exit code, bare signal number, or 0 by shutdown (contract 6.3). */
unsigned session_app_status(const struct session_app *app);
/* Likewise as a shell shows it: 128+n for death by signal n. */
int session_app_exit(const struct session_app *app);
/* The exit status of `run`: the first bad app's, 128+n for death by signal n; else 0. */
int session_exit_status(const struct session *s);

#endif
