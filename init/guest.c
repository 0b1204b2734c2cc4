/* See guest.h. One loop, one state; the life of an app is init/app.c's, of one that enters init/entered.c's. */
#include "init/guest.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/added.h"
#include "init/app.h"
#include "init/entered.h"
#include "stage1/common/util.h"
#include "stage1/common/wire.h"

enum {
	GRACE_MS = 90000,      /* TERM to KILL when nobody says otherwise: systemd's, so rkt's */
	LOST_GRACE_MS = 10000, /* the same when dom0's supervisor is gone */
};

enum phase {
	PHASE_GREET,  /* HELLO sent, dom0's awaited */
	PHASE_PLAN,   /* parts of the plan arrive */
	PHASE_RUN,
	PHASE_STOP,   /* TERM is sent; processes end, streams drain */
	PHASE_KILL,   /* KILL is sent */
	PHASE_END,    /* END is queued, BYE awaited */
	PHASE_DONE,
};

enum { FDS_FIXED = 2 };

struct guest {
	const struct transport *io;
	const struct guest_ops *ops;
	enum phase phase;
	bool lost;         /* dom0 is gone: nothing can be sent, nobody reads */
	bool end_due;      /* END waits for room */
	int64_t deadline;  /* of PHASE_STOP, monotonic ms */
	int64_t hang_up;   /* of PHASE_STOP: when terminals are; INT64_MAX: they have been */
	uint8_t *plan_bytes;
	size_t plan_len;
	struct guest_plan plan;
	struct app *apps;     /* by their numbers, */
	size_t napps;         /* with those that are not there */
	struct added *added;  /* as many, when apps come and go */
	struct entered_table entered;
	struct pollfd *fds;   /* FDS_FIXED, then TASK_FDS for each app and each that may enter */
	struct frame_reader rd;
	struct frame_writer wr;
};

static void say(struct guest *g, const char *text)
{
	(void)frame_put(&g->wr, WIRE_LOG, 0, 0, text, strnlen(text, WIRE_TEXT_MAX));
}

/* Those that are at a terminal: the ones that ignore TERM, or all. */
static void hang_up(struct guest *g, bool all)
{
	for (size_t i = 0; i < g->napps; i++)
		task_hang_up(&g->apps[i].task, all); /* NOLINT(clang-analyzer-core.NullDereference): napps is 0 then */
	entered_hang_up(&g->entered, all);
}

/* A terminal's user would leave a shell by a hang-up; it ignores TERM. Who does not has its time. */
static void stop(struct guest *g, uint32_t grace_ms)
{
	int64_t now = monotonic_ms(), deadline = now + grace_ms;

	if (g->phase > PHASE_STOP || (g->phase == PHASE_STOP && deadline >= g->deadline))
		return;
	g->deadline = deadline;
	g->hang_up = now + grace_ms / 2;
	if (g->phase == PHASE_STOP)
		return;
	g->phase = PHASE_STOP;
	(void)kill(-1, SIGTERM);
	hang_up(g, false);
	(void)kill(-1, SIGCONT); /* a stopped process hears nothing else */
}

static enum pod_life life_of(const struct guest *g)
{
	return g->phase <= PHASE_RUN ? POD_RUNS : g->phase == PHASE_STOP ? POD_STOPS : POD_IS_KILLED;
}

/* Of an app that was asked to end the pod is over, as it were. */
static enum pod_life life_of_app(const struct guest *g, const struct app *a)
{
	enum pod_life life = life_of(g);

	return a->stops && life == POD_RUNS ? POD_STOPS : life;
}

static void start_apps(struct guest *g)
{
	struct err e = ERR_INIT;
	int ret = g->ops->prepare(&g->plan, &e);

	if (ret < 0) {
		say(g, e.msg);
		g->plan.stays = false;
	}
	for (size_t i = 0; i < g->plan.napps; i++) {
		if (ret < 0)
			app_fail(&g->apps[i], 254, e.msg);
		else
			app_begin(&g->apps[i]);
	}
}

static void reaped(struct guest *g, pid_t pid, int status)
{
	for (size_t i = 0; i < g->napps; i++) {
		if (g->apps[i].task.proc.pid == pid) {
			app_reaped(&g->apps[i], status, life_of_app(g, &g->apps[i]), &g->wr);
			return;
		}
	}
	(void)entered_reaped(&g->entered, pid, status); /* or an orphan of somebody's */
}

