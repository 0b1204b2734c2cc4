/* See session.h. What is sent; what the guest says is session_take.c's, processes that enter session_exec.c's. */
#include "stage1/session_internal.h"

#include <stdlib.h>
#include <string.h>

#include "stage1/common/util.h"

enum { EXIT_SIGNAL_BASE = 128 };

void session_app_init(struct session_app *app)
{
	app->stdin_credit = WIRE_WINDOW;
	for (int k = 0; k < WIRE_STREAMS; k++)
		app->out[k].allowed = WIRE_WINDOW;
}

void session_init(struct session *s, uint8_t *plan, size_t plan_len, size_t napps,
	void (*log)(void *arg, const char *line), void *arg)
{
	memset(s, 0, sizeof(*s));
	s->plan = plan;
	s->plan_len = plan_len;
	s->napps = napps;
	s->apps = xcalloc(napps, sizeof(*s->apps));
	s->first_bad = -1;
	s->stop_grace_ms = UINT32_MAX;
	s->log = log;
	s->log_arg = arg;
	for (size_t i = 0; i < napps; i++)
		session_app_init(&s->apps[i]);
	(void)frame_put_hello(&s->wr);
}

void session_awaits_plan(struct session *s)
{
	s->plan_awaited = true;
}

void session_plan(struct session *s, uint8_t *plan, size_t plan_len)
{
	s->plan = plan;
	s->plan_len = plan_len;
	s->plan_awaited = false;
}

void session_awaits_ready(struct session *s, size_t i)
{
	s->apps[i].says_ready = true;
}

struct session_app *session_find(const struct session *s, unsigned id)
{
	if (id < s->napps)
		return session_app_is_known(&s->apps[id]) ? &s->apps[id] : NULL;
	if (id < WIRE_EXEC_FIRST || id >= WIRE_EXEC_FIRST + WIRE_EXEC_COUNT || !s->execs[id - WIRE_EXEC_FIRST])
		return NULL;
	return &s->execs[id - WIRE_EXEC_FIRST]->run;
}

void session_dispose(struct session *s)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++)
		session_exec_free(s, i);
	for (size_t i = 0; i < s->napps; i++)
		session_app_free(&s->apps[i]);
	free(s->apps);
	s->apps = NULL;
	s->napps = 0;
}

static void produce_plan(struct session *s)
{
	while (s->plan_sent < s->plan_len && frame_room(&s->wr) > 0) {
		size_t n = s->plan_len - s->plan_sent;

		if (n > frame_room(&s->wr))
			n = frame_room(&s->wr);
		(void)frame_put(&s->wr, WIRE_PLAN, 0, 0, s->plan + s->plan_sent, n); /* there is room */
		s->plan_sent += n;
	}
	if (s->plan_sent == s->plan_len && !s->ready_sent)
		s->ready_sent = frame_put(&s->wr, WIRE_READY, 0, 0, NULL, 0);
}

static void produce_credit(struct session *s, struct session_out *out, unsigned id, unsigned stream)
{
	if (out->refusal_due && frame_put(&s->wr, WIRE_EOF, id, stream, NULL, 0))
		out->refusal_due = false;
	if (out->eof || out->written == 0 || (out->written < WIRE_WINDOW / 2 && session_waits(out)))
		return;
	if (frame_put_u32(&s->wr, WIRE_CREDIT, id, stream, out->written)) {
		out->allowed += out->written;
		out->written = 0;
	}
}

void session_produce_app(struct session *s, struct session_app *app, unsigned id)
{
	uint8_t size[8];

	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		produce_credit(s, &app->out[k], id, k);
	if (app->state == SESSION_APP_OVER)
		return;
	wire_put_u32(size, app->rows);
	wire_put_u32(size + 4, app->cols);
	if (app->size_due && frame_put(&s->wr, WIRE_WINSIZE, id, 0, size, sizeof(size)))
		app->size_due = false;
	if (app->kill_due && frame_put_u32(&s->wr, WIRE_KILL, id, 0, app->kill_due))
		app->kill_due = 0;
}

