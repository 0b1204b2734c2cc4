/* See attach.h. The protocol is a session's (stage1/session.h) whose plan is our request, with one app. */
#include "stage1/attach.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "stage1/attach_request.h"
#include "stage1/caller.h"
#include "stage1/common/util.h"
#include "stage1/escape.h"
#include "stage1/pump.h"
#include "stage1/signals.h"
#include "stage1/terminal.h"

enum { APP = 0 }; /* what it is called here */

struct attach {
	const struct attach_opts *opts;
	struct caller c;
	const struct session_app *app;
	int signals;
	uint32_t endpoints; /* those we have */
	struct sink out[WIRE_STREAMS];
	bool tty;           /* ours is the app's */
	bool stdin_open;
	bool over;          /* enough */
	struct escape escape;
};

static void say(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "stage1 attach: %s\n", line);
}

static void say_endpoints(uint32_t endpoints)
{
	char text[ENDPOINTS_TEXT_MAX];

	endpoints_text(endpoints, text);
	fprintf(stderr, "stage1 attach: attached to %s\n", text);
}

static void print_endpoint(const char *name, const char *app, bool *first)
{
	(void)printf("%s\n        {\n            \"name\": \"%s\",\n            \"domain\": \"unix\",\n"
		"            \"address\": \"/rkt/iottymux/%s/sock-%s\"\n        }", *first ? "" : ",", name, app, name);
	*first = false;
}

/* As rkt prints it, to the byte (there is no newline at the end). The addresses are its names: nothing listens there. */
static void print_list(uint32_t endpoints, const char *app)
{
	bool first = true;

	(void)printf("{\n    \"version\": 1,\n    \"targets\": [");
	if (endpoints & ENDPOINT_STDIN)
		print_endpoint("stdin", app, &first);
	if (endpoints & ENDPOINT_STDOUT)
		print_endpoint("stdout", app, &first);
	if (endpoints & ENDPOINT_STDERR)
		print_endpoint("stderr", app, &first);
	if (endpoints & (ENDPOINT_TTY_IN | ENDPOINT_TTY_OUT))
		print_endpoint("tty", app, &first);
	(void)printf("\n    ]\n}");
}

static void take_signals(struct attach *a)
{
	int sig;

	while ((sig = signals_next(a->signals)) != 0) {
		if (sig == SIGTSTP)
			terminal_suspend();
		if (sig == SIGTSTP || sig == SIGWINCH)
			caller_resize(&a->c, APP);
		else
			a->over = true;
	}
}

static void read_stdin(struct attach *a)
{
	uint8_t buf[WIRE_PAYLOAD_MAX];
	ssize_t n = pump_stdin(a->c.s, APP, buf);

	if (n == 0)
		a->stdin_open = false;
	if (n > 0 && a->tty && escape_typed(&a->escape, buf, (size_t)n, monotonic_ms()))
		a->over = true;
}

static int wait_for_event(struct attach *a, struct err *e)
{
	struct session_app *app = session_find(a->c.s, APP);
	bool room = a->stdin_open && session_stdin_room(a->c.s, APP) > 0;
	struct pollfd fds[2 + WIRE_STREAMS] = {
		[WIRE_STDIN] = { .fd = room ? STDIN_FILENO : -1, .events = POLLIN },
		[WIRE_STREAMS] = { .fd = a->signals, .events = POLLIN },
		[WIRE_STREAMS + 1] = { .fd = a->c.gone ? -1 : a->c.sock, .events = caller_events(&a->c) },
	};

	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		fds[k] = (struct pollfd){ .fd = session_waits(&app->out[k]) ? a->out[k].fd : -1, .events = POLLOUT };
	if (poll(fds, COUNT(fds), -1) < 0)
		return errno == EINTR ? 0 : err_sys(e, "poll");
	if (fds[WIRE_STREAMS].revents)
		take_signals(a);
	if (fds[WIRE_STDIN].revents)
		read_stdin(a);
	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (fds[k].revents && !caller_write(&a->out[k], &app->out[k]))
			a->over = true;
	return 0;
}

