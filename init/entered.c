/* See entered.h. Never aborts: without memory a request fails. */
#include "init/entered.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "init/sockets.h"
#include "stage1/common/util.h"

enum { STATUS_OTHER = 254 };

static struct entered **find(struct entered_table *t, unsigned id)
{
	return id >= WIRE_EXEC_FIRST && id < WIRE_EXEC_FIRST + WIRE_EXEC_COUNT ? &t->at[id - WIRE_EXEC_FIRST]
									      : NULL;
}

static void dispose(struct entered *x)
{
	task_close(&x->task);
	exec_request_dispose(&x->req);
	free(x->env);
	free(x->request);
	free(x);
}

static void set_end(struct entered *x, enum wire_app_state how, uint32_t value, const char *text)
{
	if (x->ended)
		return;
	x->ended = true;
	x->how = how;
	x->value = value;
	(void)snprintf(x->text, sizeof(x->text), "%.*s", WIRE_TEXT_MAX, text);
}

/* A part of a request; the first one takes the number. */
static void take_part(struct entered **slot, const struct frame *f, struct frame_writer *wr)
{
	struct entered *x = *slot;
	uint8_t *bytes = NULL;

	if (!x) {
		x = *slot = calloc(1, sizeof(*x));
		if (!x) {
			(void)frame_put_app(wr, f->app, WIRE_APP_FAILED, STATUS_OTHER, "no memory");
			return;
		}
		task_init(&x->task, f->app);
	}
	if (x->req.argv || x->ended)
		return; /* it was begun: dom0 does not do that */
	if (x->len + f->len <= WIRE_EXEC_MAX)
		bytes = realloc(x->request, x->len + f->len);
	if (!bytes) {
		set_end(x, WIRE_APP_FAILED, STATUS_OTHER, "no memory for the request");
		return;
	}
	memcpy(bytes + x->len, f->data, f->len);
	x->request = bytes;
	x->len += f->len;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return !strncmp(a, b, len + 1);
}

/* The app's environment, the request's in its place where the names are the same. */
static char **merge_env(const struct guest_app *app, const struct exec_request *req)
{
	char **env = calloc(app->nenv + req->nenv + 1, sizeof(*env));
	size_t n = 0;

	if (!env)
		return NULL;
	for (size_t i = 0; i < app->nenv; i++) {
		bool replaced = false;

		for (size_t k = 0; k < req->nenv; k++)
			replaced = replaced || same_name(req->env[k], app->env[i]);
		if (!replaced)
			env[n++] = app->env[i];
	}
	for (size_t k = 0; k < req->nenv; k++)
		env[n++] = req->env[k];
	return env;
}

static int connect_port(struct entered *x, const struct app *app, struct err *e)
{
	int fds[WIRE_STREAMS] = { -1, -1, -1 };

	if (sockets_connect((uint16_t)x->req.port, &fds[WIRE_STDIN], e) < 0)
		return -1;
	fds[WIRE_STDOUT] = fcntl(fds[WIRE_STDIN], F_DUPFD_CLOEXEC, 3);
	if (fds[WIRE_STDOUT] < 0) {
		(void)close(fds[WIRE_STDIN]);
		return err_sys(e, "set up a connection");
	}
	streams_init(&x->task.streams, x->task.id, fds);
	x->connection = true;
	task_say(&x->task, WIRE_APP_STARTED, app->task.proc.pid > 0 ? (uint32_t)app->task.proc.pid : 1, "");
	return 0;
}

/* It was refused, or reset: nothing goes either way. A peer that has only said all it had to is another matter. */
static bool is_dead(int fd)
{
	struct pollfd both = { .fd = fd };

	return poll(&both, 1, 0) > 0 && both.revents & (POLLHUP | POLLERR);
}

static bool connection_over(const struct entered *x)
{
	const struct streams *s = &x->task.streams;

	return streams_done(s) && (s->stdin_fd <= 0 || is_dead(s->stdin_fd));
}

/* Both directions have ended, or are to. */
static void end_connection(struct entered *x)
{
	streams_close(&x->task.streams);
	set_end(x, WIRE_APP_EXITED, 0, "");
}

/* Nobody is there to be told anything. What was written before is on its way, and then comes the end: that of the peer. */
static void drain_connection(struct entered *x, bool late)
{
	streams_close_stdin(&x->task.streams);
	x->cut = x->cut || late;
	set_end(x, WIRE_APP_EXITED, 0, "");
}