void session_produce(struct session *s)
{
	if (!s->greeted)
		return;
	if (s->bye_due) {
		if (frame_put(&s->wr, WIRE_BYE, 0, 0, NULL, 0))
			s->bye_due = false;
		return;
	}
	if (s->ended)
		return;
	if (s->stop_due && frame_put_u32(&s->wr, WIRE_STOP, 0, 0, s->stop_grace_ms))
		s->stop_due = false;
	if (s->plan_awaited)
		return;
	produce_plan(s);
	for (unsigned i = 0; i < s->napps; i++) {
		session_produce_phase(s, &s->apps[i], i);
		if (session_app_is_known(&s->apps[i]))
			session_produce_app(s, &s->apps[i], i);
	}
	for (unsigned i = 0; i < WIRE_EXEC_COUNT && s->ready_sent; i++)
		if (s->execs[i])
			session_produce_exec(s, s->execs[i], WIRE_EXEC_FIRST + i);
}

void session_stop(struct session *s, uint32_t grace_ms)
{
	s->stopping = true;
	if (grace_ms > s->stop_grace_ms)
		return;
	s->stop_due = true;
	s->stop_grace_ms = grace_ms;
}

void session_wrote(struct session_out *out, size_t n)
{
	out->start += (uint32_t)n;
	out->written += (uint32_t)n;
	if (out->start == out->end)
		out->start = out->end = 0;
}

void session_refuse(struct session_out *out)
{
	out->written += out->end - out->start;
	out->start = out->end = 0;
	out->refused = true;
	out->refusal_due = !out->eof;
}

/* What may be sent of it: an app's from READY on, another's after its START. */
static bool is_begun(const struct session *s, unsigned id)
{
	return id < s->napps ? s->ready_sent && s->apps[id].phase != SESSION_LEAVING : s->execs[id - WIRE_EXEC_FIRST]->begun;
}

size_t session_stdin_room(const struct session *s, unsigned id)
{
	const struct session_app *a = session_find(s, id);
	size_t room = frame_room(&s->wr);

	if (!a || !is_begun(s, id) || s->ended || a->stdin_over || a->state == SESSION_APP_OVER)
		return 0;
	return room < a->stdin_credit ? room : a->stdin_credit;
}

void session_stdin(struct session *s, unsigned id, const void *data, size_t len)
{
	struct session_app *a = session_find(s, id);

	if (len == 0) {
		(void)frame_put(&s->wr, WIRE_EOF, id, WIRE_STDIN, NULL, 0);
		a->stdin_over = true;
		return;
	}
	(void)frame_put(&s->wr, WIRE_DATA, id, WIRE_STDIN, data, len);
	a->stdin_credit -= (uint32_t)len;
}

void session_resize(struct session *s, unsigned id, uint32_t rows, uint32_t cols)
{
	struct session_app *a = session_find(s, id);

	if (!a || (a->rows == rows && a->cols == cols))
		return;
	a->rows = rows;
	a->cols = cols;
	a->size_due = true;
}

void session_signal(struct session *s, unsigned id, uint32_t sig)
{
	struct session_app *a = session_find(s, id);

	if (a && sig >= 1 && sig <= SIGNAL_MAX)
		a->kill_due = sig;
}

bool session_all_started(const struct session *s)
{
	for (size_t i = 0; i < s->napps; i++)
		if (s->apps[i].phase != SESSION_ABSENT && s->apps[i].phase != SESSION_IDLE &&
			s->apps[i].state == SESSION_APP_NEW)
			return false;
	return true;
}

bool session_all_ready(const struct session *s)
{
	for (size_t i = 0; i < s->napps; i++)
		if (s->apps[i].phase == SESSION_FIXED && s->apps[i].says_ready && !s->apps[i].ready)
			return false;
	return session_all_started(s);
}

bool session_waits(const struct session_out *out)
{
	return out->start < out->end;
}

static bool none_waits(const struct session_app *app)
{
	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (session_waits(&app->out[k]))
			return false;
	return true;
}

bool session_app_written(const struct session_app *app)
{
	return !app->attached && none_waits(app);
}

bool session_all_written(const struct session *s)
{
	for (size_t i = 0; i < s->napps; i++)
		if (s->apps[i].phase != SESSION_ABSENT && !none_waits(&s->apps[i]))
			return false;
	return true;
}

unsigned session_app_status(const struct session_app *app)
{
	return app->by_shutdown ? 0 : app->value;
}

int session_app_exit(const struct session_app *app)
{
	return app->how == WIRE_APP_KILLED ? EXIT_SIGNAL_BASE + (int)app->value : (int)app->value;
}

int session_exit_status(const struct session *s)
{
	return s->first_bad < 0 ? 0 : session_app_exit(&s->apps[s->first_bad]);
}
