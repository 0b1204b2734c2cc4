/*
 * Processes that enter an app while it runs: dom0's EXEC requests, by their numbers on the wire. Each
 * is in the app's mounts, environment and restrictions, and root there (rkt's enter).
 */
#ifndef INIT_ENTERED_H
#define INIT_ENTERED_H

#include "init/app.h"
#include "stage1/common/exec_request.h"

struct entered {
	struct task task;
	uint8_t *request; /* as it arrives; argv and env point into it */
	size_t len;
	struct exec_request req;
	char **env;
	bool connection; /* it is one, and no process */
	bool cut;        /* it ends once what can be sent now is */
	bool starting; /* its program does not run yet */
	bool ended;
	enum wire_app_state how;
	uint32_t value;
	char text[WIRE_TEXT_MAX + 1];
	bool told; /* the last word is said: free it once that is queued */
};

struct entered_table {
	struct entered *at[WIRE_EXEC_COUNT]; /* NULL: the number is free */
};

/* EXEC, START, KILL, WINSIZE, and frames of its streams. Unknown numbers are ignored: they may have just ended. */
void entered_frame(struct entered_table *t, const struct frame *f, struct app *apps, size_t napps,
	enum pod_life life, struct frame_writer *wr);
/* True when the process was one of these. */
bool entered_reaped(struct entered_table *t, pid_t pid, int wait_status);
void entered_reports(struct entered_table *t); /* reads those that can be read */
/* Queues what is due; those that are over and told are freed. */
void entered_produce(struct entered_table *t, struct frame_writer *wr);
/* Fills WIRE_EXEC_COUNT * TASK_FDS. */
void entered_poll(const struct entered_table *t, bool room, struct pollfd *fds);
/*
 * Their app is gone: processes get KILL; of connections what the app had still written is passed on, up to its end, unless
 * it is late: then what dom0 takes now. To be called again when it becomes late.
 */
void entered_end(struct entered_table *t, bool late);
void entered_hang_up(const struct entered_table *t, bool all); /* task_hang_up() */
bool entered_none(const struct entered_table *t); /* none runs, none is still to be told of */
void entered_close(struct entered_table *t); /* nobody reads any more: streams and unstarted ones */
void entered_dispose(struct entered_table *t);

#endif
