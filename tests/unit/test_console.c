/* The console's last lines: bounded, and harmless for the terminal they are shown on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/console.h"

static struct console c;
static int terminal; /* the guest's end */

static int setup(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	console_init(&c, fds[0], false);
	terminal = fds[1];
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	console_close(&c);
	if (terminal >= 0)
		(void)close(terminal);
	return 0;
}

static void guest_writes(const char *text, size_t len)
{
	assert_int_equal(write(terminal, text, len), len);
	for (size_t read = 0; read < len; read += 4096)
		console_read(&c);
}

/* What `fn` writes to stderr. */
static char *stderr_of(void (*fn)(void))
{
	static char text[1 << 16];
	int saved = dup(STDERR_FILENO), fds[2];
	ssize_t n;

	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	(void)fflush(stderr);
	assert_int_equal(dup2(fds[1], STDERR_FILENO), STDERR_FILENO);
	fn();
	(void)fflush(stderr);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	n = read(fds[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	(void)close(saved);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return text;
}

static void report(void)
{
	console_report(&c);
}

static void write_two_lines(void)
{
	guest_writes("one\ntwo\nthr", 11);
}

static void reports_lines(void **state)
{
	(void)state;
	assert_string_equal(stderr_of(report), "");
	guest_writes("boot\r\n\n\r\nhal", 12);
	guest_writes("f", 1);
	assert_string_equal(stderr_of(report), "guest: boot\nguest: half\n");
	guest_writes("\n", 1);
	assert_string_equal(stderr_of(report), "guest: boot\nguest: half\n");
}

static void makes_lines_harmless(void **state)
{
	(void)state;
	guest_writes("\033[2J\007a\0b\tc\177\x9b\xc3\xa4\n", 15);
	assert_string_equal(stderr_of(report), "guest: ?[2J?a?b?c????\n");
}

static void keeps_the_last_lines(void **state)
{
	char want[CONSOLE_LINES * 20] = "";

	(void)state;
	for (int i = 0; i < 100; i++) {
		char line[20];

		guest_writes(line, (size_t)sprintf(line, "line %d\n", i));
		if (i >= 100 - CONSOLE_LINES)
			(void)sprintf(want + strlen(want), "guest: line %d\n", i);
	}
	assert_string_equal(stderr_of(report), want);
}

static void breaks_long_lines(void **state)
{
	char text[3 * CONSOLE_LINE_MAX], want[4 * CONSOLE_LINE_MAX];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[CONSOLE_LINE_MAX] = '\n'; /* a line of just that length stays one */
	guest_writes(text, CONSOLE_LINE_MAX + 1);
	(void)sprintf(want, "guest: %.*s\n", CONSOLE_LINE_MAX, text);
	assert_string_equal(stderr_of(report), want);
	text[CONSOLE_LINE_MAX] = 'x';
	guest_writes(text, CONSOLE_LINE_MAX + 1);
	guest_writes("\n", 1);
	(void)sprintf(want, "guest: %.*s\nguest: %.*s\nguest: x\n", CONSOLE_LINE_MAX, text,
		CONSOLE_LINE_MAX, text);
	assert_string_equal(stderr_of(report), want);
}

static void bounds_a_turn(void **state)
{
	static char text[3 * 4096];

	(void)state;
	memset(text, '\n', sizeof(text));
	text[4096] = 'a';
	assert_int_equal(write(terminal, text, sizeof(text)), sizeof(text));
	console_read(&c);
	assert_int_equal(c.nlines, 0);
	console_read(&c);
	assert_int_equal(c.nlines, 1);
	console_read(&c);
	console_read(&c); /* nothing is there: it does not wait, and is not the end */
	assert_in_range(c.fd, 0, 1000);
}

static void shows_lines_as_they_come(void **state)
{
	(void)state;
	c.show = true;
	assert_string_equal(stderr_of(write_two_lines), "guest: one\nguest: two\n");
	assert_string_equal(stderr_of(report), "guest: thr\n"); /* the rest only */
}

static void survives_the_end_of_the_terminal(void **state)
{
	(void)state;
	guest_writes("last", 4);
	(void)close(terminal);
	terminal = -1;
	console_read(&c);
	assert_int_equal(c.fd, -1);
	console_read(&c);
	console_close(&c);
	assert_string_equal(stderr_of(report), "guest: last\n");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(reports_lines),
		T(makes_lines_harmless),
		T(keeps_the_last_lines),
		T(breaks_long_lines),
		T(bounds_a_turn),
		T(shows_lines_as_they_come),
		T(survives_the_end_of_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
