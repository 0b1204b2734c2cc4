/* Those who ask for something to become of an app of a mutable pod. See apps.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/apps_internal.h"
#include "stage1/common/util.h"
#include "stage1/terminal.h"

enum {
	BACKLOG = 64,
	START_MS = 120000, /* what a guest may take to begin an app, pre-start apart */
	STOP_MS = 130000,  /* to end one: 90 s, post-stop, and some more */
	REMOVE_MS = 30000, /* to forget one; then its files are taken away all the same */
};

struct app_client {
	int fd;
	bool done;        /* answered: to be closed and freed */
	uint32_t op;      /* 0: it has not asked yet */
	unsigned id;
	int64_t deadline; /* monotonic ms */
	char *growing;    /* the name of an app that is added when the machine has grown; NULL: none waits for that */
	int ns;           /* its caller's mount namespace */
};

int apps_open(struct apps **a_r, const struct apps_input *in, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = APPCTL_SOCKET };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	mode_t mask = umask(0177);
	int ret;

	(void)unlink(APPCTL_SOCKET);
	ret = fd < 0 ? -1 : bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	(void)umask(mask);
	if (ret < 0 || listen(fd, BACKLOG) < 0)
		return err_sys(e, "listen at " APPCTL_SOCKET);
	*a_r = xcalloc(1, sizeof(**a_r));
	(*a_r)->in = in;
	(*a_r)->fd = STEAL_FD(fd);
	return 0;
}

static bool accept_one(struct apps *a)
{
	AUTO_CLOSE int fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t len = sizeof(peer);
	struct app_client *cl;

	if (fd < 0)
		return false;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0 || peer.uid != geteuid())
		return true;
	cl = xcalloc(1, sizeof(*cl));
	cl->fd = STEAL_FD(fd);
	cl->ns = -1;
	a->clients[a->nclients++] = cl;
	return true;
}

static void free_client(struct app_client *cl)
{
	if (cl->ns >= 0)
		(void)close(cl->ns);
	(void)close(cl->fd);
	free(cl->growing);
	free(cl);
}

static void answer(struct app_client *cl, const struct err *e)
{
	struct appctl_answer answer = { .failed = e->kind != ERR_NONE, .number = cl->id };

	(void)snprintf(answer.text, sizeof(answer.text), "%s", e->msg);
	(void)send(cl->fd, &answer, sizeof(answer), MSG_NOSIGNAL);
	cl->done = true;
}

/* The one descriptor that may come along, or -1. */
static int take_fd(struct msghdr *msg)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || c->cmsg_len != CMSG_LEN(sizeof(fd)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* 1 with the request and the descriptor that came along; 0: not yet. */
static int take_request(struct app_client *cl, struct appctl_request *rq, int *fd_r)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = rq, .iov_len = sizeof(*rq) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
		.msg_controllen = sizeof(control.room) };
	ssize_t n = recvmsg(cl->fd, &msg, MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	*fd_r = n > 0 ? take_fd(&msg) : -1;
	return n == (ssize_t)sizeof(*rq) && memchr(rq->app, 0, sizeof(rq->app)) ? 1 : -1;
}

/* One that waits for the machine keeps its namespace for later. */
static int begin_add(struct apps *a, struct app_client *cl, const char *name, int *ns, struct err *e)
{
	int ret = apps_add(a, name, *ns, e);

	if (ret <= 0)
		return ret;
	cl->growing = xstrdup(name);
	cl->ns = STEAL_FD(*ns);
	return 0;
}

static bool any_grows(const struct apps *a)
{
	return a->in->machine && a->in->machine->wanted_kib > 0;
}

static int begin(struct apps *a, struct app_client *cl, const struct appctl_request *rq, int *ns, struct err *e)
{
	int id = apps_find(a, rq->app);
	int64_t now = monotonic_ms();

	cl->op = rq->op;
	cl->id = (unsigned)(id < 0 ? 0 : id);
	switch (rq->op) {
	case APPCTL_ADD:
		return begin_add(a, cl, rq->app, ns, e);
	case APPCTL_START:
		cl->deadline = now + START_MS;
		return apps_start(a, rq->app, e);
	case APPCTL_NUMBER:
		return id < 0 ? err_set(e, ERR_INPUT, "the pod has no app '%s'", rq->app) : 0;
	case APPCTL_STOP:
		cl->deadline = now + STOP_MS;
		if (id >= 0)
			apps_stop(a, cl->id);
		break;
	case APPCTL_REMOVE:
		cl->deadline = now + REMOVE_MS;
		if (id >= 0 && session_runs(a->in->session, cl->id))
			return err_set(e, ERR_INPUT, "app '%s': it is running: stop it first", rq->app);
		if (id >= 0)
			session_remove(a->in->session, cl->id);
		break;
	default:
		return err_set(e, ERR_USAGE, "request %u is not known", rq->op);
	}
	if (id < 0) /* that is how it is to be */
		cl->op = APPCTL_ADD;
	return 0;
}

