/* Error values, and what of a hostile text is shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "stage1/common/util.h"

static void keeps_the_first_message(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(err_set(&e, ERR_INPUT, "first %d", 1), -1);
	assert_int_equal(err_set(&e, ERR_HOST, "second"), -1);
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "third"), -1);
	assert_string_equal(e.msg, "first 1");
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(err_prefix(&e, "app '%s'", "web"), -1);
	assert_string_equal(e.msg, "app 'web': first 1");
}

static void adds_what_the_system_said(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	errno = ENOENT;
	assert_int_equal(err_sys(&e, "open %s", "a\nb"), -1);
	assert_string_equal(e.msg, "open a?b: No such file or directory");
	assert_int_equal(e.kind, ERR_SYSTEM);
}

static void cuts_long_messages(void **state)
{
	char text[1000];
	struct err e = ERR_INIT;

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(err_sys(&e, "%s", text), -1);
	assert_int_equal(strlen(e.msg), sizeof(e.msg) - 1);
	assert_int_equal(err_prefix(&e, "%s", text), -1);
	assert_int_equal(strlen(e.msg), 199 + 2 + 270);
}

static void makes_text_harmless(void **state)
{
	static const struct { const char *text, *shown; } rows[] = {
		{ "", "" },
		{ "plain text ~", "plain text ~" },
		{ "a\033[2J\r\n\tb\177", "a?[2J???b?" },
		{ "\xc3\xa4\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", "\xc3\xa4\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
		{ "\x9b" "2J", "?2J" },              /* CSI as one byte */
		{ "\xc2\x9b" "2J", "??2J" },         /* CSI in UTF-8 */
		{ "\xc2\xa0.", "\xc2\xa0." },
		{ "\xc0\x9b.\xe0\x82\x9b.\xf0\x80\x82\x9b.", "??.???.????." }, /* too long */
		{ "\xc3", "?" },
		{ "\xe2\x82", "??" },
		{ "\xf0\x9f\x98", "???" },
		{ "\xc3" "\033[2J", "??[2J" },
		{ "\xe2\x82" "\n", "???" },
		{ "\xf5\xff\xfe\x80", "????" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *text = xstrdup(rows[i].text);

		text_make_harmless(text);
		assert_string_equal(text, rows[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_first_message),
		cmocka_unit_test(adds_what_the_system_said),
		cmocka_unit_test(cuts_long_messages),
		cmocka_unit_test(makes_text_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
