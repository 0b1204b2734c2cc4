/*
 * What an app and a process that enters one have in common: a number on the wire, the streams, the
 * process that runs for it now, and what dom0 is to be told of it.
 */
#ifndef INIT_TASK_H
#define INIT_TASK_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "init/ends.h"
#include "init/process.h"
#include "init/streams.h"
#include "stage1/common/wire.h"

enum { TASK_WORDS = 6, TASK_FDS = WIRE_STREAMS + 2 };

struct task {
	unsigned id;
	bool terminal;
	struct process proc;
	struct ends ends; /* only theirs; ours are the streams' */
	struct streams streams;
	/* WIRE_APP frames that wait for room, in their order. */
	struct {
		enum wire_app_state state;
		uint32_t value;
	} words[TASK_WORDS];
	unsigned nwords;
	char text[WIRE_TEXT_MAX + 1]; /* of the last word */
};

void task_init(struct task *t, unsigned id);
int task_open(struct task *t, const struct guest_io *io, struct err *e);
void task_say(struct task *t, enum wire_app_state state, uint32_t value, const char *text);
/* What was said, then output: unless the program is only about to run, since then comes its word first. */
void task_produce(struct task *t, bool about_to_run, struct frame_writer *wr);
void task_produce_words(struct task *t, struct frame_writer *wr); /* only those */
/* The last of them stays free: for an app's own use. */
void task_poll(const struct task *t, bool about_to_run, bool room, struct pollfd fds[TASK_FDS]);
bool task_all_said(const struct task *t);
void task_reaped(struct task *t); /* its process is gone, and the report read */
void task_signal(const struct task *t, int sig); /* the process and its group */
/* HUP, as for task_signal(), when it is at a terminal: when it ignores TERM, or always. */
void task_hang_up(const struct task *t, bool always);
void task_close(struct task *t);

/* A death as WIRE_APP_EXITED or WIRE_APP_KILLED. */
enum wire_app_state death_of(int wait_status, uint32_t *value_r);

#endif
