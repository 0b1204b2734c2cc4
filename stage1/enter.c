/* See enter.h. The protocol is a session's (stage1/session.h) without a plan and with one process. */
#include "stage1/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage1/appctl.h"
#include "stage1/caller.h"
#include "stage1/common/exec_request.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"
#include "stage1/pump.h"
#include "stage1/signals.h"
#include "stage1/terminal.h"

struct enter {
	struct caller c;
	unsigned id;
	int signals;
	struct sink out[WIRE_STREAMS];
	bool tty;  /* ours is the command's */
	bool stdin_open;
	bool left; /* enough */
};

/* Where apps come and go the supervisor knows their numbers. */
static int ask_number(const char *name, uint32_t *app_r, struct err *e)
{
	struct appctl_request rq = { .op = APPCTL_NUMBER };
	struct appctl_answer answer;

	(void)snprintf(rq.app, sizeof(rq.app), "%s", name);
	if (appctl_ask(&rq, -1, &answer, e) < 0)
		return -1;
	*app_r = answer.number;
	return 0;
}

/* The guest plan's apps are the manifest's, in its order. */
static int find_app(const char *name, uint32_t *app_r, struct err *e)
{
	AUTO_FREE char *text = NULL;
	struct pod pod = POD_INIT;
	size_t len, i = 0;
	int ret = 0;

	if (read_file_at(AT_FDCWD, "pod", POD_MANIFEST_MAX, &text, &len, e) < 0 ||
		pod_parse(text, len, &pod, e) < 0)
		return -1;
	while (name && i < pod.napps && strcmp(pod.apps[i].name, name) != 0)
		i++;
	if (!name && pod.napps != 1)
		ret = err_set(e, ERR_USAGE, "the pod has %zu apps: say which with --app=NAME", pod.napps);
	else if (i == pod.napps)
		ret = err_set(e, ERR_USAGE, "the pod has no app '%s'", name ? name : "");
	*app_r = (uint32_t)i;
	if (ret == 0 && access(APPCTL_SOCKET, F_OK) == 0)
		ret = ask_number(pod.apps[i].name, app_r, e);
	pod_dispose(&pod);
	return ret;
}

/* A terminal for the command when we have one in and out; stderr may still lead elsewhere. */
static void choose_io(struct enter *n, struct guest_io *io)
{
	n->tty = terminal_there();
	for (int k = 0; k < GUEST_IO_STREAMS; k++)
		io->kind[k] = n->tty && isatty(k) ? GUEST_IO_TTY : GUEST_IO_PIPE;
	if (n->tty)
		terminal_size(&io->rows, &io->cols);
}

static int request(struct enter *n, const struct enter_opts *opts, struct err *e)
{
	const char *term = getenv("TERM");
	AUTO_FREE char *variable = xasprintf("TERM=%s", term && *term ? term : "vt100"); /* as rkt's enter */
	struct exec_request req = { .argv = opts->argv, .argc = opts->argc, .env = &variable, .nenv = 1 };
	uint8_t *data;
	size_t len;

	if (find_app(opts->app, &req.app, e) < 0)
		return -1;
	choose_io(n, &req.io);
	if (exec_request_encode(&req, &data, &len, e) < 0)
		return -1;
	return session_exec(n->c.s, data, len, &n->id, e);
}

static void read_stdin(struct enter *n)
{
	uint8_t buf[WIRE_PAYLOAD_MAX];

	if (pump_stdin(n->c.s, n->id, buf) == 0)
		n->stdin_open = false;
}

/* Nothing more comes of the command. */
static bool is_over(const struct enter *n)
{
	return session_find(n->c.s, n->id)->state == SESSION_APP_OVER || n->c.gone;
}

/* What is sent to us is meant for the command, as long as there is one. */
static void take_signals(struct enter *n)
{
	int sig;

	while ((sig = signals_next(n->signals)) != 0) {
		if (sig == SIGTSTP)
			terminal_suspend();
		if (sig == SIGTSTP || sig == SIGWINCH)
			caller_resize(&n->c, n->id);
		else if (is_over(n))
			n->left = true;
		else
			session_signal(n->c.s, n->id, (uint32_t)sig);
	}
}

static int wait_for_event(struct enter *n, struct err *e)
{
	struct session_app *run = session_find(n->c.s, n->id);
	bool room = n->stdin_open && session_stdin_room(n->c.s, n->id) > 0;
	struct pollfd fds[] = {
		{ .fd = n->signals, .events = POLLIN },
		{ .fd = n->c.gone ? -1 : n->c.sock, .events = caller_events(&n->c) },
		{ .fd = room ? STDIN_FILENO : -1, .events = POLLIN },
		{ .fd = session_waits(&run->out[WIRE_STDOUT]) ? n->out[WIRE_STDOUT].fd : -1, .events = POLLOUT },
		{ .fd = session_waits(&run->out[WIRE_STDERR]) ? n->out[WIRE_STDERR].fd : -1, .events = POLLOUT },
	};

	if (poll(fds, COUNT(fds), -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, "poll");
	if (fds[0].revents)
		take_signals(n);
	if (fds[2].revents)
		read_stdin(n);
	if (fds[3].revents)
		(void)caller_write(&n->out[WIRE_STDOUT], &run->out[WIRE_STDOUT]);
	if (fds[4].revents)
		(void)caller_write(&n->out[WIRE_STDERR], &run->out[WIRE_STDERR]);
	return 0;
}

/* Until the command has ended and its last byte is written, or the supervisor is gone. */
static int relay(struct enter *n, struct err *e)
{
	const struct session_app *run = session_find(n->c.s, n->id);

	for (;;) {
		if (caller_exchange(&n->c, e) < 0)
			return -1;
		if (is_over(n) && session_app_written(run))
			break;
		if (n->left)
			return err_set(e, ERR_HOST, "left before all that the command wrote was read");
		n->stdin_open = n->stdin_open && !n->c.gone;
		if (wait_for_event(n, e) < 0)
			return -1;
	}
	if (run->state == SESSION_APP_OVER)
		return 0;
	return err_set(e, ERR_HOST, "the pod has ended");
}

static void say(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "stage1 enter: %s\n", line);
}

static int enter(struct enter *n, const struct enter_opts *opts, int *status_r, struct err *e)
{
	const struct session_app *run;
	int ret;

	if (request(n, opts, e) < 0)
		return -1;
	sink_open(&n->out[WIRE_STDOUT], STDOUT_FILENO);
	sink_open(&n->out[WIRE_STDERR], STDERR_FILENO);
	n->stdin_open = true;
	if (n->tty) {
		signals_of_terminal();
		terminal_raw();
	}
	ret = relay(n, e);
	terminal_restore();
	sink_close(&n->out[WIRE_STDOUT]);
	sink_close(&n->out[WIRE_STDERR]);
	if (ret < 0)
		return -1;
	run = session_find(n->c.s, n->id);
	if (run->how == WIRE_APP_FAILED)
		say(NULL, run->text);
	*status_r = session_app_exit(run);
	return 0;
}

int enter_pod(const struct enter_opts *opts, int signals, int *status_r, struct err *e)
{
	struct enter n = { .c = CALLER_INIT, .signals = signals };
	int ret = caller_open(&n.c, NULL, 0, 0, say, e);

	if (ret == 0)
		ret = enter(&n, opts, status_r, e);
	caller_close(&n.c);
	return ret;
}
