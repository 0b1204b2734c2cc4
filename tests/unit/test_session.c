/* The supervisor's side of the protocol, played against a guest that may say anything. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/session.h"

enum { APPS = 2, LINES = 400 };

static struct session *s;
static struct frame_writer guest; /* what the guest says next */
static char lines[LINES][WIRE_TEXT_MAX + 1];
static size_t nlines;
static uint8_t plan_bytes[100], big[WIRE_PAYLOAD_MAX];

static void keep_line(void *arg, const char *line)
{
	assert_ptr_equal(arg, &nlines);
	assert_in_range(nlines, 0, LINES - 1);
	(void)snprintf(lines[nlines++], sizeof(lines[0]), "%s", line);
}

static int setup(void **state)
{
	(void)state;
	s = xmalloc(sizeof(*s));
	nlines = 0;
	memset(&guest, 0, sizeof(guest));
	memset(plan_bytes, 'p', sizeof(plan_bytes));
	session_init(s, plan_bytes, sizeof(plan_bytes), APPS, keep_line, &nlines);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	session_dispose(s);
	session_dispose(s);
	free(s);
	return 0;
}

static void renew(void)
{
	(void)teardown(NULL);
	(void)setup(NULL);
}

/* Hands the session what the guest has said so far. */
static int hear(struct err *e)
{
	size_t len, room;
	const uint8_t *data = frame_queued(&guest, &len);
	uint8_t *space = frame_space(&s->rd, &room);

	assert_in_range(len, 0, room);
	memcpy(space, data, len);
	frame_added(&s->rd, len);
	frame_sent(&guest, len);
	return session_receive(s, e);
}

static void heard(void)
{
	struct err e = ERR_INIT;

	if (hear(&e) < 0)
		fail_msg("%s", e.msg);
}

static void greet(void)
{
	assert_true(frame_put_hello(&guest));
	heard();
}

static void say_app(unsigned app, uint32_t state, uint32_t value, const char *text)
{
	assert_true(frame_put_app(&guest, app, (enum wire_app_state)state, value, text));
}

static void say_data(unsigned app, unsigned stream, size_t len)
{
	assert_true(frame_put(&guest, WIRE_DATA, app, stream, big, len));
}

/* What the session has queued, as text: "HELLO PLAN:100 READY CREDIT(0,1):4". */
static const char *said(void)
{
	static const char *const names[] = { "", "HELLO", "PLAN", "READY", "DATA", "EOF", "CREDIT", "APP",
		"LOG", "STOP", "END", "BYE", "EXEC", "START", "KILL", "WINSIZE", "ADD", "STOP_APP", "REMOVE" };
	static struct frame_reader rd;
	static char text[1000];
	size_t len, room, n = 0;
	const uint8_t *data = frame_queued(&s->wr, &len);
	struct err e = ERR_INIT;
	struct frame f;

	memset(&rd, 0, sizeof(rd));
	memcpy(frame_space(&rd, &room), data, len);
	frame_added(&rd, len);
	frame_sent(&s->wr, len);
	text[0] = '\0';
	while (frame_pop(&rd, &f, &e) == FRAME_READY) {
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s", n ? " " : "", names[f.type]);
		if (f.type >= WIRE_DATA && f.type <= WIRE_CREDIT)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "(%u,%u)", f.app, f.stream);
		if (s->stays && (f.type >= WIRE_ADD || f.type == WIRE_START))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "(%u)", f.app);
		if (f.type == WIRE_CREDIT || f.type == WIRE_STOP || f.type == WIRE_STOP_APP || f.type == WIRE_REMOVE)
			n += (size_t)snprintf(text + n, sizeof(text) - n, ":%u", wire_u32(f.data));
		else if (f.type == WIRE_PLAN || f.type == WIRE_DATA || f.type == WIRE_ADD)
			n += (size_t)snprintf(text + n, sizeof(text) - n, ":%u", f.len);
	}
	assert_int_equal(frame_pending(&rd), 0);
	return text;
}

static const char *produced(void)
{
	session_produce(s);
	return said();
}

static void greets_then_sends_the_plan(void **state)
{
	(void)state;
	assert_string_equal(said(), "HELLO");
	assert_string_equal(produced(), ""); /* nothing before the guest's own HELLO */
	session_stop(s, 5);
	assert_string_equal(produced(), "");
	renew();
	(void)said();
	greet();
	assert_string_equal(produced(), "PLAN:100 READY");
	assert_string_equal(produced(), "");
}

static void sends_a_long_plan_in_parts(void **state)
{
	AUTO_FREE uint8_t *plan = xcalloc(1, 100000);
	size_t left;

	(void)state;
	session_dispose(s);
	session_init(s, plan, 100000, 1, keep_line, &nlines);
	greet();
	session_produce(s);
	assert_false(s->ready_sent);
	assert_int_equal(session_stdin_room(s, 0), 0);
	(void)frame_queued(&s->wr, &left);
	assert_int_equal(left, sizeof(s->wr.buf));
	(void)said();
	assert_string_equal(produced(), "PLAN:16384 PLAN:16384 PLAN:1712 READY");

	renew(); /* three parts and room for a head: READY would fit, but it is not time */
	session_dispose(s);
	session_init(s, plan, 100000, 1, keep_line, &nlines);
	greet();
	assert_true(frame_put(&s->wr, WIRE_LOG, 0, 0, big, WIRE_PAYLOAD_MAX - 24));
	session_produce(s);
	(void)frame_queued(&s->wr, &left);
	assert_int_equal(left, sizeof(s->wr.buf) - WIRE_HEAD);
	assert_false(s->ready_sent);
}

