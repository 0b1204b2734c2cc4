/* See pump.h. */
#include "stage1/pump.h"

#include <errno.h>
#include <unistd.h>

int pump_exchange(struct session *s, const struct transport *io, bool *gone, struct err *e)
{
	ssize_t got, sent;

	if (*gone)
		return 0;
	do {
		size_t room, len;
		uint8_t *space = frame_space(&s->rd, &room);
		const uint8_t *data;

		got = io->read(io->ctx, space, room);
		if (got > 0)
			frame_added(&s->rd, (size_t)got);
		if (got > 0 && session_receive(s, e) < 0)
			return -1;
		session_produce(s);
		data = frame_queued(&s->wr, &len);
		sent = len ? io->write(io->ctx, data, len) : 0;
		if (sent > 0)
			frame_sent(&s->wr, (size_t)sent);
	} while (got > 0 || sent > 0);
	*gone = got < 0;
	return 0;
}

ssize_t pump_stdin(struct session *s, unsigned id, uint8_t buf[WIRE_PAYLOAD_MAX])
{
	size_t room = session_stdin_room(s, id);
	ssize_t n;

	if (room == 0)
		return -1;
	n = read(STDIN_FILENO, buf, room < WIRE_PAYLOAD_MAX ? room : WIRE_PAYLOAD_MAX);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return -1;
	if (n < 0)
		n = 0; /* a terminal that was hung up */
	session_stdin(s, id, buf, (size_t)n);
	return n;
}
