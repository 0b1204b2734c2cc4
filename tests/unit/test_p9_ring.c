/*
 * The rings without Xen: their memory is ours, their event channels are eventfds, and the server is
 * one that does what a request's first byte says. Each case runs in a child: a guest that breaks the
 * protocol ends the backend.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/io/9pfs.h>

#include "stage1/common/util.h"
#include "stage1/p9/proto.h"
#include "stage1/p9/ring.h"

enum {
	ORDER = 4,
	SIZE = 1 << (ORDER + 11), /* of one direction: 32 KiB */
	BROKEN = 3,
	/* the server's requests */
	ECHO = 'e', /* the reply is as long as the next four bytes say */
	SLOW = 's', /* says it is slow, and waits to be released; its reply is longer than the ring's space */
};

struct side {
	struct xen_9pfs_data_intf *intf;
	uint8_t data[2 * SIZE];
	int to_back, to_front; /* eventfds */
	uint32_t in_cons, out_prod;
};

static struct side sides[RINGS_MAX];
static struct rings rings;
static sem_t release;
static unsigned served, writes;

/* In place of libxenevtchn's: a handle is a side. */
xenevtchn_port_or_error_t xenevtchn_pending(xenevtchn_handle *h)
{
	struct side *s = (struct side *)(void *)h;
	eventfd_t v;

	return eventfd_read(s->to_back, &v) < 0 ? -1 : 1;
}

int xenevtchn_unmask(xenevtchn_handle *h, evtchn_port_t port)
{
	(void)h;
	return port == 1 ? 0 : -1;
}

int xenevtchn_notify(xenevtchn_handle *h, evtchn_port_t port)
{
	struct side *s = (struct side *)(void *)h;

	return port == 1 ? eventfd_write(s->to_front, 1) : -1;
}

static void __attribute__((noreturn)) broken(const char *what)
{
	printf("# %s\n", what);
	(void)fflush(stdout);
	_exit(BROKEN);
}

void server_serve(struct p9_server *server, uint8_t *msg, size_t len, const struct iovec data[2],
	const struct p9_io *io)
{
	uint32_t size = P9_HEAD;
	struct iovec room[2];
	uint8_t head[P9_HEAD];

	(void)server;
	__atomic_add_fetch(&served, 1, __ATOMIC_SEQ_CST);
	if (msg[4] == P9_TWRITE) {
		/* the data is a count: each byte one more than the last */
		for (int i = 0, at = 0; i < 2; i++)
			for (size_t k = 0; k < data[i].iov_len; k++, at++)
				if (((uint8_t *)data[i].iov_base)[k] != (uint8_t)at)
					broken("the data of a Twrite is not what was sent");
		__atomic_add_fetch(&writes, 1, __ATOMIC_SEQ_CST);
	} else if (len > P9_HEAD + 4) {
		memcpy(&size, msg + P9_HEAD + 1, 4);
		if (msg[P9_HEAD] == SLOW) {
			io->slow(io->ctx);
			while (sem_wait(&release) < 0)
				;
		}
	}
	if (io->get(io->ctx, size, room) < 0)
		return;
	for (int i = 0; i < 4; i++)
		head[i] = (uint8_t)(size >> 8 * i);
	head[4] = msg[4] + 1;
	head[5] = msg[5];
	head[6] = msg[6];
	for (size_t i = 0; i < size; i++)
		*(i < room[0].iov_len ? (uint8_t *)room[0].iov_base + i :
			(uint8_t *)room[1].iov_base + i - room[0].iov_len) = i < sizeof(head) ? head[i] : (uint8_t)i;
	io->put(io->ctx, size);
}

static void start(unsigned n, uint32_t index)
{
	(void)sem_init(&release, 0, 0);
	rings = (struct rings){ .n = n, .broken = broken };
	for (unsigned i = 0; i < n; i++) {
		struct side *s = &sides[i];

		s->intf = xcalloc(1, 4096);
		s->to_back = eventfd(0, EFD_CLOEXEC);
		s->to_front = eventfd(0, EFD_CLOEXEC);
		s->in_cons = s->out_prod = s->intf->in_cons = s->intf->in_prod = s->intf->out_cons = s->intf->out_prod =
			index;
		rings.ring[i] = (struct ring){ .intf = s->intf, .in = s->data, .out = s->data + SIZE, .size = SIZE,
			.evtchn = (xenevtchn_handle *)(void *)s, .port = 1, .out_cons = index, .taken = index,
			.in_prod = index };
	}
	if (rings_start(&rings) < 0)
		_exit(99);
}