static void waits_for_a_plan_that_comes_later(void **state)
{
	(void)state;
	session_awaits_plan(s);
	(void)said();
	greet();
	assert_string_equal(produced(), "");
	assert_int_equal(session_stdin_room(s, 0), 0);
	session_resize(s, 0, 24, 80);
	session_stop(s, 1000);
	assert_string_equal(produced(), "STOP:1000");
	session_plan(s, plan_bytes, sizeof(plan_bytes));
	assert_string_equal(produced(), "PLAN:100 READY WINSIZE");
}

/* Each on its own, after the greeting. */
static void refuses_what_breaks_a_rule(void **state)
{
	static const struct { enum wire_type type; unsigned app, stream; const char *bytes; size_t len;
		const char *msg; } rows[] = {
		{ WIRE_HELLO, 0, 0, "SXC1\2\0\0\0", 8, "frame of type 1 is not the guest's to send" },
		{ WIRE_PLAN, 0, 0, "x", 1, "frame of type 2 is not the guest's to send" },
		{ WIRE_READY, 0, 0, NULL, 0, "frame of type 3 is not the guest's to send" },
		{ WIRE_STOP, 0, 0, "\0\0\0\0", 4, "frame of type 9 is not the guest's to send" },
		{ WIRE_BYE, 0, 0, NULL, 0, "frame of type 11 is not the guest's to send" },
		{ WIRE_DATA, 0, 0, "x", 1, "data of an app's stdin" },
		{ WIRE_DATA, 2, 1, "x", 1, "frame of type 4 for app 2 of 2" },
		{ WIRE_EOF, 65535, 1, NULL, 0, "frame of type 5 for app 65535 of 2" },
		{ WIRE_CREDIT, 2, 0, "\0\0\0\0", 4, "frame of type 6 for app 2 of 2" },
		{ WIRE_APP, 2, 0, "\1\0\0\0\0\0\0\0", 8, "frame of type 7 for app 2 of 2" },
		{ WIRE_CREDIT, 0, 1, "\1\0\0\0", 4, "credit of 1 bytes for stream 1" },
		{ WIRE_CREDIT, 0, 2, "\0\0\0\0", 4, "credit of 0 bytes for stream 2" },
		{ WIRE_CREDIT, 0, 0, "\1\0\0\0", 4, "credit of 1 bytes for stream 0" },
		{ WIRE_CREDIT, 0, 0, "\377\377\377\377", 4, "credit of 4294967295 bytes for stream 0" },
		{ WIRE_APP, 0, 0, "\0\0\0\0\0\0\0\0", 8, "app 0: state 0 with value 0" },
		{ WIRE_APP, 0, 0, "\1\0\0\0\0\0\0\0", 8, "app 0: state 1 with value 0" },
		{ WIRE_APP, 0, 0, "\5\0\0\0\0\0\0\0", 8, "app 0: state 5 with value 0" },
		{ WIRE_APP, 0, 0, "\5\0\0\0\1\0\100\0", 8, "app 0: state 5 with value 4194305" },
		{ WIRE_APP, 0, 0, "\6\0\0\0\1\0\0\0", 8, "app 0: state 6 with value 1" },
		{ WIRE_EXEC, 0, 0, "x", 1, "frame of type 12 is not the guest's to send" },
		{ WIRE_KILL, 0, 0, "\11\0\0\0", 4, "frame of type 14 is not the guest's to send" },
		{ WIRE_DATA, 256, 1, "x", 1, "frame of type 4 for app 256 of 2" },
		{ WIRE_APP, 319, 0, "\1\0\0\0\1\0\0\0", 8, "frame of type 7 for app 319 of 2" },
		{ WIRE_APP, 320, 0, "\1\0\0\0\1\0\0\0", 8, "frame of type 7 for app 320 of 2" },
		{ WIRE_APP, 0, 0, "\377\377\377\377\0\0\0\0", 8, "app 0: state 4294967295 with value 0" },
		{ WIRE_APP, 1, 0, "\2\0\0\0\0\1\0\0", 8, "app 1: state 2 with value 256" },
		{ WIRE_APP, 1, 0, "\3\0\0\0\0\0\0\0", 8, "app 1: state 3 with value 0" },
		{ WIRE_APP, 1, 0, "\3\0\0\0\101\0\0\0", 8, "app 1: state 3 with value 65" },
		{ WIRE_APP, 1, 0, "\4\0\0\0\0\0\0\0", 8, "app 1: state 4 with value 0" },
		{ WIRE_APP, 1, 0, "\4\0\0\0\0\1\0\0", 8, "app 1: state 4 with value 256" },
		{ WIRE_END, 0, 0, NULL, 0, "END before app 0 has ended" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;

		renew();
		greet();
		assert_true(frame_put(&guest, rows[i].type, rows[i].app, rows[i].stream, rows[i].bytes,
			rows[i].len));
		if (hear(&e) == 0)
			fail_msg("accepted: row %zu", i);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(e.kind, ERR_INPUT);
	}
}

static void refuses_a_wrong_greeting(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_true(frame_put(&guest, WIRE_LOG, 0, 0, "hi", 2));
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "the first frame is not a HELLO");
	renew();
	e = (struct err)ERR_INIT;
	assert_true(frame_put(&guest, WIRE_HELLO, 0, 0, "SXC1\2\0\0\0", 8));
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "protocol version 2, this side speaks 5");
	renew();
	e = (struct err)ERR_INIT;
	assert_true(frame_put(&guest, WIRE_PLAN, 0, 0, NULL, 0)); /* not even a frame */
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "frame of type 2 with 0 bytes");
}

