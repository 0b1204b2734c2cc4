/* What a client types or pipes in, on its way to the guest. See control_internal.h. */
#include <string.h>

#include "stage1/control_internal.h"

bool client_take_stdin(struct client *cl, const struct frame *f)
{
	if (f->stream != WIRE_STDIN)
		return false;
	if (cl->in_over) { /* crossed with our word that nobody reads it: thrown away */
		if (f->len > sizeof(cl->in) - cl->in_taken)
			return false;
		cl->in_taken += f->len;
		return true;
	}
	if (cl->in_start > 0) {
		memmove(cl->in, cl->in + cl->in_start, cl->in_end - cl->in_start);
		cl->in_end -= cl->in_start;
		cl->in_start = 0;
	}
	if (cl->in_eof || f->len > sizeof(cl->in) - cl->in_end - cl->in_taken)
		return false;
	memcpy(cl->in + cl->in_end, f->data, f->len);
	cl->in_end += f->len;
	return true;
}

bool client_take_credit(struct client *cl, const struct frame *f)
{
	if (wire_u32(f->data) > WIRE_WINDOW - cl->credit[f->stream])
		return false;
	cl->credit[f->stream] += wire_u32(f->data);
	return true;
}

/* At most `max` bytes on to the guest. */
static void pass(struct client *cl, struct session *s, size_t max)
{
	size_t room;

	while (max > 0 && cl->in_start < cl->in_end && (room = session_stdin_room(s, cl->id)) > 0) {
		size_t n = cl->in_end - cl->in_start;

		n = n < room ? n : room;
		n = n < max ? n : max;
		session_stdin(s, cl->id, cl->in + cl->in_start, n);
		cl->in_start += (uint32_t)n;
		cl->in_taken += (uint32_t)n;
		cl->moved = true;
		max -= n;
	}
}

/* What the client is to know of it. */
static void answer(struct client *cl, const struct session *s)
{
	const struct session_app *run = client_app(cl, s);

	if (!cl->in_over && run->stdin_over &&
		frame_put(&cl->wr, WIRE_EOF, cl->number, WIRE_STDIN, NULL, 0)) {
		cl->in_over = cl->in_eof = true; /* nobody reads it any more */
		cl->in_taken += cl->in_end - cl->in_start;
		cl->in_start = cl->in_end = 0;
	}
	if (cl->in_taken > 0 && frame_put_u32(&cl->wr, WIRE_CREDIT, cl->number, WIRE_STDIN, cl->in_taken))
		cl->in_taken = 0;
}

void client_pass_stdin(struct client *cl, struct session *s)
{
	pass(cl, s, SIZE_MAX);
	if (cl->in_eof && !cl->in_over && cl->in_start == cl->in_end && session_stdin_room(s, cl->id) > 0) {
		session_stdin(s, cl->id, NULL, 0);
		cl->in_over = true;
	}
	answer(cl, s);
}

/* Another one is in the middle of a line. */
static bool others_turn(const struct client *cl, const struct control *c)
{
	for (size_t i = 0; i < c->nclients; i++)
		if (c->clients[i] != cl && c->clients[i]->attached && !c->clients[i]->gone && !c->clients[i]->over &&
			c->clients[i]->id == cl->id && c->clients[i]->in_line)
			return true;
	return false;
}

/* What can go now: the lines that are whole; all of it when no more of the last one will come, or fit. */
static size_t whole_lines(const struct client *cl)
{
	size_t n = cl->in_end - cl->in_start;

	if (cl->in_eof || n + cl->in_taken == sizeof(cl->in))
		return n;
	while (n > 0 && cl->in[cl->in_start + n - 1] != '\n')
		n--;
	return n;
}

void client_share_stdin(struct client *cl, const struct control *c, struct session *s)
{
	uint32_t before = cl->in_start;

	if (cl->endpoints & ENDPOINT_TTY_IN) {
		pass(cl, s, SIZE_MAX);
	} else if (!others_turn(cl, c)) {
		pass(cl, s, whole_lines(cl));
		if (cl->in_start > before)
			cl->in_line = cl->in[cl->in_start - 1] != '\n';
	}
	if (cl->in_eof && cl->in_start == cl->in_end) { /* the app's stdin stays open for others */
		cl->in_over = true;
		cl->in_line = false;
	}
	answer(cl, s);
}
