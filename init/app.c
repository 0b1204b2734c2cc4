/* See app.h. */
#include "init/app.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/cgroup.h"
#include "init/notify.h"
#include "init/sockets.h"
#include "stage1/common/util.h"

enum {
	STATUS_OTHER = 254,
	SIGNAL_BASE = 128,
	POST_MS = 10000, /* for post-stop, when the app itself took all the time it had to end */
};

void app_init(struct app *a, unsigned id, const struct guest_app *plan)
{
	memset(a, 0, sizeof(*a));
	a->plan = plan;
	a->mnt = -1;
	a->notify = -1;
	a->deadline = a->kill_by = INT64_MAX;
	task_init(&a->task, id);
}

/* The first cause stays. */
static void set_end(struct app *a, enum wire_app_state how, uint32_t value, const char *text)
{
	if (a->ended)
		return;
	a->ended = true;
	a->how = how;
	a->value = value;
	(void)snprintf(a->text, sizeof(a->text), "%.*s", WIRE_TEXT_MAX, text);
}

static void close_own(struct app *a)
{
	if (a->mnt >= 0)
		(void)close(a->mnt); /* processes that entered it hold it themselves */
	if (a->notify >= 0)
		(void)close(a->notify);
	a->mnt = a->notify = -1;
	for (unsigned i = 0; i < a->nports; i++) {
		if (a->sockets[i] >= 0)
			(void)close(a->sockets[i]);
		a->sockets[i] = -1;
	}
}

static void over(struct app *a)
{
	a->state = APP_OVER;
	ends_close_theirs(&a->task.ends);
	streams_close_stdin(&a->task.streams);
	close_own(a);
	task_say(&a->task, a->how, a->value, a->text);
}

void app_fail(struct app *a, uint32_t status, const char *text)
{
	set_end(a, WIRE_APP_FAILED, status, text);
	over(a);
}

static bool is_at_work(const struct app *a)
{
	return a->state >= APP_ROOT && a->state <= APP_POST;
}

void app_stop(struct app *a, int64_t kill_by_ms)
{
	if (!is_at_work(a) || (a->stops && kill_by_ms >= a->kill_by))
		return;
	a->kill_by = kill_by_ms;
	if (a->stops)
		return;
	a->stops = true;
	if (a->state == APP_POST)
		return; /* that is how it ends */
	task_hang_up(&a->task, false);
	if (a->task.proc.report >= 0) /* its program was not heard of: it may be on its way into the cgroup */
		(void)kill(a->task.proc.pid, SIGTERM);
	cgroup_terminate(a->plan);
}

void app_leave(struct app *a, void (*let_go)(void))
{
	if (a->state != APP_OVER)
		return;
	a->state = APP_LEAVING;
	a->let_go = let_go;
	close_own(a);
	streams_finish(&a->task.streams); /* nothing of it is left that could write more */
}

bool app_is_gone(const struct app *a)
{
	return a->state == APP_GONE && a->gone_said && a->task.nwords == 0;
}

/* What entered it ends when it is reaped: whoever waits for that comes here again. */
static void go_on_leaving(struct app *a)
{
	struct err e = ERR_INIT;

	if (a->state == APP_LEAVING && cgroup_remove(a->plan)) {
		a->state = APP_GONE;
		if (a->let_go && process_do(a->let_go, &a->task.proc, &e) == 0)
			a->state = APP_LETTING;
	}
}

static int open_notify(struct app *a, struct err *e)
{
	if (a->plan->notify)
		a->notify = notify_open(a->plan->name, e);
	return a->plan->notify && a->notify < 0 ? -1 : 0;
}

void app_listen(struct app *a, uint16_t port)
{
	a->ports[a->nports] = port;
	a->sockets[a->nports++] = -1;
}

static int open_sockets(struct app *a, struct err *e)
{
	for (unsigned i = 0; i < a->nports; i++)
		if (sockets_listen(a->ports[i], &a->sockets[i], e) < 0)
			return -1;
	return 0;
}

void app_begin(struct app *a)
{
	struct err e = ERR_INIT;

	if (open_notify(a, &e) < 0 || open_sockets(a, &e) < 0 || task_open(&a->task, &a->plan->io, &e) < 0 || cgroup_make(a->plan, &e) < 0 ||
		process_make_root(a->plan, &a->task.proc, &e) < 0) {
		app_fail(a, STATUS_OTHER, e.msg);
		return;
	}
	a->state = APP_ROOT;
}

/* Trouble that changes nothing of how the app ended. */
static void note(const struct app *a, struct frame_writer *wr, const char *text)
{
	char line[WIRE_TEXT_MAX + 1];

	(void)snprintf(line, sizeof(line), "app '%.80s': %.300s", a->plan->name, text);
	(void)frame_put(wr, WIRE_LOG, 0, 0, line, strlen(line));
}

