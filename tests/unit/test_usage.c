/* What /proc says of a process, and how a pod's use is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/usage.h"

#define STAT "17 (a) b) S 1 17 17 0 -1 4194560 1 0 0 0 250 50 7 8 20 0 1 0 99 1000 2 18446744073709551615 1 1"
#define STATM "900 200 100 1 0 5 0"
#define IO "rchar: 1000\nwchar: 70\nsyscr: 2\nsyscw: 3\nread_bytes: 5\nwrite_bytes: 6\ncancelled_write_bytes: 0\n"

static void adds_processes(void **state)
{
	struct usage_process p = { .cpu_ns = 0 };
	struct err e = ERR_INIT;

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(usage_add_process(&p, STAT, STATM, IO, 100, 4096, &e), 0);
	assert_int_equal(p.cpu_ns, 6000000000);
	assert_int_equal(p.memory_bytes, 2 * 200 * 4096);
	assert_int_equal(p.read_bytes, 2000);
	assert_int_equal(p.written_bytes, 140);
}

static void says_when_proc_is_another(void **state)
{
	static const struct { const char *stat, *statm, *io; } rows[] = {
		{ "17 a S 1", STATM, IO }, { "17 (a) S 1 17", STATM, IO }, { "", STATM, IO }, { STAT, "900", IO },
		{ STAT, STATM, "rchar: 1\n" }, { STAT, STATM, "wchar: 1\n" }, { STAT, STATM, "rchar: x\nwchar: 1\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct usage_process p = { .cpu_ns = 1 };
		struct err e = ERR_INIT;

		assert_int_equal(usage_add_process(&p, rows[i].stat, rows[i].statm, rows[i].io, 100, 4096, &e), -1);
		assert_string_equal(e.msg, "/proc does not say what a process uses");
		assert_int_equal(p.cpu_ns, 1);
	}
}

static void writes_one_object(void **state)
{
	struct usage u = { .domid = 5, .nnics = 2,
		.xen = { .paused = true, .cpu_ns = 9000000000, .memory_kib = 1024, .memory_max_kib = 2048, .nvcpus = 2,
			.vcpu_ns = { 4, 5 }, .backend = 77 },
		.files = { .cpu_ns = 1, .memory_bytes = 2, .read_bytes = 3, .written_bytes = 4 },
		.nics = { { .n = 0, .received_bytes = 1, .received_packets = 2, .sent_bytes = 3, .sent_packets = 4 },
			{ .n = 12 } } };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	usage_print(&u, out);
	(void)fclose(out);
	assert_string_equal(text, "{\"state\":\"paused\",\"domid\":5,\"cpu\":{\"total_ns\":9000000000,\"vcpus_ns\":[4,5]},"
		"\"memory\":{\"bytes\":1048576,\"max_bytes\":2097152},\"networks\":[{\"name\":\"eth0\",\"received_bytes\":1,"
		"\"received_packets\":2,\"sent_bytes\":3,\"sent_packets\":4},{\"name\":\"eth12\",\"received_bytes\":0,"
		"\"received_packets\":0,\"sent_bytes\":0,\"sent_packets\":0}],\"files\":{\"pid\":77,\"cpu_ns\":1,"
		"\"memory_bytes\":2,\"read_bytes\":3,\"written_bytes\":4}}\n");
	free(text);
}

/* Of a process that is there: ourselves. */
static void reads_processes(void **state)
{
	struct usage u = { .xen = { .backend = getpid() } };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(usage_read(&u, "00000000-0000-0000-0000-000000000000", &e), 0);
	assert_true(u.files.memory_bytes > 0);
	assert_true(u.files.read_bytes > 0);
	assert_int_equal(u.nnics, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(adds_processes),
		cmocka_unit_test(says_when_proc_is_another),
		cmocka_unit_test(writes_one_object),
		cmocka_unit_test(reads_processes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
