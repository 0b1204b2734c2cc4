/* Processes that enter an app, of a session. See session.h. */
#include <stdlib.h>

#include "stage1/common/util.h"
#include "stage1/session_internal.h"

enum { SIGNAL_HUP = 1 }; /* of Linux on x86, as the guest has it */

void session_exec_free(struct session *s, size_t slot)
{
	if (s->execs[slot])
		free(s->execs[slot]->request);
	free(s->execs[slot]);
	s->execs[slot] = NULL;
}

void session_exec_over(struct session *s, size_t slot)
{
	struct session_exec *x = s->execs[slot];

	x->run.stdin_over = true;
	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		x->run.out[k].eof = true;
	if (x->abandoned)
		session_exec_free(s, slot);
}

int session_take_exec(struct session *s, const struct frame *f, struct err *e)
{
	struct session_exec *x = s->execs[f->app - WIRE_EXEC_FIRST];
	bool over;

	if (!x->begun || wire_u32(f->data) == WIRE_APP_HANDLER)
		return err_set(e, ERR_INPUT, "app %u: state %u out of turn", f->app, wire_u32(f->data));
	if (session_take_state(&x->run, f, &over, e) < 0)
		return -1;
	if (over)
		session_exec_over(s, f->app - WIRE_EXEC_FIRST); /* the guest's last frame about it */
	return 0;
}

/* The request in parts, then START. Once the first part is sent the rest follows, whatever happens. */
void session_produce_exec(struct session *s, struct session_exec *x, unsigned id)
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
		session_produce_app(s, &x->run, id);
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
	session_app_init(&x->run);
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
		session_exec_free(s, id - WIRE_EXEC_FIRST);
		return;
	}
	x->abandoned = true;
	x->run.kill_due = SIGNAL_HUP;
	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (!x->run.out[k].refused)
			session_refuse(&x->run.out[k]);
}
