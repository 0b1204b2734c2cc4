/* The pod's own journal, by writers that read well, badly, slowly or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/podjournal.h"

#define POD "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define FILES "root/var/log/journal/6ba7b8109dad11d180b400c04fd430c8/"

static struct podjournal j;
static char dir[] = "/tmp/stage1-xen-podjournal.XXXXXX";
static char got[64 << 20];

/* As systemd-journal-remote --output FILE -, in so far that it reads all and appends it. */
static void writer_is(const char *script)
{
	FILE *f = fopen("writer", "w");

	assert_non_null(f);
	assert_true(fprintf(f, "#!/bin/sh\n[ \"$1 $3\" = '--output -' ] || exit 9\n%s\n", script) > 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod("writer", 0755), 0);
}

static int setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(mkdir("root", 0755), 0);
	writer_is("exec cat >>\"$2\"");
	podjournal_open(&j, "./writer", "root", POD);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	podjournal_close(&j);
	return system("rm -rf root writer gate") == 0 ? 0 : -1;
}

static void say(const char *app, const char *text, size_t n)
{
	const struct timespec when = { .tv_sec = 1700000000, .tv_nsec = 123456789 };

	podjournal_line(&j, &when, &(struct journal_entry){ .app = app, .stream = "stdout", .pid = 7, .text = text, .len = n });
}

/* True: who asked for room in vain is told to ask again. */
static bool wait_for_it(void)
{
	struct pollfd fd = podjournal_poll(&j);

	if (fd.fd >= 0)
		assert_int_equal(poll(&fd, 1, 10000), 1);
	return podjournal_tend(&j);
}

/* As the supervisor, who has nothing else to wake it. */
static void wait_for_room(void)
{
	while (!wait_for_it())
		assert_int_not_equal(podjournal_poll(&j).fd, -1);
}

static void until(enum podjournal_state state)
{
	for (int i = 0; i < 1000 && j.state != state; i++)
		wait_for_it();
	assert_int_equal(j.state, state);
}

