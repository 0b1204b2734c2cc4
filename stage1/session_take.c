/* What the guest says, frame by frame, checked against the state. See session.h. */
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/session_internal.h"

enum { PID_MAX = 1 << 22 }; /* linux/threads.h, PID_MAX_LIMIT */

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
	case WIRE_APP_HANDLER:
		return value >= 1 && value <= PID_MAX;
	case WIRE_APP_EXITED:
		return value <= 255;
	case WIRE_APP_KILLED:
		return value >= 1 && value <= SIGNAL_MAX;
	case WIRE_APP_FAILED:
		return value >= 1 && value <= 255;
	case WIRE_APP_READY:
	case WIRE_APP_GONE:
		return value == 0;
	}
	return false;
}

static bool may_be_ready(const struct session_app *app)
{
	return app->says_ready && !app->ready && app->state == SESSION_APP_STARTED;
}

/* What is right of an app and of a process that entered one. *over_r: it was the last word. */
int session_take_state(struct session_app *app, const struct frame *f, bool *over_r, struct err *e)
{
	uint32_t how = wire_u32(f->data), value = wire_u32(f->data + 4);

	if (!value_fits((enum wire_app_state)how, value))
		return err_set(e, ERR_INPUT, "app %u: state %u with value %u", f->app, how, value);
	if (app->state == SESSION_APP_OVER || (how == WIRE_APP_STARTED && app->state != SESSION_APP_NEW) ||
		(how == WIRE_APP_READY && !may_be_ready(app)) || how == WIRE_APP_GONE)
		return err_set(e, ERR_INPUT, "app %u: state %u out of turn", f->app, how);
	if (how == WIRE_APP_READY) {
		app->ready = true;
		*over_r = false;
		return 0;
	}
	*over_r = how != WIRE_APP_STARTED && how != WIRE_APP_HANDLER;
	if (!*over_r) {
		app->pid = value;
		if (how == WIRE_APP_STARTED)
			app->state = SESSION_APP_STARTED;
		return 0;
	}
	app->state = SESSION_APP_OVER;
	app->how = (enum wire_app_state)how;
	app->value = value;
	copy_text(app->text, f->data + 8, f->len - 8);
	return 0;
}

static int take_app(struct session *s, const struct frame *f, struct err *e)
{
	struct session_app *app = &s->apps[f->app];
	bool over;

	if (app->phase == SESSION_LEAVING && wire_u32(f->data) == WIRE_APP_GONE)
		return session_take_gone(app, f, e);
	if (session_take_state(app, f, &over, e) < 0)
		return -1;
	if (!over)
		return 0;
	app->by_shutdown = s->stopping;
	if (!s->stopping && !s->stays && (app->how != WIRE_APP_EXITED || app->value != 0)) {
		s->first_bad = (int)f->app;
		s->stopping = true;
	}
	return 0;
}

static int take_end(struct session *s, struct err *e)
{
	for (size_t i = 0; i < s->napps; i++)
		if (session_app_is_known(&s->apps[i]) && s->apps[i].state != SESSION_APP_OVER && !s->stopping)
			return err_set(e, ERR_INPUT, "END before app %zu has ended", i);
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++) {
		if (!s->execs[i] || s->execs[i]->run.state == SESSION_APP_OVER)
			continue;
		s->execs[i]->run.state = SESSION_APP_OVER; /* asked for when the pod was ending */
		s->execs[i]->run.how = WIRE_APP_KILLED;
		s->execs[i]->run.value = SIGNAL_KILL;
		session_exec_over(s, i);
	}
	s->ended = true;
	s->bye_due = true;
	return 0;
}

static int take(struct session *s, const struct frame *f, struct err *e)
{
	struct session_app *app;

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
	app = session_find(s, f->app);
	if (!app)
		return err_set(e, ERR_INPUT, "frame of type %d for app %u of %zu", f->type, f->app, s->napps);
	if (f->app >= WIRE_EXEC_FIRST && app->state == SESSION_APP_OVER)
		return err_set(e, ERR_INPUT, "frame of type %d after the end of app %u", f->type, f->app);
	switch (f->type) {
	case WIRE_DATA:
		return take_data(app, f, e);
	case WIRE_CREDIT:
		return take_credit(app, f, e);
	case WIRE_EOF:
		return take_eof(app, f, e);
	case WIRE_APP:
		return f->app < s->napps ? take_app(s, f, e) : session_take_exec(s, f, e);
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