static int begin(struct entered *x, const struct app *apps, size_t napps, enum pod_life life, struct err *e)
{
	const struct app *app;

	if (exec_request_decode(x->request, x->len, &x->req, e) < 0)
		return -1;
	if (life != POD_RUNS)
		return err_set(e, ERR_INPUT, "the pod is ending");
	if (x->req.app >= napps || !apps[x->req.app].plan)
		return err_set(e, ERR_INPUT, "no app %u in the pod", x->req.app);
	app = &apps[x->req.app];
	if (app->mnt < 0)
		return err_set(e, ERR_INPUT, "app '%s' is not running", app->plan->name);
	if (x->req.port)
		return connect_port(x, app, e);
	x->env = merge_env(app->plan, &x->req);
	if (!x->env)
		return err_set(e, ERR_SYSTEM, "no memory for the environment");
	if (task_open(&x->task, &x->req.io, e) < 0 ||
		process_spawn(&(struct process_spec){
			.app = app->plan, .mnt = app->mnt, .fds = x->task.ends.theirs,
			.terminal = x->task.terminal,
			.program = { .kind = PROGRAM_ENTERED, .exec = x->req.argv, .env = x->env },
		}, &x->task.proc, e) < 0)
		return -1;
	x->starting = true;
	return 0;
}

void entered_frame(struct entered_table *t, const struct frame *f, struct app *apps, size_t napps,
	enum pod_life life, struct frame_writer *wr)
{
	struct entered **slot = find(t, f->app);
	struct entered *x = slot ? *slot : NULL;
	struct err e = ERR_INIT;

	if (slot && f->type == WIRE_EXEC) {
		take_part(slot, f, wr);
		return;
	}
	if (!x)
		return;
	switch (f->type) {
	case WIRE_START:
		if (!x->ended && !x->req.argv && begin(x, apps, napps, life, &e) < 0)
			set_end(x, WIRE_APP_FAILED, STATUS_OTHER, e.msg);
		ends_close_theirs(&x->task.ends);
		break;
	case WIRE_KILL:
		if (x->connection)
			end_connection(x);
		task_signal(&x->task, (int)wire_u32(f->data));
		break;
	case WIRE_WINSIZE:
		streams_resize(&x->task.streams, wire_u32(f->data), wire_u32(f->data + 4));
		break;
	default:
		streams_frame(&x->task.streams, f);
		break;
	}
}

static void report(struct entered *x)
{
	struct err e = ERR_INIT;
	uint32_t status;

	switch (process_report(&x->task.proc, &status, &e)) {
	case PROCESS_SILENT:
		return;
	case PROCESS_READY:
	case PROCESS_RUNS:
		x->starting = false;
		task_say(&x->task, WIRE_APP_STARTED, (uint32_t)x->task.proc.pid, "");
		return;
	case PROCESS_FAILED:
		x->starting = false;
		set_end(x, WIRE_APP_FAILED, status, e.msg);
		return;
	}
}

bool entered_reaped(struct entered_table *t, pid_t pid, int wait_status)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++) {
		struct entered *x = t->at[i];
		enum wire_app_state how;
		uint32_t value;

		if (!x || x->task.proc.pid != pid)
			continue;
		report(x);
		task_reaped(&x->task);
		how = death_of(wait_status, &value);
		set_end(x, how, value, "");
		streams_finish(&x->task.streams);
		return true;
	}
	return false;
}

void entered_reports(struct entered_table *t)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++)
		if (t->at[i])
			report(t->at[i]);
}

void entered_produce(struct entered_table *t, struct frame_writer *wr)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++) {
		struct entered *x = t->at[i];

		if (!x)
			continue;
		if (!x->told)
			task_produce(&x->task, x->starting, wr);
		if (x->connection && (x->cut || connection_over(x)))
			end_connection(x);
		if (x->ended && !x->told && x->task.proc.pid < 0 && streams_done(&x->task.streams)) {
			x->told = true;
			task_say(&x->task, x->how, x->value, x->text);
		}
		if (x->told) /* the last frame about it: no credit follows */
			task_produce_words(&x->task, wr);
		if (x->told && x->task.nwords == 0) {
			dispose(x);
			t->at[i] = NULL;
		}
	}
}

void entered_poll(const struct entered_table *t, bool room, struct pollfd *fds)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++, fds += TASK_FDS) {
		if (t->at[i]) {
			task_poll(&t->at[i]->task, t->at[i]->starting, room, fds);
			continue;
		}
		for (int k = 0; k < TASK_FDS; k++)
			fds[k] = (struct pollfd){ .fd = -1 };
	}
}

void entered_end(struct entered_table *t, bool late)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++) {
		if (t->at[i] && t->at[i]->connection)
			drain_connection(t->at[i], late);
		else if (t->at[i])
			task_signal(&t->at[i]->task, SIGKILL);
	}
}

void entered_hang_up(const struct entered_table *t, bool all)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++)
		if (t->at[i])
			task_hang_up(&t->at[i]->task, all);
}

bool entered_none(const struct entered_table *t)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++)
		if (t->at[i] && (t->at[i]->ended || t->at[i]->task.proc.pid > 0))
			return false;
	return true;
}

void entered_close(struct entered_table *t)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++) {
		if (!t->at[i])
			continue;
		streams_close(&t->at[i]->task.streams);
		set_end(t->at[i], WIRE_APP_KILLED, SIGHUP, ""); /* of one whose request is not complete */
	}
}

void entered_dispose(struct entered_table *t)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++) {
		if (t->at[i])
			dispose(t->at[i]);
		t->at[i] = NULL;
	}
}