static void kick(struct side *s)
{
	(void)eventfd_write(s->to_back, 1);
}

static void publish(struct side *s)
{
	__atomic_store_n(&s->intf->out_prod, s->out_prod, __ATOMIC_SEQ_CST);
	kick(s);
}

static void put_bytes(struct side *s, const void *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->data[SIZE + (s->out_prod++ & (SIZE - 1))] = ((const uint8_t *)data)[i];
}

static void put_head(struct side *s, uint32_t size, uint8_t type, uint16_t tag)
{
	uint8_t head[P9_HEAD] = { (uint8_t)size, (uint8_t)(size >> 8), (uint8_t)(size >> 16), (uint8_t)(size >> 24),
		type, (uint8_t)tag, (uint8_t)(tag >> 8) };

	put_bytes(s, head, sizeof(head));
}

static void ask(struct side *s, uint16_t tag, char what, uint32_t size)
{
	put_head(s, P9_HEAD + 5, 1, tag);
	put_bytes(s, &what, 1);
	put_bytes(s, &size, 4);
	publish(s);
}

static void ask_flush(struct side *s, uint16_t tag, uint16_t oldtag)
{
	put_head(s, P9_HEAD + 2, P9_TFLUSH, tag);
	put_bytes(s, &oldtag, 2);
	publish(s);
}

static void ask_write(struct side *s, uint16_t tag, uint32_t n)
{
	uint8_t fixed[P9_WRITE_HEAD - P9_HEAD] = { 0 };

	put_head(s, P9_WRITE_HEAD + n, P9_TWRITE, tag);
	put_bytes(s, fixed, sizeof(fixed));
	for (uint32_t i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)i;

		put_bytes(s, &byte, 1);
	}
	publish(s);
}

