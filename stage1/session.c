/* See session.h. */
#include "stage1/session.h"

#include <stdlib.h>
#include <string.h>

#include "stage1/common/util.h"

enum {
	SIGNAL_HUP = 1, /* of Linux on x86, as the guest has them */
	SIGNAL_KILL = 9,
	SIGNAL_MAX = 64,
	EXIT_SIGNAL_BASE = 128,
	PID_MAX = 1 << 22, /* linux/threads.h, PID_MAX_LIMIT */
};

static void init_app(struct session_app *app)
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
		init_app(&s->apps[i]);
	(void)frame_put_hello(&s->wr);
}

void session_awaits_ready(struct session *s, size_t i)
{
	s->apps[i].says_ready = true;
}

static void free_exec(struct session *s, size_t slot)
{
	if (s->execs[slot])
		free(s->execs[slot]->request);
	free(s->execs[slot]);
	s->execs[slot] = NULL;
}

void session_dispose(struct session *s)
{
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++)
		free_exec(s, i);
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
	case WIRE_APP_HANDLER:
		return value >= 1 && value <= PID_MAX;
	case WIRE_APP_EXITED:
		return value <= 255;
	case WIRE_APP_KILLED:
		return value >= 1 && value <= SIGNAL_MAX;
	case WIRE_APP_FAILED:
		return value >= 1 && value <= 255;
	case WIRE_APP_READY:
		return value == 0;
	}
	return false;
}

static bool may_be_ready(const struct session_app *app)
{
	return app->says_ready && !app->ready && app->state == SESSION_APP_STARTED;
}

/* What is right of an app and of a process that entered one. *over_r: it was the last word. */
static int take_state(struct session_app *app, const struct frame *f, bool *over_r, struct err *e)
{
	uint32_t how = wire_u32(f->data), value = wire_u32(f->data + 4);

	if (!value_fits((enum wire_app_state)how, value))
		return err_set(e, ERR_INPUT, "app %u: state %u with value %u", f->app, how, value);
	if (app->state == SESSION_APP_OVER || (how == WIRE_APP_STARTED && app->state != SESSION_APP_NEW) ||
		(how == WIRE_APP_READY && !may_be_ready(app)))
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

	if (take_state(app, f, &over, e) < 0)
		return -1;
	if (!over)
		return 0;
	app->by_shutdown = s->stopping;
	if (!s->stopping && (app->how != WIRE_APP_EXITED || app->value != 0)) {
		s->first_bad = (int)f->app;
		s->stopping = true;
	}
	return 0;
}

static void end_exec(struct session *s, size_t slot)
{
	struct session_exec *x = s->execs[slot];

	x->run.stdin_over = true;
	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		x->run.out[k].eof = true;
	if (x->abandoned)
		free_exec(s, slot);
}

static int take_exec(struct session *s, const struct frame *f, struct err *e)
{
	struct session_exec *x = s->execs[f->app - WIRE_EXEC_FIRST];
	bool over;

	if (!x->begun || wire_u32(f->data) == WIRE_APP_HANDLER)
		return err_set(e, ERR_INPUT, "app %u: state %u out of turn", f->app, wire_u32(f->data));
	if (take_state(&x->run, f, &over, e) < 0)
		return -1;
	if (over)
		end_exec(s, f->app - WIRE_EXEC_FIRST); /* the guest's last frame about it */
	return 0;
}

static int take_end(struct session *s, struct err *e)
{
	for (size_t i = 0; i < s->napps; i++)
		if (s->apps[i].state != SESSION_APP_OVER && !s->stopping)
			return err_set(e, ERR_INPUT, "END before app %zu has ended", i);
	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++) {
		if (!s->execs[i] || s->execs[i]->run.state == SESSION_APP_OVER)
			continue;
		s->execs[i]->run.state = SESSION_APP_OVER; /* asked for when the pod was ending */
		s->execs[i]->run.how = WIRE_APP_KILLED;
		s->execs[i]->run.value = SIGNAL_KILL;
		end_exec(s, i);
	}
	s->ended = true;
	s->bye_due = true;
	return 0;
}

