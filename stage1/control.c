/* See control.h. */
#include "stage1/control.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum {
	BACKLOG = 64,
	SEND_BUFFER = 512 << 10, /* takes all that a process has in flight: see control_close() */
	FAILED_STATUS = 254,
};

struct client {
	int fd;
	bool gone;     /* to be closed and freed */
	bool moved;    /* something was passed on, see control_serve() */
	bool greeted;
	bool started_said, over_said;
	bool eof_said[WIRE_STREAMS];
	bool exec;     /* `id` is a process of the session */
	unsigned id;
	uint8_t *request; /* as far as it has arrived; NULL once the session has it */
	size_t len;
	uint32_t rows, cols;
	uint32_t credit[WIRE_STREAMS]; /* bytes of output it takes */
	uint8_t in[WIRE_WINDOW];       /* stdin on its way to the guest: in_start .. in_end */
	uint32_t in_start, in_end;
	uint32_t in_taken;             /* passed on, not yet credited */
	bool in_eof, in_over;
	struct frame_reader rd;
	struct frame_writer wr;
};

struct control {
	int fd;
	struct client *clients[WIRE_EXEC_COUNT];
	size_t nclients;
};

int control_open(struct control **c_r, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = CONTROL_SOCKET };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	int ret;

	if (fd < 0)
		return err_sys(e, "make a socket");
	(void)unlink(CONTROL_SOCKET);
	ret = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	(void)umask(mask);
	if (ret < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(e, "listen at " CONTROL_SOCKET);
	*c_r = xcalloc(1, sizeof(**c_r));
	(*c_r)->fd = STEAL_FD(fd);
	return 0;
}

/* Those whose process the guest has not seen end yet keep their number: others wait for one. */
static bool has_room(const struct control *c, const struct session *s)
{
	size_t asking = 0;

	for (size_t i = 0; i < c->nclients; i++)
		asking += !c->clients[i]->exec;
	return c->nclients < COUNT(c->clients) && asking < session_exec_room(s);
}

static void accept_one(struct control *c)
{
	AUTO_CLOSE int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);
	int size = SEND_BUFFER;
	struct client *cl;

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != geteuid())
		return;
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	cl = xcalloc(1, sizeof(*cl));
	cl->fd = STEAL_FD(fd);
	for (int k = 0; k < WIRE_STREAMS; k++)
		cl->credit[k] = WIRE_WINDOW;
	(void)frame_put_hello(&cl->wr);
	c->clients[c->nclients++] = cl;
}

/* Its process never ran: the last it hears. */
static void refuse(struct client *cl, const char *why)
{
	(void)frame_put_app(&cl->wr, WIRE_EXEC_FIRST, WIRE_APP_FAILED, FAILED_STATUS, why);
	cl->over_said = true;
}

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
		refuse(cl, e.msg);
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

static bool take_stdin(struct client *cl, const struct frame *f)
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

/* Clients are ours, but a frame out of turn must not bring the pod down: false ends the client. */
static bool take(struct client *cl, struct session *s, const struct frame *f)
{
	struct err e = ERR_INIT;

	if (!cl->greeted)
		return cl->greeted = frame_check_hello(f, &e) == 0;
	if (f->type == WIRE_READY || cl->over_said)
		return true; /* an empty plan; and what crossed with the end */
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
		return take_stdin(cl, f);
	case WIRE_EOF:
		if (f->stream == WIRE_STDIN)
			cl->in_eof = true;
		else
			session_refuse(&session_find(s, cl->id)->out[f->stream]);
		return true;
	case WIRE_CREDIT:
		if (wire_u32(f->data) > WIRE_WINDOW - cl->credit[f->stream])
			return false;
		cl->credit[f->stream] += wire_u32(f->data);
		return true;
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

static void receive(struct client *cl, struct session *s)
{
	struct err e = ERR_INIT;
	enum frame_status st = FRAME_NEED_MORE;
	struct frame f;
	ssize_t n;

	do {
		size_t room;
		uint8_t *space = frame_space(&cl->rd, &room);

		n = recv(cl->fd, space, room, 0);
		if (n > 0)
			frame_added(&cl->rd, (size_t)n);
		cl->moved = cl->moved || n > 0;
		while (!cl->gone && (st = frame_pop(&cl->rd, &f, &e)) == FRAME_READY)
			cl->gone = !take(cl, s, &f);
	} while (n > 0 && !cl->gone && st != FRAME_BAD);
	if (st == FRAME_BAD || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		cl->gone = true;
}

/* stdin on to the guest, as much as it takes */
static void pass_stdin(struct client *cl, struct session *s)
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
		frame_put(&cl->wr, WIRE_EOF, WIRE_EXEC_FIRST, WIRE_STDIN, NULL, 0)) {
		cl->in_over = cl->in_eof = true; /* nobody reads it any more */
		cl->in_start = cl->in_end = cl->in_taken = 0;
	}
	if (cl->in_taken > 0 && frame_put_u32(&cl->wr, WIRE_CREDIT, WIRE_EXEC_FIRST, WIRE_STDIN, cl->in_taken))
		cl->in_taken = 0;
}