#define MUST(cond) \
	do { \
		if (!(cond)) { \
			printf("# line %d: %s does not hold\n", __LINE__, #cond); \
			(void)fflush(stdout); \
			_exit(1); \
		} \
	} while (0)

/* The next reply, as Linux takes it: the tag; its size to *size_r. */
static uint16_t hear(struct side *s, uint32_t *size_r)
{
	uint8_t head[P9_HEAD];
	uint32_t size;
	eventfd_t v;

	while (__atomic_load_n(&s->intf->in_prod, __ATOMIC_SEQ_CST) == s->in_cons)
		(void)eventfd_read(s->to_front, &v);
	MUST(s->intf->in_prod - s->in_cons <= SIZE);
	for (size_t i = 0; i < sizeof(head); i++)
		head[i] = s->data[(s->in_cons + i) & (SIZE - 1)];
	size = p9_size(head);
	MUST(size >= P9_HEAD && s->intf->in_prod - s->in_cons >= size); /* whole messages only */
	for (uint32_t i = P9_HEAD; head[4] != P9_TFLUSH + 1 && i < size; i++)
		MUST(s->data[(s->in_cons + i) & (SIZE - 1)] == (uint8_t)i);
	s->in_cons += size;
	__atomic_store_n(&s->intf->in_cons, s->in_cons, __ATOMIC_SEQ_CST);
	kick(s);
	if (size_r)
		*size_r = size;
	return (uint16_t)(head[5] | head[6] << 8);
}

static int in_child(void (*play)(void))
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0) {
		(void)alarm(60);
		play();
		(void)fflush(stdout);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Requests of all sizes on both rings, with the indices passing through zero. */
static void talk(void)
{
	uint32_t size;

	start(2, 0xffffff00u);
	for (uint32_t i = 0; i < 3000; i++) {
		struct side *s = &sides[i & 1];
		uint32_t want = P9_HEAD + i * 37 % (SIZE - P9_HEAD + 1);

		ask(s, (uint16_t)i, ECHO, want);
		MUST(hear(s, &size) == (uint16_t)i && size == want);
		ask_write(s, 7, i * 53 % (SIZE - P9_WRITE_HEAD + 1));
		MUST(hear(s, NULL) == 7);
	}
	MUST(served == 6000 && writes == 3000);
	MUST(sides[0].intf->out_cons == sides[0].out_prod && sides[1].intf->out_cons == sides[1].out_prod);
}

/* As many at once as the ring holds, answered while more come. */
static void crowd(void)
{
	static bool seen[65536];

	start(1, 5);
	for (int round = 0; round < 20; round++) {
		memset(seen, 0, sizeof(seen));
		for (unsigned i = 0; i < 1000; i++)
			ask(&sides[0], i, ECHO, P9_HEAD + i % 100);
		for (int i = 0; i < 1000; i++) {
			uint16_t tag = hear(&sides[0], NULL);

			MUST(tag < 1000 && !seen[tag]);
			seen[tag] = true;
		}
	}
}

/* A guest that takes no reply costs itself; when it does, all goes on. */
static void late_reader(void)
{
	start(1, 0);
	for (unsigned i = 0; i < 20; i++)
		ask(&sides[0], i, ECHO, SIZE / 2);
	for (unsigned i = 0; i < RING_THREADS - 1; i++)
		ask(&sides[0], 100 + i, SLOW, SIZE);
	for (int i = 0; i < 20; i++)
		MUST(hear(&sides[0], NULL) < 20);
	/* all that wait for space are not the one who waits for events */
	for (int i = 0; i < RING_THREADS - 1; i++)
		(void)sem_post(&release);
	for (int i = 0; i < RING_THREADS - 1; i++)
		MUST(hear(&sides[0], NULL) >= 100);
	ask(&sides[0], 1, ECHO, SIZE);
	MUST(hear(&sides[0], NULL) == 1);
}

/* A slow request keeps nobody waiting, on either ring. */
static void slow_ones(void)
{
	start(2, 0);
	for (unsigned i = 0; i < RING_THREADS - 1; i++)
		ask(&sides[0], 100 + i, SLOW, P9_HEAD);
	for (unsigned i = 0; i < 50; i++) {
		ask(&sides[i & 1], i, ECHO, P9_HEAD);
		MUST(hear(&sides[i & 1], NULL) == i);
	}
	/* as many as there are threads: the next waits, and comes */
	ask(&sides[0], 199, SLOW, P9_HEAD);
	ask(&sides[0], 50, ECHO, P9_HEAD);
	for (int i = 0; i < RING_THREADS; i++)
		(void)sem_post(&release);
	for (int i = 0; i < RING_THREADS + 1; i++)
		MUST(hear(&sides[0], NULL) >= 50);
}

/* A flush is answered after what it flushes, wherever both are; and at once when that is not there. */
static void flushes(void)
{
	uint16_t first;

	start(2, 0);
	ask_flush(&sides[0], 1, 77);
	MUST(hear(&sides[0], NULL) == 1);
	for (int k = 0; k < 2; k++) {
		ask(&sides[0], 5, SLOW, P9_HEAD);
		ask_flush(&sides[k], 6, 5);
		ask(&sides[k], 7, ECHO, P9_HEAD);
		MUST(hear(&sides[k], NULL) == 7); /* not the flush */
		(void)sem_post(&release);
		first = hear(&sides[0], NULL);
		MUST(first == 5);
		MUST(hear(&sides[k], NULL) == 6);
	}
	/* not even taken yet: every thread of ring 0 is busy */
	for (unsigned i = 0; i < RING_THREADS; i++)
		ask(&sides[0], 100 + i, SLOW, P9_HEAD);
	ask(&sides[0], 5, ECHO, P9_HEAD);
	ask_flush(&sides[1], 6, 5);
	ask(&sides[1], 7, ECHO, P9_HEAD);
	MUST(hear(&sides[1], NULL) == 7);
	for (int i = 0; i < RING_THREADS; i++)
		(void)sem_post(&release);
	for (int i = 0; i < RING_THREADS + 1; i++)
		(void)hear(&sides[0], NULL);
	MUST(hear(&sides[1], NULL) == 6);
	/* more flushes than anybody sends */
	ask(&sides[0], 5, SLOW, P9_HEAD);
	for (unsigned i = 0; i < 3 * FLUSHES_MAX; i++)
		ask_flush(&sides[1], 1000 + i, 5);
	for (int i = 0; i < 2 * FLUSHES_MAX; i++)
		MUST(hear(&sides[1], NULL) >= 1000);
	(void)sem_post(&release);
	for (int i = 0; i < FLUSHES_MAX; i++)
		MUST(hear(&sides[1], NULL) >= 1000);
}

/* What comes before a flush in the other ring matters until it has been taken: be it a flush, or slow. */
static void flush_behind_others(void)
{
	start(2, 0);
	for (unsigned i = 0; i < RING_THREADS; i++)
		ask(&sides[0], 100 + i, SLOW, P9_HEAD);
	ask_flush(&sides[0], 8, 99); /* nobody is there to take it */
	ask_flush(&sides[1], 6, 98);
	ask(&sides[1], 7, ECHO, P9_HEAD);
	MUST(hear(&sides[1], NULL) == 7);
	(void)sem_post(&release);
	MUST(hear(&sides[0], NULL) >= 100);
	MUST(hear(&sides[0], NULL) == 8);
	MUST(hear(&sides[1], NULL) == 6);
	ask(&sides[0], 50, SLOW, P9_HEAD); /* there is one, again */
	ask(&sides[0], 51, SLOW, P9_HEAD);
	ask_flush(&sides[1], 6, 98);
	ask(&sides[1], 7, ECHO, P9_HEAD);
	MUST(hear(&sides[1], NULL) == 7);
	(void)sem_post(&release);
	MUST(hear(&sides[0], NULL) >= 50);
	MUST(hear(&sides[1], NULL) == 6);
}

/* A request in pieces is no request until it is whole. */
static void pieces(void)
{
	start(1, SIZE - 3);
	put_head(&sides[0], P9_HEAD + 5, 1, 9);
	put_bytes(&sides[0], "e\x07\0\0\0", 5);
	for (uint32_t i = 1; i <= P9_HEAD + 5; i++) {
		__atomic_store_n(&sides[0].intf->out_prod, SIZE - 3 + i, __ATOMIC_SEQ_CST);
		kick(&sides[0]);
		(void)usleep(1000); /* nothing depends on it: only what may go wrong has time to */
		MUST(served == 0 || i == P9_HEAD + 5);
	}
	MUST(hear(&sides[0], NULL) == 9);
}

static void index_beyond(void)
{
	start(1, 0);
	sides[0].out_prod = SIZE + 1;
	publish(&sides[0]);
	(void)pause();
}

static void index_behind(void)
{
	start(1, 0);
	sides[0].out_prod = (uint32_t)-1;
	publish(&sides[0]);
	(void)pause();
}

static void size_too_small(void)
{
	start(1, 0);
	put_head(&sides[0], P9_HEAD - 1, 1, 1);
	publish(&sides[0]);
	(void)pause();
}

static void size_too_big(void)
{
	start(1, 0);
	put_head(&sides[0], SIZE + 1, P9_TWRITE, 1);
	publish(&sides[0]);
	(void)pause();
}

static void size_of_nothing_known(void)
{
	start(1, 0);
	put_head(&sides[0], P9_REQUEST_MAX + 1, P9_TWALK, 1);
	sides[0].out_prod = P9_REQUEST_MAX + 1;
	publish(&sides[0]);
	(void)pause();
}

static void replies_taken_that_never_were(void)
{
	start(1, 0);
	sides[0].intf->in_cons = 1;
	ask(&sides[0], 1, ECHO, P9_HEAD);
	(void)pause();
}

static void all_cases(void **state)
{
	static const struct {
		const char *what;
		void (*play)(void);
		int status;
	} rows[] = {
		{ "talk", talk, 0 }, { "crowd", crowd, 0 }, { "late reader", late_reader, 0 },
		{ "slow ones", slow_ones, 0 }, { "flushes", flushes, 0 },
		{ "flush behind others", flush_behind_others, 0 }, { "pieces", pieces, 0 },
		{ "index beyond", index_beyond, BROKEN }, { "index behind", index_behind, BROKEN },
		{ "size too small", size_too_small, BROKEN }, { "size too big", size_too_big, BROKEN },
		{ "size of nothing known", size_of_nothing_known, BROKEN },
		{ "replies taken that never were", replies_taken_that_never_were, BROKEN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int status = in_child(rows[i].play);

		if (status != rows[i].status)
			fail_msg("%s: %d, not %d", rows[i].what, status, rows[i].status);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(all_cases) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
