/* See supervise.h. */
#include "stage1/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/console.h"
#include "stage1/escape.h"
#include "stage1/p9/status.h"
#include "stage1/pump.h"
#include "stage1/signals.h"
#include "stage1/terminal.h"
#include "stage1/trace.h"

enum {
	GREET_MS = 180000,     /* from unpause to the guest's HELLO */
	STOP_GRACE_MS = 90000, /* TERM to KILL in the guest: systemd's default, so rkt's */
	STOP_LATE_MS = 30000,  /* what a guest may take beyond that before it is destroyed */
	EXCHANGES = 64,        /* before there is a look at all else */
	LAST_WORDS_MS = 500,   /* what xenconsoled may take to hand on the next of a dead guest's */
};

struct loop {
	const struct supervise_input *in;
	struct session *s;
	struct transport io;
	bool connected, peer_gone, backend_gone, ready_said, unready_said, stop_said;
	bool told; /* TERM or INT has come once */
	enum domain_state domain;
	int64_t deadline; /* monotonic ms, -1: none */
	bool passed;      /* it had, a turn ago */
	struct console console;
	bool stdin_open;
	bool moved;   /* output was: there may be more, and credit to give */
	bool busy;    /* there is more to exchange at once */
	bool lent;    /* our terminal is the app's */
	bool escaped;
	bool waits_for_networks, networks_come;
	bool unborn;
	bool host_failed; /* what the guest has to say is not why */
	struct escape escape;
};

static int exchange(struct loop *l, struct err *e)
{
	if (!l->connected)
		return 0;
	return pump_exchange(l->s, &l->io, &l->peer_gone, e) < 0 ? err_prefix(e, "the guest broke the protocol") : 0;
}

static int connect_channel(struct loop *l, struct err *e)
{
	int ret;

	if (l->connected)
		return 0;
	ret = l->in->xo->channel(l->in->xen, l->in->domid, &l->io, e);
	if (ret > 0) {
		l->connected = true;
		trace_step("the guest's control channel is open");
	}
	return ret < 0 ? -1 : 0;
}

/* A guest that somebody has paused hears nothing. */
static void let_run_on(struct loop *l)
{
	struct err why = ERR_INIT;

	if (l->in->xo->resume(l->in->xen, l->in->domid, &why) < 0)
		fprintf(stderr, "stage1 run: warning: %s%s", why.msg, terminal_eol());
}

static void ask_to_stop(struct loop *l, uint32_t grace_ms)
{
	trace_step("the apps are asked to end");
	let_run_on(l);
	session_stop(l->s, grace_ms);
	l->deadline = monotonic_ms() + grace_ms + STOP_LATE_MS;
}

static void take_typed(struct loop *l, const uint8_t *data, ssize_t n)
{
	if (!l->lent)
		return;
	if (n == 0) /* it is no terminal any more: as if it had been hung up */
		ask_to_stop(l, STOP_GRACE_MS);
	else
		l->escaped = escape_typed(&l->escape, data, (size_t)n, monotonic_ms());
}

static size_t stdin_room(const struct loop *l)
{
	return l->stdin_open ? session_stdin_room(l->s, (unsigned)l->in->stdin_app) : 0;
}

static void read_stdin(struct loop *l)
{
	uint8_t buf[WIRE_PAYLOAD_MAX];
	ssize_t n = l->stdin_open ? pump_stdin(l->s, (unsigned)l->in->stdin_app, buf) : -1;

	if (n == 0)
		l->stdin_open = false;
	if (n >= 0)
		take_typed(l, buf, n);
}

static void send_size(struct loop *l)
{
	uint32_t rows, cols;

	terminal_size(&rows, &cols);
	if (rows && cols)
		session_resize(l->s, (unsigned)l->in->stdin_app, rows, cols);
}

