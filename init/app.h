/*
 * The life of one app (rkt's rules, contract 6.1): its root is made, pre-start runs, then the app
 * itself; when that has ended, what it left running ends too; then post-stop; only then it is over. Each
 * step is a process, but for the leftovers; the next one begins when that is reaped. All apps live at
 * once, none waits for another.
 */
#ifndef INIT_APP_H
#define INIT_APP_H

#include "init/task.h"

enum app_state {
	APP_NEW,
	APP_ROOT,     /* its root is being made */
	APP_PRE,      /* the pre-start handler runs */
	APP_STARTING, /* forked, its program does not run yet */
	APP_RUNNING,
	APP_ENDING,   /* it has ended; what it left running was told to */
	APP_POST,     /* the post-stop handler runs */
	APP_OVER,     /* the last word is said, or waits for room */
	APP_LEAVING,  /* it is to be forgotten; what has entered it is ended */
	APP_LETTING,  /* a process lets its files go */
	APP_GONE,     /* its output is told, then that it is gone */
};

/* What the pod's phase allows an app: it is told with every event. */
enum pod_life { POD_RUNS, POD_STOPS, POD_IS_KILLED };

struct app {
	const struct guest_app *plan; /* NULL: there is no app of this number */
	enum app_state state;
	int mnt; /* its mount namespace from APP_PRE on; -1: none */
	int notify; /* where it says that it is ready; -1: it does not, or is over */
	bool ready; /* it has said so */
	uint16_t ports[GUEST_LISTENS_MAX]; /* it listens at these, */
	int sockets[GUEST_LISTENS_MAX];    /* with these descriptors; -1: not yet, or over */
	unsigned nports;
	int64_t deadline; /* of APP_ENDING: KILL, monotonic ms; INT64_MAX: none (yet) */
	bool stops;       /* it alone was asked to end */
	int64_t kill_by;  /* then what of it runs gets KILL; INT64_MAX: not (again) */
	void (*let_go)(void); /* of APP_LEAVING; NULL: its files stay */
	bool gone_said;
	struct task task;
	/* What the last word will be. */
	bool ended;
	enum wire_app_state how;
	uint32_t value;
	char text[WIRE_TEXT_MAX + 1];
};

void app_init(struct app *a, unsigned id, const struct guest_app *plan);
void app_listen(struct app *a, uint16_t port); /* before it begins; GUEST_LISTENS_MAX at most */
void app_begin(struct app *a);
/* TERM for what it runs, KILL at `kill_by_ms`; post-stop runs in between. */
void app_stop(struct app *a, int64_t kill_by_ms);
/* Over: nothing of it is to be left, then WIRE_APP_GONE is said. let_go() runs in a process of its own. */
void app_leave(struct app *a, void (*let_go)(void));
bool app_is_gone(const struct app *a); /* that is said as well */
/* It never ran, and will not. */
void app_fail(struct app *a, uint32_t status, const char *text);
/* What its process and the app itself have to say, when there is something. */
void app_report(struct app *a, struct frame_writer *wr);
void app_reaped(struct app *a, int wait_status, enum pod_life life, struct frame_writer *wr);
/* Whenever a process was reaped or time has passed: leftovers are looked after, which get KILL at `kill_by_ms`. */
void app_look(struct app *a, int64_t now_ms, int64_t kill_by_ms, enum pod_life life, struct frame_writer *wr);
void app_produce(struct app *a, struct frame_writer *wr);
void app_poll(const struct app *a, bool room, struct pollfd fds[TASK_FDS]);
/* Over, and not by an exit with 0: the pod is to end (contract 6.2). */
bool app_failed(const struct app *a);
void app_close(struct app *a);

#endif