static void refuses_what_comes_out_of_turn(void **state)
{
	static const struct { uint32_t first, second; const char *msg; } rows[] = {
		{ WIRE_APP_STARTED, WIRE_APP_STARTED, "app 1: state 1 out of turn" },
		{ WIRE_APP_EXITED, WIRE_APP_EXITED, "app 1: state 2 out of turn" },
		{ WIRE_APP_EXITED, WIRE_APP_STARTED, "app 1: state 1 out of turn" },
		{ WIRE_APP_KILLED, WIRE_APP_FAILED, "app 1: state 4 out of turn" },
		{ WIRE_APP_FAILED, WIRE_APP_KILLED, "app 1: state 3 out of turn" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;

		renew();
		greet();
		say_app(1, rows[i].first, 1, "");
		heard();
		say_app(1, rows[i].second, 1, "");
		assert_int_equal(hear(&e), -1);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

static void refuses_data_that_is_not_allowed(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	greet();
	for (int i = 0; i < 4; i++) {
		say_data(0, WIRE_STDOUT, WIRE_PAYLOAD_MAX);
		say_data(0, WIRE_STDERR, 10); /* a window of its own */
		heard();
	}
	say_data(0, WIRE_STDOUT, 1);
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "1 bytes of data, 0 are allowed");

	renew();
	e = (struct err)ERR_INIT;
	greet();
	assert_true(frame_put(&guest, WIRE_EOF, 0, WIRE_STDERR, NULL, 0));
	say_data(0, WIRE_STDERR, 1);
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "data after the end of its stream");

	renew();
	e = (struct err)ERR_INIT;
	greet();
	assert_true(frame_put(&guest, WIRE_EOF, 0, WIRE_STDERR, NULL, 0));
	assert_true(frame_put(&guest, WIRE_EOF, 0, WIRE_STDERR, NULL, 0));
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "a second end of stream 2");
}

static void nothing_follows_the_end(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	greet();
	(void)produced();
	say_app(0, WIRE_APP_EXITED, 0, "");
	say_app(1, WIRE_APP_STARTED, 7, "");
	heard();
	assert_true(frame_put(&guest, WIRE_END, 0, 0, NULL, 0));
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "END before app 1 has ended");

	renew();
	e = (struct err)ERR_INIT;
	greet();
	(void)produced();
	say_app(0, WIRE_APP_EXITED, 0, "");
	say_app(1, WIRE_APP_EXITED, 0, "");
	say_data(1, WIRE_STDOUT, 9); /* output may come after the app's end */
	assert_true(frame_put(&guest, WIRE_END, 0, 0, NULL, 0));
	heard();
	assert_true(s->ended);
	assert_string_equal(produced(), "BYE");
	assert_string_equal(produced(), "");
	assert_true(frame_put(&guest, WIRE_LOG, 0, 0, "x", 1));
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "a frame after END");
}

static uint32_t in_flight(const struct session_out *out)
{
	return out->end - out->start + out->allowed + out->written;
}

/* Whatever is written when: what is buffered, allowed and uncredited is one window. */
static void credit_never_exceeds_the_window(void **state)
{
	struct session_out *out;
	unsigned seed = 7;
	uint64_t total = 0;
	uint8_t next_in = 0, next_out = 0;

	(void)state;
	greet();
	(void)said();
	out = &s->apps[1].out[WIRE_STDOUT];
	for (int round = 0; round < 20000; round++) {
		uint32_t n = 1 + (seed = seed * 1103515245 + 12345) / 65536 % WIRE_PAYLOAD_MAX;

		if (n <= out->allowed) {
			for (size_t i = 0; i < n; i++)
				big[i] = next_in++;
			say_data(1, WIRE_STDOUT, n);
			heard();
			total += n;
		}
		assert_int_equal(in_flight(out), WIRE_WINDOW);
		n = (seed = seed * 1103515245 + 12345) / 65536 % WIRE_WINDOW;
		if (n > out->end - out->start)
			n = out->end - out->start;
		for (size_t i = 0; i < n; i += 97)
			assert_int_equal(out->buf[out->start + i], (uint8_t)(next_out + i));
		next_out = (uint8_t)(next_out + n);
		session_wrote(out, n);
		assert_int_equal(in_flight(out), WIRE_WINDOW);
		session_produce(s);
		(void)said();
		assert_int_equal(in_flight(out), WIRE_WINDOW);
		assert_in_range(out->end, 0, WIRE_WINDOW);
	}
	assert_in_range(total, WIRE_WINDOW * 100, UINT64_MAX);
}