struct session_app *session_find(const struct session *s, unsigned id)
{
	if (id < s->napps)
		return &s->apps[id];
	if (id < WIRE_EXEC_FIRST || id >= WIRE_EXEC_FIRST + WIRE_EXEC_COUNT || !s->execs[id - WIRE_EXEC_FIRST])
		return NULL;
	return &s->execs[id - WIRE_EXEC_FIRST]->run;
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
		return f->app < s->napps ? take_app(s, f, e) : take_exec(s, f, e);
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

static void produce_credit(struct session *s, struct session_out *out, unsigned id, unsigned stream)
{
	if (out->refusal_due && frame_put(&s->wr, WIRE_EOF, id, stream, NULL, 0))
		out->refusal_due = false;
	if (out->eof || out->written == 0 || (out->written < WIRE_WINDOW / 2 && out->start < out->end))
		return;
	if (frame_put_u32(&s->wr, WIRE_CREDIT, id, stream, out->written)) {
		out->allowed += out->written;
		out->written = 0;
	}
}

static void produce_app(struct session *s, struct session_app *app, unsigned id)
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

/* The request in parts, then START. Once the first part is sent the rest follows, whatever happens. */
static void produce_exec(struct session *s, struct session_exec *x, unsigned id)
{
	while (x->sent < x->len && frame_room(&s->wr) > 0) {
		size_t n = x->len - x->sent;

		if (n > frame_room(&s->wr))
			n = frame_room(&s->wr);
		(void)frame_put(&s->wr, WIRE_EXEC, id, 0, x->request + x->sent, n); /* there is room */
		x->sent += n;
	}
	if (x->sent == x->len && !x->begun)
		x->begun = frame_put(&s->wr, WIRE_START, id, 0, NULL, 0);
	if (x->begun)
		produce_app(s, &x->run, id);
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
		produce_app(s, &s->apps[i], i);
	for (unsigned i = 0; i < WIRE_EXEC_COUNT && s->ready_sent; i++)
		if (s->execs[i])
			produce_exec(s, s->execs[i], WIRE_EXEC_FIRST + i);
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
	return id < s->napps ? s->ready_sent : s->execs[id - WIRE_EXEC_FIRST]->begun;
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

int session_exec(struct session *s, uint8_t *request, size_t len, unsigned *id_r, struct err *e)
{
	struct session_exec *x;
	unsigned slot = 0;

	while (slot < WIRE_EXEC_COUNT && s->execs[slot])
		slot++;
	if (s->stopping || s->ended || slot == WIRE_EXEC_COUNT) {
		free(request);
		return slot == WIRE_EXEC_COUNT ? err_set(e, ERR_HOST, "%d processes have entered the pod: no more",
							 WIRE_EXEC_COUNT)
					       : err_set(e, ERR_HOST, "the pod is ending");
	}
	x = s->execs[slot] = xcalloc(1, sizeof(*x));
	x->request = request;
	x->len = len;
	init_app(&x->run);
	*id_r = WIRE_EXEC_FIRST + slot;
	return 0;
}

size_t session_exec_room(const struct session *s)
{
	size_t room = 0;

	for (size_t i = 0; i < WIRE_EXEC_COUNT; i++)
		room += s->execs[i] == NULL;
	return room;
}

void session_exec_close(struct session *s, unsigned id)
{
	struct session_exec *x;

	if (id < WIRE_EXEC_FIRST || !session_find(s, id))
		return;
	x = s->execs[id - WIRE_EXEC_FIRST];
	if (x->run.state == SESSION_APP_OVER || (!x->begun && x->sent == 0)) {
		free_exec(s, id - WIRE_EXEC_FIRST);
		return;
	}
	x->abandoned = true;
	x->run.kill_due = SIGNAL_HUP;
	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (!x->run.out[k].refused)
			session_refuse(&x->run.out[k]);
}

bool session_all_started(const struct session *s)
{
	for (size_t i = 0; i < s->napps; i++)
		if (s->apps[i].state == SESSION_APP_NEW)
			return false;
	return true;
}

bool session_all_ready(const struct session *s)
{
	for (size_t i = 0; i < s->napps; i++)
		if (s->apps[i].says_ready && !s->apps[i].ready)
			return false;
	return session_all_started(s);
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

int session_app_exit(const struct session_app *app)
{
	return app->how == WIRE_APP_KILLED ? EXIT_SIGNAL_BASE + (int)app->value : (int)app->value;
}

int session_exit_status(const struct session *s)
{
	return s->first_bad < 0 ? 0 : session_app_exit(&s->apps[s->first_bad]);
}
