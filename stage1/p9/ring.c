/* See ring.h. */
#include "stage1/p9/ring.h"

#include <errno.h>
#include <string.h>

#include <xen/xen.h>
#include <xen/io/9pfs.h>

#include "stage1/p9/proto.h"

enum { STACK = 128 << 10 };

/* A thread of a ring, and the request it serves. */
struct worker {
	struct ring *ring;
	struct flight *flight;
	bool leads;
	uint32_t not_consumed; /* bytes of the request that are still in the ring */
	uint8_t msg[P9_REQUEST_MAX];
};

/* The event that says that the other side has done something. Only the leader waits for it. */
static void wait_event(struct ring *ring)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(ring->evtchn);

	if (port < 0) {
		if (errno == EINTR)
			return;
		ring->all->broken("the event channel failed");
	}
	(void)xenevtchn_unmask(ring->evtchn, (evtchn_port_t)port);
}

static void wake_waiters(struct ring *ring)
{
	(void)pthread_mutex_lock(&ring->reply);
	if (ring->waiters > 0)
		(void)pthread_cond_broadcast(&ring->space);
	(void)pthread_mutex_unlock(&ring->reply);
}

static void lead(struct worker *w)
{
	(void)pthread_mutex_lock(&w->ring->leader);
	w->leads = true;
}

/* Those who wait for space must learn that nobody waits for events now. */
static void resign(struct worker *w)
{
	w->leads = false;
	(void)pthread_mutex_unlock(&w->ring->leader);
	wake_waiters(w->ring);
}

static void consume(struct worker *w)
{
	struct ring *ring = w->ring;

	if (!w->not_consumed)
		return;
	ring->out_cons += w->not_consumed;
	w->not_consumed = 0;
	__atomic_store_n(&ring->intf->out_cons, ring->out_cons, __ATOMIC_SEQ_CST);
}

static uint32_t space(struct ring *ring)
{
	uint32_t used = ring->in_prod - __atomic_load_n(&ring->intf->in_cons, __ATOMIC_SEQ_CST);

	if (used > ring->size)
		ring->all->broken("it moved the index of replies beyond what was sent");
	return ring->size - used;
}

static void pieces(uint8_t *base, uint32_t size, uint32_t at, size_t n, struct iovec v[2])
{
	size_t first = size - (at & (size - 1));

	first = first < n ? first : n;
	v[0] = (struct iovec){ .iov_base = base + (at & (size - 1)), .iov_len = first };
	v[1] = (struct iovec){ .iov_base = base, .iov_len = n - first };
}

static void copy_in(void *to, const struct iovec v[2])
{
	memcpy(to, v[0].iov_base, v[0].iov_len);
	memcpy((uint8_t *)to + v[0].iov_len, v[1].iov_base, v[1].iov_len);
}

/* Holds ring->reply from here to put(). */
static int get(void *ctx, size_t n, struct iovec room[2])
{
	struct worker *w = ctx;
	struct ring *ring = w->ring;

	consume(w);
	(void)pthread_mutex_lock(&ring->reply);
	while (space(ring) < n) {
		bool borrowed = !w->leads && pthread_mutex_trylock(&ring->leader) == 0;

		if (!w->leads && !borrowed) {
			ring->waiters++;
			(void)pthread_cond_wait(&ring->space, &ring->reply);
			ring->waiters--;
			continue;
		}
		(void)pthread_mutex_unlock(&ring->reply);
		wait_event(ring);
		if (borrowed)
			(void)pthread_mutex_unlock(&ring->leader);
		wake_waiters(ring);
		(void)pthread_mutex_lock(&ring->reply);
	}
	pieces(ring->in, ring->size, ring->in_prod, n, room);
	return 0;
}