static void gives_credit_in_few_frames(void **state)
{
	struct session_out *out;

	(void)state;
	greet();
	(void)produced();
	(void)said();
	out = &s->apps[0].out[WIRE_STDERR];
	for (int i = 0; i < 4; i++) {
		say_data(0, WIRE_STDERR, WIRE_PAYLOAD_MAX);
		heard();
	}
	session_wrote(out, 100);
	assert_string_equal(produced(), ""); /* little, and more is to be written */
	session_wrote(out, WIRE_WINDOW / 2 - 101);
	assert_string_equal(produced(), "");
	session_wrote(out, 1);
	assert_string_equal(produced(), "CREDIT(0,2):32768");
	session_wrote(out, WIRE_WINDOW / 2 - 100);
	session_wrote(out, 100);
	assert_string_equal(produced(), "CREDIT(0,2):32768");
	say_data(0, WIRE_STDERR, 5);
	assert_true(frame_put(&guest, WIRE_EOF, 0, WIRE_STDERR, NULL, 0));
	heard();
	assert_false(session_all_written(s));
	session_wrote(out, 5);
	assert_true(session_all_written(s));
	assert_string_equal(produced(), ""); /* it will send no more */
}

static void refuses_output_nobody_reads(void **state)
{
	struct session_out *out;

	(void)state;
	greet();
	(void)produced();
	(void)said();
	out = &s->apps[0].out[WIRE_STDOUT];
	say_data(0, WIRE_STDOUT, 1000);
	heard();
	session_refuse(out);
	assert_true(session_all_written(s));
	assert_string_equal(produced(), "EOF(0,1) CREDIT(0,1):1000");
	say_data(0, WIRE_STDOUT, 500); /* it was on its way */
	heard();
	assert_true(session_all_written(s));
	assert_int_equal(in_flight(out), WIRE_WINDOW);
	assert_string_equal(produced(), "CREDIT(0,1):500");
	assert_true(frame_put(&guest, WIRE_EOF, 0, WIRE_STDOUT, NULL, 0));
	heard();
	assert_string_equal(produced(), "");

	renew();
	greet();
	(void)produced();
	(void)said();
	say_data(0, WIRE_STDOUT, 10);
	assert_true(frame_put(&guest, WIRE_EOF, 0, WIRE_STDOUT, NULL, 0));
	heard();
	session_refuse(&s->apps[0].out[WIRE_STDOUT]);
	assert_string_equal(produced(), ""); /* the guest knows already that it is over */
}

static void sends_stdin_as_far_as_it_may(void **state)
{
	size_t sent = 0;

	(void)state;
	greet();
	assert_int_equal(session_stdin_room(s, 0), 0); /* the plan comes first */
	(void)produced();
	for (size_t room; (room = session_stdin_room(s, 0)) > 0; sent += room) {
		assert_in_range(room, 1, WIRE_PAYLOAD_MAX);
		session_stdin(s, 0, big, room);
		(void)said();
	}
	assert_int_equal(sent, WIRE_WINDOW);
	assert_true(frame_put_u32(&guest, WIRE_CREDIT, 0, WIRE_STDIN, 7));
	heard();
	assert_int_equal(session_stdin_room(s, 0), 7);
	session_stdin(s, 0, big, 3);
	assert_string_equal(said(), "DATA(0,0):3");
	session_stdin(s, 0, NULL, 0);
	assert_string_equal(said(), "EOF(0,0)");
	assert_int_equal(session_stdin_room(s, 0), 0);

	/* app 1 has a window of its own, until it closes its stdin */
	assert_int_equal(session_stdin_room(s, 1), WIRE_PAYLOAD_MAX);
	assert_true(frame_put(&guest, WIRE_EOF, 1, WIRE_STDIN, NULL, 0));
	heard();
	assert_int_equal(session_stdin_room(s, 1), 0);

	renew();
	greet();
	(void)produced();
	say_app(0, WIRE_APP_EXITED, 0, "");
	heard();
	assert_int_equal(session_stdin_room(s, 0), 0);
	assert_int_equal(session_stdin_room(s, 1), WIRE_PAYLOAD_MAX);
}

