/* Those who attach to an app. See control.h and control_internal.h. */
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/control_internal.h"

bool client_attach_asked(const struct client *cl)
{
	return cl->attach_len >= 4 && wire_u32(cl->attach) != 0;
}

static const struct control_app *find_app(const struct control *c, const char *name, unsigned *id_r)
{
	for (size_t i = 0; i < c->napps; i++) {
		if (!c->apps[i].name || strcmp(c->apps[i].name, name) != 0)
			continue;
		*id_r = (unsigned)i;
		return &c->apps[i];
	}
	return NULL;
}

static int choose(const struct attach_request *req, const struct control_app *app, uint32_t *endpoints_r,
	struct err *e)
{
	char offers[ENDPOINTS_TEXT_MAX], missing[ENDPOINTS_TEXT_MAX];

	endpoints_text(app->endpoints, offers);
	if (app->endpoints == 0)
		return err_set(e, ERR_INPUT, "app '%s': none of its streams is of mode stream or tty", app->name);
	if (req->endpoints == ATTACH_LIST || req->endpoints == ATTACH_AUTO) {
		*endpoints_r = app->endpoints;
		return 0;
	}
	endpoints_text(req->endpoints & ~app->endpoints, missing);
	if (req->endpoints & ~app->endpoints)
		return err_set(e, ERR_INPUT, "app '%s' has no %s: it has %s", app->name, missing, offers);
	*endpoints_r = req->endpoints;
	return 0;
}

static int begin(struct client *cl, const struct control *c, const struct session *s, struct err *e)
{
	const struct session_app *run;
	const struct control_app *app;
	struct attach_request req;

	if (attach_request_decode(cl->attach, cl->attach_len, &req, e) < 0)
		return -1;
	app = find_app(c, req.app, &cl->id);
	if (!app)
		return err_set(e, ERR_INPUT, "the pod has no app '%s'", req.app);
	run = session_find(s, cl->id);
	if (!run)
		return err_set(e, ERR_INPUT, "app '%s' has not been started", req.app);
	if (choose(&req, app, &cl->endpoints, e) < 0)
		return -1;
	if (run->state == SESSION_APP_OVER)
		return err_set(e, ERR_INPUT, "app '%s' has ended", app->name);
	(void)frame_put_app(&cl->wr, 0, WIRE_APP_STARTED, cl->endpoints, "");
	if (req.endpoints == ATTACH_LIST)
		client_end(cl, WIRE_APP_EXITED, 0, "");
	cl->attached = true;
	return 0;
}

static bool take_request(struct client *cl, const struct frame *f)
{
	if (cl->attached || cl->exec || f->len > sizeof(cl->attach) - cl->attach_len)
		return false;
	memcpy(cl->attach + cl->attach_len, f->data, f->len);
	cl->attach_len += f->len;
	return true;
}

bool client_attach_take(struct client *cl, const struct control *c, struct session *s, const struct frame *f)
{
	struct err e = ERR_INIT;

	if (f->type == WIRE_PLAN)
		return take_request(cl, f);
	if (cl->attached && f->type == WIRE_READY)
		return false;
	if (f->type == WIRE_READY) {
		cl->number = 0;
		if (begin(cl, c, s, &e) < 0)
			client_refuse(cl, e.msg);
		return true;
	}
	switch (f->type) {
	case WIRE_DATA:
		return cl->endpoints & (ENDPOINT_STDIN | ENDPOINT_TTY_IN) && client_take_stdin(cl, f);
	case WIRE_EOF:
		if (f->stream == WIRE_STDIN)
			cl->in_eof = true;
		else
			cl->endpoints &= ~endpoint_of_output(cl->endpoints, f->stream);
		return true;
	case WIRE_CREDIT:
		return client_take_credit(cl, f);
	case WIRE_WINSIZE:
		if (cl->endpoints & ENDPOINT_TTY_OUT && wire_u32(f->data) && wire_u32(f->data + 4))
			session_resize(s, cl->id, wire_u32(f->data), wire_u32(f->data + 4));
		return true;
	default:
		return false;
	}
}