static void put(void *ctx, size_t n)
{
	struct worker *w = ctx;
	struct ring *ring = w->ring;

	if (n > 0) {
		ring->in_prod += (uint32_t)n;
		__atomic_store_n(&ring->intf->in_prod, ring->in_prod, __ATOMIC_SEQ_CST);
	}
	if (ring->waiters > 0) /* who leads may have requests without end, and wake nobody */
		(void)pthread_cond_broadcast(&ring->space);
	(void)pthread_mutex_unlock(&ring->reply);
	if (n > 0)
		(void)xenevtchn_notify(ring->evtchn, ring->port);
}

static void slow(void *ctx)
{
	struct worker *w = ctx;

	if (!w->leads)
		return;
	consume(w);
	resign(w);
}

static bool passed(const struct rings *r, const struct flush *f)
{
	for (unsigned i = 0; i < r->n; i++)
		if ((int32_t)(r->ring[i].taken - f->until[i]) < 0)
			return false;
	for (unsigned i = 0; i < r->nflights; i++)
		if (r->flights[i].busy && r->flights[i].tag == f->oldtag)
			return false;
	return true;
}

static void answer_flush(struct worker *w, const struct flush *f)
{
	struct worker other = { .ring = f->ring, .leads = w->leads && f->ring == w->ring };
	struct p9_reply reply;
	struct iovec room[2];
	uint8_t buf[P9_HEAD];

	p9_begin(&reply, buf, sizeof(buf), P9_TFLUSH + 1, f->tag);
	p9_end(&reply, 0);
	if (get(&other, sizeof(buf), room) < 0)
		return;
	memcpy(room[0].iov_base, buf, room[0].iov_len);
	memcpy(room[1].iov_base, buf + room[0].iov_len, room[1].iov_len);
	put(&other, sizeof(buf));
}

/* True when there are flushes, which may have waited for just this. */
static bool begin_flight(struct worker *w, uint16_t tag, uint32_t size)
{
	struct rings *r = w->ring->all;
	bool awaited;

	(void)pthread_mutex_lock(&r->flight);
	*w->flight = (struct flight){ .busy = true, .tag = tag };
	w->ring->taken += size;
	awaited = r->nflushes > 0;
	(void)pthread_mutex_unlock(&r->flight);
	return awaited;
}

/* After each step that may have been what a flush waits for: a request was answered, or taken from a ring. */
static void answer_flushes(struct worker *w)
{
	struct rings *r = w->ring->all;
	struct flush done[FLUSHES_MAX];
	unsigned ndone = 0, kept = 0;

	(void)pthread_mutex_lock(&r->flight);
	for (unsigned i = 0; i < r->nflushes; i++) {
		if (passed(r, &r->flushes[i]))
			done[ndone++] = r->flushes[i];
		else
			r->flushes[kept++] = r->flushes[i];
	}
	r->nflushes = kept;
	(void)pthread_mutex_unlock(&r->flight);
	for (unsigned i = 0; i < ndone; i++)
		answer_flush(w, &done[i]);
}

static void end_flight(struct worker *w)
{
	(void)pthread_mutex_lock(&w->ring->all->flight);
	w->flight->busy = false;
	(void)pthread_mutex_unlock(&w->ring->all->flight);
	answer_flushes(w);
}

/* Answered when the request it is about has been, wherever that is: in another ring perhaps. */
static void flush(struct worker *w, uint32_t size)
{
	struct rings *r = w->ring->all;
	struct flush f = { .ring = w->ring };
	bool kept;

	f.tag = (uint16_t)(w->msg[5] | w->msg[6] << 8);
	f.oldtag = (uint16_t)(w->msg[7] | w->msg[8] << 8);
	consume(w);
	for (unsigned i = 0; i < r->n; i++)
		f.until[i] = __atomic_load_n(&r->ring[i].intf->out_prod, __ATOMIC_SEQ_CST);
	(void)pthread_mutex_lock(&r->flight);
	w->ring->taken += size;
	f.until[w->ring - r->ring] = w->ring->taken; /* what came later does not matter */
	kept = r->nflushes < FLUSHES_MAX;
	if (kept)
		r->flushes[r->nflushes++] = f;
	(void)pthread_mutex_unlock(&r->flight);
	if (!kept)
		answer_flush(w, &f);
	answer_flushes(w);
}

