/* See relay.h. */
#include "stage1/relay.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage1/common/exec_request.h"
#include "stage1/common/util.h"

struct connection {
	int fd;
	unsigned id;
	bool in_over; /* what it says has ended */
	bool out_over;
	bool gone;
};

struct relay {
	const struct listen_plans *plans;
	struct connection conns[RELAY_MAX];
	size_t n;
};

struct relay *relay_open(const struct listen_plans *plans)
{
	struct relay *r = xcalloc(1, sizeof(*r));

	r->plans = plans;
	return r;
}

static bool may_accept(const struct relay *r, const struct session *s, const struct listen_plan *l)
{
	return l->fd >= 0 && r->n < RELAY_MAX && session_exec_room(s) > 0 && !s->stopping && !s->ended && l->app < s->napps &&
		s->apps[l->app].state == SESSION_APP_STARTED;
}

static bool accept_one(struct relay *r, struct session *s, const struct listen_plan *l)
{
	AUTO_CLOSE int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	const struct exec_request req = { .app = (uint32_t)l->app, .port = l->port,
		.io.kind = { GUEST_IO_PIPE, GUEST_IO_PIPE, GUEST_IO_NULL } };
	struct err ignored = ERR_INIT;
	uint8_t *data;
	unsigned id;
	size_t len;

	if (fd < 0 || exec_request_encode(&req, &data, &len, &ignored) < 0 ||
		session_exec(s, data, len, &id, &ignored) < 0)
		return false;
	r->conns[r->n++] = (struct connection){ .fd = STEAL_FD(fd), .id = id };
	return true;
}

static bool pass_in(struct connection *c, struct session *s)
{
	uint8_t buf[WIRE_PAYLOAD_MAX];
	bool moved = false;
	size_t room;

	while (!c->in_over && (room = session_stdin_room(s, c->id)) > 0) {
		ssize_t n = recv(c->fd, buf, room < sizeof(buf) ? room : sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			c->gone = true;
		if (n < 0)
			break;
		session_stdin(s, c->id, buf, (size_t)n);
		c->in_over = n == 0;
		moved = true;
	}
	return moved;
}

static bool pass_out(struct connection *c, struct session_out *out)
{
	bool moved = false;

	while (session_waits(out) && !c->gone) {
		ssize_t n = send(c->fd, out->buf + out->start, out->end - out->start, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return moved;
		if (n < 0)
			c->gone = true;
		else
			session_wrote(out, (size_t)n);
		moved = true;
	}
	if (out->eof && !c->out_over)
		c->out_over = shutdown(c->fd, SHUT_WR) == 0;
	return moved;
}

static bool serve(struct connection *c, struct session *s)
{
	struct session_app *run = session_find(s, c->id);
	bool moved = pass_in(c, s);

	moved = pass_out(c, &run->out[WIRE_STDOUT]) || moved;
	c->in_over = c->in_over || run->stdin_over;
	if (run->state == SESSION_APP_OVER && !session_waits(&run->out[WIRE_STDOUT]))
		c->gone = true;
	return moved || c->gone;
}

static void let_go(struct relay *r, struct session *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (!r->conns[i].gone) {
			r->conns[kept++] = r->conns[i];
			continue;
		}
		session_exec_close(s, r->conns[i].id);
		(void)close(r->conns[i].fd);
	}
	r->n = kept;
}

bool relay_serve(struct relay *r, struct session *s)
{
	bool moved = false;

	for (size_t i = 0; i < r->plans->n; i++)
		while (may_accept(r, s, &r->plans->v[i]) && accept_one(r, s, &r->plans->v[i]))
			moved = true;
	for (size_t i = 0; i < r->n; i++)
		moved = serve(&r->conns[i], s) || moved;
	let_go(r, s);
	return moved;
}

size_t relay_prepare(const struct relay *r, const struct session *s, struct pollfd *fds)
{
	size_t n = 0;

	for (size_t i = 0; i < r->plans->n; i++)
		fds[n++] = (struct pollfd){ .fd = may_accept(r, s, &r->plans->v[i]) ? r->plans->v[i].fd : -1,
			.events = POLLIN };
	for (size_t i = 0; i < r->n; i++) {
		const struct connection *c = &r->conns[i];
		const struct session_out *out = &session_find(s, c->id)->out[WIRE_STDOUT];
		short in = !c->in_over && session_stdin_room(s, c->id) > 0 ? POLLIN : 0;
		short events = (short)(in | (session_waits(out) ? POLLOUT : 0));

		/* who cannot be served is not looked at: a hang-up would be reported again and again */
		fds[n++] = (struct pollfd){ .fd = events ? c->fd : -1, .events = events };
	}
	return n;
}

void relay_close(struct relay *r, struct session *s)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++) {
		(void)serve(&r->conns[i], s);
		r->conns[i].gone = true;
	}
	let_go(r, s);
	free(r);
}
