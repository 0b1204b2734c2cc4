/* Frames: encoding, decoding however the bytes arrive, and every limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "stage1/common/util.h"
#include "stage1/common/wire.h"

static struct frame_reader rd;
static struct frame_writer wr;
static uint8_t big[WIRE_PAYLOAD_MAX + 1];

static int reset(void **state)
{
	(void)state;
	memset(&rd, 0, sizeof(rd));
	memset(&wr, 0, sizeof(wr));
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 7);
	return 0;
}

static void feed(const void *data, size_t len)
{
	size_t room;
	uint8_t *space = frame_space(&rd, &room);

	assert_in_range(len, 0, room);
	memcpy(space, data, len);
	frame_added(&rd, len);
}

static void deliver(void) /* all that the writer has */
{
	size_t len;
	const uint8_t *data = frame_queued(&wr, &len);

	feed(data, len);
	frame_sent(&wr, len);
}

static void expect(enum wire_type type, unsigned app, unsigned stream, const void *data, size_t len)
{
	struct err e = ERR_INIT;
	struct frame f;

	assert_int_equal(frame_pop(&rd, &f, &e), FRAME_READY);
	assert_int_equal(f.type, type);
	assert_int_equal(f.app, app);
	assert_int_equal(f.stream, stream);
	assert_int_equal(f.len, len);
	if (len > 0)
		assert_memory_equal(f.data, data, len);
}

static void expect_nothing(void)
{
	struct err e = ERR_INIT;
	struct frame f;

	assert_int_equal(frame_pop(&rd, &f, &e), FRAME_NEED_MORE);
	assert_int_equal(e.kind, ERR_NONE);
}

static void encodes_little_endian(void **state)
{
	static const uint8_t want[] = { 4, 0, 0, 0, WIRE_CREDIT, WIRE_STDERR, 0xcd, 0xab, 0x78, 0x56, 0x34, 0x12 };
	size_t len;

	(void)state;
	assert_true(frame_put_u32(&wr, WIRE_CREDIT, 0xabcd, WIRE_STDERR, 0x12345678));
	assert_memory_equal(frame_queued(&wr, &len), want, sizeof(want));
	assert_int_equal(len, sizeof(want));
	assert_int_equal(wire_u32(want + 8), 0x12345678);
	assert_int_equal(wire_u32((const uint8_t *)"\xff\xff\xff\xff"), UINT32_MAX);
}

static void what_goes_in_comes_out(void **state)
{
	static const uint8_t hello[] = { 'S', 'X', 'C', '1', 5, 0, 0, 0 };
	static const uint8_t over[] = { 4, 0, 0, 0, 254, 0, 0, 0, 'w', 'h', 'y' };

	(void)state;
	assert_true(frame_put_hello(&wr));
	assert_true(frame_put(&wr, WIRE_PLAN, 0, 0, big, WIRE_PAYLOAD_MAX));
	assert_true(frame_put(&wr, WIRE_READY, 0, 0, NULL, 0));
	assert_true(frame_put(&wr, WIRE_DATA, 65535, WIRE_STDERR, "x", 1));
	assert_true(frame_put(&wr, WIRE_EOF, 1, WIRE_STDIN, NULL, 0));
	assert_true(frame_put_app(&wr, 2, WIRE_APP_FAILED, 254, "why"));
	assert_true(frame_put(&wr, WIRE_LOG, 0, 0, big, WIRE_TEXT_MAX));
	assert_true(frame_put_u32(&wr, WIRE_STOP, 0, 0, 1000));
	assert_true(frame_put(&wr, WIRE_END, 0, 0, NULL, 0));
	assert_true(frame_put(&wr, WIRE_BYE, 0, 0, NULL, 0));
	assert_true(frame_put(&wr, WIRE_EXEC, 256, 0, "req", 3));
	assert_true(frame_put(&wr, WIRE_START, 256, 0, NULL, 0));
	assert_true(frame_put_u32(&wr, WIRE_KILL, 256, 0, 15));
	assert_true(frame_put(&wr, WIRE_WINSIZE, 319, 0, "\30\0\0\0\120\0\0\0", 8));
	deliver();
	expect(WIRE_HELLO, 0, 0, hello, sizeof(hello));
	expect(WIRE_PLAN, 0, 0, big, WIRE_PAYLOAD_MAX);
	expect(WIRE_READY, 0, 0, NULL, 0);
	expect(WIRE_DATA, 65535, WIRE_STDERR, "x", 1);
	expect(WIRE_EOF, 1, WIRE_STDIN, NULL, 0);
	expect(WIRE_APP, 2, 0, over, sizeof(over));
	expect(WIRE_LOG, 0, 0, big, WIRE_TEXT_MAX);
	expect(WIRE_STOP, 0, 0, "\xe8\x03\0\0", 4);
	expect(WIRE_END, 0, 0, NULL, 0);
	expect(WIRE_BYE, 0, 0, NULL, 0);
	expect(WIRE_EXEC, 256, 0, "req", 3);
	expect(WIRE_START, 256, 0, NULL, 0);
	expect(WIRE_KILL, 256, 0, "\17\0\0\0", 4);
	expect(WIRE_WINSIZE, 319, 0, "\30\0\0\0\120\0\0\0", 8);
	expect_nothing();
	assert_int_equal(frame_pending(&rd), 0);
}

