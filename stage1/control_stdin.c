/* What a client types or pipes in, on its way to the guest. See control_internal.h. */
#include <string.h>

#include "stage1/control_internal.h"

bool client_take_stdin(struct client *cl, const struct frame *f)
{
	if (cl->in_over)
		return true; /* crossed with our word that nobody reads it */
	if (cl->in_start > 0) {
		memmove(cl->in, cl->in + cl->in_start, cl->in_end - cl->in_start);
		cl->in_end -= cl->in_start;
		cl->in_start = 0;
	}
	if (f->stream != WIRE_STDIN || cl->in_eof || f->len > sizeof(cl->in) - cl->in_end - cl->in_taken)
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

void client_pass_stdin(struct client *cl, struct session *s)
{
	size_t room, n;

	while (cl->in_start < cl->in_end && (room = session_stdin_room(s, cl->id)) > 0) {
		n = cl->in_end - cl->in_start < room ? cl->in_end - cl->in_start : room;
		session_stdin(s, cl->id, cl->in + cl->in_start, n);
		cl->in_start += (uint32_t)n;
		cl->in_taken += (uint32_t)n;
		cl->moved = true;
	}
	if (cl->in_eof && !cl->in_over && cl->in_start == cl->in_end && session_stdin_room(s, cl->id) > 0) {
		session_stdin(s, cl->id, NULL, 0);
		cl->in_over = true;
	}
	if (!cl->in_over && session_find(s, cl->id)->stdin_over &&
		frame_put(&cl->wr, WIRE_EOF, cl->number, WIRE_STDIN, NULL, 0)) {
		cl->in_over = cl->in_eof = true; /* nobody reads it any more */
		cl->in_start = cl->in_end = cl->in_taken = 0;
	}
	if (cl->in_taken > 0 && frame_put_u32(&cl->wr, WIRE_CREDIT, cl->number, WIRE_STDIN, cl->in_taken))
		cl->in_taken = 0;
}