/* E exited, K killed, F failed; ! is the operator's wish to stop. "0E3" is app 0 exiting with 3. */
static void tells_what_became_of_the_apps(void **state)
{
	static const struct { const char *story; int status; unsigned app[APPS]; } rows[] = {
		{ "0E0 1E0", 0, { 0, 0 } },
		{ "0E3 1E0", 3, { 3, 0 } },
		{ "0E0 1E4", 4, { 0, 4 } },
		{ "1E4 0E3", 4, { 0, 4 } },  /* the first bad one counts, the others were stopped by it */
		{ "0K9 1K15", 137, { 9, 0 } },
		{ "0K1 1E0", 129, { 1, 0 } },
		{ "1K64 0E7", 192, { 0, 64 } },
		{ "0F203 1K15", 203, { 203, 0 } },
		{ "1F200 0E0", 200, { 0, 200 } },
		{ "0E255 1E255", 255, { 255, 0 } },
		{ "! 0K15 1E3", 0, { 0, 0 } },
		{ "0E5 ! 1E3", 5, { 5, 0 } },
		{ "0E0 ! 1E3", 0, { 0, 0 } },
		{ "! 0F254 1F254", 0, { 0, 0 } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned app, value;
		char how;

		renew();
		greet();
		for (const char *p = rows[i].story; p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL) {
			if (*p == '!') {
				session_stop(s, 1000);
				continue;
			}
			assert_int_equal(sscanf(p, "%u%c%u", &app, &how, &value), 3);
			say_app(app, how == 'E' ? WIRE_APP_EXITED : how == 'K' ? WIRE_APP_KILLED : WIRE_APP_FAILED,
				value, "");
			heard();
		}
		if (session_exit_status(s) != rows[i].status)
			fail_msg("%s gives %d", rows[i].story, session_exit_status(s));
		for (size_t k = 0; k < APPS; k++)
			if (session_app_status(&s->apps[k]) != rows[i].app[k])
				fail_msg("%s gives app %zu %u", rows[i].story, k, session_app_status(&s->apps[k]));
		assert_true(frame_put(&guest, WIRE_END, 0, 0, NULL, 0));
		heard();
	}
}

static void knows_when_all_have_started(void **state)
{
	(void)state;
	greet();
	assert_false(session_all_started(s));
	say_app(1, WIRE_APP_STARTED, 100, "");
	heard();
	assert_false(session_all_started(s));
	say_app(0, WIRE_APP_EXITED, 0, ""); /* it was quick */
	heard();
	assert_true(session_all_started(s));
	assert_int_equal(session_exit_status(s), 0);
	assert_false(s->stopping);
	say_app(1, WIRE_APP_EXITED, 1, "");
	heard();
	assert_true(s->stopping);
}

static void knows_when_all_are_ready(void **state)
{
	(void)state;
	greet();
	session_awaits_ready(s, 1);
	say_app(0, WIRE_APP_STARTED, 100, "");
	say_app(1, WIRE_APP_STARTED, 101, "");
	heard();
	assert_true(session_all_started(s));
	assert_false(session_all_ready(s));
	say_app(1, WIRE_APP_READY, 0, "");
	heard();
	assert_true(session_all_ready(s));
	assert_int_equal(s->apps[1].pid, 101);
	say_app(1, WIRE_APP_EXITED, 0, ""); /* it was */
	heard();
	assert_true(session_all_ready(s));

	renew(); /* one that ends without a word never was */
	greet();
	session_awaits_ready(s, 1);
	say_app(0, WIRE_APP_STARTED, 100, "");
	say_app(1, WIRE_APP_STARTED, 101, "");
	say_app(1, WIRE_APP_EXITED, 0, "");
	heard();
	assert_true(session_all_started(s));
	assert_false(session_all_ready(s));
}

static void refuses_a_ready_out_of_turn(void **state)
{
	static const struct { bool awaited; int before; uint32_t value; const char *msg; } rows[] = {
		{ false, WIRE_APP_STARTED, 0, "app 1: state 6 out of turn" },
		{ true, 0, 0, "app 1: state 6 out of turn" },
		{ true, WIRE_APP_HANDLER, 0, "app 1: state 6 out of turn" },
		{ true, WIRE_APP_EXITED, 0, "app 1: state 6 out of turn" },
		{ true, WIRE_APP_STARTED, 1, "app 1: state 6 with value 1" },
	};
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		renew();
		greet();
		if (rows[i].awaited)
			session_awaits_ready(s, 1);
		if (rows[i].before)
			say_app(1, (uint32_t)rows[i].before, 1, "");
		heard();
		say_app(1, WIRE_APP_READY, rows[i].value, "");
		assert_int_equal(hear(&e), -1);
		assert_string_equal(e.msg, rows[i].msg);
		e = (struct err)ERR_INIT;
	}
	renew();
	greet();
	session_awaits_ready(s, 1);
	say_app(1, WIRE_APP_STARTED, 1, "");
	say_app(1, WIRE_APP_READY, 0, "");
	heard();
	say_app(1, WIRE_APP_READY, 0, ""); /* once */
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "app 1: state 6 out of turn");
}

static void asks_to_stop_once_or_sooner(void **state)
{
	(void)state;
	greet();
	(void)produced();
	(void)said();
	session_stop(s, 5000);
	assert_string_equal(produced(), "STOP:5000");
	assert_string_equal(produced(), "");
	session_stop(s, 90000); /* the shorter grace counts */
	assert_string_equal(produced(), "");
	session_stop(s, 100);
	session_stop(s, 200);
	assert_string_equal(produced(), "STOP:100");
	assert_true(frame_put(&guest, WIRE_END, 0, 0, NULL, 0)); /* apps need not have ended by now */
	heard();
	session_stop(s, 1);
	assert_string_equal(produced(), "BYE");
	assert_string_equal(produced(), "");
}

