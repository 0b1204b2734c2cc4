/* What stage0's verbs show: times, durations, tables, JSON, states; and what is mounted below a pod. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "stage0/gojson.h"
#include "stage0/mounts.h"
#include "stage0/pods.h"
#include "stage0/table.h"
#include "stage0/when.h"
#include "stage1/common/util.h"

/* go-humanize's words, at both sides of each border */
static void says_how_long_ago(void **state)
{
	enum { M = 60, H = 60 * M, D = 24 * H, W = 7 * D, MO = 30 * D, Y = 12 * MO };
	static const struct { int64_t past; const char *text; } rows[] = {
		{ 0, "now" }, { 1, "1 second ago" }, { 2, "2 seconds ago" }, { 59, "59 seconds ago" },
		{ M, "1 minute ago" }, { 2 * M - 1, "1 minute ago" }, { 2 * M, "2 minutes ago" },
		{ H - 1, "59 minutes ago" }, { H, "1 hour ago" }, { 2 * H, "2 hours ago" }, { D - 1, "23 hours ago" },
		{ D, "1 day ago" }, { 2 * D, "2 days ago" }, { W, "1 week ago" }, { 2 * W, "2 weeks ago" },
		{ MO, "1 month ago" }, { 2 * MO, "2 months ago" }, { Y, "1 year ago" }, { 18LL * MO - 1, "1 year ago" },
		{ 18LL * MO, "2 years ago" }, { 2LL * Y, "2 years ago" }, { 3LL * Y, "3 years ago" },
		{ 37LL * Y, "a long while ago" }, { -1, "1 second from now" }, { -3 * H, "3 hours from now" },
	};
	const time_t now = 2000000000;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct timespec t = { .tv_sec = now - rows[i].past };
		char text[WHEN_SIZE];

		when_ago(&t, now, text);
		assert_string_equal(text, rows[i].text);
	}
	char text[WHEN_SIZE];
	when_ago(&(struct timespec){ 0 }, now, text);
	assert_string_equal(text, "a long while ago");
}

static void writes_times_as_go_does(void **state)
{
	static const struct { const char *zone; int64_t sec; long ns; const char *text; } rows[] = {
		{ "UTC", 1453740152, 563000000, "2016-01-25 16:42:32.563 +0000 UTC" },
		{ "CET-1", 1453740152, 100999999, "2016-01-25 17:42:32.1 +0100 CET" },
		{ "CET-1", 1453740152, 999999, "2016-01-25 17:42:32 +0100 CET" },
		{ "<+0530>-5:30", 1453740152, 50000000, "2016-01-25 22:12:32.05 +0530 +0530" },
		{ "UTC", 0, 0, "0001-01-01 00:00:00 +0000 UTC" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct timespec t = { .tv_sec = rows[i].sec, .tv_nsec = rows[i].ns };
		char text[WHEN_SIZE];

		(void)setenv("TZ", rows[i].zone, 1);
		tzset();
		when_full(&t, text);
		assert_string_equal(text, rows[i].text);
	}
}

static void reads_durations(void **state)
{
	static const struct { const char *text; int64_t ns; } good[] = {
		{ "0", 0 }, { "-0", 0 }, { "0s", 0 }, { "30m", 1800 * WHEN_NS }, { "1h30m", 5400 * WHEN_NS },
		{ "1.5s", 1500000000 }, { ".5s", 500000000 }, { "1.s", WHEN_NS }, { "300ms", 300000000 },
		{ "2us", 2000 }, { "2\u00b5s", 2000 }, { "2\u03bcs", 2000 }, { "7ns", 7 }, { "-1s", -WHEN_NS },
		{ "+24h0m0s", 86400 * WHEN_NS }, { "0.0000000019s", 1 },
		{ "2562047h", INT64_C(2562047) * 3600 * WHEN_NS },
	};
	static const char *const bad[] = { "", "-", "1", "s", ".s", "1x", "1 s", "1h2", "--1s", "2562048h", "1e3s",
		"99999999999999999999s", "0x1s", "1s " };
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct err e = ERR_INIT;

		if (duration_parse("x", good[i].text, &ns, &e) < 0)
			fail_msg("%s", e.msg);
		assert_int_equal(ns, good[i].ns);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e = ERR_INIT;
		AUTO_FREE char *msg = xasprintf("--x: '%s' is not a duration such as 90s or 1h30m", bad[i]);

		assert_int_equal(duration_parse("x", bad[i], &ns, &e), -1);
		assert_string_equal(e.msg, msg);
	}
}

static void reads_patience(void **state)
{
	static const struct { const char *text; int64_t ns; } rows[] = {
		{ "", -1 }, { "1", -1 }, { "t", -1 }, { "T", -1 }, { "true", -1 }, { "TRUE", -1 }, { "True", -1 },
		{ "0", 0 }, { "f", 0 }, { "F", 0 }, { "false", 0 }, { "FALSE", 0 }, { "False", 0 },
		{ "10s", 10 * WHEN_NS }, { "-5s", -5 * WHEN_NS },
	};
	struct err e = ERR_INIT;
	int64_t ns;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(patience_parse("wait", rows[i].text, &ns, &e), 0);
		assert_int_equal(ns, rows[i].ns);
	}
	assert_int_equal(patience_parse("wait", "yes", &ns, &e), -1);
}