static size_t read_file(const char *name)
{
	AUTO_CLOSE int fd = open(name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while ((n = read(fd, got + len, sizeof(got) - 1 - len)) > 0)
		len += (size_t)n;
	got[len] = '\0';
	return len;
}

static unsigned lines(const char *name)
{
	size_t len = read_file(name);
	unsigned n = 0;

	for (const char *p = got; (p = memmem(p, len - (size_t)(p - got), "\nMESSAGE\n", 9)); p++)
		n++;
	return n;
}

static void entries_are_written_as_the_format_says(void **state)
{
	static const char message[] = "MESSAGE\n\5\0\0\0\0\0\0\0a\nb\0c\n\n";
	char *at;

	(void)state;
	assert_true(podjournal_has_room(&j));
	assert_int_equal(access("root/var", F_OK), -1); /* nothing was said yet */
	say("web", "a\nb\0c", 5);
	say("db", "", 0);
	podjournal_tend(&j);
	assert_int_equal(podjournal_poll(&j).fd, -1); /* it has been taken */
	podjournal_close(&j);
	assert_int_equal(j.lost, 0);
	assert_int_equal(lines(FILES "system.journal"), 2);
	assert_int_equal(strncmp(got, "__REALTIME_TIMESTAMP=1700000000123456\n__MONOTONIC_TIMESTAMP=", 58), 0);
	at = strstr(got, "\n_BOOT_ID=");
	assert_non_null(at);
	assert_int_equal(strspn(at + 10, "0123456789abcdef"), 32);
	assert_int_equal(strncmp(at + 42, "\n_HOSTNAME=rkt-" POD "\nPRIORITY=6\nSYSLOG_IDENTIFIER=web\nSYSLOG_PID=7\n"
		"RKT_POD=" POD "\nRKT_APP=web\nRKT_STREAM=stdout\nMESSAGE\n", 160), 0);
	assert_non_null(memmem(got, sizeof(got), message, sizeof(message) - 1));
}

static void a_host_without_a_writer(void **state)
{
	(void)state;
	podjournal_open(&j, "./no-such-program", "root", POD);
	assert_true(podjournal_has_room(&j));
	say("web", "x", 1);
	podjournal_tend(&j);
	assert_int_equal(podjournal_deadline(&j), -1);
	assert_int_equal(j.lost, 0);
	assert_int_equal(access("root/var", F_OK), -1);
}

static void who_says_nothing_has_no_writer(void **state)
{
	(void)state;
	say("web", "one", 3);
	podjournal_tend(&j);
	assert_in_range(podjournal_deadline(&j) - monotonic_ms(), 1, PODJOURNAL_IDLE_MS);
	j.deadline = monotonic_ms(); /* as if it had passed */
	say("web", "more", 4);
	assert_in_range(podjournal_deadline(&j) - monotonic_ms(), PODJOURNAL_IDLE_MS, PODJOURNAL_PATIENCE_MS);
	podjournal_tend(&j);
	assert_int_equal(j.state, PODJOURNAL_WRITING);
	j.deadline = monotonic_ms();
	podjournal_tend(&j);
	assert_false(podjournal_has_room(&j)); /* the file is not finished */
	wait_for_room();
	assert_int_equal(j.state, PODJOURNAL_IDLE);
	assert_int_equal(podjournal_deadline(&j), -1);
	assert_true(podjournal_has_room(&j));
	say("web", "two", 3);
	podjournal_finish(&j);
	until(PODJOURNAL_IDLE);
	assert_int_equal(lines(FILES "system.journal"), 3);
}

static void it_is_bounded(void **state)
{
	static char text[PREFIX_LINE_MAX];
	unsigned n = 0;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (size_t said = 0; said < 3 * (size_t)PODJOURNAL_MAX; said += sizeof(text), n++) {
		if (!podjournal_has_room(&j))
			wait_for_room();
		say("web", text, sizeof(text));
	}
	podjournal_close(&j);
	assert_int_equal(j.lost, 0);
	assert_in_range(read_file(FILES "system@before.journal"), PODJOURNAL_MAX, PODJOURNAL_MAX + 4 * PODJOURNAL_ENTRY_MAX);
	assert_in_range(read_file(FILES "system.journal"), 1, PODJOURNAL_MAX + 4 * PODJOURNAL_ENTRY_MAX);
	assert_in_range(lines(FILES "system.journal"), 1, n / 2);
}

/* What is said meanwhile is not taken from those who say it. */
static void a_slow_writer_loses_nothing(void **state)
{
	AUTO_CLOSE int gate = -1;
	unsigned n = 0;

	(void)state;
	assert_int_equal(mkfifo("gate", 0600), 0);
	writer_is("read go <gate; exec cat >>\"$2\"");
	while (podjournal_has_room(&j)) {
		say("web", "0123456789", 10);
		n++;
		assert_in_range(n, 1, 100000);
	}
	assert_int_equal(podjournal_poll(&j).fd, j.pipe);
	assert_in_range(podjournal_deadline(&j) - monotonic_ms(), PODJOURNAL_IDLE_MS + 1, PODJOURNAL_PATIENCE_MS);
	gate = open("gate", O_WRONLY | O_CLOEXEC);
	assert_int_equal(write(gate, "\n", 1), 1);
	wait_for_room();
	assert_true(podjournal_has_room(&j));
	podjournal_close(&j);
	assert_int_equal(j.lost, 0);
	assert_int_equal(lines(FILES "system.journal"), n);
}

static void a_writer_that_takes_nothing(void **state)
{
	unsigned n = 0;

	(void)state;
	assert_int_equal(mkfifo("gate", 0600), 0);
	writer_is("read go <gate");
	for (; podjournal_has_room(&j); n++)
		say("web", "0123456789", 10);
	podjournal_tend(&j);
	assert_int_equal(j.state, PODJOURNAL_WRITING);
	assert_false(podjournal_has_room(&j));
	j.deadline = monotonic_ms(); /* as if it had passed */
	assert_true(podjournal_tend(&j));
	assert_int_equal(j.state, PODJOURNAL_NONE);
	assert_string_equal(j.why.msg, "./writer: it took nothing for 30 s");
	assert_in_range(j.lost, 1, n);
	assert_int_equal(kill(j.pid, 0), -1);
	n = (unsigned)j.lost;
	assert_true(podjournal_has_room(&j)); /* nobody is stopped by it */
	say("web", "x", 1);
	assert_int_equal(j.lost, n + 1);
}

static void say_until_it_is_given_up(void)
{
	for (int i = 0; i < 1000000 && j.state != PODJOURNAL_NONE; i++) {
		if (podjournal_has_room(&j))
			say("web", "x", 1);
		else
			wait_for_it();
		podjournal_tend(&j);
	}
	assert_int_equal(j.state, PODJOURNAL_NONE);
}

static void a_writer_that_fails(void **state)
{
	(void)state;
	writer_is("exit 3");
	say_until_it_is_given_up();
	assert_string_equal(j.why.msg, "./writer: exit status 3");
	assert_true(j.lost > 0);
}

/* A unit's end asks every process in it to end: some lines are lost, the next writer takes the others. */
static void a_writer_that_is_told_to_end(void **state)
{
	unsigned n = 0;

	(void)state;
	writer_is("read line; exit 0"); /* each time */
	for (int i = 0; i < 100000 && j.state != PODJOURNAL_NONE; i++) {
		bool room = podjournal_has_room(&j);

		if (j.early == 2 && j.state == PODJOURNAL_IDLE)
			break;
		if (room) {
			say("web", "x", 1);
			n++;
		} else {
			wait_for_it();
		}
		podjournal_tend(&j);
	}
	writer_is("exec cat >>\"$2\"");
	assert_int_equal(j.state, PODJOURNAL_IDLE);
	assert_true(podjournal_has_room(&j));
	say("web", "x", 1);
	podjournal_close(&j);
	assert_int_equal(lines(FILES "system.journal"), 1);
	assert_in_range(j.lost, 1, n);
}

static void not_for_ever(void **state)
{
	(void)state;
	writer_is("exit 0");
	say_until_it_is_given_up();
	assert_string_equal(j.why.msg, "./writer: exit status 0");
}

static void a_place_that_cannot_be_made(void **state)
{
	(void)state;
	assert_int_equal(close(open("root/var", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	say("web", "x", 1);
	assert_int_equal(j.state, PODJOURNAL_NONE);
	assert_string_equal(j.why.msg, "mkdir root/var/log: Not a directory");
	assert_int_equal(j.lost, 1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(entries_are_written_as_the_format_says), T(a_host_without_a_writer), T(who_says_nothing_has_no_writer),
		T(it_is_bounded), T(a_slow_writer_loses_nothing), T(a_writer_that_takes_nothing), T(a_writer_that_fails),
		T(a_writer_that_is_told_to_end), T(not_for_ever), T(a_place_that_cannot_be_made),
	};
	int failed;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return chdir("/") < 0 || rmdir(dir) < 0 ? 1 : failed;
}
