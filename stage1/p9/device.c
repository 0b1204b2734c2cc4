/* See device.h. */
#include "stage1/p9/device.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/io/xenbus.h>

#include "stage1/common/util.h"

struct devices {
	struct xs_handle *xs;
	uint32_t domid;
	unsigned n;
	int state[DEVICES_MAX]; /* ours, XenbusStates */
	bool connecting, connected;
};

static char *backend_path(const struct devices *d, unsigned id, const char *node)
{
	return xasprintf("backend/9pfs/%u/%u/%s", d->domid, id, node);
}

static char *frontend_path(const struct devices *d, unsigned id, const char *node)
{
	return xasprintf("/local/domain/%u/device/9pfs/%u/%s", d->domid, id, node);
}

static int write_node(const struct devices *d, unsigned id, const char *node, const char *value,
	struct err *e)
{
	AUTO_FREE char *path = backend_path(d, id, node);

	if (!xs_write(d->xs, XBT_NULL, path, value, (unsigned)strlen(value)))
		return err_sys(e, "write %s", path);
	return 0;
}

static int set_state(struct devices *d, unsigned id, int state, struct err *e)
{
	char text[12];

	if (d->state[id] == state)
		return 0;
	d->state[id] = state;
	(void)snprintf(text, sizeof(text), "%d", state);
	return write_node(d, id, "state", text, e);
}

/* A number the guest wrote; -1: none there, or no number. */
static long read_number(const struct devices *d, unsigned id, const char *node)
{
	AUTO_FREE char *path = frontend_path(d, id, node), *value = NULL;
	unsigned len;
	char *end;
	long n;

	value = xs_read(d->xs, XBT_NULL, path, &len);
	if (!value)
		return -1;
	errno = 0;
	n = strtol(value, &end, 10);
	return errno || end == value || *end || n < 0 || n > UINT32_MAX ? -1 : n;
}

int devices_offer(struct xs_handle *xs, uint32_t domid, unsigned n, struct err *e)
{
	struct devices d = { .xs = xs, .domid = domid, .n = n };

	for (unsigned i = 0; i < n; i++)
		if (write_node(&d, i, "versions", "1", e) < 0 || write_node(&d, i, "max-rings", "2", e) < 0 ||
			set_state(&d, i, XenbusStateInitWait, e) < 0)
			return -1;
	return 0;
}

/* What the guest says of one device; false when it makes no sense, which is its own fault. */
static bool read_rings(const struct devices *d, unsigned id, struct connect *c)
{
	long n = read_number(d, id, "num-rings");

	if (read_number(d, id, "version") != 1 || n < 1 || n > RINGS_MAX)
		return false;
	c->dev[id].nrings = (uint32_t)n;
	for (unsigned k = 0; k < (unsigned)n; k++) {
		char ref[32], port[32];
		long r, p;

		(void)snprintf(ref, sizeof(ref), "ring-ref%u", k);
		(void)snprintf(port, sizeof(port), "event-channel-%u", k);
		r = read_number(d, id, ref);
		p = read_number(d, id, port);
		if (r < 0 || p < 0)
			return false;
		c->dev[id].ring[k].ref = (uint32_t)r;
		c->dev[id].ring[k].port = (uint32_t)p;
	}
	return true;
}

/* All at once: after that the server needs no grants and no event channels any more. */
static int connect_when_ready(struct devices *d, int server, struct err *e)
{
	struct connect c = { .domid = d->domid };

	if (d->connecting)
		return 0;
	for (unsigned i = 0; i < d->n; i++)
		if (read_number(d, i, "state") != XenbusStateInitialised)
			return 0;
	d->connecting = true;
	for (unsigned i = 0; i < d->n; i++)
		if (!read_rings(d, i, &c))
			return err_set(e, ERR_INPUT, "the guest's device %u says nothing of its rings", i);
	if (write(server, &c, sizeof(c)) != (ssize_t)sizeof(c))
		return err_sys(e, "tell the server of the rings");
	return 0;
}

/* Only ever towards the end: a device that was closed is not opened again. */
static int close_as_asked(struct devices *d, struct err *e)
{
	for (unsigned i = 0; i < d->n; i++) {
		long state = read_number(d, i, "state");

		if ((state == XenbusStateClosing || state == XenbusStateClosed) && state > d->state[i] &&
			set_state(d, i, (int)state, e) < 0)
			return -1;
	}
	return 0;
}

/* The domain is there, and so are its devices. */
static bool alive(const struct devices *d)
{
	AUTO_FREE char *path = backend_path(d, 0, "state"), *value = NULL;
	unsigned len;

	value = xs_read(d->xs, XBT_NULL, path, &len);
	return value && xs_is_domain_introduced(d->xs, d->domid);
}

static int hear_server(struct devices *d, int server, struct err *e)
{
	char byte;

	if (read(server, &byte, 1) != 1)
		return err_set(e, ERR_SYSTEM, "the server has ended");
	d->connected = true;
	for (unsigned i = 0; i < d->n; i++)
		if (set_state(d, i, XenbusStateConnected, e) < 0)
			return -1;
	return 0;
}

static int watch(struct devices *d, struct err *e)
{
	for (unsigned i = 0; i < d->n; i++) {
		AUTO_FREE char *state = frontend_path(d, i, "state");

		d->state[i] = XenbusStateInitWait;
		if (!xs_watch(d->xs, state, "frontend"))
			return err_sys(e, "watch %s", state);
	}
	if (!xs_watch(d->xs, "@releaseDomain", "domain"))
		return err_sys(e, "watch for the domain's end");
	return 0;
}

int devices_follow(struct xs_handle *xs, uint32_t domid, unsigned n, int server, struct err *e)
{
	struct devices d = { .xs = xs, .domid = domid, .n = n };
	char **event;

	if (watch(&d, e) < 0)
		return -1;
	for (;;) {
		struct pollfd fds[] = { { .fd = xs_fileno(xs), .events = POLLIN },
			{ .fd = server, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return err_sys(e, "poll");
		if (fds[1].revents && hear_server(&d, server, e) < 0)
			return alive(&d) ? -1 : 0;
		if (!fds[0].revents)
			continue;
		while ((event = xs_check_watch(xs)) != NULL)
			free(event); /* which it was does not matter: all is read again */
		if (!alive(&d))
			return 0;
		if (connect_when_ready(&d, server, e) < 0 || (d.connected && close_as_asked(&d, e) < 0))
			return -1;
	}
}