static void shows_a_bounded_log(void **state)
{
	char text[WIRE_TEXT_MAX];
	size_t shown = 0;

	(void)state;
	greet();
	memset(text, 'x', sizeof(text));
	for (int i = 0; i < 1000; i++) {
		assert_true(frame_put(&guest, WIRE_LOG, 0, 0, text, sizeof(text)));
		heard();
	}
	assert_int_equal(nlines, WIRE_LOG_MAX / WIRE_TEXT_MAX + 1);
	assert_string_equal(lines[nlines - 1], "(no more of the guest's messages are shown)");
	for (size_t i = 0; i < nlines; i++)
		shown += strlen(lines[i]);
	assert_in_range(shown, 0, WIRE_LOG_MAX);
}

static void makes_texts_harmless(void **state)
{
	(void)state;
	greet();
	assert_true(frame_put(&guest, WIRE_LOG, 0, 0, "a\033[2J\n\0b\177\xc2\x9b", 11));
	assert_true(frame_put(&guest, WIRE_LOG, 3, 0, "\xc3\x9f", 2));
	assert_true(frame_put(&guest, WIRE_APP, 0, 0, "\4\0\0\0\376\0\0\0no \r\033 file", 18));
	heard();
	assert_int_equal(nlines, 2);
	assert_string_equal(lines[0], "a?[2J??b???");
	assert_string_equal(lines[1], "\xc3\x9f");
	assert_string_equal(s->apps[0].text, "no ?? file");
}

static unsigned begin_exec(size_t len)
{
	uint8_t *request = xcalloc(1, len);
	struct err e = ERR_INIT;
	unsigned id;

	assert_int_equal(session_exec(s, request, len, &id, &e), 0);
	return id;
}

static void runs_processes_beside_the_apps(void **state)
{
	struct session_app *run;
	unsigned id;

	(void)state;
	greet();
	(void)said();
	id = begin_exec(40000);
	assert_int_equal(id, WIRE_EXEC_FIRST);
	assert_int_equal(session_stdin_room(s, id), 0); /* its START comes first */
	assert_string_equal(produced(), "PLAN:100 READY EXEC EXEC EXEC START");
	run = session_find(s, id);
	assert_int_equal(session_stdin_room(s, id), WIRE_PAYLOAD_MAX);
	session_stdin(s, id, big, 5);
	session_resize(s, id, 24, 80);
	session_signal(s, id, 15);
	assert_string_equal(produced(), "DATA(256,0):5 WINSIZE KILL");
	session_resize(s, id, 24, 80);
	session_signal(s, id, 0);
	session_signal(s, id, 65);
	assert_string_equal(produced(), "");
	say_app(id, WIRE_APP_STARTED, 99, "");
	say_data(id, WIRE_STDOUT, 7);
	assert_true(frame_put_u32(&guest, WIRE_CREDIT, id, WIRE_STDIN, 5));
	assert_true(frame_put(&guest, WIRE_EOF, id, WIRE_STDERR, NULL, 0));
	say_app(id, WIRE_APP_EXITED, 3, "");
	heard();
	assert_int_equal(run->state, SESSION_APP_OVER);
	assert_int_equal(run->pid, 99);
	assert_int_equal(session_app_exit(run), 3);
	assert_true(run->out[WIRE_STDOUT].eof && run->out[WIRE_STDERR].eof);
	assert_int_equal(run->out[WIRE_STDOUT].end, 7);
	assert_int_equal(session_stdin_room(s, id), 0);
	assert_false(s->stopping); /* its status is nobody's but its own */
	assert_int_equal(session_exit_status(s), 0);
	session_wrote(&run->out[WIRE_STDOUT], 7);
	assert_string_equal(produced(), "");
	session_exec_close(s, id);
	assert_null(session_find(s, id));
	assert_int_equal(begin_exec(1), id); /* the number is free */
	assert_string_equal(produced(), "EXEC START");
}

static void bounds_the_processes(void **state)
{
	struct err e = ERR_INIT;
	unsigned id;

	(void)state;
	greet();
	for (unsigned i = 0; i < WIRE_EXEC_COUNT; i++)
		assert_int_equal(begin_exec(1), WIRE_EXEC_FIRST + i);
	assert_int_equal(session_exec(s, xcalloc(1, 1), 1, &id, &e), -1);
	assert_string_equal(e.msg, "64 processes have entered the pod: no more");
	session_exec_close(s, WIRE_EXEC_FIRST + 5); /* nothing of it was sent */
	assert_int_equal(begin_exec(1), WIRE_EXEC_FIRST + 5);
	session_exec_close(s, WIRE_EXEC_FIRST + 5);
	session_exec_close(s, WIRE_EXEC_FIRST + 5);
	session_exec_close(s, 0); /* an app is not its to close */
	assert_non_null(session_find(s, 0));
	session_stop(s, 1000);
	e = (struct err)ERR_INIT;
	assert_int_equal(session_exec(s, xcalloc(1, 1), 1, &id, &e), -1);
	assert_string_equal(e.msg, "the pod is ending");
}

