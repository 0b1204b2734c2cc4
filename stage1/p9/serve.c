/* See serve.h. */
#include "stage1/p9/serve.h"

#include <errno.h>
#include <string.h> /* xen/io/9pfs.h calls memcpy */
#include <sys/mman.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/io/9pfs.h>

#include "stage1/p9/confine.h"
#include "stage1/p9/status.h"

int serve_open(struct serve *s, unsigned n, struct err *e)
{
	s->n = n;
	s->gnttab = xengnttab_open(NULL, 0);
	if (!s->gnttab)
		return err_sys(e, "open /dev/xen/gntdev");
	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < RINGS_MAX; k++) {
			s->dev[i].evtchn[k] = xenevtchn_open(NULL, 0);
			if (!s->dev[i].evtchn[k])
				return err_sys(e, "open /dev/xen/evtchn");
		}
	return 0;
}

void serve_forget(struct serve *s)
{
	(void)xengnttab_close(s->gnttab);
	for (unsigned i = 0; i < s->n; i++) {
		for (unsigned k = 0; k < RINGS_MAX; k++)
			(void)xenevtchn_close(s->dev[i].evtchn[k]);
		server_close(s->dev[i].server);
	}
	s->n = 0;
}

static void __attribute__((noreturn)) broken(const char *what)
{
	(void)what;
	_exit(P9_STATUS_BROKEN);
}

static int map_ring(struct serve *s, struct ring *ring, uint32_t domid, uint32_t ref, uint32_t port,
	struct err *e)
{
	uint32_t refs[1 << RING_ORDER_MAX], order;
	uint8_t *data;
	int local;

	ring->intf = xengnttab_map_grant_ref(s->gnttab, domid, ref, PROT_READ | PROT_WRITE);
	if (!ring->intf)
		return err_sys(e, "map a ring");
	order = __atomic_load_n(&ring->intf->ring_order, __ATOMIC_SEQ_CST);
	if (order < 1 || order > RING_ORDER_MAX)
		return err_set(e, ERR_INPUT, "a ring of order %u", order);
	for (size_t i = 0; i < (size_t)1 << order; i++)
		refs[i] = __atomic_load_n(&ring->intf->ref[i], __ATOMIC_RELAXED);
	data = xengnttab_map_domain_grant_refs(s->gnttab, 1u << order, domid, refs, PROT_READ | PROT_WRITE);
	if (!data)
		return err_sys(e, "map the pages of a ring");
	ring->size = (uint32_t)XEN_FLEX_RING_SIZE(order);
	ring->in = data;
	ring->out = data + ring->size;
	local = xenevtchn_bind_interdomain(ring->evtchn, domid, port);
	if (local < 0)
		return err_sys(e, "bind the event channel of a ring");
	ring->port = (uint32_t)local;
	ring->in_prod = __atomic_load_n(&ring->intf->in_prod, __ATOMIC_SEQ_CST);
	ring->out_cons = ring->taken = __atomic_load_n(&ring->intf->out_cons, __ATOMIC_SEQ_CST);
	return 0;
}

static int connect_device(struct serve *s, unsigned i, const struct connect *c, struct err *e)
{
	struct rings *r = &s->dev[i].rings;
	int ret;

	*r = (struct rings){ .server = s->dev[i].server, .n = c->dev[i].nrings, .broken = broken };
	if (r->n < 1 || r->n > RINGS_MAX)
		return err_set(e, ERR_INPUT, "%u rings", r->n);
	for (unsigned k = 0; k < r->n; k++) {
		r->ring[k].evtchn = s->dev[i].evtchn[k];
		if (map_ring(s, &r->ring[k], c->domid, c->dev[i].ring[k].ref, c->dev[i].ring[k].port, e) < 0)
			return -1;
		server_bound(r->server, r->ring[k].size);
	}
	ret = rings_start(r);
	if (ret < 0) {
		errno = -ret;
		return err_sys(e, "start the threads of the rings");
	}
	return 0;
}

/* All of n bytes; false at the end of the stream. */
static bool read_whole(int fd, void *to, size_t n)
{
	for (size_t at = 0; at < n;) {
		ssize_t got = read(fd, (char *)to + at, n - at);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		at += (size_t)got;
	}
	return true;
}

int serve(struct serve *s, int peer, struct err *e)
{
	struct connect c;
	char end;

	if (!read_whole(peer, &c, sizeof(c)))
		_exit(0);
	for (unsigned i = 0; i < s->n; i++)
		for (unsigned k = 0; k < RINGS_MAX; k++)
			if (xenevtchn_restrict(s->dev[i].evtchn[k], (domid_t)c.domid) < 0)
				return err_sys(e, "bind the event channels to the domain");
	for (unsigned i = 0; i < s->n; i++)
		if (connect_device(s, i, &c, e) < 0)
			return -1;
	/* The mappings stay. */
	(void)xengnttab_close(s->gnttab);
	if (confine_more(e) < 0)
		return -1;
	if (write(peer, "", 1) != 1)
		_exit(0);
	(void)read_whole(peer, &end, 1);
	_exit(0);
}