/* What `fn` printed; the caller's. */
static char *printed_json(const char *doc, bool pretty)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	json_object *obj = json_tokener_parse(doc);

	gojson_print(obj, pretty, out);
	json_object_put(obj);
	(void)fclose(out);
	return text;
}

static void prints_json_as_go_does(void **state)
{
	static const struct { const char *in, *brief, *pretty; } rows[] = {
		{ "null", "null", "null" }, { "[]", "[]", "[]" }, { "{}", "{}", "{}" },
		{ "{\"b\":1,\"a\":[true,null]}", "{\"b\":1,\"a\":[true,null]}",
			"{\n\t\"b\": 1,\n\t\"a\": [\n\t\ttrue,\n\t\tnull\n\t]\n}" },
		{ "[1.50,-7]", "[1.50,-7]", "[\n\t1.50,\n\t-7\n]" },
		{ "\"a<b>&\\\"\\\\/\\n\\r\\t\\u0001\\u007f\"",
			"\"a\\u003cb\\u003e\\u0026\\\"\\\\/\\n\\r\\t\\u0001\x7f\"", NULL },
		{ "\"\\u2028\\u00e4\\ud83d\\ude00\"", "\"\\u2028\u00e4\U0001f600\"", NULL },
		{ "\"\xff\xc0\xafx\xed\xa0\x80\"", "\"\\ufffd\\ufffd\\ufffdx\\ufffd\\ufffd\\ufffd\"", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *brief = printed_json(rows[i].in, false), *pretty = printed_json(rows[i].in, true);

		assert_string_equal(brief, rows[i].brief);
		assert_string_equal(pretty, rows[i].pretty ? rows[i].pretty : rows[i].brief);
	}
}

#define UMLAUTS "\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4\u00e4"

static void pads_tables_with_tabs(void **state)
{
	static const char *const rows[][3] = {
		{ "UUID", "A", "LAST" }, { "1234567", "", "" }, { "12345678", UMLAUTS, "x" },
		{ "", "\033[1m", "\n" },
	};
	struct table t = TABLE_INIT(3);
	AUTO_FREE char *text = NULL;
	size_t len;
	FILE *out;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		table_row(&t, rows[i]);
	out = open_memstream(&text, &len);
	table_print(&t, out);
	(void)fclose(out);
	assert_string_equal(text, "UUID\t\tA\tLAST\n1234567\t\t\t\n"
		"12345678\t" UMLAUTS "\tx\n\t\t?[1m\t?\n");
	table_dispose(&t);
}

static void finds_what_is_mounted_below(void **state)
{
	static const char info[] =
		"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
		"30 22 0:5 / /pods/run/u rw - tmpfs none rw\n"
		"31 22 0:5 / /pods/run/u2 rw - tmpfs none rw\n"
		"32 30 0:5 / /pods/run/u/a\\040b\\134 rw shared:4 master:1 - tmpfs none rw\n"
		"broken\n"
		"33 30 0:5 / /pods/run/u/a\\040b\\134/c rw - tmpfs none rw\n";
	struct mounts m;

	(void)state;
	mounts_parse(info, "/pods/run/u", &m);
	assert_int_equal(m.n, 3);
	assert_string_equal(m.v[0], "/pods/run/u");
	assert_string_equal(m.v[1], "/pods/run/u/a b\\");
	assert_string_equal(m.v[2], "/pods/run/u/a b\\/c");
	mounts_dispose(&m);
	mounts_parse("", "/", &m);
	assert_int_equal(m.n, 0);
	mounts_dispose(&m);
}

static void names_states_as_rkt_does(void **state)
{
	static const struct { enum pods_dir dir; const char *free, *locked; bool after; } rows[] = {
		{ PODS_EMBRYO, "embryo", "embryo", false },
		{ PODS_PREPARE, "aborted prepare", "preparing", false },
		{ PODS_PREPARED, "prepared", "prepared", false },
		{ PODS_RUN, "exited", "running", true },
		{ PODS_EXITED_GARBAGE, "exited garbage", "exited deleting", true },
		{ PODS_GARBAGE, "garbage", "deleting", true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum pod_life loose = pod_life(rows[i].dir, false), locked = pod_life(rows[i].dir, true);

		assert_string_equal(pod_life_name(loose), rows[i].free);
		assert_string_equal(pod_life_name(locked), rows[i].locked);
		assert_int_equal(pod_after_run(loose), rows[i].after);
		assert_int_equal(pod_finished(loose), rows[i].after || loose == LIFE_ABORTED_PREPARE);
		assert_int_equal(pod_finished(locked), rows[i].after && locked != LIFE_RUNNING);
	}
	assert_true(pod_finished(LIFE_GONE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_how_long_ago),
		cmocka_unit_test(writes_times_as_go_does),
		cmocka_unit_test(reads_durations),
		cmocka_unit_test(reads_patience),
		cmocka_unit_test(prints_json_as_go_does),
		cmocka_unit_test(pads_tables_with_tabs),
		cmocka_unit_test(finds_what_is_mounted_below),
		cmocka_unit_test(names_states_as_rkt_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