/* Its client is gone: the guest is told, and the number is taken until it is over. */
static void gives_up_processes_nobody_waits_for(void **state)
{
	struct err e = ERR_INIT;
	unsigned id;

	(void)state;
	greet();
	id = begin_exec(1);
	assert_string_equal(produced(), "HELLO PLAN:100 READY EXEC START");
	say_app(id, WIRE_APP_STARTED, 9, "");
	say_data(id, WIRE_STDOUT, 3);
	heard();
	session_exec_close(s, id);
	assert_string_equal(produced(), "EOF(256,1) CREDIT(256,1):3 EOF(256,2) KILL");
	assert_int_equal(begin_exec(1), id + 1);
	say_data(id, WIRE_STDOUT, 4);
	heard();
	assert_string_equal(produced(), "CREDIT(256,1):4 EXEC START");
	say_app(id, WIRE_APP_KILLED, 1, "");
	heard();
	assert_null(session_find(s, id));
	say_data(id, WIRE_STDOUT, 4);
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "frame of type 4 for app 256 of 2");
}

static void refuses_what_processes_may_not_say(void **state)
{
	static const struct { uint32_t first, second; const char *msg; } rows[] = {
		{ WIRE_APP_HANDLER, 0, "app 256: state 5 out of turn" },
		{ WIRE_APP_STARTED, WIRE_APP_HANDLER, "app 256: state 5 out of turn" },
		{ WIRE_APP_STARTED, WIRE_APP_STARTED, "app 256: state 1 out of turn" },
		{ WIRE_APP_EXITED, WIRE_APP_EXITED, "frame of type 7 after the end of app 256" },
	};
	struct err e = ERR_INIT;
	unsigned id;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		renew();
		e = (struct err)ERR_INIT;
		greet();
		id = begin_exec(1);
		(void)produced();
		say_app(id, rows[i].first, 1, "");
		if (rows[i].second)
			say_app(id, rows[i].second, 1, "");
		assert_int_equal(hear(&e), -1);
		assert_string_equal(e.msg, rows[i].msg);
	}
	renew(); /* its START was not sent yet */
	e = (struct err)ERR_INIT;
	greet();
	id = begin_exec(1);
	say_app(id, WIRE_APP_STARTED, 1, "");
	assert_int_equal(hear(&e), -1);
	assert_string_equal(e.msg, "app 256: state 1 out of turn");

	renew(); /* the end of the pod is the end of all that entered it */
	greet();
	id = begin_exec(1);
	(void)produced();
	session_stop(s, 1);
	assert_true(frame_put(&guest, WIRE_END, 0, 0, NULL, 0));
	heard();
	assert_int_equal(session_app_exit(session_find(s, id)), 137);
}

static void knows_whose_output_it_is(void **state)
{
	(void)state;
	greet();
	assert_int_equal(s->apps[0].pid, 0);
	say_app(0, WIRE_APP_HANDLER, 10, "");
	heard();
	assert_int_equal(s->apps[0].pid, 10);
	assert_false(session_all_started(s));
	say_app(0, WIRE_APP_STARTED, 11, "");
	heard();
	assert_int_equal(s->apps[0].pid, 11);
	say_app(0, WIRE_APP_HANDLER, 12, "");
	say_app(0, WIRE_APP_EXITED, 0, "");
	heard();
	assert_int_equal(s->apps[0].pid, 12);
}

/* A session of a pod whose apps come and go, that was greeted. */
static void renew_coming_and_going(void)
{
	renew();
	session_dispose(s);
	session_init(s, plan_bytes, sizeof(plan_bytes), 0, keep_line, &nlines);
	session_let_come_and_go(s);
	(void)said();
	greet();
	assert_string_equal(produced(), "PLAN:100 READY");
}

static unsigned add(size_t len)
{
	struct err e = ERR_INIT;
	unsigned id;

	if (session_add(s, xcalloc(1, len), len, &id, &e) < 0)
		fail_msg("%s", e.msg);
	return id;
}

