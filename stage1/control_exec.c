/* Those who enter: each has a process of the session. See control_internal.h. */
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/control_internal.h"

static void begin(struct client *cl, struct session *s)
{
	struct err e = ERR_INIT;
	uint8_t *request = STEAL(cl->request);

	if (cl->exec || !request) {
		free(request);
		cl->gone = true;
		return;
	}
	if (session_exec(s, request, cl->len, &cl->id, &e) < 0) {
		client_refuse(cl, e.msg);
		return;
	}
	cl->exec = true;
}

static bool take_request(struct client *cl, const struct frame *f)
{
	if (cl->exec || f->len > WIRE_EXEC_MAX - cl->len)
		return false;
	cl->request = xrealloc(cl->request, cl->len + f->len, 1);
	memcpy(cl->request + cl->len, f->data, f->len);
	cl->len += f->len;
	return true;
}

bool client_exec_take(struct client *cl, struct session *s, const struct frame *f)
{
	if (f->type == WIRE_EXEC)
		return take_request(cl, f);
	if (f->type == WIRE_START) {
		begin(cl, s);
		return !cl->gone;
	}
	if (!cl->exec)
		return false;
	switch (f->type) {
	case WIRE_DATA:
		return client_take_stdin(cl, f);
	case WIRE_EOF:
		if (f->stream == WIRE_STDIN)
			cl->in_eof = true;
		else
			session_refuse(&session_find(s, cl->id)->out[f->stream]);
		return true;
	case WIRE_CREDIT:
		return client_take_credit(cl, f);
	case WIRE_WINSIZE:
		session_resize(s, cl->id, wire_u32(f->data), wire_u32(f->data + 4));
		return true;
	case WIRE_KILL:
		session_signal(s, cl->id, wire_u32(f->data));
		return true;
	default:
		return false;
	}
}

static void pass_output(struct client *cl, struct session_out *out, unsigned stream)
{
	while (session_waits(out) && cl->credit[stream] > 0 && frame_room(&cl->wr) > 0) {
		size_t n = out->end - out->start;

		if (n > frame_room(&cl->wr))
			n = frame_room(&cl->wr);
		if (n > cl->credit[stream])
			n = cl->credit[stream];
		(void)frame_put(&cl->wr, WIRE_DATA, cl->number, stream, out->buf + out->start, n);
		cl->credit[stream] -= (uint32_t)n;
		session_wrote(out, n);
		cl->moved = true;
	}
	if (out->eof && !session_waits(out) && !cl->eof_said[stream])
		cl->eof_said[stream] = frame_put(&cl->wr, WIRE_EOF, cl->number, stream, NULL, 0);
}

/* Behind pass_output(): the client has no room for what there is. */
static bool is_stuck(const struct client *cl, const struct session_out *out, unsigned stream)
{
	return session_waits(out) || (out->eof && !cl->eof_said[stream]);
}

/* The pod does not wait long for one who does not read: what was entered ends with it. */
static void cut_short(struct client *cl, const struct control *c, struct session_out *out, unsigned stream)
{
	if (!is_stuck(cl, out, stream)) {
		cl->stalled_ms[stream] = 0;
		return;
	}
	if (!cl->stalled_ms[stream])
		cl->stalled_ms[stream] = monotonic_ms();
	if (monotonic_ms() < cl->stalled_ms[stream] + c->last_patience_ms)
		return;
	session_refuse(out);
	cl->stalled_ms[stream] = 0;
	cl->eof_said[stream] = true; /* its end says more */
	cl->cut = cl->moved = true;
}

/* The states of its process, the last one behind all output. */
static void pass_states(struct client *cl, const struct session_app *run)
{
	if (run->state != SESSION_APP_NEW && run->pid > 0 && !cl->started_said)
		cl->started_said = frame_put_app(&cl->wr, cl->number, WIRE_APP_STARTED, run->pid, "");
	if (run->state != SESSION_APP_OVER)
		return;
	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (is_stuck(cl, &run->out[k], k))
			return;
	if (cl->cut)
		client_refuse(cl, "the pod has ended, and what the command wrote was not read in time: the rest of it is lost");
	else
		client_end(cl, run->how, run->value, run->text);
}

void client_exec_produce(struct client *cl, const struct control *c, struct session *s)
{
	struct session_app *run;

	if (!cl->exec || cl->over)
		return;
	run = session_find(s, cl->id);
	client_pass_stdin(cl, s);
	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++) {
		pass_output(cl, &run->out[k], k);
		if (s->stopping || s->ended)
			cut_short(cl, c, &run->out[k], k);
	}
	pass_states(cl, run);
}
