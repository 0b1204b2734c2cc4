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

struct session_app {
	enum { SESSION_APP_NEW, SESSION_APP_STARTED, SESSION_APP_OVER } state;
	enum wire_app_state how; /* when OVER: EXITED, KILLED or FAILED */
	uint32_t value;
	char text[WIRE_TEXT_MAX + 1];
	bool by_shutdown;        /* it ended after the pod began to end */
	struct session_out out[WIRE_STREAMS]; /* [WIRE_STDIN] unused */
	uint32_t stdin_credit;
	bool stdin_over;         /* EOF was sent, or the app wants no more */
};

struct session {
	bool greeted, ended, bye_due, ready_sent;
	bool stopping;      /* STOP was asked for, or an app failed */
	bool stop_due;
	uint32_t stop_grace_ms;
	uint8_t *plan;      /* encoded guest plan, borrowed */
	size_t plan_len, plan_sent;
	struct session_app *apps;
	size_t napps;
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

/* Takes every whole frame out of s->rd. -1: the guest broke the protocol, *e says how. */
int session_receive(struct session *s, struct err *e);
/* Queues into s->wr what is due and fits: greeting, plan, credits, STOP, BYE. */
void session_produce(struct session *s);
/* The pod is to end: apps get TERM now and KILL after `grace_ms`. Again: the shorter grace counts. */
void session_stop(struct session *s, uint32_t grace_ms);

/* Bytes of a stream were written out, or its reader went away. */
void session_wrote(struct session_out *out, size_t n);
void session_refuse(struct session_out *out);
/* How much stdin the app would take now; queues what it is given (len at most that); 0 = EOF. */
size_t session_stdin_room(const struct session *s, size_t app);
void session_stdin(struct session *s, size_t app, const void *data, size_t len);

bool session_all_started(const struct session *s); /* or over: what "ready" means */
bool session_all_written(const struct session *s); /* nothing waits for a descriptor of ours */

/* The number for rkt's status file: exit code, bare signal number, or 0 by shutdown (contract 6.3). */
unsigned session_app_status(const struct session_app *app);
/* The exit status of `run`: the first bad app's, 128+n for death by signal n; else 0. */
int session_exit_status(const struct session *s);

#endif
