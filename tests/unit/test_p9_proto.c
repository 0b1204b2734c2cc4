/* 9p messages as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/p9/proto.h"

/* The message with the given body, in memory of exactly its size, parsed. */
static bool parse(uint8_t type, const char *body, size_t len, size_t data_len, struct p9_request *req,
	uint8_t **msg_r)
{
	size_t size = P9_HEAD + len, all = size + data_len;
	uint8_t *msg = xmalloc(size);

	for (int i = 0; i < 4; i++)
		msg[i] = (uint8_t)(all >> 8 * i);
	msg[4] = type;
	msg[5] = 0x34;
	msg[6] = 0x12;
	memcpy(msg + P9_HEAD, body, len);
	*msg_r = msg;
	return p9_parse(msg, size, data_len, req);
}

#define B(s) s, sizeof(s) - 1

static void takes_what_the_protocol_says_and_nothing_else(void **state)
{
	static const struct {
		const char *what;
		uint8_t type;
		bool good;
		const char *body;
		size_t len, data_len;
	} rows[] = {
		{ "Tversion", P9_TVERSION, true, B("\0\0\10\0\x08\0" "9P2000.L"), 0 },
		{ "Tversion, string too long for it", P9_TVERSION, false, B("\0\0\10\0\x09\0" "9P2000.L"), 0 },
		{ "Tversion, a byte too many", P9_TVERSION, false, B("\0\0\10\0\x08\0" "9P2000.Lx"), 0 },
		{ "Tversion, empty", P9_TVERSION, false, B(""), 0 },
		{ "Tversion with data", P9_TVERSION, false, B("\0\0\10\0\x08\0" "9P2000.L"), 1 },
		{ "Tattach", P9_TATTACH, true, B("\1\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0"), 0 },
		{ "Twalk to nowhere", P9_TWALK, true, B("\1\0\0\0\2\0\0\0\0\0"), 0 },
		{ "Twalk", P9_TWALK, true, B("\1\0\0\0\2\0\0\0\2\0\1\0a\2\0bc"), 0 },
		{ "Twalk, fewer names than said", P9_TWALK, false, B("\1\0\0\0\2\0\0\0\3\0\1\0a\2\0bc"), 0 },
		{ "Twalk, 17 names", P9_TWALK, false,
			B("\1\0\0\0\2\0\0\0\21\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 0 },
		{ "Twalk, a NUL in a name", P9_TWALK, false, B("\1\0\0\0\2\0\0\0\1\0\2\0a\0"), 0 },
		{ "Twrite", P9_TWRITE, true, B("\1\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0"), 5 },
		{ "Twrite of less than said", P9_TWRITE, false, B("\1\0\0\0\0\0\0\0\0\0\0\0\6\0\0\0"), 5 },
		{ "Twrite of nothing", P9_TWRITE, true, B("\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), 0 },
		{ "Tgetattr", P9_TGETATTR, true, B("\1\0\0\0\0\0\0\0\0\0\0\0"), 0 },
		{ "Tgetattr, cut", P9_TGETATTR, false, B("\1\0\0\0\0\0\0\0\0\0\0"), 0 },
		{ "a type nobody knows", 200, true, B("anything"), 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct p9_request req;
		uint8_t *msg;
		bool good = parse(rows[i].type, rows[i].body, rows[i].len, rows[i].data_len, &req, &msg);

		if (good != rows[i].good)
			fail_msg("%s: %s", rows[i].what, good ? "taken" : "refused");
		assert_int_equal(req.type, rows[i].type);
		assert_int_equal(req.tag, 0x1234);
		free(msg);
	}
}

static void reads_every_member(void **state)
{
	struct p9_request req;
	uint8_t *msg;

	(void)state;
	assert_true(parse(P9_TLCREATE, B("\1\2\3\4\3\0foo\5\0\0\0\6\0\0\0\7\0\0\0"), 0, &req, &msg));
	assert_int_equal(req.fid, 0x04030201);
	assert_string_equal(req.name, "foo");
	assert_int_equal(req.flags, 5);
	assert_int_equal(req.mode, 6);
	assert_int_equal(req.gid, 7);
	free(msg);
	assert_true(parse(P9_TRENAMEAT, B("\1\0\0\0\1\0a\2\0\0\0\2\0bc"), 0, &req, &msg));
	assert_int_equal(req.dirfid, 2);
	assert_string_equal(req.name, "a");
	assert_string_equal(req.target, "bc");
	free(msg);
	assert_true(parse(P9_TSETATTR, B("\1\0\0\0\377\1\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0\0\0\0\0"
		"\6\0\0\0\0\0\0\0\7\0\0\0\0\0\0\0\10\0\0\0\0\0\0\0\11\0\0\0\0\0\0\0"), 0, &req, &msg));
	assert_int_equal(req.valid, 0x1ff);
	assert_int_equal(req.mode, 2);
	assert_int_equal(req.uid, 3);
	assert_int_equal(req.gid, 4);
	assert_int_equal(req.size, 5);
	assert_int_equal(req.atime.sec, 6);
	assert_int_equal(req.atime.nsec, 7);
	assert_int_equal(req.mtime.sec, 8);
	assert_int_equal(req.mtime.nsec, 9);
	free(msg);
	assert_true(parse(P9_TLOCK, B("\1\0\0\0\2\3\0\0\0\4\0\0\0\0\0\0\0\5\0\0\0\0\0\0\0\6\0\0\0\1\0x"), 0,
		&req, &msg));
	assert_int_equal(req.lock_type, 2);
	assert_int_equal(req.flags, 3);
	assert_int_equal(req.lock_start, 4);
	assert_int_equal(req.lock_length, 5);
	assert_int_equal(req.lock_pid, 6);
	assert_string_equal(req.name, "x");
	free(msg);
	assert_true(parse(P9_TMKNOD, B("\1\0\0\0\1\0n\2\0\0\0\3\0\0\0\4\0\0\0\5\0\0\0"), 0, &req, &msg));
	assert_int_equal(req.mode, 2);
	assert_int_equal(req.major, 3);
	assert_int_equal(req.minor, 4);
	assert_int_equal(req.gid, 5);
	free(msg);
}

static void long_names_are_refused(void **state)
{
	char body[6 + 300 + 4] = { 1, 0, 0, 0 };
	struct p9_request req;
	uint8_t *msg;

	(void)state;
	for (size_t len = 254; len <= 257; len++) {
		body[4] = (char)len;
		body[5] = (char)(len >> 8);
		memset(body + 6, 'n', len);
		memset(body + 6 + len, 0, 4);
		assert_int_equal(parse(P9_TUNLINKAT, body, 6 + len + 4, 0, &req, &msg), len <= P9_NAME_MAX);
		free(msg);
	}
}

static void a_reply_that_is_full_says_so(void **state)
{
	uint8_t buf[16];
	struct p9_reply r;

	(void)state;
	p9_begin(&r, buf, sizeof(buf), 8, 0x201);
	p9_put64(&r, 0x0807060504030201);
	assert_false(r.full);
	p9_end(&r, 100);
	assert_memory_equal(buf, "\x73\0\0\0\x08\x01\x02\x01\x02\x03\x04\x05\x06\x07\x08", 15);
	p9_put16(&r, 1);
	assert_true(r.full);
	assert_int_equal(r.len, 15);
	p9_put8(&r, 1); /* would fit: but what is missing before it must not be missed */
	assert_int_equal(r.len, 15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_the_protocol_says_and_nothing_else),
		cmocka_unit_test(reads_every_member),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(a_reply_that_is_full_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