/* SIGCHLD coalesces: reap until there is nothing. True when there is no child left at all. */
static bool reap(struct guest *g)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		reaped(g, pid, status);
	return pid < 0 && errno == ECHILD;
}

static bool any_failed(const struct guest *g)
{
	for (size_t i = 0; i < g->napps; i++)
		if (app_failed(&g->apps[i]))
			return true;
	return false;
}

/* One that is leaving is to be told of when it has: if there is somebody to tell. */
static bool is_over(const struct guest *g, const struct app *a)
{
	return a->state == APP_NEW || a->state == APP_OVER || (g->lost && a->state > APP_OVER);
}

static bool all_over(const struct guest *g)
{
	for (size_t i = 0; i < g->napps; i++)
		if (!is_over(g, &g->apps[i]))
			return false;
	return true;
}

/* Everything the apps wrote and became is queued for dom0 (or nobody is there to read it). */
static bool all_said(const struct guest *g)
{
	if (g->lost)
		return true;
	for (size_t i = 0; i < g->napps; i++)
		if (!task_all_said(&g->apps[i].task))
			return false;
	return entered_none(&g->entered);
}

static int make_room(struct guest *g, struct err *e)
{
	size_t n = g->plan.stays && g->plan.napps < WIRE_APPS_MAX ? WIRE_APPS_MAX : g->plan.napps;
	struct pollfd *fds = calloc(FDS_FIXED + TASK_FDS * (n + WIRE_EXEC_COUNT), sizeof(*fds));

	g->apps = calloc(n + 1, sizeof(*g->apps));
	g->added = calloc(n + 1, sizeof(*g->added));
	if (!g->apps || !g->added || !fds || n > WIRE_EXEC_FIRST) {
		free(fds);
		return err_set(e, ERR_SYSTEM, "no room for %zu apps", n);
	}
	free(g->fds);
	g->fds = fds;
	g->napps = n;
	for (size_t i = 0; i < n; i++)
		app_init(&g->apps[i], (unsigned)i, i < g->plan.napps ? &g->plan.apps[i] : NULL);
	for (size_t i = 0; i < g->plan.nlistens; i++)
		app_listen(&g->apps[g->plan.listens[i].app], (uint16_t)g->plan.listens[i].port);
	return 0;
}

static void plan_arrived(struct guest *g)
{
	struct err e = ERR_INIT;

	if (guest_plan_decode(g->plan_bytes, g->plan_len, &g->plan, &e) == 0)
		(void)make_room(g, &e);
	g->phase = PHASE_RUN;
	if (e.kind == ERR_NONE)
		start_apps(g);
	else
		say(g, e.msg);
	if (e.kind != ERR_NONE)
		g->plan.stays = false; /* it ends at once */
}

static void plan_part(struct guest *g, const struct frame *f)
{
	uint8_t *bytes;

	if (g->phase != PHASE_PLAN || g->plan_len + f->len > WIRE_PLAN_MAX)
		return;
	bytes = realloc(g->plan_bytes, g->plan_len + f->len);
	if (!bytes) {
		say(g, "no memory for the guest plan");
		return;
	}
	memcpy(bytes + g->plan_len, f->data, f->len);
	g->plan_bytes = bytes;
	g->plan_len += f->len;
}

static void begin_added(struct guest *g, unsigned id)
{
	if (g->ops->grown)
		g->ops->grown();
	added_begin(&g->added[id], &g->apps[id], id);
	if (life_of(g) != POD_RUNS) /* nothing else would tell it */
		app_stop(&g->apps[id], g->deadline);
}

static void free_gone(struct guest *g)
{
	for (size_t i = 0; i < g->napps; i++)
		if (app_is_gone(&g->apps[i]))
			added_dispose(&g->added[i], &g->apps[i]);
}

