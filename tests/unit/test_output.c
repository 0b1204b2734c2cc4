/* Apps' output on its way to our descriptors, logs and journal: nothing lost, no line torn, all bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/output.h"

enum { APPS = 2 };

static struct session *s;
static struct output *o;
static int out[2], err[2]; /* pipes: our ends are [0] */
static char dir[] = "/tmp/stage1-xen-output.XXXXXX";
static char got[4 << 20];

static void no_log(void *arg, const char *line)
{
	(void)arg;
	(void)line;
}

static void begin(int out_fd, int err_fd, const char *journal, const char *writer)
{
	static uint8_t plan[1];

	s = xcalloc(1, sizeof(*s));
	o = xcalloc(1, sizeof(*o));
	session_init(s, plan, 1, APPS, no_log, NULL);
	output_open(o, s, &(struct output_ends){ .out = out_fd, .err = err_fd, .journal = journal, .pod = "the-pod",
		.writer = writer, .root = "root" });
	output_app(o, 0, "web");
	output_app(o, 1, "db");
	s->apps[0].pid = 7;
	s->apps[1].pid = 8;
}

static int setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(err, O_CLOEXEC), 0);
	assert_int_equal(fcntl(out[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(err[0], F_SETFL, O_NONBLOCK), 0);
	begin(out[1], err[1], "none", "none");
	return 0;
}

static void end(void)
{
	output_close(o);
	output_dispose(o);
	session_dispose(s);
	free(o);
	free(s);
}

static int teardown(void **state)
{
	(void)state;
	end();
	for (int i = 0; i < 2; i++) {
		if (out[i] >= 0)
			(void)close(out[i]);
		(void)close(err[i]);
	}
	(void)unlink("logs/web");
	(void)unlink("logs/web.1");
	(void)unlink("logs/db");
	(void)rmdir("logs");
	return 0;
}

/* As session_receive() does with a DATA frame. */
static void writes(unsigned app, unsigned stream, const char *text, size_t n)
{
	struct session_out *to = &s->apps[app].out[stream];

	assert_in_range(n, 0, to->allowed);
	if (n > sizeof(to->buf) - to->end) {
		memmove(to->buf, to->buf + to->start, to->end - to->start);
		to->end -= to->start;
		to->start = 0;
	}
	memcpy(to->buf + to->end, text, n);
	to->end += (uint32_t)n;
	to->allowed -= (uint32_t)n;
}

static void says(unsigned app, unsigned stream, const char *text)
{
	writes(app, stream, text, strlen(text));
}

/* What came out, without the time stamps, which have their form. */
static const char *read_lines(int fd)
{
	static char bare[sizeof(got)];
	ssize_t n = read(fd, got, sizeof(got) - 1);
	char *to = bare;

	got[n > 0 ? n : 0] = '\0';
	for (char *line = got; *line;) {
		char *next = strchr(line, '\n') ? strchr(line, '\n') + 1 : line + strlen(line);
		unsigned long long sec, usec;
		int len = 0;

		if (*line == '[' && sscanf(line, "[%llu.%6llu] %n", &sec, &usec, &len) == 2 && len >= 15)
			line += len;
		memmove(to, line, (size_t)(next - line));
		to += next - line;
		line = next;
	}
	*to = '\0';
	return bare;
}

static void lines_say_whose_they_are(void **state)
{
	(void)state;
	says(0, WIRE_STDOUT, "one\ntwo\nthr");
	says(1, WIRE_STDOUT, "half");
	says(1, WIRE_STDERR, "oops\n\n");
	while (output_pump(o, false))
		;
	assert_string_equal(read_lines(out[0]), "web[7]: one\nweb[7]: two\n");
	assert_string_equal(read_lines(err[0]), "db[8]: oops\ndb[8]: \n");
	assert_false(output_done(o)); /* two lines are not complete */
	says(0, WIRE_STDOUT, "ee\n");
	while (output_pump(o, false))
		;
	assert_string_equal(read_lines(out[0]), "web[7]: three\n");
	s->apps[1].out[WIRE_STDOUT].eof = true; /* and will not be */
	while (output_pump(o, false))
		;
	assert_string_equal(read_lines(out[0]), "db[8]: half\n");
	assert_true(output_done(o));
	says(0, WIRE_STDOUT, "at the end");
	(void)output_pump(o, false);
	assert_false(output_done(o));
	(void)output_pump(o, true);
	assert_true(output_done(o));
	assert_string_equal(read_lines(out[0]), "web[7]: at the end\n");
}

static void raw_is_raw(void **state)
{
	(void)state;
	o->apps[0].mode[WIRE_STDOUT] = OUTPUT_RAW;
	writes(0, WIRE_STDOUT, "no newline\0\n", 12);
	says(0, WIRE_STDERR, "line\n");
	while (output_pump(o, false))
		;
	assert_int_equal(read(out[0], got, sizeof(got)), 12);
	assert_memory_equal(got, "no newline\0\n", 12);
	assert_string_equal(read_lines(err[0]), "web[7]: line\n");
	assert_int_equal(access("logs/web", F_OK), 0); /* only lines are logged */
}

/* A full pipe: credit is given for what is on its way, no more, and the rest comes later, whole. */
static void a_slow_reader_stalls_and_loses_nothing(void **state)
{
	enum { LINES = 20000 };
	struct session_out *from = &s->apps[0].out[WIRE_STDOUT];
	size_t sent = 0, have = 0, stalls = 0, next = 0;

	(void)state;
	assert_true(fcntl(out[1], F_SETPIPE_SZ, 4096) > 0);
	while (sent < LINES || !output_done(o)) {
		char line[64];
		int n = snprintf(line, sizeof(line), "%zu\n", sent);
		ssize_t len;

		if (sent < LINES && from->allowed >= (uint32_t)n) {
			writes(0, WIRE_STDOUT, line, (size_t)n);
			sent++;
		}
		if (!output_pump(o, false) && (sent == LINES || from->allowed < (uint32_t)n)) {
			stalls++; /* only now somebody reads */
			len = read(out[0], got + have, sizeof(got) - have - 1);
			have += len > 0 ? (size_t)len : 0;
		}
		from->allowed += from->written; /* as CREDIT would */
		from->written = 0;
	}
	have += (size_t)read(out[0], got + have, sizeof(got) - have - 1);
	got[have] = '\0';
	for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n"), next++) {
		size_t value;

		if (sscanf(line, "[%*u.%*6u] web[7]: %zu", &value) != 1 || value != next)
			fail_msg("line %zu is '%s'", next, line);
	}
	assert_int_equal(next, LINES);
	assert_in_range(stalls, 10, LINES);
}