static int spawn(struct app *a, enum program_kind kind, char **exec, struct err *e)
{
	const int *theirs = a->task.ends.theirs;
	const unsigned nsockets = kind == PROGRAM_MAIN ? a->nports : 0;
	const int fds[WIRE_STREAMS] = { kind == PROGRAM_MAIN ? theirs[0] : -1, theirs[1], theirs[2] };

	return process_spawn(&(struct process_spec){
		.app = a->plan, .mnt = a->mnt, .fds = fds,
		.terminal = kind == PROGRAM_MAIN && a->task.terminal,
		.sockets = a->sockets, .nsockets = nsockets,
		.program = { .kind = kind, .exec = exec, .nsockets = nsockets },
	}, &a->task.proc, e);
}

/* Nothing of it is left: post-stop, then it is over. */
static void start_post(struct app *a, enum pod_life life, struct frame_writer *wr)
{
	struct err e = ERR_INIT;

	if (a->plan->npost_stop == 0 || a->mnt < 0 || life == POD_IS_KILLED) {
		over(a);
		return;
	}
	if (spawn(a, PROGRAM_HANDLER, a->plan->post_stop, &e) < 0) {
		(void)err_prefix(&e, "post-stop handler");
		note(a, wr, e.msg);
		over(a);
		return;
	}
	a->state = APP_POST;
	ends_close_theirs(&a->task.ends);
	task_say(&a->task, WIRE_APP_HANDLER, (uint32_t)a->task.proc.pid, "");
}

/* The app's own part is done, however. */
static void finish(struct app *a, enum pod_life life, struct frame_writer *wr)
{
	cgroup_terminate(a->plan);
	streams_close_stdin(&a->task.streams);
	a->state = APP_ENDING;
	if (!cgroup_populated(a->plan))
		start_post(a, life, wr);
}

void app_look(struct app *a, int64_t now_ms, int64_t kill_by_ms, enum pod_life life, struct frame_writer *wr)
{
	if (a->stops && is_at_work(a) && now_ms >= a->kill_by) {
		cgroup_kill(a->plan);
		a->kill_by = a->state == APP_POST ? INT64_MAX : now_ms + POST_MS;
	}
	if (a->state >= APP_LEAVING)
		go_on_leaving(a);
	if (a->state != APP_ENDING)
		return;
	if (kill_by_ms < a->deadline)
		a->deadline = kill_by_ms;
	if (!cgroup_populated(a->plan)) {
		a->deadline = INT64_MAX;
		start_post(a, life, wr);
	} else if (now_ms >= a->deadline) {
		cgroup_kill(a->plan);
		a->deadline = INT64_MAX;
	}
}

static void start_main(struct app *a, enum pod_life life, struct frame_writer *wr)
{
	struct err e = ERR_INIT;

	if (life != POD_RUNS) {
		set_end(a, WIRE_APP_KILLED, SIGTERM, "");
		finish(a, life, wr);
		return;
	}
	if (spawn(a, PROGRAM_MAIN, a->plan->exec, &e) < 0) {
		set_end(a, WIRE_APP_FAILED, STATUS_OTHER, e.msg);
		finish(a, life, wr);
		return;
	}
	a->state = APP_STARTING;
	if (a->plan->npost_stop == 0)
		ends_close_theirs(&a->task.ends); /* else they are kept for the handler */
}

static void start_pre(struct app *a, enum pod_life life, struct frame_writer *wr)
{
	struct err e = ERR_INIT;

	if (a->plan->npre_start == 0 || life != POD_RUNS) {
		start_main(a, life, wr);
		return;
	}
	if (spawn(a, PROGRAM_HANDLER, a->plan->pre_start, &e) < 0) {
		set_end(a, WIRE_APP_FAILED, STATUS_OTHER, e.msg);
		finish(a, life, wr);
		return;
	}
	a->state = APP_PRE;
	task_say(&a->task, WIRE_APP_HANDLER, (uint32_t)a->task.proc.pid, "");
}

/* The child that made the root waits: its namespace is held by us from now on, and it may go. */
static void take_root(struct app *a)
{
	struct err e = ERR_INIT;
	char path[40];

	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)a->task.proc.pid);
	a->mnt = open(path, O_RDONLY | O_CLOEXEC);
	if (a->mnt < 0 && errno != ENOENT) { /* killed since, a stopping pod's: app_reaped() knows what it means */
		(void)err_sys(&e, "open %s", path);
		set_end(a, WIRE_APP_FAILED, STATUS_OTHER, e.msg);
	}
	(void)kill(a->task.proc.pid, SIGKILL);
}

