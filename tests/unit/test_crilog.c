/* Files of what apps write, as kubelet reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/common/wire.h"
#include "stage1/crilog.h"

static char dir[] = "/tmp/test_crilog.XXXXXX";
static char got[256 << 10];

static void says(struct crilog *log, unsigned stream, const char *text)
{
	crilog_write(log, stream, (const uint8_t *)text, strlen(text));
}

static const char *content(void)
{
	int fd = open("web.log", O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, got, sizeof(got) - 1);

	assert_true(n >= 0);
	got[n] = '\0';
	(void)close(fd);
	return got;
}

/* The lines without their times, which have their form. */
static const char *lines(void)
{
	static char bare[sizeof(got)];
	regex_t form;
	char *to = bare;

	assert_int_equal(regcomp(&form, "^20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]{0,8}[1-9])?Z ", REG_EXTENDED | REG_NOSUB), 0);
	(void)content();
	for (char *line = got, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (regexec(&form, line, 0, NULL, 0) != 0)
			fail_msg("%s", line);
		to += sprintf(to, "%s\n", strchr(line, ' ') + 1);
	}
	*to = '\0';
	regfree(&form);
	return bare;
}

static struct crilog *opened(void)
{
	struct err e = ERR_INIT;
	struct crilog *log;

	if (crilog_open(dir, "web.log", &log, &e) < 0)
		fail_msg("%s", e.msg);
	return log;
}

static void lines_are_whole_whatever_parts_they_come_in(void **state)
{
	struct crilog *log = opened();

	(void)state;
	says(log, WIRE_STDOUT, "one\ntw");
	assert_string_equal(lines(), "stdout one\n");
	says(log, WIRE_STDERR, "err\n\n");
	says(log, WIRE_STDOUT, "o\nthree");
	assert_string_equal(lines(), "stdout one\nstderr err\nstderr \nstdout two\n");
	assert_int_equal(crilog_close(log), 0);
	assert_string_equal(lines(), "stdout one\nstderr err\nstderr \nstdout two\nstdout three\n");
	assert_int_equal(crilog_close(opened()), 0); /* the next start begins anew */
	assert_string_equal(content(), "");
	assert_int_equal(crilog_close(NULL), 0);
}

static void long_lines_become_several(void **state)
{
	static char text[CRILOG_LINE_MAX * 2 + 8];
	struct crilog *log = opened();
	const char *all;

	(void)state;
	memset(text, 'x', CRILOG_LINE_MAX);
	memcpy(text + CRILOG_LINE_MAX, "\n", 2); /* just fits */
	says(log, WIRE_STDOUT, text);
	memset(text, 'y', CRILOG_LINE_MAX + 3);
	memcpy(text + CRILOG_LINE_MAX + 3, "\n", 2);
	says(log, WIRE_STDOUT, text);
	assert_int_equal(crilog_close(log), 0);
	all = lines();
	assert_int_equal(strlen(all), 3 * strlen("stdout \n") + 2 * CRILOG_LINE_MAX + 3);
	assert_string_equal(all + strlen(all) - 11, "stdout yyy\n");
}

static void what_is_there_already_is_not_trusted(void **state)
{
	static const char *const names[] = { "link", "dangling", "fifo", "twice", "dir" };
	static const char *const why[] = { "Too many levels of symbolic links", "Too many levels of symbolic links", "No such device or address",
		"it is not a file of its own", "Is a directory" };
	struct crilog *log;

	(void)state;
	assert_int_equal(crilog_close(opened()), 0);
	assert_int_equal(symlink("web.log", "link"), 0);
	assert_int_equal(symlink("/nowhere/at/all", "dangling"), 0);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(link("web.log", "twice"), 0);
	assert_int_equal(mkdir("dir", 0700), 0);
	for (size_t i = 0; i < COUNT(names); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(crilog_open(dir, names[i], &log, &e), -1);
		if (!strstr(e.msg, why[i]) || !strstr(e.msg, names[i]))
			fail_msg("%s: %s", names[i], e.msg);
		assert_int_equal(remove(names[i]), 0);
	}
	{
		struct err e = ERR_INIT;

		assert_int_equal(crilog_open("/nowhere", "x", &log, &e), -1);
		assert_string_equal(e.msg, "log /nowhere/x: open the directory: No such file or directory");
	}
	assert_int_equal(symlink(dir, "there"), 0); /* the directory may be a link */
	{
		struct err e = ERR_INIT;

		assert_int_equal(crilog_open("there", "web.log", &log, &e), 0);
		assert_int_equal(crilog_close(log), 0);
	}
	assert_int_equal(unlink("there"), 0);
}

static void counts_what_is_lost(void **state)
{
	struct rlimit old, small;
	struct crilog *log = opened();

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 60;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	says(log, WIRE_STDOUT, "this fits\n");
	says(log, WIRE_STDOUT, "and this does not fit any more, as it is too long\nnor this\n");
	assert_int_equal(crilog_close(log), 2);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
}

static int begin(void **state)
{
	(void)state;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	(void)unlink("web.log");
	return chdir("/") < 0 || rmdir(dir) < 0 ? -1 : 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_whole_whatever_parts_they_come_in),
		cmocka_unit_test(long_lines_become_several),
		cmocka_unit_test(what_is_there_already_is_not_trusted),
		cmocka_unit_test(counts_what_is_lost),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