static void pass_output(struct client *cl, struct session_out *out, unsigned stream)
{
	while (out->start < out->end && cl->credit[stream] > 0 && frame_room(&cl->wr) > 0) {
		size_t n = out->end - out->start;

		if (n > frame_room(&cl->wr))
			n = frame_room(&cl->wr);
		if (n > cl->credit[stream])
			n = cl->credit[stream];
		(void)frame_put(&cl->wr, WIRE_DATA, WIRE_EXEC_FIRST, stream, out->buf + out->start, n);
		cl->credit[stream] -= (uint32_t)n;
		session_wrote(out, n);
		cl->moved = true;
	}
	if (out->eof && out->start == out->end && !cl->eof_said[stream])
		cl->eof_said[stream] = frame_put(&cl->wr, WIRE_EOF, WIRE_EXEC_FIRST, stream, NULL, 0);
}

/* The pod does not wait for one who does not read: what was entered ends with it. */
static void cut_short(struct client *cl, struct session_out *out, unsigned stream)
{
	if (cl->credit[stream] > 0 || out->start == out->end)
		return;
	session_refuse(out);
	cl->moved = true;
}

/* The states of its process, the last one behind all output. */
static void pass_states(struct client *cl, const struct session_app *run)
{
	if (run->state != SESSION_APP_NEW && run->pid > 0 && !cl->started_said)
		cl->started_said = frame_put_app(&cl->wr, WIRE_EXEC_FIRST, WIRE_APP_STARTED, run->pid, "");
	if (run->state != SESSION_APP_OVER)
		return;
	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		if (run->out[k].start < run->out[k].end || (run->out[k].eof && !cl->eof_said[k]))
			return;
	cl->over_said = frame_put_app(&cl->wr, WIRE_EXEC_FIRST, run->how, run->value, run->text);
}

static void produce(struct client *cl, struct session *s)
{
	struct session_app *run;

	if (!cl->exec || cl->over_said)
		return;
	run = session_find(s, cl->id);
	pass_stdin(cl, s);
	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++) {
		pass_output(cl, &run->out[k], k);
		if (s->stopping)
			cut_short(cl, &run->out[k], k);
	}
	pass_states(cl, run);
}

static void transmit(struct client *cl, struct session *s)
{
	size_t len;

	while (!cl->gone) {
		const uint8_t *data;
		ssize_t n;

		produce(cl, s);
		data = frame_queued(&cl->wr, &len);
		n = len ? send(cl->fd, data, len, MSG_NOSIGNAL) : 0;
		if (n > 0)
			frame_sent(&cl->wr, (size_t)n);
		else if (n < 0 && errno == EINTR)
			continue;
		else if (n < 0 && errno != EAGAIN)
			cl->gone = true;
		if (n <= 0)
			return;
	}
}

static void client_free(struct client *cl, struct session *s)
{
	if (cl->exec)
		session_exec_close(s, cl->id);
	(void)close(cl->fd);
	free(cl->request);
	free(cl);
}

/* Processes begin when the apps have: nobody is heard before. */
static bool heard(const struct session *s)
{
	return s->ended || s->stopping || (s->greeted && session_all_started(s));
}

static bool all_sent(const struct client *cl)
{
	size_t len;

	(void)frame_queued(&cl->wr, &len);
	return len == 0;
}

bool control_serve(struct control *c, struct session *s)
{
	bool moved = false;
	size_t kept = 0;

	while (has_room(c, s)) {
		size_t before = c->nclients;

		accept_one(c);
		if (c->nclients == before)
			break;
	}
	for (size_t i = 0; i < c->nclients; i++) {
		struct client *cl = c->clients[i];

		cl->moved = false;
		if (heard(s))
			receive(cl, s);
		transmit(cl, s);
		moved = moved || cl->moved || cl->gone;
		if (cl->gone || (cl->over_said && all_sent(cl)))
			client_free(cl, s);
		else
			c->clients[kept++] = cl;
	}
	c->nclients = kept;
	return moved;
}

size_t control_prepare(const struct control *c, const struct session *s, struct pollfd *fds)
{
	size_t n = 0;

	fds[n++] = (struct pollfd){ .fd = has_room(c, s) ? c->fd : -1, .events = POLLIN };
	for (size_t i = 0; i < c->nclients; i++) {
		short events = (short)((heard(s) ? POLLIN : 0) | (all_sent(c->clients[i]) ? 0 : POLLOUT));

		/* who is not heard yet is not looked at: a hang-up would be reported again and again */
		fds[n++] = (struct pollfd){ .fd = events ? c->clients[i]->fd : -1, .events = events };
	}
	return n;
}

void control_close(struct control *c, struct session *s)
{
	if (!c)
		return;
	if (s)
		(void)control_serve(c, s);
	for (size_t i = 0; i < c->nclients; i++)
		client_free(c->clients[i], s);
	(void)close(c->fd);
	(void)unlink(CONTROL_SOCKET);
	free(c);
}