static void hear_process(struct app *a, struct frame_writer *wr)
{
	struct err e = ERR_INIT;
	uint32_t status;

	switch (process_report(&a->task.proc, &status, &e)) {
	case PROCESS_SILENT:
		return;
	case PROCESS_READY:
		if (a->state == APP_ROOT)
			take_root(a);
		return;
	case PROCESS_RUNS:
		if (a->state == APP_STARTING) {
			a->state = APP_RUNNING;
			task_say(&a->task, WIRE_APP_STARTED, (uint32_t)a->task.proc.pid, "");
		}
		return;
	case PROCESS_FAILED:
		if (a->state == APP_PRE || a->state == APP_POST)
			(void)err_prefix(&e, "%s handler", a->state == APP_PRE ? "pre-start" : "post-stop");
		if (a->state == APP_POST)
			note(a, wr, e.msg);
		set_end(a, WIRE_APP_FAILED, status, e.msg); /* after post-stop no more than that note */
		return;
	}
}

/* Who says that it is ready runs, even when its process was not heard of a moment ago. */
static void hear_app(struct app *a, struct frame_writer *wr)
{
	if (a->notify < 0 || !notify_ready(a->notify, a->task.proc.pid))
		return;
	hear_process(a, wr);
	if (a->state != APP_RUNNING || a->ready)
		return;
	a->ready = true;
	task_say(&a->task, WIRE_APP_READY, 0, "");
}

void app_report(struct app *a, struct frame_writer *wr)
{
	hear_process(a, wr);
	hear_app(a, wr);
}

static void pre_reaped(struct app *a, int wait_status, enum pod_life life, struct frame_writer *wr)
{
	uint32_t value;
	char text[80];

	if (life != POD_RUNS || a->ended) {
		set_end(a, WIRE_APP_KILLED, SIGTERM, "");
	} else if (death_of(wait_status, &value) == WIRE_APP_KILLED) {
		(void)snprintf(text, sizeof(text), "the pre-start handler was killed by signal %u", value);
		set_end(a, WIRE_APP_FAILED, SIGNAL_BASE + value, text);
	} else if (value != 0) {
		(void)snprintf(text, sizeof(text), "the pre-start handler exited with status %u", value);
		set_end(a, WIRE_APP_FAILED, value, text);
	}
	if (a->ended)
		finish(a, life, wr);
	else
		start_main(a, life, wr);
}

/* Its failure is told, and changes nothing: the app has ended as it has. */
static void post_reaped(struct app *a, int wait_status, struct frame_writer *wr)
{
	uint32_t value;
	char text[80];
	bool killed = death_of(wait_status, &value) == WIRE_APP_KILLED;

	(void)snprintf(text, sizeof(text), "the post-stop handler %s %u",
		killed ? "was killed by signal" : "exited with status", value);
	if (value != 0)
		note(a, wr, text);
	over(a);
}

void app_reaped(struct app *a, int wait_status, enum pod_life life, struct frame_writer *wr)
{
	enum wire_app_state how;
	uint32_t value;

	app_report(a, wr); /* it may have ended before we saw it begin */
	task_reaped(&a->task);
	if (a->state == APP_PRE)
		app_produce(a, wr); /* what it wrote is told before others write */
	switch (a->state) {
	case APP_ROOT:
		if (a->mnt < 0 && life == POD_RUNS)
			set_end(a, WIRE_APP_FAILED, STATUS_OTHER, "the process that made its root was killed");
		if (a->ended)
			finish(a, life, wr);
		else
			start_pre(a, life, wr);
		break;
	case APP_PRE:
		pre_reaped(a, wait_status, life, wr);
		break;
	case APP_STARTING:
	case APP_RUNNING:
		how = death_of(wait_status, &value);
		set_end(a, how, value, cgroup_verdict(a->plan));
		finish(a, life, wr);
		break;
	case APP_POST:
		post_reaped(a, wait_status, wr);
		break;
	case APP_LETTING:
		a->state = APP_GONE;
		break;
	case APP_NEW:
	case APP_ENDING:
	case APP_OVER:
	case APP_LEAVING:
	case APP_GONE:
		break;
	}
}

void app_produce(struct app *a, struct frame_writer *wr)
{
	task_produce(&a->task, a->state == APP_STARTING, wr);
	if (a->state != APP_GONE)
		return;
	if (!a->gone_said && streams_done(&a->task.streams)) {
		a->gone_said = true;
		task_say(&a->task, WIRE_APP_GONE, 0, "");
	}
	if (a->gone_said) /* the last frame about it */
		task_produce_words(&a->task, wr);
}

void app_poll(const struct app *a, bool room, struct pollfd fds[TASK_FDS])
{
	task_poll(&a->task, a->state == APP_STARTING, room, fds);
	fds[TASK_FDS - 1] = (struct pollfd){ .fd = a->notify, .events = POLLIN };
}

bool app_failed(const struct app *a)
{
	return a->state == APP_OVER && (a->how != WIRE_APP_EXITED || a->value != 0);
}

void app_close(struct app *a)
{
	task_close(&a->task);
	close_own(a);
}
