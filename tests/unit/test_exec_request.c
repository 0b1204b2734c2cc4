/* The request of a process that enters: there and back, and no byte of it is trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "stage1/common/exec_request.h"
#include "stage1/common/util.h"
#include "stage1/common/wire.h"

#define TEXT(s) ((char *)s)

static char *argv[] = { TEXT("sh"), TEXT(""), TEXT("-c\n\xc3\xa4") };
static char *env[] = { TEXT("TERM=xterm"), TEXT("A=") };
static const struct exec_request request = { .app = 3,
	.io = { { GUEST_IO_TTY, GUEST_IO_TTY, GUEST_IO_PIPE }, 24, 80 },
	.argv = argv, .argc = 3, .env = env, .nenv = 2 };

static int decode(const uint8_t *bytes, size_t len, struct err *e)
{
	AUTO_FREE uint8_t *exact = xmalloc(len);
	struct exec_request got = EXEC_REQUEST_INIT;
	int ret;

	memcpy(exact, bytes, len);
	ret = exec_request_decode(exact, len, &got, e);
	if (ret < 0)
		assert_null(got.argv);
	exec_request_dispose(&got);
	return ret;
}

static void comes_back_as_it_was(void **state)
{
	AUTO_FREE uint8_t *data = NULL;
	struct exec_request got;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	assert_int_equal(exec_request_encode(&request, &data, &len, &e), 0);
	assert_int_equal(exec_request_decode(data, len, &got, &e), 0);
	assert_int_equal(got.app, 3);
	assert_memory_equal(&got.io, &request.io, sizeof(got.io));
	assert_int_equal(got.argc, 3);
	assert_int_equal(got.nenv, 2);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(got.argv[i], argv[i]);
	for (size_t i = 0; i < 2; i++)
		assert_string_equal(got.env[i], env[i]);
	assert_null(got.argv[3]); /* for execve */
	assert_null(got.env[2]);
	exec_request_dispose(&got);
	exec_request_dispose(&got);
}

static void a_connection_has_a_port_and_no_program(void **state)
{
	struct exec_request conn = { .app = 2, .io = { { GUEST_IO_PIPE, GUEST_IO_PIPE, GUEST_IO_NULL }, 0, 0 }, .port = 65535 }, got;
	AUTO_FREE uint8_t *data = NULL;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	assert_int_equal(exec_request_encode(&conn, &data, &len, &e), 0);
	assert_int_equal(exec_request_decode(data, len, &got, &e), 0);
	assert_int_equal(got.app, 2);
	assert_int_equal(got.port, 65535);
	assert_int_equal(got.argc, 0);
	exec_request_dispose(&got);
	wire_put_u32(data + 32, 65536);
	assert_int_equal(decode(data, len, &e), -1);
	wire_put_u32(data + 32, 0); /* neither */
	assert_int_equal(decode(data, len, &e), -1);
	free(data);
	conn = request; /* both */
	conn.port = 80;
	assert_int_equal(exec_request_encode(&conn, &data, &len, &e), 0);
	assert_int_equal(decode(data, len, &e), -1);
}

static void every_truncation_is_refused(void **state)
{
	AUTO_FREE uint8_t *data = NULL;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	assert_int_equal(exec_request_encode(&request, &data, &len, &e), 0);
	for (size_t n = 0; n < len; n++) {
		e = (struct err)ERR_INIT;
		assert_int_equal(decode(data, n, &e), -1);
		assert_string_equal(e.msg, "the exec request is malformed");
	}
	data = xrealloc(data, len + 1, 1);
	data[len] = 0;
	e = (struct err)ERR_INIT;
	assert_int_equal(decode(data, len + 1, &e), -1);
}

static void survives_hostile_numbers(void **state)
{
	static const uint32_t numbers[] = { 0, 1, 2, 4, 0xffff, 0x10000, 0x7fffffff, 0xfffffffe, 0xffffffff };
	AUTO_FREE uint8_t *data = NULL;
	struct err e = ERR_INIT;
	size_t len, refused = 0;

	(void)state;
	assert_int_equal(exec_request_encode(&request, &data, &len, &e), 0);
	for (size_t at = 4; at < 36; at += 4)
		for (size_t i = 0; i < COUNT(numbers); i++) {
			uint8_t saved[4];

			e = (struct err)ERR_INIT;
			memcpy(saved, data + at, 4);
			wire_put_u32(data + at, numbers[i]);
			refused += decode(data, len, &e) < 0;
			memcpy(data + at, saved, 4);
		}
	assert_in_range(refused, 46, 71); /* kinds over 2, sizes over 65535, each count but the right one */
}

static void bounds_its_size(void **state)
{
	AUTO_FREE char *text = xcalloc(1, WIRE_EXEC_MAX);
	char *one[] = { text };
	const struct exec_request large = { .argv = one, .argc = 1 };
	AUTO_FREE uint8_t *data = NULL;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	memset(text, 'x', WIRE_EXEC_MAX - 37);
	assert_int_equal(exec_request_encode(&large, &data, &len, &e), 0);
	assert_int_equal(len, WIRE_EXEC_MAX);
	assert_int_equal(decode(data, len, &e), 0);
	text[WIRE_EXEC_MAX - 37] = 'x';
	assert_int_equal(exec_request_encode(&large, &data, &len, &e), -1);
	assert_string_equal(e.msg, "the command takes 262145 bytes, over 262144");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(a_connection_has_a_port_and_no_program),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(survives_hostile_numbers),
		cmocka_unit_test(bounds_its_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
