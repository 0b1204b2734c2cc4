/* See guest.h. One loop, one state; the streams of an app are in init/streams.c. */
#include "init/guest.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init/app.h"
#include "init/streams.h"
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

enum app_state { APP_NEW, APP_STARTING, APP_RUNNING, APP_OVER };

struct app_run {
	enum app_state state;
	struct app_process proc;
	struct streams streams;
	/* What to report once the app is over, when there was no room at the time. */
	bool report_due;
	enum wire_app_state report;
	uint32_t value;
	char text[WIRE_TEXT_MAX + 1];
};

enum { FDS_FIXED = 2, FDS_PER_APP = WIRE_STREAMS + 1 };

struct guest {
	const struct transport *io;
	const struct guest_ops *ops;
	enum phase phase;
	bool lost;         /* dom0 is gone: nothing can be sent, nobody reads */
	bool end_due;      /* END waits for room */
	int64_t deadline;  /* of PHASE_STOP, monotonic ms */
	uint8_t *plan_bytes;
	size_t plan_len;
	struct guest_plan plan;
	struct app_run *apps; /* plan.napps of them */
	struct pollfd *fds;   /* FDS_FIXED, then FDS_PER_APP for each */
	struct frame_reader rd;
	struct frame_writer wr;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void say(struct guest *g, const char *text)
{
	(void)frame_put(&g->wr, WIRE_LOG, 0, 0, text, strnlen(text, WIRE_TEXT_MAX));
}

static void stop(struct guest *g, uint32_t grace_ms)
{
	int64_t deadline = now_ms() + grace_ms;

	if (g->phase > PHASE_STOP)
		return;
	if (g->phase == PHASE_STOP) {
		if (deadline < g->deadline)
			g->deadline = deadline;
		return;
	}
	g->phase = PHASE_STOP;
	g->deadline = deadline;
	(void)kill(-1, SIGTERM);
	(void)kill(-1, SIGCONT); /* a stopped process hears nothing else */
}

static void app_over(struct app_run *run, enum wire_app_state how, uint32_t value, const char *text)
{
	run->state = APP_OVER;
	run->report = how;
	run->value = value;
	run->report_due = true;
	(void)snprintf(run->text, sizeof(run->text), "%.*s", WIRE_TEXT_MAX, text);
}

static void start_apps(struct guest *g)
{
	struct err e = ERR_INIT;

	if (g->ops->prepare(&g->plan, &e) < 0) {
		say(g, e.msg);
		for (size_t i = 0; i < g->plan.napps; i++)
			app_over(&g->apps[i], WIRE_APP_FAILED, 254, e.msg);
		return;
	}
	for (size_t i = 0; i < g->plan.napps; i++) {
		struct app_run *run = &g->apps[i];

		if (app_spawn(&g->plan.apps[i], &run->proc, &e) < 0) {
			app_over(run, WIRE_APP_FAILED, 254, e.msg);
			return;
		}
		run->state = APP_STARTING;
		streams_init(&run->streams, (unsigned)i, run->proc.stream);
	}
}

/* The report pipe is readable: the app's program runs, or says why it does not. */
static void read_report(struct guest *g, struct app_run *run)
{
	struct app_failure failure;
	ssize_t n = read(run->proc.report, &failure, sizeof(failure));

	if (n < 0)
		return;
	(void)close(run->proc.report);
	run->proc.report = -1;
	if (run->state != APP_STARTING)
		return;
	if (n == (ssize_t)sizeof(failure)) {
		failure.text[sizeof(failure.text) - 1] = '\0';
		app_over(run, WIRE_APP_FAILED, failure.status, failure.text);
		return;
	}
	run->state = APP_RUNNING;
	(void)frame_put_app(&g->wr, (unsigned)(run - g->apps), WIRE_APP_STARTED,
		(uint32_t)run->proc.pid, "");
}

/* SIGCHLD coalesces: reap until there is nothing. True when there is no child left at all. */
static bool reap(struct guest *g)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < g->plan.napps; i++) {
			struct app_run *run = &g->apps[i];

			if (run->state == APP_NEW || run->proc.pid != pid)
				continue;
			run->proc.pid = -1;
			if (run->proc.report >= 0)
				read_report(g, run); /* it may have ended before we saw it begin */
			if (run->state == APP_OVER)
				continue;
			if (WIFSIGNALED(status))
				app_over(run, WIRE_APP_KILLED, (uint32_t)WTERMSIG(status), "");
			else
				app_over(run, WIRE_APP_EXITED, (uint32_t)WEXITSTATUS(status), "");
		}
	}
	return pid < 0 && errno == ECHILD;
}

static bool any_failed(const struct guest *g)
{
	for (size_t i = 0; i < g->plan.napps; i++)
		if (g->apps[i].state == APP_OVER &&
			(g->apps[i].report != WIRE_APP_EXITED || g->apps[i].value != 0))
			return true;
	return false;
}

