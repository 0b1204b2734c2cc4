/*
 * Our own 9pfs backend, seen from the supervisor: starts it, tells xenstore and it of the domain, and
 * takes both away again. libxl knows nothing of these devices: it would start QEMU for them.
 *
 * What only dom0 may change, and gc must know, is at /libxl/DOMID/stage1-xen: gone with the domain. Which
 * process the backend is stays in the pod's directory (stage1/pidnote.h), and whose a device is, with it.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <xen/io/xenbus.h>

#include "stage1/common/util.h"
#include "stage1/pidnote.h"
#include "stage1/xen/internal.h"

enum {
	NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS,
	GONE_WAIT_MS = 5000, /* for a backend that notices its domain's end by itself: a moment */
};

/* In the child: only what is safe after fork(2) in a process with threads. */
static void __attribute__((noreturn)) become_backend(const char *program, char *const *argv, int stdin_fd)
{
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(stdin_fd, STDIN_FILENO) >= 0)
		(void)execve(program, argv, (char *[]){ NULL });
	_exit(127);
}

int p9_spawn(struct xen *xen, const struct domain_plan *plan, struct err *e)
{
	char *argv[DOMAIN_EXPORTS_MAX + 2] = { (char *)"p9" };
	AUTO_CLOSE int ours = -1;
	AUTO_CLOSE int theirs = -1;
	int fds[2], pidfd = -1;
	long pid;

	for (uint32_t i = 0; i < plan->nexports; i++)
		argv[1 + i] = plan->exports[i].path;
	if (access(plan->p9_program, X_OK) < 0)
		return err_sys(e, "the 9p backend %s", plan->p9_program);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return err_sys(e, "make a socket");
	ours = fds[0];
	theirs = fds[1];
	pid = syscall(SYS_clone, (unsigned long)(NAMESPACES | CLONE_PIDFD | SIGCHLD), NULL, &pidfd, NULL, NULL);
	if (pid < 0)
		return err_sys(e, "start the 9p backend");
	if (pid == 0)
		become_backend(plan->p9_program, argv, theirs);
	xen->p9 = (struct p9_process){ .pidfd = pidfd, .pid = (pid_t)pid, .socket = STEAL_FD(ours),
		.backend_domid = plan->backend_domid };
	/* until here its end is ours: it waits for a number, and finds that nobody writes one */
	return pidnote_write(PIDNOTE_BACKEND, (pid_t)pid, e);
}

#define POD_NODE "stage1-xen-pod" /* of a device: the UUID of whose it is */

static void uuid_text(const uint8_t uuid[16], char text_r[37])
{
	char *to = text_r;

	for (int i = 0; i < 16; i++)
		to += sprintf(to, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
}

static char *backend_dir(uint32_t backend, uint32_t domid)
{
	return xasprintf("/local/domain/%u/backend/9pfs/%u", backend, domid);
}

/* A directory owned by one domain that another may read: what libxl gives devices (xen-facts 2.1). */
static bool make_dir(struct xs_handle *xs, xs_transaction_t t, const char *path, uint32_t owner,
	uint32_t reader)
{
	struct xs_permissions perms[] = { { .id = owner, .perms = XS_PERM_NONE },
		{ .id = reader, .perms = XS_PERM_READ } };

	(void)xs_rm(xs, t, path); /* of another domain that had the number: nothing, mostly */
	return xs_mkdir(xs, t, path) && xs_set_permissions(xs, t, path, perms, 2);
}

static bool put(struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *node,
	const char *value)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, node);

	return xs_write(xs, t, path, value, (unsigned)strlen(value));
}

static bool put_number(struct xs_handle *xs, xs_transaction_t t, const char *dir, const char *node,
	uint32_t value)
{
	char text[12];

	(void)snprintf(text, sizeof(text), "%u", value);
	return put(xs, t, dir, node, text);
}

static bool put_device(struct xen *xen, xs_transaction_t t, const struct domain_plan *plan, uint32_t domid,
	uint32_t id)
{
	AUTO_FREE char *back_all = backend_dir(plan->backend_domid, domid);
	AUTO_FREE char *back = xasprintf("%s/%u", back_all, id);
	AUTO_FREE char *front = xasprintf("/local/domain/%u/device/9pfs/%u", domid, id);
	struct xs_handle *xs = xen->xs;
	char uuid[37];

	uuid_text(plan->uuid, uuid);
	return make_dir(xs, t, front, domid, plan->backend_domid) &&
		make_dir(xs, t, back, plan->backend_domid, domid) &&
		put(xs, t, back, "frontend", front) && put_number(xs, t, back, "frontend-id", domid) &&
		put(xs, t, back, POD_NODE, uuid) && put(xs, t, back, "online", "1") &&
		put_number(xs, t, back, "max-ring-page-order", plan->exports[id].ring_order) &&
		put_number(xs, t, back, "state", XenbusStateInitialising) &&
		put(xs, t, front, "backend", back) && put_number(xs, t, front, "backend-id", plan->backend_domid) &&
		put(xs, t, front, "tag", plan->exports[id].tag) &&
		put_number(xs, t, front, "state", XenbusStateInitialising);
}

static char *record_dir(uint32_t domid)
{
	return xasprintf("/libxl/%u/stage1-xen", domid);
}