/* Waits until a whole request is in the ring; its size. w leads. */
static uint32_t wait_request(struct worker *w)
{
	struct ring *ring = w->ring;
	struct iovec v[2];
	uint8_t head[4];
	uint32_t ready, size;

	for (;;) {
		ready = __atomic_load_n(&ring->intf->out_prod, __ATOMIC_SEQ_CST) - ring->out_cons;
		if (ready > ring->size)
			ring->all->broken("it announced more requests than the ring holds");
		if (ready >= P9_HEAD) {
			pieces(ring->out, ring->size, ring->out_cons, sizeof(head), v);
			copy_in(head, v);
			size = p9_size(head);
			if (size < P9_HEAD || size > ring->size)
				ring->all->broken("it sent a request of an impossible size");
			if (ready >= size)
				break;
		}
		wait_event(ring);
		wake_waiters(ring);
	}
	/* What will be looked at is what was measured. */
	memcpy(w->msg, head, sizeof(head));
	return size;
}

static void serve_one(struct worker *w)
{
	const struct p9_io io = { .ctx = w, .get = get, .put = put, .slow = slow };
	struct ring *ring = w->ring;
	struct iovec v[2], data[2] = { 0 };
	uint32_t size = wait_request(w), len = size;
	uint8_t head[P9_HEAD];
	bool awaited;

	pieces(ring->out, ring->size, ring->out_cons, P9_HEAD, v);
	copy_in(head, v);
	if (head[4] == P9_TWRITE && size > P9_WRITE_HEAD) {
		len = P9_WRITE_HEAD;
		pieces(ring->out, ring->size, ring->out_cons + len, size - len, data);
	}
	if (len > sizeof(w->msg))
		ring->all->broken("it sent a request longer than any can be");
	pieces(ring->out, ring->size, ring->out_cons + 4, len - 4, v);
	copy_in(w->msg + 4, v);
	w->msg[4] = head[4]; /* as decided upon above */
	w->not_consumed = size;
	if (head[4] == P9_TFLUSH && size == P9_HEAD + 2) {
		flush(w, size);
		return;
	}
	awaited = begin_flight(w, (uint16_t)(w->msg[5] | w->msg[6] << 8), size);
	if (len == size)
		consume(w);
	if (awaited)
		answer_flushes(w);
	server_serve(ring->all->server, w->msg, len, data, &io);
	consume(w);
	end_flight(w);
}

static void *work(void *arg)
{
	struct worker w = { .ring = arg };
	struct rings *r = w.ring->all;

	(void)pthread_mutex_lock(&r->flight);
	w.flight = &r->flights[r->nflights++];
	(void)pthread_mutex_unlock(&r->flight);
	for (;;) {
		if (!w.leads)
			lead(&w);
		serve_one(&w);
	}
	return NULL;
}

int rings_start(struct rings *r)
{
	pthread_attr_t attr;
	pthread_t thread;
	int ret = 0;

	(void)pthread_mutex_init(&r->flight, NULL);
	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, STACK);
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	for (unsigned i = 0; i < r->n; i++) {
		struct ring *ring = &r->ring[i];

		ring->all = r;
		(void)pthread_mutex_init(&ring->leader, NULL);
		(void)pthread_mutex_init(&ring->reply, NULL);
		(void)pthread_cond_init(&ring->space, NULL);
	}
	for (unsigned i = 0; ret == 0 && i < r->n * RING_THREADS; i++)
		ret = -pthread_create(&thread, &attr, work, &r->ring[i / RING_THREADS]);
	(void)pthread_attr_destroy(&attr);
	return ret;
}