/* Nothing more will come of what it is attached to. Of an app that the guest has let go of nothing does. */
static bool all_came(const struct client *cl, const struct session *s, const struct session_app *run)
{
	bool last = s->ended || run->phase == SESSION_IDLE;

	if (run->state != SESSION_APP_OVER)
		return false;
	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (endpoint_of_output(cl->endpoints, k) && (session_waits(&run->out[k]) || (!run->out[k].eof && !last)))
			return false;
	return true;
}

static size_t room_of(const struct client *cl, unsigned stream)
{
	size_t room = frame_room(&cl->wr);

	return room < cl->credit[stream] ? room : cl->credit[stream];
}

/* Who has room again is waited for no more, whether or not the others let anything be given. */
static void forget_stalls(struct client *cl)
{
	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (room_of(cl, k) > 0 || !endpoint_of_output(cl->endpoints, k))
			cl->stalled_ms[k] = 0;
}

/* When it is let go, or the app would wait for it for ever; -1: it has room for all its streams. */
static int64_t client_deadline(const struct client *cl, const struct control *c, const struct session *s)
{
	int64_t patience = s->ended || cl->exec ? c->last_patience_ms : c->patience_ms, first = -1;

	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (cl->stalled_ms[k] && !cl->over && (first < 0 || cl->stalled_ms[k] + patience < first))
			first = cl->stalled_ms[k] + patience;
	return first;
}

static bool lost_patience(const struct client *cl, const struct control *c, const struct session *s)
{
	int64_t deadline = client_deadline(cl, c, s);

	return deadline >= 0 && monotonic_ms() >= deadline;
}

void client_attach_produce(struct client *cl, const struct control *c, struct session *s)
{
	const struct session_app *run;

	if (!cl->attached || cl->over)
		return;
	run = client_app(cl, s);
	forget_stalls(cl);
	if (lost_patience(cl, c, s)) {
		client_refuse(cl, "detached: what the app writes was not read");
		return;
	}
	client_share_stdin(cl, c, s);
	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (endpoint_of_output(cl->endpoints, k) && run->out[k].eof && !session_waits(&run->out[k]) &&
			!cl->eof_said[k])
			cl->eof_said[k] = frame_put(&cl->wr, WIRE_EOF, 0, k, NULL, 0);
	if (all_came(cl, s, run))
		client_end(cl, run->how, run->value, run->text);
}

static bool listens(const struct client *cl, unsigned app, unsigned stream)
{
	return cl->attached && !cl->over && !cl->gone && cl->id == app && endpoint_of_output(cl->endpoints, stream);
}

/* What all of them have room for; who has none has it noted. */
static size_t common_room(struct control *c, unsigned app, unsigned stream, size_t n)
{
	for (size_t i = 0; i < c->nclients; i++) {
		struct client *cl = c->clients[i];
		size_t room;

		if (!listens(cl, app, stream))
			continue;
		room = room_of(cl, stream);
		if (room == 0 && !cl->stalled_ms[stream])
			cl->stalled_ms[stream] = monotonic_ms();
		n = room < n ? room : n;
	}
	return n;
}

size_t control_give(struct control *c, size_t app, unsigned stream, const uint8_t *data, size_t len)
{
	size_t given = 0, n;

	while (given < len && (n = common_room(c, (unsigned)app, stream, len - given)) > 0) {
		for (size_t i = 0; i < c->nclients; i++) {
			struct client *cl = c->clients[i];

			if (!listens(cl, (unsigned)app, stream))
				continue;
			(void)frame_put(&cl->wr, WIRE_DATA, 0, stream, data + given, n); /* there is room */
			cl->credit[stream] -= (uint32_t)n;
		}
		given += n;
	}
	return given;
}

int64_t control_deadline(const struct control *c, const struct session *s)
{
	int64_t first = -1;

	for (size_t i = 0; i < c->nclients; i++) {
		int64_t deadline = client_deadline(c->clients[i], c, s);

		if (deadline >= 0 && (first < 0 || deadline < first))
			first = deadline;
	}
	return first;
}

void control_attachable(struct control *c, size_t app, const char *name, uint32_t endpoints)
{
	if (app >= c->napps) {
		c->apps = xrealloc(c->apps, app + 1, sizeof(*c->apps));
		for (; c->napps <= app; c->napps++)
			c->apps[c->napps] = (struct control_app){ .name = NULL };
	}
	c->apps[app] = (struct control_app){ .name = name, .endpoints = endpoints };
}