static void long_lines_do_not_block_their_stream(void **state)
{
	static char x[WIRE_PAYLOAD_MAX];
	struct session_out *from = &s->apps[0].out[WIRE_STDOUT];
	size_t in = 0, text = 0, nlines = 0;

	(void)state;
	memset(x, 'x', sizeof(x));
	while (in < 1000000) {
		size_t n = from->allowed < sizeof(x) ? from->allowed : sizeof(x);
		ssize_t len;

		assert_true(n > 0); /* or the stream would be stuck for ever */
		writes(0, WIRE_STDOUT, x, n);
		in += n;
		while (output_pump(o, false))
			;
		if (from->written >= WIRE_WINDOW / 2 || from->start == from->end) { /* the session's rule */
			from->allowed += from->written;
			from->written = 0;
		}
		while ((len = read(out[0], got, sizeof(got))) > 0)
			for (ssize_t i = 0; i < len; i++) {
				text += got[i] == 'x';
				nlines += got[i] == '\n';
			}
	}
	assert_in_range(text, in - PREFIX_LINE_MAX, in);
	assert_int_equal(nlines, text / PREFIX_LINE_MAX);
}

/* Both our descriptors are one pipe: lines of both streams, never within one another. */
static void one_pipe_for_both(void **state)
{
	static char a[1001], b[1001];
	size_t lines = 0;

	(void)state;
	end();
	begin(out[1], out[1], "none", "none");
	assert_true(o->shared);
	assert_true(fcntl(out[1], F_SETPIPE_SZ, 4096) > 0);
	memset(a, 'a', 1000);
	memset(b, 'b', 1000);
	a[1000] = b[1000] = '\n';
	for (int i = 0; i < 60; i++) {
		writes(0, WIRE_STDOUT, a, sizeof(a));
		writes(1, WIRE_STDERR, b, sizeof(b));
	}
	for (size_t have = 0;;) {
		bool moved = output_pump(o, true);
		ssize_t n = read(out[0], got + have, sizeof(got) - have - 1);

		have += n > 0 ? (size_t)n : 0;
		got[have] = '\0';
		if (output_done(o) && n <= 0 && !moved)
			break;
	}
	for (char *line = strtok(got, "\n"); line; line = strtok(NULL, "\n"), lines++) {
		const char *text = strchr(line, ':') + 2;

		assert_int_equal(strlen(text), 1000);
		assert_int_equal(strspn(text, text[0] == 'a' ? "a" : "b"), 1000);
		assert_memory_equal(strchr(line, ']') + 2, text[0] == 'a' ? "web" : "db[", 3);
	}
	assert_int_equal(lines, 120);
}