/* From the app's start to its end, so that ^C stops a pod that is still starting. True: there is its size to send. */
static bool lend_terminal(struct loop *l)
{
	const struct session_app *app;

	if (!l->in->terminal)
		return false;
	app = &l->s->apps[l->in->stdin_app];
	if (app->state == SESSION_APP_STARTED && !l->lent) {
		l->lent = true;
		terminal_raw();
		send_size(l); /* it may have changed since the plan was made */
		return true;
	}
	if (app->state == SESSION_APP_OVER && l->lent && session_all_written(l->s)) {
		l->lent = false;
		terminal_restore();
	}
	return false;
}

/* A hang-up comes once more from the kernel, or after a unit's TERM: it is nobody who asks again. */
static bool is_asking(int sig)
{
	return sig == SIGTERM || sig == SIGINT;
}

static int take_signals(struct loop *l, struct err *e)
{
	int sig;

	while ((sig = signals_next(l->in->signals)) != 0) {
		if (sig == SIGTSTP)
			terminal_suspend();
		if (sig == SIGTSTP || sig == SIGWINCH) {
			send_size(l);
			continue;
		}
		l->unborn = l->unborn || l->waits_for_networks;
		if (is_asking(sig) && l->told)
			return err_set(e, ERR_HOST, "asked twice to stop: the pod is destroyed");
		l->told = l->told || is_asking(sig);
		if (!l->stop_said)
			ask_to_stop(l, STOP_GRACE_MS);
		l->stop_said = true;
	}
	return 0;
}

/* The two moments others wait for: every app runs, and the pod begins to end. */
static void say_ready(struct loop *l)
{
	if (!l->ready_said && l->s->greeted && !l->s->stopping && session_all_ready(l->s)) {
		l->ready_said = true;
		trace_step("all apps have started");
		l->in->ready(l->in->arg, true);
	}
	if (l->s->stopping && l->deadline < 0) /* an app failed: the guest ends the others */
		l->deadline = monotonic_ms() + STOP_GRACE_MS + STOP_LATE_MS;
	if (l->s->stopping && l->ready_said && !l->unready_said) {
		l->unready_said = true;
		l->in->ready(l->in->arg, false);
	}
}

/* Of QEMU, which is not our child, only that it died is known. */
static int backend_died(const struct loop *l, struct err *e)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)l->in->backend, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		info.si_code == CLD_EXITED && info.si_status == P9_STATUS_BROKEN)
		return err_set(e, ERR_INPUT, "the guest broke the protocol of its file systems");
	return err_set(e, ERR_HOST, "the process that serves the pod's file systems died");
}

/*
 * What it said while we were stopped is heard first. It could not have answered while it was paused: it gets its time
 * again, and is paused no longer when it is to end.
 */
static bool too_late(struct loop *l)
{
	bool passed = l->passed;

	if (l->s->greeted && !l->s->stopping)
		l->deadline = -1;
	l->passed = l->deadline >= 0 && monotonic_ms() >= l->deadline;
	if (!l->passed || !passed)
		return false;
	if (!l->in->xo->paused(l->in->xen, l->in->domid))
		return true;
	l->deadline = monotonic_ms() + (l->s->greeted ? STOP_LATE_MS : GREET_MS);
	if (l->s->stopping)
		let_run_on(l);
	return false;
}

static int check_end(struct loop *l, struct err *e)
{
	static const char *const ends[] = {
		[DOMAIN_POWEROFF] = "the guest powered off before the pod had ended",
		[DOMAIN_CRASHED] = "the guest crashed",
		[DOMAIN_GONE] = "the guest was destroyed",
	};

	if (l->s->ended)
		return 0;
	if (l->domain != DOMAIN_RUNNING)
		return err_set(e, ERR_HOST, "%s", ends[l->domain]);
	if (l->backend_gone)
		return backend_died(l, e);
	if (l->peer_gone)
		return err_set(e, ERR_INPUT, "the guest closed its control channel%s",
			frame_pending(&l->s->rd) ? " inside a frame" : "");
	if (too_late(l))
		return err_set(e, ERR_HOST, l->s->greeted ? "the guest did not stop in time"
							  : "the guest did not answer in time");
	return 0;
}