static int put_all(struct xen *xen, const struct domain_plan *plan, uint32_t domid)
{
	AUTO_FREE char *record = record_dir(domid);

	for (;;) {
		xs_transaction_t t = xs_transaction_start(xen->xs);
		bool good;
		int why;

		if (t == XBT_NULL)
			return -1;
		good = put_number(xen->xs, t, record, "p9-backend-id", plan->backend_domid) &&
			put_number(xen->xs, t, record, "p9-pid", (uint32_t)xen->p9.pid);
		for (uint32_t i = 0; good && i < plan->nexports; i++)
			good = put_device(xen, t, plan, domid, i);
		why = errno;
		if (xs_transaction_end(xen->xs, t, !good) && good)
			return 0;
		if (!good || errno != EAGAIN) {
			errno = good ? errno : why;
			return -1;
		}
	}
}

int p9_offer(struct xen *xen, const struct domain_plan *plan, uint32_t domid, struct err *e)
{
	char line[16];
	int len = snprintf(line, sizeof(line), "%u\n", domid);

	if (put_all(xen, plan, domid) < 0)
		return err_sys(e, "tell xenstore of the exports of domain %u", domid);
	if (send(xen->p9.socket, line, (size_t)len, MSG_NOSIGNAL) != len)
		return err_sys(e, "tell the 9p backend of domain %u", domid);
	for (uint32_t i = 0; i < plan->nexports; i++) {
		AUTO_FREE char *all = backend_dir(plan->backend_domid, domid);
		AUTO_FREE char *state = xasprintf("%s/%u/state", all, i);

		if (store_wait_backend(xen, state, xen->p9.pidfd, e) < 0)
			return -1;
	}
	return 0;
}

void p9_end(struct xen *xen)
{
	siginfo_t info;

	if (xen->p9.pid == 0)
		return;
	(void)syscall(SYS_pidfd_send_signal, xen->p9.pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PIDFD, (id_t)xen->p9.pidfd, &info, WEXITED) < 0 && errno == EINTR)
		;
	(void)close(xen->p9.pidfd);
	(void)close(xen->p9.socket);
	xen->p9 = (struct p9_process){ .pid = 0 };
	(void)unlink(PIDNOTE_BACKEND);
}

void p9_record_read(struct xen *xen, uint32_t domid, struct p9_record *r)
{
	AUTO_FREE char *dir = record_dir(domid);
	AUTO_FREE char *backend = xasprintf("%s/p9-backend-id", dir);
	AUTO_FREE char *pid = xasprintf("%s/p9-pid", dir);

	r->backend_domid = store_number(xen, backend);
	r->pid = store_number(xen, pid);
}

/* An empty directory that nobody needs: libxl removes those of its own devices as well. */
static void prune(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
	unsigned n;
	char **list = xs_directory(xs, t, path, &n);

	if (list && n == 0)
		(void)xs_rm(xs, t, path);
	free(list);
}

static void remove_nodes(struct xen *xen, uint32_t backend, uint32_t domid)
{
	AUTO_FREE char *dir = backend_dir(backend, domid);
	AUTO_FREE char *all = xasprintf("/local/domain/%u/backend/9pfs", backend);
	AUTO_FREE char *backends = xasprintf("/local/domain/%u/backend", backend);

	for (;;) {
		xs_transaction_t t = xs_transaction_start(xen->xs);

		if (t == XBT_NULL)
			return;
		(void)xs_rm(xen->xs, t, dir);
		prune(xen->xs, t, all);
		prune(xen->xs, t, backends);
		if (xs_transaction_end(xen->xs, t, false) || errno != EAGAIN)
			return;
	}
}

/* The domain is gone: its backend notices, and until then keeps the domain's memory from Xen. */
void p9_removed(struct xen *xen, uint32_t domid, const struct p9_record *r)
{
	AUTO_CLOSE int pidfd = -1;

	if (r->backend_domid < 0)
		return;
	if (r->pid > 1)
		pidfd = (int)syscall(SYS_pidfd_open, (pid_t)r->pid, 0);
	if (pidfd >= 0)
		(void)poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, GONE_WAIT_MS);
	remove_nodes(xen, (uint32_t)r->backend_domid, domid);
}

/* The devices of domains that `backend` serves; those of the pod are removed. */
static void sweep_backend(struct xen *xen, uint32_t backend, const char *uuid)
{
	AUTO_FREE char *all = xasprintf("/local/domain/%u/backend/9pfs", backend);
	unsigned n = 0, len;
	char **list = xs_directory(xen->xs, XBT_NULL, all, &n);

	for (unsigned i = 0; list && i < n; i++) {
		AUTO_FREE char *path = xasprintf("%s/%s/0/" POD_NODE, all, list[i]);
		AUTO_FREE char *whose = xs_read(xen->xs, XBT_NULL, path, &len);

		if (whose && !strcmp(whose, uuid))
			remove_nodes(xen, backend, (uint32_t)strtoul(list[i], NULL, 10));
	}
	free(list);
}

void p9_sweep(struct xen *xen, const uint8_t uuid[16])
{
	unsigned n = 0;
	char **list = xs_directory(xen->xs, XBT_NULL, "/local/domain", &n), text[37];

	uuid_text(uuid, text);
	for (unsigned i = 0; list && i < n; i++)
		sweep_backend(xen, (uint32_t)strtoul(list[i], NULL, 10), text);
	free(list);
}
