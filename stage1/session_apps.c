/* Apps that come and go, of a session. See session.h. */
#include <stdlib.h>

#include "stage1/common/util.h"
#include "stage1/session_internal.h"

void session_let_come_and_go(struct session *s)
{
	free(s->apps);
	s->apps = xcalloc(WIRE_APPS_MAX, sizeof(*s->apps)); /* of what nobody uses no page is touched but the first */
	s->napps = WIRE_APPS_MAX;
	for (size_t i = 0; i < s->napps; i++)
		s->apps[i].phase = SESSION_ABSENT;
	s->stays = true;
}

void session_app_free(struct session_app *app)
{
	free(app->plan);
	app->plan = NULL;
	app->phase = SESSION_ABSENT;
}

/* As it is before its first start; the buffers need no clearing. */
static void renew(struct session_app *app)
{
	app->state = SESSION_APP_NEW;
	app->value = app->pid = app->kill_due = 0;
	app->text[0] = '\0';
	app->by_shutdown = app->ready = app->stdin_over = app->size_due = app->stop_due = false;
	app->rows = app->cols = 0;
	app->plan_sent = 0;
	for (int k = 0; k < WIRE_STREAMS; k++) {
		struct session_out *out = &app->out[k];

		out->start = out->end = out->written = 0;
		out->eof = out->refused = out->refusal_due = false;
	}
	session_app_init(app);
}

int session_add(struct session *s, uint8_t *plan, size_t len, unsigned *id_r, struct err *e)
{
	struct session_app *app;
	unsigned id = 0;

	while (id < s->napps && s->apps[id].phase != SESSION_ABSENT)
		id++;
	if (s->stopping || s->ended || id == s->napps) {
		free(plan);
		return id == s->napps ? err_set(e, ERR_HOST, "the pod has %zu apps: no more", s->napps)
				      : err_set(e, ERR_HOST, "the pod is ending");
	}
	app = &s->apps[id];
	renew(app);
	app->plan = plan;
	app->plan_len = len;
	app->says_ready = app->start_due = app->remove_due = false;
	app->phase = SESSION_IDLE;
	*id_r = id;
	return 0;
}

bool session_has(const struct session *s, unsigned id)
{
	return id < s->napps && s->apps[id].phase != SESSION_ABSENT;
}

bool session_runs(const struct session *s, unsigned id)
{
	const struct session_app *app = &s->apps[id];

	if (app->phase == SESSION_ABSENT)
		return false;
	return app->start_due || (app->phase != SESSION_IDLE && app->state != SESSION_APP_OVER);
}

void session_start(struct session *s, unsigned id)
{
	if (!session_runs(s, id) && !s->apps[id].remove_due)
		s->apps[id].start_due = true;
}

void session_stop_app(struct session *s, unsigned id, uint32_t grace_ms)
{
	struct session_app *app = &s->apps[id];

	app->start_due = false; /* what has not begun does not */
	if (!session_runs(s, id))
		return;
	app->stop_due = true;
	app->stop_grace_ms = grace_ms;
}

void session_remove(struct session *s, unsigned id)
{
	s->apps[id].start_due = false;
	s->apps[id].remove_due = true;
}

static void send_plan(struct session *s, struct session_app *app, unsigned id)
{
	while (app->plan_sent < app->plan_len && frame_room(&s->wr) > 0) {
		size_t n = app->plan_len - app->plan_sent;

		if (n > frame_room(&s->wr))
			n = frame_room(&s->wr);
		(void)frame_put(&s->wr, WIRE_ADD, id, 0, app->plan + app->plan_sent, n); /* there is room */
		app->plan_sent += n;
	}
	if (app->plan_sent == app->plan_len && frame_put(&s->wr, WIRE_START, id, 0, NULL, 0))
		app->phase = SESSION_BEGUN;
}

void session_produce_phase(struct session *s, struct session_app *app, unsigned id)
{
	if (!s->ready_sent)
		return;
	if (app->phase == SESSION_BEGUN && app->state == SESSION_APP_OVER && (app->start_due || app->remove_due) &&
		frame_put_u32(&s->wr, WIRE_REMOVE, id, 0, app->remove_due))
		app->phase = SESSION_LEAVING;
	if (app->phase == SESSION_IDLE && app->remove_due && session_app_written(app))
		session_app_free(app);
	if (app->phase == SESSION_IDLE && app->start_due && session_app_written(app) && !s->stopping) {
		renew(app);
		app->start_due = false;
		app->phase = SESSION_SENDING;
	}
	if (app->phase == SESSION_SENDING)
		send_plan(s, app, id);
	if (app->phase == SESSION_BEGUN && app->stop_due &&
		(app->state == SESSION_APP_OVER || frame_put_u32(&s->wr, WIRE_STOP_APP, id, 0, app->stop_grace_ms)))
		app->stop_due = false;
}

int session_take_gone(struct session_app *app, const struct frame *f, struct err *e)
{
	if (wire_u32(f->data + 4) != 0)
		return err_set(e, ERR_INPUT, "app %u: state %u with value %u", f->app, wire_u32(f->data),
			wire_u32(f->data + 4));
	app->phase = SESSION_IDLE;
	return 0;
}
