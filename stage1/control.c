/* See control.h. The socket, and whose turn it is. */
#include "stage1/control_internal.h"

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
	(*c_r)->patience_ms = CONTROL_PATIENCE_MS;
	(*c_r)->last_patience_ms = CONTROL_LAST_PATIENCE_MS;
	return 0;
}

/* Those whose process the guest has not seen end yet keep their number: others wait for one. */
static bool has_room(const struct control *c, const struct session *s)
{
	size_t asking = 0;

	for (size_t i = 0; i < c->nclients; i++)
		asking += !c->clients[i]->exec && !c->clients[i]->attached;
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
	cl->number = WIRE_EXEC_FIRST;
	for (int k = 0; k < WIRE_STREAMS; k++)
		cl->credit[k] = WIRE_WINDOW;
	(void)frame_put_hello(&cl->wr);
	c->clients[c->nclients++] = cl;
}

struct session_app *client_app(const struct client *cl, const struct session *s)
{
	return cl->attached ? &s->apps[cl->id] : session_find(s, cl->id);
}

void client_end(struct client *cl, enum wire_app_state how, uint32_t value, const char *text)
{
	cl->last.how = how;
	cl->last.value = value;
	(void)snprintf(cl->last.text, sizeof(cl->last.text), "%s", text);
	cl->over = cl->moved = true;
}

void client_refuse(struct client *cl, const char *why)
{
	client_end(cl, WIRE_APP_FAILED, CONTROL_FAILED_STATUS, why);
}

/* Clients are ours, but a frame out of turn must not bring the pod down: false ends the client. */
static bool take(struct client *cl, const struct control *c, struct session *s, const struct frame *f)
{
	struct err e = ERR_INIT;

	if (!cl->greeted)
		return cl->greeted = frame_check_hello(f, &e) == 0;
	if (cl->over)
		return true; /* what crossed with the end */
	if (cl->attached || f->type == WIRE_PLAN || (f->type == WIRE_READY && client_attach_asked(cl)))
		return client_attach_take(cl, c, s, f);
	if (f->type == WIRE_READY)
		return true; /* an empty plan */
	return client_exec_take(cl, s, f);
}

static void receive(struct client *cl, const struct control *c, struct session *s)
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
			cl->gone = !take(cl, c, s, &f);
	} while (n > 0 && !cl->gone && st != FRAME_BAD);
	if (st == FRAME_BAD || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		cl->gone = true;
}

static void say_last(struct client *cl)
{
	if (cl->over && !cl->over_said)
		cl->over_said = frame_put_app(&cl->wr, cl->number, cl->last.how, cl->last.value, cl->last.text);
}

static void transmit(struct client *cl, const struct control *c, struct session *s)
{
	size_t len;

	while (!cl->gone) {
		const uint8_t *data;
		ssize_t n;

		client_exec_produce(cl, c, s);
		client_attach_produce(cl, c, s);
		say_last(cl);
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

/* Processes begin when the apps have: nobody is heard before. Apps that come later hold up nobody. */
static bool heard(const struct session *s)
{
	return s->ended || s->stopping || (s->greeted && (s->stays || session_all_started(s)));
}

static bool all_sent(const struct client *cl)
{
	size_t len;

	(void)frame_queued(&cl->wr, &len);
	return len == 0;
}

/* Those who are gone, or have heard all there was. */
static void let_go(struct control *c, struct session *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->nclients; i++) {
		struct client *cl = c->clients[i];

		if (cl->gone || (cl->over_said && all_sent(cl)))
			client_free(cl, s);
		else
			c->clients[kept++] = cl;
	}
	c->nclients = kept;
}

/* An app is not begun again, nor its number another's, before those who are attached know how it ended. */
static void mark_attached(const struct control *c, struct session *s)
{
	for (size_t i = 0; i < s->napps; i++)
		s->apps[i].attached = false;
	for (size_t i = 0; i < c->nclients; i++)
		if (c->clients[i]->attached && !c->clients[i]->over)
			s->apps[c->clients[i]->id].attached = true;
}

bool control_serve(struct control *c, struct session *s)
{
	bool moved = false;

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
			receive(cl, c, s);
		transmit(cl, c, s);
		moved = moved || cl->moved || cl->gone;
	}
	let_go(c, s);
	mark_attached(c, s);
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

/* Somebody has entered, and has not heard the end of it. */
static bool owes(const struct control *c)
{
	for (size_t i = 0; i < c->nclients; i++)
		if (c->clients[i]->exec && !c->clients[i]->over)
			return true;
	return false;
}

/* What a command had written before the pod ended is its user's, who may read slowly, but reads. */
static void serve_last(struct control *c, struct session *s)
{
	struct pollfd fds[CONTROL_POLL_MAX];

	(void)control_serve(c, s);
	while (s->ended && owes(c)) {
		int64_t left = control_deadline(c, s) - monotonic_ms();

		(void)poll(fds, control_prepare(c, s, fds), left > 0 ? (int)left : 0);
		(void)control_serve(c, s);
	}
}

void control_close(struct control *c, struct session *s)
{
	if (!c)
		return;
	if (s)
		serve_last(c, s);
	for (size_t i = 0; i < c->nclients; i++)
		client_free(c->clients[i], s);
	(void)close(c->fd);
	(void)unlink(CONTROL_SOCKET);
	free(c->apps);
	free(c);
}