static void takes_bytes_one_by_one(void **state)
{
	const uint8_t *data;
	size_t len, frames = 0;

	(void)state;
	assert_true(frame_put_hello(&wr));
	assert_true(frame_put(&wr, WIRE_DATA, 3, WIRE_STDOUT, big, 300));
	assert_true(frame_put(&wr, WIRE_END, 0, 0, NULL, 0));
	data = frame_queued(&wr, &len);
	for (size_t i = 0; i < len; i++) {
		struct err e = ERR_INIT;
		struct frame f;

		feed(data + i, 1);
		if (frame_pop(&rd, &f, &e) == FRAME_READY) {
			frames++;
			assert_true(i == 15 || i == 16 + 308 - 1 || i == len - 1);
			assert_int_equal(frame_pending(&rd), 0);
		} else {
			assert_in_range(frame_pending(&rd), 1, 307);
		}
	}
	assert_int_equal(frames, 3);
}

static void cuts_texts(void **state)
{
	char text[WIRE_TEXT_MAX + 100];
	struct err e = ERR_INIT;
	struct frame f;

	(void)state;
	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	assert_true(frame_put_app(&wr, 0, WIRE_APP_FAILED, 1, text));
	deliver();
	assert_int_equal(frame_pop(&rd, &f, &e), FRAME_READY);
	assert_int_equal(f.len, 8 + WIRE_TEXT_MAX);
}

