/* See session.h. */
#include "stage1/session.h"

#include <stdlib.h>
#include <string.h>

#include "stage1/common/util.h"

enum { SIGNAL_MAX = 64, EXIT_SIGNAL_BASE = 128 };

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
	for (size_t i = 0; i < napps; i++) {
		s->apps[i].stdin_credit = WIRE_WINDOW;
		for (int k = 0; k < WIRE_STREAMS; k++)
			s->apps[i].out[k].allowed = WIRE_WINDOW;
	}
	(void)frame_put_hello(&s->wr);
}

void session_dispose(struct session *s)
{
	free(s->apps);
	s->apps = NULL;
	s->napps = 0;
}

/* Guest text is shown on an operator's terminal. */
static void copy_text(char *to, const uint8_t *from, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = from[i] ? (char)from[i] : '?';
	to[len] = '\0';
	text_make_harmless(to);
}

static int take_log(struct session *s, const struct frame *f)
{
	char line[WIRE_TEXT_MAX + 1];

	if (s->logged >= WIRE_LOG_MAX)
		return 0;
	s->logged += f->len;
	copy_text(line, f->data, f->len);
	s->log(s->log_arg, s->logged >= WIRE_LOG_MAX ? "(no more of the guest's messages are shown)" : line);
	return 0;
}

static int take_data(struct session_app *app, const struct frame *f, struct err *e)
{
	struct session_out *out = &app->out[f->stream];

	if (f->stream == WIRE_STDIN)
		return err_set(e, ERR_INPUT, "data of an app's stdin");
	if (out->eof)
		return err_set(e, ERR_INPUT, "data after the end of its stream");
	if (f->len > out->allowed)
		return err_set(e, ERR_INPUT, "%u bytes of data, %u are allowed", f->len, out->allowed);
	out->allowed -= f->len;
	if (out->refused) {
		out->written += f->len;
		return 0;
	}
	if (f->len > sizeof(out->buf) - out->end) {
		memmove(out->buf, out->buf + out->start, out->end - out->start);
		out->end -= out->start;
		out->start = 0;
	}
	memcpy(out->buf + out->end, f->data, f->len); /* buffered + allowed is at most the window */
	out->end += f->len;
	return 0;
}

static int take_credit(struct session_app *app, const struct frame *f, struct err *e)
{
	uint32_t n = wire_u32(f->data);

	if (f->stream != WIRE_STDIN || n > WIRE_WINDOW - app->stdin_credit)
		return err_set(e, ERR_INPUT, "credit of %u bytes for stream %u", n, f->stream);
	app->stdin_credit += n;
	return 0;
}

static int take_eof(struct session_app *app, const struct frame *f, struct err *e)
{
	if (f->stream == WIRE_STDIN)
		app->stdin_over = true;
	else if (app->out[f->stream].eof)
		return err_set(e, ERR_INPUT, "a second end of stream %u", f->stream);
	else
		app->out[f->stream].eof = true;
	return 0;
}

static bool value_fits(enum wire_app_state how, uint32_t value)
{
	switch (how) {
	case WIRE_APP_STARTED:
		return true;
	case WIRE_APP_EXITED:
		return value <= 255;
	case WIRE_APP_KILLED:
		return value >= 1 && value <= SIGNAL_MAX;
	case WIRE_APP_FAILED:
		return value >= 1 && value <= 255;
	}
	return false;
}

static int take_app(struct session *s, size_t index, const struct frame *f, struct err *e)
{
	struct session_app *app = &s->apps[index];
	uint32_t how = wire_u32(f->data), value = wire_u32(f->data + 4);

	if (!value_fits((enum wire_app_state)how, value))
		return err_set(e, ERR_INPUT, "app %zu: state %u with value %u", index, how, value);
	if (app->state == SESSION_APP_OVER ||
		(how == WIRE_APP_STARTED && app->state != SESSION_APP_NEW))
		return err_set(e, ERR_INPUT, "app %zu: state %u out of turn", index, how);
	if (how == WIRE_APP_STARTED) {
		app->state = SESSION_APP_STARTED;
		return 0;
	}
	app->state = SESSION_APP_OVER;
	app->how = (enum wire_app_state)how;
	app->value = value;
	app->by_shutdown = s->stopping;
	copy_text(app->text, f->data + 8, f->len - 8);
	if (!s->stopping && (how != WIRE_APP_EXITED || value != 0)) {
		s->first_bad = (int)index;
		s->stopping = true;
	}
	return 0;
}