static void a_reader_that_is_gone(void **state)
{
	(void)state;
	(void)close(out[0]);
	out[0] = -1;
	says(0, WIRE_STDOUT, "x\n");
	says(1, WIRE_STDERR, "y\n");
	while (output_pump(o, false))
		;
	assert_true(s->apps[0].out[WIRE_STDOUT].refused && s->apps[1].out[WIRE_STDOUT].refused);
	assert_false(s->apps[0].out[WIRE_STDERR].refused);
	assert_string_equal(read_lines(err[0]), "db[8]: y\n");
	assert_true(output_done(o));
}

static size_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (size_t)st.st_size : 0;
}

/* Lines of 256 bytes: an app's logs hold some 7000 of them. */
static void write_lines(size_t lines)
{
	static char line[256];

	memset(line, 'l', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	for (size_t i = 0; i < lines; i++) {
		struct session_out *from = &s->apps[0].out[WIRE_STDOUT];

		writes(0, WIRE_STDOUT, line, sizeof(line));
		(void)output_pump(o, false);
		from->allowed += from->written;
		from->written = 0;
		while (read(out[0], got, sizeof(got)) > 0)
			;
		assert_in_range(size_of("logs/web"), 0, APPLOG_MAX);
	}
}

static void logs_are_kept_and_bounded(void **state)
{
	AUTO_FREE char *text = NULL;
	struct err e = ERR_INIT;
	struct stat st;
	char word[4];
	size_t len;

	(void)state;
	says(0, WIRE_STDOUT, "out\n");
	says(0, WIRE_STDERR, "err");
	(void)output_pump(o, true);
	assert_int_equal(read_file_at(AT_FDCWD, "logs/web", 1000, &text, &len, &e), 0);
	assert_int_equal(sscanf(text, "20%*d-%*d-%*dT%*d:%*d:%*d.%*6dZ stdout out\n20%*d-%*d-%*dT%*d:%*d:%*d.%*6dZ stderr %3s", word),
		1);
	assert_string_equal(word, "err");
	assert_int_equal(stat("logs/web", &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(size_of("logs/db"), 0); /* it wrote nothing */
	write_lines(4000);
	assert_in_range(size_of("logs/web.1"), APPLOG_MAX - 20000, APPLOG_MAX);
	write_lines(8000);
	assert_in_range(size_of("logs/web.1"), APPLOG_MAX - 20000, APPLOG_MAX);
	assert_int_equal(o->apps[0].log.lost, 0);
}

/* The log stays as it is, until there is a way again. */
static void a_full_log_that_cannot_make_way(void **state)
{
	unsigned long lost;

	(void)state;
	assert_int_equal(mkdir("logs", 0700), 0);
	assert_int_equal(mkdir("logs/web.1", 0700), 0);
	write_lines(8000);
	assert_in_range(size_of("logs/web"), APPLOG_MAX - 20000, APPLOG_MAX);
	lost = o->apps[0].log.lost;
	assert_in_range(lost, 4000, 5000);
	assert_int_equal(rmdir("logs/web.1"), 0);
	write_lines(100);
	assert_in_range(size_of("logs/web.1"), APPLOG_MAX - 20000, APPLOG_MAX);
	assert_in_range(size_of("logs/web"), 1, APPLOG_MAX / 2);
	assert_int_equal(o->apps[0].log.lost, lost);
	assert_int_equal(unlink("logs/web"), 0); /* somebody tidies up */
	write_lines(8000);
	assert_int_equal(o->apps[0].log.lost, lost);
}

static void logs_that_cannot_be_written(void **state)
{
	(void)state;
	assert_int_equal(symlink("/nowhere", "logs"), 0);
	says(0, WIRE_STDOUT, "a\nb\n");
	(void)output_pump(o, true);
	assert_string_equal(read_lines(out[0]), "web[7]: a\nweb[7]: b\n");
	assert_int_equal(o->apps[0].log.lost, 2);
	assert_int_equal(unlink("logs"), 0);
}

static int journal_socket(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

static void the_journal_has_them_too(void **state)
{
	static const char want[] = "PRIORITY=6\nSYSLOG_IDENTIFIER=web\nSYSLOG_PID=7\nRKT_POD=the-pod\nRKT_APP=web\n"
		"RKT_STREAM=stderr\nMESSAGE\n\3\0\0\0\0\0\0\0o\0k\n";
	AUTO_CLOSE int fd = journal_socket("socket");

	(void)state;
	end();
	begin(out[1], err[1], "socket", "none");
	writes(0, WIRE_STDERR, "o\0k\n", 4);
	(void)output_pump(o, false);
	assert_int_equal(recv(fd, got, sizeof(got), 0), sizeof(want) - 1);
	assert_memory_equal(got, want, sizeof(want) - 1);
	(void)read_lines(err[0]);
	for (int i = 0; i < 3000; i++) { /* a journal that does not read stops nobody */
		s->apps[0].out[WIRE_STDERR].allowed = 100;
		says(0, WIRE_STDERR, "x\n");
		(void)output_pump(o, false);
		(void)read_lines(err[0]);
	}
	assert_in_range(o->journal.lost, 1, 2999);
	assert_int_equal(s->apps[0].out[WIRE_STDERR].start, s->apps[0].out[WIRE_STDERR].end);
	(void)close(fd);
	assert_int_equal(unlink("socket"), 0);
	fd = journal_socket("socket"); /* it was started anew */
	says(0, WIRE_STDERR, "again\n");
	(void)output_pump(o, false);
	assert_true(recv(fd, got, sizeof(got), 0) > 0);
	assert_int_equal(unlink("socket"), 0);
}

/* The supervisor's loop, when nothing else happens. */
static void pump_until_done(void)
{
	while (!output_done(o)) {
		struct pollfd fds[OUTPUT_POLL];

		if (output_pump(o, false) || output_done(o))
			continue;
		output_poll(o, fds);
		assert_true(poll(fds, OUTPUT_POLL, 10000) > 0);
	}
}

static void lines_wait_for_the_pods_journal_and_no_longer(void **state)
{
	FILE *writer = fopen("writer", "w");
	AUTO_CLOSE int gate = -1;

	(void)state;
	assert_non_null(writer);
	assert_int_equal(mkfifo("gate", 0600), 0);
	assert_true(fputs("#!/bin/sh\ncat >>\"$2\"; read go <gate\n", writer) >= 0);
	assert_int_equal(fclose(writer), 0);
	assert_int_equal(chmod("writer", 0755), 0);
	assert_int_equal(mkdir("root", 0755), 0);
	end();
	begin(out[1], err[1], "none", "./writer");
	says(0, WIRE_STDOUT, "one\n");
	pump_until_done();
	o->podjournal.deadline = monotonic_ms(); /* as if nothing had been said for long */
	(void)output_pump(o, false);
	assert_int_equal(o->podjournal.state, PODJOURNAL_ENDING);
	says(0, WIRE_STDOUT, "two\n");
	assert_false(output_pump(o, false));
	gate = open("gate", O_RDWR | O_CLOEXEC);
	assert_int_equal(write(gate, "go\ngo\n", 6), 6); /* for the second one, too */
	pump_until_done();
	assert_string_equal(read_lines(out[0]), "web[7]: one\nweb[7]: two\n");
	output_close(o);
	assert_int_equal(o->podjournal.lost, 0);
	assert_int_equal(system("rm -r root writer gate"), 0);
}

static size_t give_some(void *arg, size_t app, unsigned stream, const uint8_t *data, size_t len)
{
	char *to = arg;

	assert_int_equal(app, 1);
	assert_int_equal(stream, WIRE_STDOUT);
	len = len < 4 ? len : 4;
	strncat(to, (const char *)data, len);
	return len;
}

static void what_is_attached_to_goes_nowhere_else(void **state)
{
	char given[40] = "";

	(void)state;
	o->give = give_some;
	o->give_arg = given;
	o->apps[1].mode[WIRE_STDOUT] = OUTPUT_GIVEN;
	says(1, WIRE_STDOUT, "for who attaches\n");
	says(0, WIRE_STDOUT, "a line\n");
	assert_true(output_pump(o, false));
	assert_string_equal(given, "for ");
	assert_int_equal(s->apps[1].out[WIRE_STDOUT].written, 4);
	assert_false(output_done(o));
	while (output_pump(o, false))
		;
	assert_string_equal(given, "for who attaches\n");
	assert_true(output_done(o));
	assert_string_equal(read_lines(out[0]), "web[7]: a line\n");
	assert_int_equal(access("logs/db", F_OK), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(lines_say_whose_they_are),
		T(raw_is_raw),
		T(what_is_attached_to_goes_nowhere_else),
		T(a_slow_reader_stalls_and_loses_nothing),
		T(long_lines_do_not_block_their_stream),
		T(one_pipe_for_both),
		T(a_reader_that_is_gone),
		T(logs_are_kept_and_bounded),
		T(logs_that_cannot_be_written),
		T(a_full_log_that_cannot_make_way),
		T(the_journal_has_them_too),
		T(lines_wait_for_the_pods_journal_and_no_longer),
	};
	int failed;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return chdir("/") < 0 || rmdir(dir) < 0 ? 1 : failed;
}