enum { FD_SIGNALS, FD_BACKEND, FD_CHANNEL, FD_CONSOLE, FD_NETWORKS, FD_STDIN, FD_OUTPUT, FD_XEN = FD_OUTPUT + OUTPUT_POLL };

/* What is left until `deadline`, for poll(). */
static int time_until(int64_t deadline)
{
	int64_t now = monotonic_ms();

	return deadline < 0 ? -1 : deadline > now ? (int)(deadline - now) : 0;
}

static int earlier(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Of those who are to take what the apps say. */
static int said_deadline(const struct loop *l)
{
	return earlier(time_until(control_deadline(l->in->control, l->s)), time_until(output_deadline(l->in->output)));
}

static int wait_for_event(struct loop *l, struct err *e)
{
	struct pollfd fds[FD_XEN + XEN_POLL_MAX + CONTROL_POLL_MAX + APPS_POLL_MAX + RELAY_POLL_MAX];
	int timeout = -1, nxen;
	nfds_t n;

	fds[FD_SIGNALS] = (struct pollfd){ .fd = l->in->signals, .events = POLLIN };
	fds[FD_BACKEND] = (struct pollfd){ .fd = l->s->ended ? -1 : l->in->backend, .events = POLLIN };
	fds[FD_CHANNEL] = (struct pollfd){ .fd = l->connected && !l->peer_gone ? l->io.fd : -1,
		.events = POLLIN };
	fds[FD_CONSOLE] = (struct pollfd){ .fd = l->console.fd, .events = POLLIN };
	fds[FD_NETWORKS] = (struct pollfd){ .fd = l->waits_for_networks ? l->in->networks : -1, .events = POLLIN };
	fds[FD_STDIN] = (struct pollfd){
		.fd = stdin_room(l) > 0 ? STDIN_FILENO : -1, .events = POLLIN };
	output_poll(l->in->output, &fds[FD_OUTPUT]);
	if (l->moved || l->busy)
		timeout = 0;
	else
		timeout = earlier(l->s->ended ? -1 : time_until(l->deadline), said_deadline(l));
	nxen = l->in->xo->poll_prepare(l->in->xen, fds + FD_XEN, &timeout, e);
	if (nxen < 0)
		return -1;
	n = FD_XEN + (nfds_t)nxen;
	n += control_prepare(l->in->control, l->s, fds + n);
	n += apps_prepare(l->in->apps, fds + n, &timeout);
	n += relay_prepare(l->in->relay, l->s, fds + n);
	if (poll(fds, n, timeout) < 0) {
		if (errno != EINTR)
			return err_sys(e, "poll");
		for (nfds_t i = 0; i < n; i++)
			fds[i].revents = 0;
	}
	if (l->in->xo->poll_done(l->in->xen, fds + FD_XEN, nxen, &l->domain, e) < 0)
		return -1;
	if (fds[FD_CHANNEL].revents)
		l->io.ack(l->io.ctx);
	if (fds[FD_CONSOLE].revents)
		console_read(&l->console);
	if (fds[FD_STDIN].revents)
		read_stdin(l);
	if (fds[FD_BACKEND].revents && l->domain == DOMAIN_RUNNING &&
		l->in->xo->taken(l->in->xen, l->in->domid))
		l->domain = DOMAIN_GONE; /* its backend is the first to go */
	l->backend_gone = fds[FD_BACKEND].revents != 0;
	l->networks_come = fds[FD_NETWORKS].revents != 0;
	return 0;
}

static bool serve(struct loop *l)
{
	bool moved = control_serve(l->in->control, l->s);

	moved = apps_serve(l->in->apps) || moved;
	return relay_serve(l->in->relay, l->s) || moved;
}

/*
 * With the guest and with those who enter or connect, until neither has more to say to the other; but signals and
 * deadlines have their turn however much that is.
 */
static int exchange_all(struct loop *l, struct err *e)
{
	l->busy = true;
	for (int i = 0; l->busy && i < EXCHANGES; i++) {
		if (exchange(l, e) < 0)
			return -1;
		l->busy = serve(l);
	}
	return 0;
}

/* The guest has its file systems to mount while its devices come. */
static int take_networks(struct loop *l, struct err *e)
{
	if (!l->networks_come)
		return 0;
	l->waits_for_networks = l->networks_come = false;
	if (l->in->plan(l->in->arg, e) == 0 && exchange_all(l, e) == 0 && l->in->attach(l->in->arg, e) == 0)
		return 0;
	l->host_failed = true;
	return -1;
}

static int run_loop(struct loop *l, struct err *e)
{
	while (!l->s->ended || !output_done(l->in->output)) {
		if (wait_for_event(l, e) < 0 || connect_channel(l, e) < 0 || take_networks(l, e) < 0 ||
			take_signals(l, e) < 0 || exchange_all(l, e) < 0 || check_end(l, e) < 0)
			return -1;
		if (l->escaped || l->unborn)
			return l->escaped ? SUPERVISE_ESCAPED : SUPERVISE_UNBORN;
		l->moved = lend_terminal(l);
		l->moved = output_pump(l->in->output, l->s->ended) || l->moved;
		say_ready(l);
	}
	return exchange(l, e); /* BYE */
}

/*
 * What the apps had written before the guest died belongs to the user, however slowly that reads: a
 * signal ends the wait.
 */
static void drain(struct loop *l)
{
	for (;;) {
		struct pollfd fds[1 + OUTPUT_POLL + CONTROL_POLL_MAX] = { { .fd = l->in->signals, .events = POLLIN } };
		bool moved = control_serve(l->in->control, l->s); /* who is let go holds nothing up any more */
		size_t n = 1 + OUTPUT_POLL;
		int sig;

		moved = output_pump(l->in->output, true) || moved;
		if (output_done(l->in->output))
			return;
		output_poll(l->in->output, fds + 1);
		n += control_prepare(l->in->control, l->s, fds + n);
		(void)poll(fds, n, moved ? 0 : said_deadline(l));
		while ((sig = signals_next(l->in->signals)) != 0)
			if (sig != SIGWINCH && sig != SIGTSTP)
				return;
	}
}

/* Why a kernel panicked is the last it says, and xenconsoled may learn of its end later than we. */
static void hear_last_words(struct loop *l)
{
	struct pollfd console = { .events = POLLIN };

	do {
		console_read(&l->console);
		console.fd = l->console.fd;
	} while (l->domain == DOMAIN_CRASHED && console.fd >= 0 && poll(&console, 1, LAST_WORDS_MS) > 0);
}

int supervise(const struct supervise_input *in, struct err *e)
{
	struct loop *l = xcalloc(1, sizeof(*l));
	int ret;

	l->in = in;
	l->s = in->session;
	l->stdin_open = in->stdin_app >= 0;
	l->waits_for_networks = in->networks >= 0;
	l->deadline = monotonic_ms() + GREET_MS;
	console_init(&l->console, in->console, in->debug);
	if (in->terminal)
		signals_of_terminal();

	ret = run_loop(l, e);

	terminal_restore();
	if (l->ready_said && !l->unready_said)
		in->ready(in->arg, false);
	if (ret < 0) {
		drain(l);
		hear_last_words(l);
		if (!l->host_failed && (l->domain != DOMAIN_RUNNING || l->peer_gone || !l->s->greeted))
			console_report(&l->console);
		*in->crashed_r = l->domain == DOMAIN_CRASHED;
	}
	console_close(&l->console);
	free(l);
	return ret;
}