static void handle_task(struct guest *g, const struct frame *f)
{
	struct app *a;
	struct task *t;

	if (f->app >= g->napps) {
		entered_frame(&g->entered, f, g->apps, g->napps, life_of(g), &g->wr);
		return;
	}
	a = &g->apps[f->app];
	t = &a->task;
	if (!a->plan && f->type == WIRE_ADD)
		added_part(&g->added[f->app], f);
	else if (!a->plan && f->type == WIRE_START)
		begin_added(g, f->app);
	else if (!a->plan)
		return; /* it may have just gone */
	else if (f->type == WIRE_STOP_APP)
		app_stop(a, monotonic_ms() + wire_u32(f->data));
	else if (f->type == WIRE_REMOVE)
		app_leave(a, wire_u32(f->data) ? g->ops->let_go : NULL);
	else if (f->type == WIRE_KILL && a->state == APP_RUNNING)
		task_signal(t, (int)wire_u32(f->data));
	else if (f->type == WIRE_WINSIZE)
		streams_resize(&t->streams, wire_u32(f->data), wire_u32(f->data + 4));
	else if (f->type <= WIRE_CREDIT)
		streams_frame(&t->streams, f);
}

static void handle(struct guest *g, const struct frame *f)
{
	struct err e = ERR_INIT;

	if (g->phase == PHASE_END && f->type != WIRE_BYE)
		return; /* it was sent before END was heard, and END is our last word */
	switch (f->type) {
	case WIRE_HELLO:
		if (g->phase == PHASE_GREET && frame_check_hello(f, &e) == 0)
			g->phase = PHASE_PLAN;
		else if (e.kind != ERR_NONE)
			say(g, e.msg);
		break;
	case WIRE_PLAN:
		plan_part(g, f);
		break;
	case WIRE_READY:
		if (g->phase == PHASE_PLAN)
			plan_arrived(g);
		break;
	case WIRE_DATA:
	case WIRE_EOF:
	case WIRE_CREDIT:
	case WIRE_EXEC:
	case WIRE_START:
	case WIRE_KILL:
	case WIRE_WINSIZE:
	case WIRE_ADD:
	case WIRE_STOP_APP:
	case WIRE_REMOVE:
		handle_task(g, f);
		break;
	case WIRE_STOP:
		stop(g, wire_u32(f->data));
		break;
	case WIRE_BYE:
		if (g->phase == PHASE_END)
			g->phase = PHASE_DONE;
		break;
	case WIRE_APP:
	case WIRE_LOG:
	case WIRE_END:
		break; /* ours to say, not dom0's */
	}
}

static void lose(struct guest *g)
{
	if (g->lost)
		return;
	g->lost = true;
	for (size_t i = 0; i < g->napps; i++)
		streams_close(&g->apps[i].task.streams);
	entered_close(&g->entered);
	stop(g, LOST_GRACE_MS);
}

static void receive(struct guest *g)
{
	struct err e = ERR_INIT;
	struct frame f;
	ssize_t n;

	do {
		size_t room;
		uint8_t *space = frame_space(&g->rd, &room);

		n = g->io->read(g->io->ctx, space, room);
		if (n > 0)
			frame_added(&g->rd, (size_t)n);
		for (;;) {
			enum frame_status st = frame_pop(&g->rd, &f, &e);

			if (st == FRAME_BAD)
				n = -1;
			if (st != FRAME_READY)
				break;
			handle(g, &f);
		}
	} while (n > 0);
	if (n < 0)
		lose(g);
}

static void transmit(struct guest *g)
{
	ssize_t n;
	size_t len;

	do {
		const uint8_t *data = frame_queued(&g->wr, &len);

		n = len ? g->io->write(g->io->ctx, data, len) : 0;
		if (n > 0)
			frame_sent(&g->wr, (size_t)n);
	} while (n > 0);
	if (n < 0)
		lose(g);
}

static void produce(struct guest *g)
{
	for (size_t i = 0; i < g->napps; i++)
		app_produce(&g->apps[i], &g->wr);
	entered_produce(&g->entered, &g->wr);
	if (g->end_due && frame_put(&g->wr, WIRE_END, 0, 0, NULL, 0))
		g->end_due = false;
}

/* Queues and sends until the ring is full or there is nothing more to say. */
static void flush(struct guest *g)
{
	size_t queued, left;

	do {
		produce(g);
		(void)frame_queued(&g->wr, &queued);
		if (!g->lost)
			transmit(g);
		(void)frame_queued(&g->wr, &left);
	} while (queued > 0 && left == 0 && !g->lost);
}