/* Input alone is over when the app has all of it. */
static bool all_given(const struct attach *a)
{
	return !a->stdin_open && a->app->stdin_credit == WIRE_WINDOW && caller_events(&a->c) == POLLIN &&
		!endpoint_of_output(a->endpoints, WIRE_STDOUT) && !endpoint_of_output(a->endpoints, WIRE_STDERR);
}

static bool is_over(const struct attach *a)
{
	if (a->over || all_given(a))
		return true;
	return (a->app->state == SESSION_APP_OVER || a->c.gone) && !session_waits(&a->app->out[WIRE_STDOUT]) &&
		!session_waits(&a->app->out[WIRE_STDERR]);
}

/* Until `until` says so. Signals end either. */
static int turn_until(struct attach *a, bool (*until)(const struct attach *a), struct err *e)
{
	for (;;) {
		/* who has left sends nothing more: the keys to leave by are not for the app */
		if (!a->over && caller_exchange(&a->c, e) < 0)
			return -1;
		if (until(a))
			return 0;
		a->stdin_open = a->stdin_open && !a->c.gone && !a->app->stdin_over;
		if (wait_for_event(a, e) < 0)
			return -1;
	}
}

static bool is_answered(const struct attach *a)
{
	return a->over || a->c.gone || a->app->state != SESSION_APP_NEW;
}

/* How it ended: the app's end is no failure of ours. */
static int judge(const struct attach *a, struct err *e)
{
	if (a->app->state == SESSION_APP_OVER && a->app->how == WIRE_APP_FAILED)
		return err_set(e, ERR_HOST, "%s", a->app->text);
	if (!a->over && a->c.gone && a->app->state != SESSION_APP_OVER)
		return err_set(e, ERR_HOST, "the pod has ended");
	return 0;
}

static int relay(struct attach *a, struct err *e)
{
	int ret;

	a->stdin_open = a->endpoints & (ENDPOINT_STDIN | ENDPOINT_TTY_IN);
	a->tty = a->endpoints & ENDPOINT_TTY_IN && a->endpoints & ENDPOINT_TTY_OUT && terminal_there();
	sink_open(&a->out[WIRE_STDOUT], STDOUT_FILENO);
	sink_open(&a->out[WIRE_STDERR], STDERR_FILENO);
	if (a->endpoints & ENDPOINT_TTY_OUT && terminal_there()) {
		signals_of_terminal();
		caller_resize(&a->c, APP);
	}
	if (a->tty)
		terminal_raw();
	ret = turn_until(a, is_over, e);
	terminal_restore();
	sink_close(&a->out[WIRE_STDOUT]);
	sink_close(&a->out[WIRE_STDERR]);
	return ret < 0 ? -1 : judge(a, e);
}

static int attach(struct attach *a, struct err *e)
{
	a->app = session_find(a->c.s, APP);
	if (turn_until(a, is_answered, e) < 0 || judge(a, e) < 0)
		return -1;
	a->endpoints = a->app->pid; /* STARTED's value */
	if (a->over)
		return 0;
	if (a->opts->endpoints != ATTACH_LIST) {
		if (a->opts->debug)
			say_endpoints(a->endpoints);
		return relay(a, e);
	}
	print_list(a->endpoints, a->opts->app);
	return fflush(stdout) == 0 ? 0 : err_sys(e, "write the list");
}

int attach_pod(const struct attach_opts *opts, int signals, struct err *e)
{
	struct attach a = { .opts = opts, .c = CALLER_INIT, .signals = signals };
	uint8_t request[ATTACH_REQUEST_MAX];
	size_t len;
	int ret;

	if (attach_request_encode(opts->endpoints, opts->app, request, &len, e) < 0)
		return -1;
	ret = caller_open(&a.c, request, len, 1, say, e);
	if (ret == 0)
		ret = attach(&a, e);
	caller_close(&a.c);
	return ret;
}