/* A head that breaks a rule is refused before its payload is there. */
static void refuses_what_is_out_of_range(void **state)
{
	static const struct { uint32_t len; uint8_t type, stream; const char *msg; } rows[] = {
		{ 0, 0, 0, "frame of unknown type 0" },
		{ 0, 19, 0, "frame of unknown type 19" },
		{ 0, 255, 0, "frame of unknown type 255" },
		{ 7, WIRE_HELLO, 0, "frame of type 1 with 7 bytes" },
		{ 9, WIRE_HELLO, 0, "frame of type 1 with 9 bytes" },
		{ 0, WIRE_PLAN, 0, "frame of type 2 with 0 bytes" },
		{ WIRE_PAYLOAD_MAX + 1, WIRE_PLAN, 0, "frame of type 2 with 16385 bytes" },
		{ 1, WIRE_READY, 0, "frame of type 3 with 1 bytes" },
		{ 0, WIRE_DATA, 1, "frame of type 4 with 0 bytes" },
		{ WIRE_PAYLOAD_MAX + 1, WIRE_DATA, 1, "frame of type 4 with 16385 bytes" },
		{ UINT32_MAX, WIRE_DATA, 1, "frame of type 4 with 4294967295 bytes" },
		{ UINT32_MAX - 7, WIRE_DATA, 1, "frame of type 4 with 4294967288 bytes" },
		{ 1, WIRE_EOF, 1, "frame of type 5 with 1 bytes" },
		{ 3, WIRE_CREDIT, 0, "frame of type 6 with 3 bytes" },
		{ 5, WIRE_CREDIT, 0, "frame of type 6 with 5 bytes" },
		{ 7, WIRE_APP, 0, "frame of type 7 with 7 bytes" },
		{ 8 + WIRE_TEXT_MAX + 1, WIRE_APP, 0, "frame of type 7 with 409 bytes" },
		{ 0, WIRE_LOG, 0, "frame of type 8 with 0 bytes" },
		{ WIRE_TEXT_MAX + 1, WIRE_LOG, 0, "frame of type 8 with 401 bytes" },
		{ 0, WIRE_STOP, 0, "frame of type 9 with 0 bytes" },
		{ 1, WIRE_END, 0, "frame of type 10 with 1 bytes" },
		{ 1, WIRE_BYE, 0, "frame of type 11 with 1 bytes" },
		{ 0, WIRE_EXEC, 0, "frame of type 12 with 0 bytes" },
		{ WIRE_PAYLOAD_MAX + 1, WIRE_EXEC, 0, "frame of type 12 with 16385 bytes" },
		{ 1, WIRE_START, 0, "frame of type 13 with 1 bytes" },
		{ 3, WIRE_KILL, 0, "frame of type 14 with 3 bytes" },
		{ 4, WIRE_WINSIZE, 0, "frame of type 15 with 4 bytes" },
		{ 0, WIRE_ADD, 0, "frame of type 16 with 0 bytes" },
		{ 8, WIRE_STOP_APP, 0, "frame of type 17 with 8 bytes" },
		{ 0, WIRE_REMOVE, 0, "frame of type 18 with 0 bytes" },
		{ 1, WIRE_DATA, 3, "frame of type 4 for stream 3" },
		{ 0, WIRE_EOF, 255, "frame of type 5 for stream 255" },
		{ 4, WIRE_CREDIT, 3, "frame of type 6 for stream 3" },
		{ 8, WIRE_HELLO, 1, "frame of type 1 for stream 1" },
		{ 8, WIRE_APP, 2, "frame of type 7 for stream 2" },
		{ 0, WIRE_END, 1, "frame of type 10 for stream 1" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint8_t head[WIRE_HEAD] = { 0, 0, 0, 0, rows[i].type, rows[i].stream };
		struct err e = ERR_INIT;
		struct frame f;

		(void)reset(NULL);
		wire_put_u32(head, rows[i].len);
		feed(head, WIRE_HEAD - 1);
		expect_nothing();
		feed(head + WIRE_HEAD - 1, 1);
		assert_int_equal(frame_pop(&rd, &f, &e), FRAME_BAD);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(e.kind, ERR_INPUT);
	}
}

static void a_full_reader_still_gives_frames(void **state)
{
	size_t room, frames = 0, sent = 0;

	(void)state;
	/* largest frames, offset by one small one: the last of a full buffer is cut */
	assert_true(frame_put(&wr, WIRE_DATA, 0, 1, big, 5));
	for (int round = 0; round < 40; round++) {
		struct err e = ERR_INIT;
		struct frame f;
		size_t len;
		uint8_t *space;
		const uint8_t *data;

		while (frame_put(&wr, WIRE_DATA, 0, 1, big, WIRE_PAYLOAD_MAX))
			sent++;
		space = frame_space(&rd, &room);
		assert_in_range(room, 1, sizeof(rd.buf));
		data = frame_queued(&wr, &len);
		len = len < room ? len : room;
		memcpy(space, data, len);
		frame_added(&rd, len);
		frame_sent(&wr, len);
		while (frame_pop(&rd, &f, &e) == FRAME_READY) {
			assert_memory_equal(f.data, big, f.len);
			frames++;
		}
		assert_int_equal(e.kind, ERR_NONE);
	}
	assert_in_range(frames, sent - 3, sent + 1);
}

static void a_writer_takes_what_fits(void **state)
{
	const size_t frame = WIRE_HEAD + WIRE_PAYLOAD_MAX;
	size_t len;

	(void)state;
	assert_int_equal(frame_room(&wr), WIRE_PAYLOAD_MAX);
	assert_false(frame_put(&wr, WIRE_PLAN, 0, 0, big, WIRE_PAYLOAD_MAX + 1));
	for (int i = 0; i < 3; i++)
		assert_true(frame_put(&wr, WIRE_PLAN, 0, 0, big, WIRE_PAYLOAD_MAX));
	assert_true(frame_put(&wr, WIRE_PLAN, 0, 0, big, WIRE_PAYLOAD_MAX - WIRE_HEAD - 1));
	assert_int_equal(frame_room(&wr), 1);
	assert_false(frame_put(&wr, WIRE_PLAN, 0, 0, big, 2));
	(void)frame_queued(&wr, &len);
	assert_int_equal(len, 4 * frame - WIRE_HEAD - 1); /* the refused one left nothing */
	assert_true(frame_put(&wr, WIRE_PLAN, 0, 0, big, 1));
	assert_int_equal(frame_room(&wr), 0);
	assert_false(frame_put(&wr, WIRE_READY, 0, 0, NULL, 0));
	assert_false(frame_put_hello(&wr));
	assert_false(frame_put_u32(&wr, WIRE_STOP, 0, 0, 1));
	assert_false(frame_put_app(&wr, 0, WIRE_APP_STARTED, 1, ""));

	frame_sent(&wr, WIRE_HEAD); /* room for a head: at the start, so all has to move */
	assert_int_equal(frame_room(&wr), 0);
	assert_true(frame_put(&wr, WIRE_READY, 0, 0, NULL, 0));
	(void)frame_queued(&wr, &len);
	assert_int_equal(len, sizeof(wr.buf));
	frame_sent(&wr, len);
	assert_int_equal(frame_room(&wr), WIRE_PAYLOAD_MAX);
}

/* Queue and drain in unequal steps: what comes out is what went in, whatever was moved. */
static void a_writer_keeps_the_order(void **state)
{
	uint8_t next_in = 0, next_out = 0;
	unsigned seed = 1;

	(void)state;
	for (int round = 0; round < 3000; round++) {
		struct err e = ERR_INIT;
		const uint8_t *data;
		struct frame f;
		size_t len, room;
		uint8_t *space;

		for (int k = 0; k < 3; k++) {
			size_t n = 1 + (seed = seed * 1103515245 + 12345) / 65536 % 9000;

			memset(big, next_in, n);
			if (frame_put(&wr, WIRE_DATA, next_in, 1, big, n))
				next_in++;
		}
		data = frame_queued(&wr, &len);
		space = frame_space(&rd, &room);
		len = len / 2 < room ? len / 2 : room;
		memcpy(space, data, len);
		frame_added(&rd, len);
		frame_sent(&wr, len);
		while (frame_pop(&rd, &f, &e) == FRAME_READY) {
			assert_int_equal(f.app, next_out);
			assert_int_equal(f.data[0], next_out);
			assert_int_equal(f.data[f.len - 1], next_out);
			next_out++;
		}
		assert_int_equal(e.kind, ERR_NONE);
	}
}

static void greets_only_its_like(void **state)
{
	static const struct { enum wire_type type; const char *bytes, *msg; } rows[] = {
		{ WIRE_HELLO, "SXC1\5\0\0\0", "" },
		{ WIRE_HELLO, "SXC2\1\0\0\0", "the first frame is not a HELLO" },
		{ WIRE_HELLO, "SXC1\0\0\0\0", "protocol version 0, this side speaks 5" },
		{ WIRE_HELLO, "SXC1\1\0\0\0", "protocol version 1, this side speaks 5" },
		{ WIRE_HELLO, "SXC1\1\0\0\200", "protocol version 2147483649, this side speaks 5" },
		{ WIRE_APP, "SXC1\1\0\0\0", "the first frame is not a HELLO" },
		{ WIRE_END, NULL, "the first frame is not a HELLO" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct frame f = { .type = rows[i].type, .data = (const uint8_t *)rows[i].bytes, .len = 8 };
		struct err e = ERR_INIT;

		assert_int_equal(frame_check_hello(&f, &e), *rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, reset)
	const struct CMUnitTest tests[] = {
		T(encodes_little_endian),
		T(what_goes_in_comes_out),
		T(takes_bytes_one_by_one),
		T(cuts_texts),
		T(refuses_what_is_out_of_range),
		T(a_full_reader_still_gives_frames),
		T(a_writer_takes_what_fits),
		T(a_writer_keeps_the_order),
		T(greets_only_its_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
