/* See client.h. */
#include "tests/p9/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MUST(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

static uint8_t spare[P9_MSIZE_MAX];
static size_t asked;
static bool got;

static int get(void *ctx, size_t n, struct iovec room[2])
{
	struct client *c = ctx;

	MUST(!got && n >= P9_HEAD && n <= sizeof(c->reply));
	got = true;
	asked = n;
	room[0] = (struct iovec){ c->reply, n };
	room[1] = (struct iovec){ NULL, 0 };
	if (c->split && c->split < n) {
		room[0].iov_len = c->split;
		room[1] = (struct iovec){ spare, n - c->split };
	}
	return 0;
}

static void put(void *ctx, size_t n)
{
	struct client *c = ctx;

	MUST(got && n <= asked && c->len == 0);
	got = false;
	if (c->split && c->split < n)
		memcpy(c->reply + c->split, spare, n - c->split);
	c->len = n;
}

static void slow(void *ctx)
{
	struct client *c = ctx;

	MUST(!got);
	c->slow++;
}

int client_send(struct client *c, const uint8_t *msg, size_t len)
{
	const struct p9_io io = { .ctx = c, .get = get, .put = put, .slow = slow };
	size_t head = len;
	struct iovec data[2] = { 0 };
	uint8_t *copy, *rest = NULL;
	uint16_t tag;
	uint8_t type;

	if (msg[4] == P9_TWRITE && len > P9_WRITE_HEAD) {
		head = P9_WRITE_HEAD;
		rest = malloc(len - head);
		memcpy(rest, msg + head, len - head);
		data[0] = (struct iovec){ rest, (len - head) / 3 };
		data[1] = (struct iovec){ rest + (len - head) / 3, len - head - (len - head) / 3 };
	}
	copy = malloc(head); /* exactly: a sanitizer sees one byte too many */
	memcpy(copy, msg, head);
	type = msg[4];
	tag = (uint16_t)(msg[5] | msg[6] << 8);
	c->len = c->at = 0;
	server_serve(c->server, copy, head, data, &io);
	free(copy);
	free(rest);
	MUST(!got && c->len >= P9_HEAD && p9_size(c->reply) == c->len);
	MUST((uint16_t)(c->reply[5] | c->reply[6] << 8) == tag);
	c->at = P9_HEAD;
	if (c->reply[4] == P9_RLERROR) {
		MUST(c->len == P9_HEAD + 4);
		return -(int)client_get(c, 4);
	}
	MUST(c->reply[4] == (uint8_t)(type + 1));
	return 0;
}

int client_call(struct client *c, uint8_t type, const char *fmt, ...)
{
	static uint8_t msg[P9_MSIZE_MAX + 64];
	struct p9_reply m;
	va_list ap;

	p9_begin(&m, msg, sizeof(msg), type, 1);
	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		const char *s;
		size_t n;

		switch (*fmt) {
		case 'b': p9_put8(&m, (uint8_t)va_arg(ap, int)); break;
		case 'w': p9_put16(&m, (uint16_t)va_arg(ap, int)); break;
		case 'd': p9_put32(&m, va_arg(ap, uint32_t)); break;
		case 'q': p9_put64(&m, va_arg(ap, uint64_t)); break;
		case 's':
			s = va_arg(ap, const char *);
			p9_put_str(&m, s, strlen(s));
			break;
		case 'D':
			n = va_arg(ap, size_t);
			p9_put32(&m, (uint32_t)n);
			memcpy(msg + m.len, va_arg(ap, const void *), n);
			m.len += n;
			break;
		default: abort();
		}
	}
	va_end(ap);
	p9_end(&m, 0);
	return client_send(c, msg, m.len);
}

uint64_t client_get(struct client *c, size_t bytes)
{
	uint64_t v = 0;

	MUST(c->len - c->at >= bytes);
	for (size_t i = 0; i < bytes && i < 8; i++)
		v |= (uint64_t)c->reply[c->at + i] << (8 * i);
	c->at += bytes;
	return v;
}

int client_start(struct client *c, uint32_t uid)
{
	int ret = client_call(c, P9_TVERSION, "ds", (uint32_t)P9_MSIZE_MAX, "9P2000.L");

	return ret < 0 ? ret : client_call(c, P9_TATTACH, "ddssd", 0u, ~0u, "", "", uid);
}