/* What apps have left running, when they have ended. */
static void look_after_leftovers(struct guest *g)
{
	int64_t now = monotonic_ms(), kill_by = g->phase == PHASE_STOP ? (now + g->deadline) / 2 : now + GRACE_MS;

	for (size_t i = 0; i < g->napps; i++)
		app_look(&g->apps[i], now, kill_by, life_of_app(g, &g->apps[i]), &g->wr);
}

/* Moves the phase on as far as the facts allow. */
static void step(struct guest *g)
{
	bool childless = reap(g);

	look_after_leftovers(g);
	if (g->phase == PHASE_RUN && !g->plan.stays && (any_failed(g) || all_over(g)))
		stop(g, GRACE_MS);
	if (g->phase == PHASE_STOP && monotonic_ms() >= g->hang_up) {
		g->hang_up = INT64_MAX;
		hang_up(g, true);
	}
	if (g->phase == PHASE_STOP && monotonic_ms() >= g->deadline) { /* also when only output is left, which waits on */
		g->phase = PHASE_KILL;
		(void)kill(-1, SIGKILL);
	}
	if ((g->phase == PHASE_STOP || g->phase == PHASE_KILL) && all_over(g))
		entered_end(&g->entered, g->phase == PHASE_KILL); /* their app is gone, and the pod waits for nobody else */
	flush(g);
	free_gone(g);
	if ((g->phase == PHASE_STOP || g->phase == PHASE_KILL) && childless && all_over(g) && all_said(g)) {
		g->ops->finish();
		g->phase = g->lost ? PHASE_DONE : PHASE_END;
		g->end_due = true;
		flush(g);
	}
	if (g->phase == PHASE_END && g->lost)
		g->phase = PHASE_DONE;
}

/* Milliseconds until something is due by time alone, -1: nothing is. */
static int patience(const struct guest *g)
{
	int64_t due = INT64_MAX, left;

	if (g->phase == PHASE_STOP)
		due = g->hang_up < g->deadline ? g->hang_up : g->deadline;
	for (size_t i = 0; i < g->napps; i++) {
		if (g->apps[i].deadline < due) /* NOLINT(clang-analyzer-core.NullDereference): napps is 0 then */
			due = g->apps[i].deadline;
		if (g->apps[i].stops && g->apps[i].state < APP_OVER && g->apps[i].kill_by < due)
			due = g->apps[i].kill_by;
	}
	left = due - monotonic_ms();
	return due == INT64_MAX ? -1 : left > 0 ? (int)left : 0;
}

static void wait_for_event(struct guest *g, int sigfd)
{
	struct pollfd *fds = g->fds;
	struct signalfd_siginfo si;
	bool room = frame_room(&g->wr) > 0;
	nfds_t n = FDS_FIXED;

	fds[0] = (struct pollfd){ .fd = g->lost ? -1 : g->io->fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = sigfd, .events = POLLIN };
	for (size_t i = 0; i < g->napps; i++, n += TASK_FDS)
		app_poll(&g->apps[i], room, &fds[n]);
	if (g->apps) {
		entered_poll(&g->entered, room, &fds[n]);
		n += TASK_FDS * WIRE_EXEC_COUNT;
	}
	if (poll(fds, n, patience(g)) < 0)
		return;
	if (fds[0].revents)
		g->io->ack(g->io->ctx);
	while (fds[1].revents && read(sigfd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		if (si.ssi_signo != SIGCHLD)
			stop(g, GRACE_MS);
	for (size_t i = 0; i < g->napps; i++)
		app_report(&g->apps[i], &g->wr);
	entered_reports(&g->entered);
}

void guest_run(const struct transport *io, int sigfd, const struct guest_ops *ops)
{
	static struct guest g; /* large, and PID 1 has only one */

	memset(&g, 0, sizeof(g));
	g.io = io;
	g.ops = ops;
	g.fds = calloc(FDS_FIXED, sizeof(*g.fds));
	if (!g.fds)
		return;
	process_init();
	(void)frame_put_hello(&g.wr);
	flush(&g);
	while (g.phase != PHASE_DONE) {
		wait_for_event(&g, sigfd);
		if (!g.lost)
			receive(&g);
		step(&g);
	}
	for (size_t i = 0; i < g.napps; i++)
		added_dispose(&g.added[i], &g.apps[i]);
	entered_dispose(&g.entered);
	guest_plan_dispose(&g.plan);
	free(g.plan_bytes);
	free(g.apps);
	free(g.added);
	free(g.fds);
}
