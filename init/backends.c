/*
 * See backends.h. Asks xenstore by the kernel's device, two requests and a watch for each network: libxenstore would
 * start a thread for watches.
 */
#include "init/backends.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/common/xswire.h"

enum { PATH_MAX_XS = 256 };

/* The events that come before the answer are only a reason to look, which the caller does anyway. */
static int ask(int fd, uint32_t type, const void *body, size_t len, struct xs_message *answer_r)
{
	const struct xsd_sockmsg head = { .type = type, .len = (uint32_t)len };

	if (write_all(fd, &head, sizeof(head)) < 0 || write_all(fd, body, len) < 0)
		return -1;
	do {
		if (xswire_receive(fd, answer_r) < 0)
			return -1;
	} while (answer_r->type == XS_WATCH_EVENT);
	if (answer_r->type == type)
		return 0;
	errno = EIO; /* an error's name */
	return -1;
}

static int ask_path(int fd, const char *path, struct xs_message *answer_r)
{
	return ask(fd, XS_READ, path, strlen(path) + 1, answer_r);
}

static int watch(int fd, const char *path)
{
	struct xs_message answer;
	char body[PATH_MAX_XS + 8];
	int len = snprintf(body, sizeof(body), "%s%cn", path, '\0');

	return ask(fd, XS_WATCH, body, (size_t)len + 1, &answer);
}

/* Its own value once more: the kernel looks whether it knows the device whose node is written to. */
static int remind_nic(int fd, size_t n)
{
	struct xs_message mac, answer;
	char path[PATH_MAX_XS], body[2 * PATH_MAX_XS];
	int len;

	(void)snprintf(path, sizeof(path), "device/vif/%zu/mac", n);
	if (ask_path(fd, path, &mac) < 0)
		return errno == EIO ? 0 : -1; /* it is still to come, and will be heard of */
	len = snprintf(body, sizeof(body), "%s%c%.*s", path, '\0', PATH_MAX_XS - 1, mac.body);
	return ask(fd, XS_WRITE, body, (size_t)len, &answer);
}

int backends_remind(int xs, const struct guest_plan *plan, struct err *e)
{
	for (size_t i = 0; i < plan->nnics; i++)
		if (remind_nic(xs, i) < 0)
			return err_sys(e, "network '%s': remind the kernel of its device", plan->nics[i].name);
	return 0;
}

/* xenbus says so when the frontend is there and the hotplug script has done its work. */
static bool is_connected(int fd, const char *state)
{
	struct xs_message answer;

	return ask_path(fd, state, &answer) == 0 && !strcmp(answer.body, "4");
}

static int wait_for(int fd, const char *state, int64_t deadline)
{
	struct xs_message event;

	while (!is_connected(fd, state)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = deadline - monotonic_ms();
		int n = left > 0 ? poll(&p, 1, (int)left) : 0;

		if (n == 0)
			errno = ETIMEDOUT;
		if (n == 0 || (n < 0 && errno != EINTR))
			return -1;
		if (n > 0 && xswire_receive(fd, &event) < 0)
			return -1;
	}
	return 0;
}

/* Device N is the plan's network N. */
static int wait_nic(int fd, size_t n, int64_t deadline)
{
	struct xs_message backend;
	char path[PATH_MAX_XS];

	(void)snprintf(path, sizeof(path), "device/vif/%zu/backend", n);
	if (ask_path(fd, path, &backend) < 0)
		return -1;
	if ((size_t)snprintf(path, sizeof(path), "%.200s/state", backend.body) >= sizeof(path) || watch(fd, path) < 0)
		return -1;
	return wait_for(fd, path, deadline);
}

int backends_wait(int xs, const struct guest_plan *plan, int wait_ms, struct err *e)
{
	int64_t deadline = monotonic_ms() + wait_ms;

	for (size_t i = 0; i < plan->nnics; i++) {
		if (wait_nic(xs, i, deadline) == 0)
			continue;
		if (errno == ETIMEDOUT)
			return err_set(e, ERR_HOST, "network '%s': its backend has not joined it to anything", plan->nics[i].name);
		return err_sys(e, "network '%s': ask xenstore for its backend", plan->nics[i].name);
	}
	return 0;
}

int backends_open(struct err *e)
{
	int xs = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);

	return xs >= 0 ? xs : err_sys(e, "open /dev/xen/xenbus");
}