static bool hear(struct apps *a, struct app_client *cl)
{
	struct appctl_request rq;
	struct err e = ERR_INIT;
	int ret;
	AUTO_CLOSE int fd = -1;

	ret = take_request(cl, &rq, &fd);
	if (ret == 0)
		return false;
	if (ret < 0) {
		cl->done = true;
		return false;
	}
	if (begin(a, cl, &rq, &fd, &e) < 0)
		answer(cl, &e);
	return true;
}

static bool has_started(const struct session_app *app, struct err *e)
{
	if (app->start_due || app->phase == SESSION_SENDING)
		return false;
	if (app->phase != SESSION_BEGUN) {
		(void)err_set(e, ERR_INPUT, "it was stopped before it began");
		return true;
	}
	if (app->state == SESSION_APP_NEW)
		return false;
	if (app->state == SESSION_APP_OVER && app->how == WIRE_APP_FAILED)
		(void)err_set(e, ERR_INPUT, "%s", app->text);
	return true;
}

/* The guest has let go of it, or is not waited for. */
static bool has_left(struct apps *a, unsigned id, bool late, struct err *e)
{
	const struct session *s = a->in->session;

	if (session_has(s, id) && s->apps[id].phase != SESSION_IDLE && !late)
		return false;
	if (late)
		fprintf(stderr, "stage1 run: warning: app '%s': the guest does not let go of it%s", a->slots[id].name,
			terminal_eol());
	(void)apps_forget(a, id, e);
	return true;
}

/* True when it has grown, or will not, and the app was added or cannot be. */
static bool has_grown(struct apps *a, struct app_client *cl, struct err *e)
{
	AUTO_FREE char *name = NULL;
	AUTO_CLOSE int ns = -1;
	int ret = machine_grown(a->in->machine, e);

	if (ret == 0)
		return false;
	name = STEAL(cl->growing);
	ns = STEAL_FD(cl->ns);
	if (ret < 0)
		(void)err_prefix(e, "app '%s'", name);
	else if (apps_add(a, name, ns, e) > 0) { /* the manifest has changed meanwhile, and the machine grows on */
		cl->growing = STEAL(name);
		cl->ns = STEAL_FD(ns);
		return false;
	}
	return true;
}

static void follow(struct apps *a, struct app_client *cl)
{
	const struct session_app *app = &a->in->session->apps[cl->id];
	struct err e = ERR_INIT;
	bool late, done = true;

	if (cl->op == APPCTL_START && app->state == SESSION_APP_NEW && app->pid > 0) /* its pre-start runs */
		cl->deadline = monotonic_ms() + START_MS;
	late = monotonic_ms() >= cl->deadline;
	if (cl->growing)
		done = has_grown(a, cl, &e);
	else if (cl->op == APPCTL_START)
		done = has_started(app, &e);
	else if (cl->op == APPCTL_STOP)
		done = !session_runs(a->in->session, cl->id);
	else if (cl->op == APPCTL_REMOVE && !a->slots[cl->id].forgotten)
		done = has_left(a, cl->id, late, &e);
	if (!done && late && !cl->growing) {
		(void)err_set(&e, ERR_HOST, "app '%s': the guest does not %s it", a->slots[cl->id].name,
			cl->op == APPCTL_START ? "start" : "stop");
		done = true;
	}
	if (done)
		answer(cl, &e);
}

bool apps_serve(struct apps *a)
{
	bool moved = false;
	size_t kept = 0;

	if (!a)
		return false;
	apps_look(a);
	while (a->nclients < COUNT(a->clients) && accept_one(a))
		;
	for (size_t i = 0; i < a->nclients; i++) {
		struct app_client *cl = a->clients[i];

		if (cl->op == 0 && !cl->done && !any_grows(a)) /* what there will be is promised already */
			moved = hear(a, cl) || moved;
		if (cl->op != 0 && !cl->done)
			follow(a, cl);
		if (!cl->done) {
			a->clients[kept++] = cl;
			continue;
		}
		free_client(cl);
	}
	a->nclients = kept;
	return moved;
}

size_t apps_prepare(const struct apps *a, struct pollfd *fds, int *timeout_ms)
{
	int64_t now = monotonic_ms();
	size_t n = 0;

	if (!a)
		return 0;
	fds[n++] = (struct pollfd){ .fd = a->nclients < COUNT(a->clients) ? a->fd : -1, .events = POLLIN };
	for (size_t i = 0; i < a->nclients; i++) {
		const struct app_client *cl = a->clients[i];
		int64_t left = cl->growing ? MACHINE_LOOK_MS : cl->deadline > now ? cl->deadline - now : 0;

		fds[n++] = (struct pollfd){ .fd = cl->op == 0 && !any_grows(a) ? cl->fd : -1, .events = POLLIN };
		if (cl->op != 0 && (*timeout_ms < 0 || left < *timeout_ms))
			*timeout_ms = (int)left;
	}
	return n;
}

void apps_close(struct apps *a)
{
	if (!a)
		return;
	(void)apps_serve(a);
	for (size_t i = 0; i < a->nclients; i++) {
		free_client(a->clients[i]);
	}
	a->nclients = 0;
	(void)close(a->fd);
	(void)unlink(APPCTL_SOCKET);
}

void apps_free(struct apps *a)
{
	for (unsigned i = 0; a && i < WIRE_APPS_MAX; i++)
		apps_slot_dispose(&a->slots[i]);
	free(a);
}
