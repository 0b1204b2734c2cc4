/* Lines of apps: where they end, and what goes before them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "stage1/common/util.h"
#include "stage1/escape.h"
#include "stage1/prefix.h"

static uint8_t big[2 * PREFIX_LINE_MAX];

static void finds_lines(void **state)
{
	static const struct { const char *data; size_t n; bool last; size_t used, text; } rows[] = {
		{ "", 0, false, 0, 0 },
		{ "", 0, true, 0, 0 },
		{ "a", 1, false, 0, 0 },
		{ "a", 1, true, 1, 1 }, /* the last one without a newline */
		{ "a\n", 2, false, 2, 1 },
		{ "a\nb\n", 4, true, 2, 1 },
		{ "\n", 1, false, 1, 0 },
		{ "a\0b\r\n", 5, false, 5, 4 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t text = 0;

		assert_int_equal(prefix_line((const uint8_t *)rows[i].data, rows[i].n, rows[i].last, &text), rows[i].used);
		if (rows[i].used)
			assert_int_equal(text, rows[i].text);
	}
}

static void splits_long_lines(void **state)
{
	size_t text = 0;

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(prefix_line(big, PREFIX_LINE_MAX, false, &text), 0); /* its newline may come yet */
	assert_int_equal(prefix_line(big, PREFIX_LINE_MAX, true, &text), PREFIX_LINE_MAX);
	assert_int_equal(text, PREFIX_LINE_MAX);
	assert_int_equal(prefix_line(big, PREFIX_LINE_MAX + 1, false, &text), PREFIX_LINE_MAX);
	assert_int_equal(text, PREFIX_LINE_MAX);
	big[PREFIX_LINE_MAX] = '\n'; /* as long as may be: one line, and no empty one behind it */
	assert_int_equal(prefix_line(big, sizeof(big), false, &text), PREFIX_LINE_MAX + 1);
	assert_int_equal(text, PREFIX_LINE_MAX);
	big[PREFIX_LINE_MAX] = 'x';
	big[PREFIX_LINE_MAX + 1] = '\n';
	assert_int_equal(prefix_line(big, sizeof(big), false, &text), PREFIX_LINE_MAX);
}

static void says_whose_they_are(void **state)
{
	static const struct { uint64_t usec; const char *app; uint32_t pid; const char *head; } rows[] = {
		{ 0, "a", 0, "[    0.000000] a[0]: " },
		{ 1234567890, "web-2", 12, "[ 1234.567890] web-2[12]: " },
		{ 123456789000001, "x", 4194304, "[123456789.000001] x[4194304]: " },
	};
	char head[PREFIX_HEAD_MAX], name[256];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(prefix_head(head, rows[i].usec, rows[i].app, rows[i].pid), strlen(rows[i].head));
		assert_string_equal(head, rows[i].head);
	}
	memset(name, 'n', 255);
	name[255] = '\0';
	assert_in_range(prefix_head(head, UINT64_MAX, name, UINT32_MAX), 256, PREFIX_HEAD_MAX - 1);
}

static void knows_the_way_out(void **state)
{
#define K "\x1d"
	static const struct { const char *keys[4]; int64_t at[4]; bool seen; } rows[] = {
		{ { K K K }, { 0 }, true },
		{ { "ls" K, K, K }, { 5000, 5500, 6000 }, true },
		{ { K, K, K }, { 0, 500, 1001 }, false }, /* too slow */
		{ { K K, "x", K }, { 0, 1, 2 }, false },
		{ { K K "\r" K K }, { 0 }, false },
		{ { K, K, K, K K }, { 0, 600, 1200, 1300 }, true }, /* counted anew from the third on */
		{ { "a" K K K "b" }, { 9 }, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct escape e = { .count = 0 };
		bool seen = false;

		for (size_t k = 0; k < COUNT(rows[i].keys) && rows[i].keys[k]; k++)
			seen = escape_typed(&e, (const uint8_t *)rows[i].keys[k], strlen(rows[i].keys[k]), rows[i].at[k]) ||
				seen;
		if (seen != rows[i].seen)
			fail_msg("row %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_lines),
		cmocka_unit_test(splits_long_lines),
		cmocka_unit_test(says_whose_they_are),
		cmocka_unit_test(knows_the_way_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