static bool all_over(const struct guest *g)
{
	for (size_t i = 0; i < g->plan.napps; i++)
		if (g->apps[i].state != APP_OVER && g->apps[i].state != APP_NEW)
			return false;
	return true;
}

/* Everything the apps wrote and became is queued for dom0 (or nobody is there to read it). */
static bool all_said(const struct guest *g)
{
	if (g->lost)
		return true;
	for (size_t i = 0; i < g->plan.napps; i++)
		if (g->apps[i].report_due || !streams_done(&g->apps[i].streams))
			return false;
	return true;
}

static void plan_arrived(struct guest *g)
{
	struct err e = ERR_INIT;

	if (guest_plan_decode(g->plan_bytes, g->plan_len, &g->plan, &e) == 0) {
		struct pollfd *fds = calloc(FDS_FIXED + FDS_PER_APP * g->plan.napps, sizeof(*fds));

		g->apps = calloc(g->plan.napps + 1, sizeof(*g->apps));
		if (g->apps && fds) {
			free(g->fds);
			g->fds = STEAL(fds);
		} else {
			(void)err_set(&e, ERR_SYSTEM, "no memory for %zu apps", g->plan.napps);
			g->plan.napps = 0;
		}
		for (size_t i = 0; i < g->plan.napps; i++) /* an app that never starts has none */
			g->apps[i].proc = (struct app_process){ .pid = -1, .report = -1 };
		free(fds);
	}
	if (e.kind != ERR_NONE)
		say(g, e.msg);
	g->phase = PHASE_RUN;
	start_apps(g);
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

static void handle(struct guest *g, const struct frame *f)
{
	struct err e = ERR_INIT;

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
		if (f->app < g->plan.napps && g->apps[f->app].state != APP_NEW)
			streams_frame(&g->apps[f->app].streams, f);
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
	for (size_t i = 0; i < g->plan.napps; i++)
		streams_close(&g->apps[i].streams);
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
	for (size_t i = 0; i < g->plan.napps; i++) {
		struct app_run *run = &g->apps[i];

		streams_produce(&run->streams, &g->wr);
		if (run->report_due && frame_put_app(&g->wr, (unsigned)i, run->report, run->value, run->text))
			run->report_due = false;
	}
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

/* Moves the phase on as far as the facts allow. */
static void step(struct guest *g)
{
	bool childless = reap(g);

	if (g->phase == PHASE_RUN && (any_failed(g) || all_over(g)))
		stop(g, GRACE_MS);
	if (g->phase == PHASE_STOP && !childless && now_ms() >= g->deadline) {
		g->phase = PHASE_KILL;
		(void)kill(-1, SIGKILL);
	}
	flush(g);
	if ((g->phase == PHASE_STOP || g->phase == PHASE_KILL) && childless && all_said(g)) {
		g->ops->finish();
		g->phase = g->lost ? PHASE_DONE : PHASE_END;
		g->end_due = true;
		flush(g);
	}
	if (g->phase == PHASE_END && g->lost)
		g->phase = PHASE_DONE;
}

static void wait_for_event(struct guest *g, int sigfd)
{
	struct pollfd *fds = g->fds;
	struct signalfd_siginfo si;
	int timeout = -1;
	nfds_t n = FDS_FIXED;

	fds[0] = (struct pollfd){ .fd = g->lost ? -1 : g->io->fd, .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = sigfd, .events = POLLIN };
	for (size_t i = 0; i < g->plan.napps; i++, n += FDS_PER_APP) {
		struct app_run *run = &g->apps[i];
		bool live = run->state != APP_NEW;

		fds[n] = (struct pollfd){ .fd = live ? run->proc.report : -1, .events = POLLIN };
		streams_poll(&run->streams, live && frame_room(&g->wr) > 0, &fds[n + 1]);
	}
	if (g->phase == PHASE_STOP) {
		int64_t left = g->deadline - now_ms();

		timeout = left > 0 ? (int)left : 0;
	}
	if (poll(fds, n, timeout) < 0)
		return;
	if (fds[0].revents)
		g->io->ack(g->io->ctx);
	while (fds[1].revents && read(sigfd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		if (si.ssi_signo != SIGCHLD)
			stop(g, GRACE_MS);
	for (size_t i = 0; i < g->plan.napps; i++)
		if (fds[FDS_FIXED + FDS_PER_APP * i].revents)
			read_report(g, &g->apps[i]);
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
	(void)frame_put_hello(&g.wr);
	flush(&g);
	while (g.phase != PHASE_DONE) {
		wait_for_event(&g, sigfd);
		if (!g.lost)
			receive(&g);
		step(&g);
	}
	guest_plan_dispose(&g.plan);
	free(g.plan_bytes);
	free(g.apps);
	free(g.fds);
}