static int take_end(struct session *s, struct err *e)
{
	for (size_t i = 0; i < s->napps; i++)
		if (s->apps[i].state != SESSION_APP_OVER && !s->stopping)
			return err_set(e, ERR_INPUT, "END before app %zu has ended", i);
	s->ended = true;
	s->bye_due = true;
	return 0;
}

static int take(struct session *s, const struct frame *f, struct err *e)
{
	if (!s->greeted) {
		if (frame_check_hello(f, e) < 0)
			return -1;
		s->greeted = true;
		return 0;
	}
	if (s->ended)
		return err_set(e, ERR_INPUT, "a frame after END");
	if (f->type == WIRE_LOG)
		return take_log(s, f);
	if (f->type == WIRE_END)
		return take_end(s, e);
	if (f->app >= s->napps)
		return err_set(e, ERR_INPUT, "frame of type %d for app %u of %zu", f->type, f->app, s->napps);
	switch (f->type) {
	case WIRE_DATA:
		return take_data(&s->apps[f->app], f, e);
	case WIRE_CREDIT:
		return take_credit(&s->apps[f->app], f, e);
	case WIRE_EOF:
		return take_eof(&s->apps[f->app], f, e);
	case WIRE_APP:
		return take_app(s, f->app, f, e);
	default:
		return err_set(e, ERR_INPUT, "frame of type %d is not the guest's to send", f->type);
	}
}

int session_receive(struct session *s, struct err *e)
{
	enum frame_status st;
	struct frame f;

	while ((st = frame_pop(&s->rd, &f, e)) == FRAME_READY)
		if (take(s, &f, e) < 0)
			return -1;
	return st == FRAME_BAD ? -1 : 0;
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

static void produce_credit(struct session *s, unsigned app, unsigned stream)
{
	struct session_out *out = &s->apps[app].out[stream];

	if (out->refusal_due && frame_put(&s->wr, WIRE_EOF, app, stream, NULL, 0))
		out->refusal_due = false;
	if (out->eof || out->written == 0 || (out->written < WIRE_WINDOW / 2 && out->start < out->end))
		return;
	if (frame_put_u32(&s->wr, WIRE_CREDIT, app, stream, out->written)) {
		out->allowed += out->written;
		out->written = 0;
	}
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
	produce_plan(s);
	for (unsigned i = 0; i < s->napps; i++)
		for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
			produce_credit(s, i, k);
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

size_t session_stdin_room(const struct session *s, size_t app)
{
	const struct session_app *a = &s->apps[app];
	size_t room = frame_room(&s->wr);

	if (!s->ready_sent || s->ended || a->stdin_over || a->state == SESSION_APP_OVER)
		return 0;
	return room < a->stdin_credit ? room : a->stdin_credit;
}

void session_stdin(struct session *s, size_t app, const void *data, size_t len)
{
	struct session_app *a = &s->apps[app];

	if (len == 0) {
		(void)frame_put(&s->wr, WIRE_EOF, (unsigned)app, WIRE_STDIN, NULL, 0);
		a->stdin_over = true;
		return;
	}
	(void)frame_put(&s->wr, WIRE_DATA, (unsigned)app, WIRE_STDIN, data, len);
	a->stdin_credit -= (uint32_t)len;
}

bool session_all_started(const struct session *s)
{
	for (size_t i = 0; i < s->napps; i++)
		if (s->apps[i].state == SESSION_APP_NEW)
			return false;
	return true;
}

bool session_all_written(const struct session *s)
{
	for (size_t i = 0; i < s->napps; i++)
		for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
			if (s->apps[i].out[k].start < s->apps[i].out[k].end)
				return false;
	return true;
}

unsigned session_app_status(const struct session_app *app)
{
	return app->by_shutdown ? 0 : app->value;
}

int session_exit_status(const struct session *s)
{
	const struct session_app *bad;

	if (s->first_bad < 0)
		return 0;
	bad = &s->apps[s->first_bad];
	return bad->how == WIRE_APP_KILLED ? EXIT_SIGNAL_BASE + (int)bad->value : (int)bad->value;
}