static void apps_come_and_go(void **state)
{
	unsigned a, b;

	(void)state;
	renew_coming_and_going();
	assert_true(session_all_ready(s));
	a = add(20000);
	b = add(7);
	assert_int_equal(a, 0);
	assert_int_equal(b, 1);
	assert_string_equal(produced(), ""); /* it is not begun */
	assert_true(session_has(s, a) && !session_runs(s, a) && session_all_started(s));
	assert_null(session_find(s, a));
	session_start(s, a);
	assert_true(session_runs(s, a));
	assert_string_equal(produced(), "ADD(0):16384 ADD(0):3616 START(0)");
	assert_false(session_all_started(s));
	say_app(a, WIRE_APP_STARTED, 7, "");
	say_data(a, WIRE_STDOUT, 4);
	heard();
	session_start(s, a); /* it runs: nothing to be done */
	assert_string_equal(produced(), "");
	session_stop_app(s, a, 9);
	assert_string_equal(produced(), "STOP_APP(0):9");
	say_app(a, WIRE_APP_KILLED, 15, "");
	heard();
	assert_false(session_runs(s, a) || s->stopping);
	assert_int_equal(session_app_status(&s->apps[a]), 15);
	session_stop_app(s, a, 9);
	assert_string_equal(produced(), "");
	session_start(s, a); /* again: the guest forgets it first, and its files stay */
	assert_string_equal(produced(), "REMOVE(0):0");
	assert_string_equal(produced(), "");
	say_data(a, WIRE_STDOUT, 2); /* what was on its way */
	say_app(a, WIRE_APP_GONE, 0, "");
	heard();
	assert_string_equal(produced(), ""); /* until what it wrote is written out */
	assert_true(session_runs(s, a));
	session_start(s, a); /* it is asked for already, and comes all the same */
	session_wrote(&s->apps[a].out[WIRE_STDOUT], 6);
	assert_string_equal(produced(), "ADD(0):16384 ADD(0):3616 START(0)");
	say_app(a, WIRE_APP_STARTED, 8, "");
	say_data(a, WIRE_STDERR, sizeof(big));
	say_app(a, WIRE_APP_EXITED, 3, "");
	heard();
	assert_int_equal(session_exit_status(s), 0); /* the pod's end is nobody's but ours to say */
	session_remove(s, a);
	session_start(s, a); /* too late */
	assert_string_equal(produced(), "REMOVE(0):1");
	say_app(a, WIRE_APP_GONE, 0, "");
	heard();
	assert_string_equal(produced(), "");
	assert_true(session_has(s, a));
	session_refuse(&s->apps[a].out[WIRE_STDERR]);
	assert_string_equal(produced(), "");
	assert_false(session_has(s, a));
	session_remove(s, b); /* it was never begun: the guest does not know it */
	assert_string_equal(produced(), "");
	assert_false(session_has(s, b));
	assert_int_equal(add(1), 0); /* the number is free */
	session_stop(s, 5);
	session_start(s, 0);
	assert_string_equal(produced(), "STOP:5");
	assert_true(frame_put(&guest, WIRE_END, 0, 0, NULL, 0));
	heard();
	assert_true(s->ended);
}

static void an_app_more_is_refused(void **state)
{
	struct err e = ERR_INIT;
	unsigned id;

	(void)state;
	renew_coming_and_going();
	for (int i = 0; i < WIRE_APPS_MAX; i++)
		(void)add(1);
	assert_int_equal(session_add(s, xcalloc(1, 1), 1, &id, &e), -1);
	assert_string_equal(e.msg, "the pod has 64 apps: no more");
	session_remove(s, 5);
	(void)produced();
	assert_int_equal(add(1), 5);
	session_remove(s, 5);
	(void)produced();
	session_stop(s, 5);
	e = (struct err)ERR_INIT;
	assert_int_equal(session_add(s, xcalloc(1, 1), 1, &id, &e), -1);
	assert_string_equal(e.msg, "the pod is ending");
}

static void refuses_what_apps_may_not_say(void **state)
{
	static const struct { int upto; uint32_t what, value; const char *msg; } rows[] = {
		/* added; begun; started; over; removed; gone */
		{ 0, WIRE_APP_STARTED, 1, "frame of type 7 for app 0 of 64" },
		{ 1, WIRE_APP_GONE, 0, "app 0: state 7 out of turn" },
		{ 2, WIRE_APP_GONE, 0, "app 0: state 7 out of turn" },
		{ 3, WIRE_APP_GONE, 0, "app 0: state 7 out of turn" },
		{ 4, WIRE_APP_GONE, 1, "app 0: state 7 with value 1" },
		{ 4, WIRE_APP_STARTED, 1, "app 0: state 1 out of turn" },
		{ 5, WIRE_APP_GONE, 0, "frame of type 7 for app 0 of 64" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;

		renew_coming_and_going();
		(void)add(5);
		if (rows[i].upto >= 1)
			session_start(s, 0);
		(void)produced();
		if (rows[i].upto >= 2)
			say_app(0, WIRE_APP_STARTED, 9, "");
		if (rows[i].upto >= 3)
			say_app(0, WIRE_APP_EXITED, 0, "");
		heard();
		if (rows[i].upto >= 4)
			session_remove(s, 0);
		(void)produced();
		if (rows[i].upto >= 5)
			say_app(0, WIRE_APP_GONE, 0, "");
		heard();
		say_app(0, rows[i].what, rows[i].value, "");
		assert_int_equal(hear(&e), -1);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(greets_then_sends_the_plan),
		T(sends_a_long_plan_in_parts),
		T(waits_for_a_plan_that_comes_later),
		T(refuses_what_breaks_a_rule),
		T(refuses_a_wrong_greeting),
		T(refuses_what_comes_out_of_turn),
		T(refuses_data_that_is_not_allowed),
		T(nothing_follows_the_end),
		T(credit_never_exceeds_the_window),
		T(gives_credit_in_few_frames),
		T(refuses_output_nobody_reads),
		T(sends_stdin_as_far_as_it_may),
		T(tells_what_became_of_the_apps),
		T(knows_when_all_have_started),
		T(knows_when_all_are_ready),
		T(refuses_a_ready_out_of_turn),
		T(asks_to_stop_once_or_sooner),
		T(shows_a_bounded_log),
		T(makes_texts_harmless),
		T(runs_processes_beside_the_apps),
		T(bounds_the_processes),
		T(gives_up_processes_nobody_waits_for),
		T(refuses_what_processes_may_not_say),
		T(knows_whose_output_it_is),
		T(apps_come_and_go),
		T(an_app_more_is_refused),
		T(refuses_what_apps_may_not_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
