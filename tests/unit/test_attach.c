/* The supervisor's socket and those who attach to an app. */
#include "tests/unit/peers.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage1/attach_request.h"
#include "stage1/common/util.h"
#include "stage1/control_internal.h"

enum { STREAMS = ENDPOINT_STDIN | ENDPOINT_STDOUT | ENDPOINT_STDERR, TTY = ENDPOINT_TTY_IN | ENDPOINT_TTY_OUT };

static void start_app(uint32_t endpoints)
{
	control_attachable(c, 0, "web", endpoints);
	start_pod();
}

static void peer_asks(struct peer *p, uint32_t endpoints, const char *app)
{
	uint8_t request[ATTACH_REQUEST_MAX];
	struct err e = ERR_INIT;
	size_t len;

	assert_int_equal(attach_request_encode(endpoints, app, request, &len, &e), 0);
	assert_true(frame_put(&p->wr, WIRE_PLAN, 0, 0, request, len));
	assert_true(frame_put(&p->wr, WIRE_READY, 0, 0, NULL, 0));
	peer_send(p);
}

static struct peer *peer_attached(uint32_t endpoints)
{
	struct peer *p = peer_new();
	struct frame f;

	peer_asks(p, endpoints, "web");
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(f.app, 0);
	assert_int_equal(wire_u32(f.data), WIRE_APP_STARTED);
	return p;
}

static void peer_types(struct peer *p, const char *text)
{
	assert_true(frame_put(&p->wr, WIRE_DATA, 0, WIRE_STDIN, text, strlen(text)));
	peer_send(p);
}

static void peer_reads(struct peer *p, unsigned stream, const char *text)
{
	struct frame f;

	assert_int_equal(peer_hears(p, WIRE_DATA, &f), 1);
	assert_int_equal(f.stream, stream);
	assert_int_equal(f.len, strlen(text));
	assert_memory_equal(f.data, text, f.len);
}

static void guest_reads(const char *text)
{
	struct frame f;

	assert_true(guest_hears(WIRE_DATA, &f));
	assert_int_equal(f.app, 0);
	assert_int_equal(f.stream, WIRE_STDIN);
	assert_int_equal(f.len, strlen(text));
	assert_memory_equal(f.data, text, f.len);
}

static size_t app_writes(unsigned stream, const char *text)
{
	return control_give(c, 0, stream, (const uint8_t *)text, strlen(text));
}

static void output_is_for_those_who_are_there(void **state)
{
	struct peer *early, *late;
	struct frame f;

	(void)state;
	start_app(STREAMS);
	assert_int_equal(app_writes(WIRE_STDOUT, "nobody"), 6);
	early = peer_attached(ATTACH_AUTO);
	assert_int_equal(app_writes(WIRE_STDOUT, "one"), 3);
	late = peer_attached(ENDPOINT_STDOUT);
	assert_int_equal(app_writes(WIRE_STDERR, "err"), 3);
	assert_int_equal(app_writes(WIRE_STDOUT, "two"), 3);
	peer_reads(early, WIRE_STDOUT, "one");
	peer_reads(early, WIRE_STDERR, "err");
	peer_reads(early, WIRE_STDOUT, "two");
	peer_reads(late, WIRE_STDOUT, "two");
	(void)frame_put(&late->wr, WIRE_EOF, 0, WIRE_STDOUT, NULL, 0); /* its reader is gone */
	peer_send(late);
	turn();
	assert_int_equal(app_writes(WIRE_STDOUT, "three"), 5);
	assert_int_equal(peer_hears(late, WIRE_DATA, &f), 0);
	peer_free(early);
	turn();
	assert_int_equal(app_writes(WIRE_STDOUT, "four"), 4);
	peer_free(late);
}

static void a_list_says_what_there_is(void **state)
{
	struct peer *p = peer_new();
	struct frame f;

	(void)state;
	start_app(ENDPOINT_STDIN | TTY);
	peer_asks(p, ATTACH_LIST, "web");
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_STARTED);
	assert_int_equal(wire_u32(f.data + 4), ENDPOINT_STDIN | TTY);
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_EXITED);
	assert_int_equal(peer_hears(p, WIRE_APP, &f), -1);
	peer_free(p);
}

static void says_why_not(void **state)
{
	static const struct {
		uint32_t has, wants;
		const char *app, *why;
	} rows[] = {
		{ STREAMS, ATTACH_AUTO, "db", "the pod has no app 'db'" },
		{ 0, ATTACH_AUTO, "web", "app 'web': none of its streams is of mode stream or tty" },
		{ 0, ATTACH_LIST, "web", "app 'web': none of its streams is of mode stream or tty" },
		{ STREAMS, TTY, "web", "app 'web' has no tty-in, tty-out: it has stdin, stdout, stderr" },
		{ ENDPOINT_STDOUT, ENDPOINT_STDIN, "web", "app 'web' has no stdin: it has stdout" },
	};

	(void)state;
	start_app(STREAMS);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct peer *p = peer_new();
		struct frame f;

		control_attachable(c, 0, "web", rows[i].has);
		peer_asks(p, rows[i].wants, rows[i].app);
		assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
		assert_int_equal(wire_u32(f.data), WIRE_APP_FAILED);
		assert_int_equal(f.len - 8, strlen(rows[i].why));
		assert_memory_equal(f.data + 8, rows[i].why, f.len - 8);
		assert_int_equal(peer_hears(p, WIRE_APP, &f), -1);
		peer_free(p);
	}
}

static void lines_of_several_stay_whole(void **state)
{
	static char long_line[WIRE_PAYLOAD_MAX + 1];
	struct peer *a, *b;
	struct frame f;

	(void)state;
	start_app(STREAMS);
	a = peer_attached(ENDPOINT_STDIN);
	b = peer_attached(ENDPOINT_STDIN);
	peer_types(a, "half a ");
	assert_false(guest_hears(WIRE_DATA, &f));
	peer_types(b, "whole\nand ");
	guest_reads("whole\n");
	peer_types(a, "line\n");
	guest_reads("half a line\n");
	peer_types(b, "more\n");
	guest_reads("and more\n");
	/* A line that is too long for the window goes in parts, and nobody comes between them. */
	(void)frame_put_u32(&guest, WIRE_CREDIT, 0, WIRE_STDIN, 6 + 12 + 9);
	guest_said();
	memset(long_line, 'x', sizeof(long_line) - 1);
	for (int i = 0; i < 4; i++)
		peer_types(a, long_line);
	for (int i = 0; i < 4; i++)
		guest_reads(long_line);
	(void)frame_put_u32(&guest, WIRE_CREDIT, 0, WIRE_STDIN, WIRE_WINDOW);
	guest_said();
	peer_types(b, "b\n");
	assert_false(guest_hears(WIRE_DATA, &f));
	peer_types(a, "end\n");
	guest_reads("end\n");
	guest_reads("b\n");
	/* One who goes away in a line holds nobody up. */
	for (int i = 0; i < 3; i++)
		peer_types(a, long_line);
	peer_types(a, "x");
	peer_free(a);
	turn();
	peer_types(b, "b again\n");
	guest_reads("b again\n");
	peer_free(b);
}

static void the_end_of_ones_input_is_not_the_apps(void **state)
{
	struct peer *a, *b;
	struct frame f;

	(void)state;
	start_app(STREAMS);
	a = peer_attached(ENDPOINT_STDIN | ENDPOINT_STDOUT);
	b = peer_attached(ENDPOINT_STDIN);
	peer_types(a, "no newline");
	(void)frame_put(&a->wr, WIRE_EOF, 0, WIRE_STDIN, NULL, 0);
	peer_send(a);
	guest_reads("no newline");
	assert_false(guest_hears(WIRE_EOF, &f));
	peer_types(b, "hi\n");
	guest_reads("hi\n");
	(void)app_writes(WIRE_STDOUT, "still there");
	peer_reads(a, WIRE_STDOUT, "still there");
	(void)frame_put(&guest, WIRE_EOF, 0, WIRE_STDIN, NULL, 0); /* the app wants no more */
	guest_said();
	assert_int_equal(peer_hears(b, WIRE_EOF, &f), 1);
	assert_int_equal(f.stream, WIRE_STDIN);
	peer_free(a);
	peer_free(b);
}

static uint32_t credited(struct peer *p)
{
	struct frame f;
	uint32_t n = 0;

	while (peer_hears(p, WIRE_CREDIT, &f) == 1)
		n += wire_u32(f.data);
	return n;
}

/* What crosses with the app's word that it reads no more is thrown away, and no longer in flight. */
static void input_that_nobody_reads_is_not_in_flight(void **state)
{
	static char line[WIRE_PAYLOAD_MAX + 1];
	struct frame f;
	struct peer *p;

	(void)state;
	memset(line, 'x', sizeof(line) - 1);
	start_app(STREAMS);
	p = peer_attached(ENDPOINT_STDIN);
	peer_types(p, line); /* waits for its end */
	assert_int_equal(credited(p), 0);
	(void)frame_put(&guest, WIRE_EOF, 0, WIRE_STDIN, NULL, 0);
	guest_said();
	assert_int_equal(peer_hears(p, WIRE_EOF, &f), 1);
	assert_int_equal(credited(p), WIRE_PAYLOAD_MAX);
	peer_types(p, line);
	(void)frame_put(&p->wr, WIRE_EOF, 0, WIRE_STDIN, NULL, 0);
	peer_send(p);
	assert_int_equal(credited(p), WIRE_PAYLOAD_MAX);
	peer_free(p);
}

static void at_a_terminal_every_key_counts(void **state)
{
	uint8_t size[8] = { 50, 0, 0, 0, 132 };
	struct peer *p, *stream;
	struct frame f;

	(void)state;
	start_app(TTY);
	p = peer_attached(ATTACH_AUTO);
	peer_types(p, "k");
	guest_reads("k");
	(void)frame_put(&p->wr, WIRE_WINSIZE, 0, 0, size, sizeof(size));
	peer_send(p);
	assert_true(guest_hears(WIRE_WINSIZE, &f));
	assert_int_equal(wire_u32(f.data), 50);
	assert_int_equal(wire_u32(f.data + 4), 132);
	stream = peer_attached(ENDPOINT_TTY_IN); /* nobody looks at this one's window */
	size[0] = 51;
	(void)frame_put(&stream->wr, WIRE_WINSIZE, 0, 0, size, sizeof(size));
	peer_send(stream);
	assert_false(guest_hears(WIRE_WINSIZE, &f));
	peer_free(p);
	peer_free(stream);
}

static void peer_takes(struct peer *p, unsigned stream)
{
	struct frame f;

	while (peer_hears(p, WIRE_DATA, &f) == 1) {
		assert_int_equal(f.stream, stream);
		(void)frame_put_u32(&p->wr, WIRE_CREDIT, 0, stream, f.len);
		peer_send(p);
	}
	turn();
}

/* Gives until somebody has no room: how much. NULL: nobody reads. */
static size_t fill(struct peer *reader)
{
	static char data[WIRE_PAYLOAD_MAX + 1];
	size_t given = 0, n;

	memset(data, 'x', sizeof(data) - 1);
	while ((n = app_writes(WIRE_STDOUT, data)) > 0) {
		given += n;
		if (reader)
			peer_takes(reader, WIRE_STDOUT);
		else
			turn();
	}
	return given;
}

static void who_does_not_read_is_let_go(void **state)
{
	struct peer *slow, *quick;
	struct frame f;
	size_t given, got = 0;

	(void)state;
	start_app(STREAMS);
	slow = peer_attached(ENDPOINT_STDOUT);
	quick = peer_attached(ENDPOINT_STDOUT);
	assert_int_equal(control_deadline(c, s), -1);
	given = fill(quick);
	assert_int_equal(given, WIRE_WINDOW);
	assert_true(control_deadline(c, s) > monotonic_ms() + CONTROL_PATIENCE_MS / 2);
	assert_int_equal(app_writes(WIRE_STDERR, "not held up"), 11);
	s->ended = true;
	assert_true(control_deadline(c, s) <= monotonic_ms() + CONTROL_LAST_PATIENCE_MS);
	s->ended = false;
	c->patience_ms = 0;
	turn();
	assert_int_equal(control_deadline(c, s), -1);
	assert_int_equal(app_writes(WIRE_STDOUT, "on"), 2);
	peer_reads(quick, WIRE_STDOUT, "on");
	while (peer_hears(slow, WIRE_DATA, &f) == 1)
		got += f.len;
	assert_int_equal(got, given);
	peer_free(slow);
	/* One who reads again in time stays. */
	c->patience_ms = CONTROL_PATIENCE_MS;
	slow = peer_attached(ENDPOINT_STDOUT);
	(void)fill(quick);
	(void)frame_put_u32(&slow->wr, WIRE_CREDIT, 0, WIRE_STDOUT, 100);
	peer_send(slow);
	turn();
	assert_int_equal(app_writes(WIRE_STDOUT, "more"), 4);
	c->patience_ms = 0;
	turn();
	assert_int_equal(app_writes(WIRE_STDOUT, "more"), 4);
	peer_free(slow);
	peer_free(quick);
}

/* Both are full at one time: who then reads is not let go because nothing can be given beside the other. */
static void who_reads_is_not_let_go_with_who_does_not(void **state)
{
	struct peer *slow, *quick;
	struct frame f;

	(void)state;
	start_app(STREAMS);
	slow = peer_attached(ENDPOINT_STDOUT);
	quick = peer_attached(ENDPOINT_STDOUT);
	assert_int_equal(fill(NULL), WIRE_WINDOW);
	peer_takes(quick, WIRE_STDOUT);
	c->patience_ms = 0;
	turn();
	assert_int_equal(app_writes(WIRE_STDOUT, "on"), 2);
	peer_reads(quick, WIRE_STDOUT, "on");
	assert_int_equal(peer_hears(slow, WIRE_APP, &f), 1);
	peer_free(slow);
	peer_free(quick);
}

/* One stream that is not read counts, however much of the other is. */
static void one_stream_is_not_another(void **state)
{
	struct peer *p;
	struct frame f;

	(void)state;
	start_app(STREAMS);
	p = peer_attached(ENDPOINT_STDOUT | ENDPOINT_STDERR);
	assert_int_equal(fill(NULL), WIRE_WINDOW);
	assert_int_equal(app_writes(WIRE_STDERR, "err"), 3);
	assert_true(control_deadline(c, s) >= 0);
	c->patience_ms = 0;
	turn();
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	peer_free(p);
	/* Who no longer listens to it has nothing to read. */
	c->patience_ms = CONTROL_PATIENCE_MS;
	p = peer_attached(ENDPOINT_STDOUT | ENDPOINT_STDERR);
	assert_int_equal(fill(NULL), WIRE_WINDOW);
	(void)frame_put(&p->wr, WIRE_EOF, 0, WIRE_STDOUT, NULL, 0);
	peer_send(p);
	turn();
	assert_int_equal(control_deadline(c, s), -1);
	c->patience_ms = 0;
	turn();
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 0);
	peer_free(p);
}

/* One who is let go with no room for the word hears it when it reads on, and holds up nobody's stdin until then. */
static void the_word_to_one_who_is_let_go(void **state)
{
	static char data[WIRE_PAYLOAD_MAX + 1];
	const int small = 1;
	struct peer *stuck, *other;
	struct frame f;
	int ret = 0;

	(void)state;
	memset(data, 'x', sizeof(data) - 1);
	start_app(STREAMS);
	stuck = peer_attached(ATTACH_AUTO);
	assert_int_equal(setsockopt(c->clients[0]->fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small)), 0);
	for (int i = 0; i < 4; i++)
		peer_types(stuck, data); /* of a line, which is too long */
	turn();
	assert_true(c->clients[0]->in_line);
	for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		while (control_give(c, 0, k, (const uint8_t *)data, WIRE_PAYLOAD_MAX) > 0)
			turn();
	assert_true(frame_room(&c->clients[0]->wr) == 0);
	c->patience_ms = 0;
	turn();
	assert_int_equal(c->nclients, 1);
	other = peer_attached(ENDPOINT_STDIN);
	(void)frame_put_u32(&guest, WIRE_CREDIT, 0, WIRE_STDIN, WIRE_WINDOW);
	guest_said();
	peer_types(other, "whole\n");
	while (guest_hears(WIRE_DATA, &f) && f.len != 6)
		;
	assert_memory_equal(f.data, "whole\n", 6);
	for (int i = 0; i < 100 && ret == 0; i++)
		ret = peer_hears(stuck, WIRE_APP, &f);
	assert_int_equal(ret, 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_FAILED);
	assert_int_equal(peer_hears(stuck, WIRE_APP, &f), -1);
	peer_free(stuck);
	peer_free(other);
}

static void the_apps_end_is_the_last_word(void **state)
{
	struct peer *p, *late;
	struct frame f;

	(void)state;
	start_app(STREAMS);
	p = peer_attached(ATTACH_AUTO);
	(void)frame_put(&guest, WIRE_DATA, 0, WIRE_STDOUT, "bye", 3);
	(void)frame_put(&guest, WIRE_EOF, 0, WIRE_STDOUT, NULL, 0);
	(void)frame_put_app(&guest, 0, WIRE_APP_EXITED, 0, "");
	guest_said();
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 0); /* there is output yet */
	assert_int_equal(app_writes(WIRE_STDOUT, "bye"), 3);
	session_wrote(&s->apps[0].out[WIRE_STDOUT], 3);
	peer_reads(p, WIRE_STDOUT, "bye");
	assert_int_equal(peer_hears(p, WIRE_EOF, &f), 1);
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 0); /* who writes to stderr may have stayed */
	(void)frame_put(&guest, WIRE_EOF, 0, WIRE_STDERR, NULL, 0);
	guest_said();
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_EXITED);
	assert_int_equal(peer_hears(p, WIRE_APP, &f), -1);
	peer_free(p);
	late = peer_new();
	peer_asks(late, ATTACH_AUTO, "web");
	assert_int_equal(peer_hears(late, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_FAILED);
	peer_free(late);
}

/* As stage1/output.c does: what waits of the app's stdout goes to those who are attached. */
static void output_goes_on(void)
{
	struct session_out *out = &s->apps[0].out[WIRE_STDOUT];
	size_t n;

	while (session_waits(out) && (n = control_give(c, 0, WIRE_STDOUT, out->buf + out->start, out->end - out->start)) > 0)
		session_wrote(out, n);
}

/* An app that comes and goes, and one who is attached to it. */
static struct peer *peer_of_a_mutable_app(void)
{
	unsigned id;
	struct err e = ERR_INIT;
	struct frame f;

	session_let_come_and_go(s);
	assert_int_equal(session_add(s, xcalloc(1, 3), 3, &id, &e), 0);
	assert_int_equal(id, 0);
	control_attachable(c, 0, "web", STREAMS);
	(void)frame_put_hello(&guest);
	guest_said();
	session_start(s, 0);
	assert_true(guest_hears(WIRE_START, &f));
	(void)frame_put_app(&guest, 0, WIRE_APP_STARTED, 7, "");
	guest_said();
	return peer_attached(ENDPOINT_STDOUT | ENDPOINT_STDERR);
}

/* One who reads slowly has what the app wrote last, although the guest has long let go of it. */
static void the_tail_of_a_removed_app(void **state)
{
	static char data[WIRE_PAYLOAD_MAX];
	struct peer *p = peer_of_a_mutable_app();
	struct frame f;

	(void)state;
	for (size_t sent = 0; sent < WIRE_WINDOW; sent += sizeof(data)) {
		(void)frame_put(&guest, WIRE_DATA, 0, WIRE_STDOUT, data, sizeof(data));
		guest_said();
	}
	output_goes_on();
	turn();
	(void)frame_put(&guest, WIRE_DATA, 0, WIRE_STDOUT, "tail", 4);
	(void)frame_put_app(&guest, 0, WIRE_APP_EXITED, 3, "");
	guest_said();
	output_goes_on();
	session_remove(s, 0);
	assert_true(guest_hears(WIRE_REMOVE, &f));
	(void)frame_put_app(&guest, 0, WIRE_APP_GONE, 0, "");
	guest_said();
	turn();
	output_goes_on();
	assert_true(session_waits(&s->apps[0].out[WIRE_STDOUT]));
	peer_takes(p, WIRE_STDOUT);
	output_goes_on();
	peer_reads(p, WIRE_STDOUT, "tail");
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_EXITED);
	assert_int_equal(wire_u32(f.data + 4), 3);
	assert_int_equal(peer_hears(p, WIRE_APP, &f), -1);
	assert_false(session_has(s, 0));
	peer_free(p);
}

/* Its last bytes are given, and the rest comes at one time: it is not begun again before they know that it has ended. */
static void an_app_that_is_started_again(void **state)
{
	struct peer *p = peer_of_a_mutable_app();
	struct frame f;

	(void)state;
	(void)frame_put(&guest, WIRE_DATA, 0, WIRE_STDOUT, "bye", 3);
	(void)frame_put_app(&guest, 0, WIRE_APP_KILLED, 15, "");
	guest_said();
	session_start(s, 0);
	assert_true(guest_hears(WIRE_REMOVE, &f));
	output_goes_on();
	(void)frame_put(&guest, WIRE_EOF, 0, WIRE_STDOUT, NULL, 0);
	(void)frame_put(&guest, WIRE_EOF, 0, WIRE_STDERR, NULL, 0);
	(void)frame_put_app(&guest, 0, WIRE_APP_GONE, 0, "");
	guest_said();
	assert_true(guest_hears(WIRE_START, &f));
	peer_reads(p, WIRE_STDOUT, "bye");
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_KILLED);
	assert_int_equal(peer_hears(p, WIRE_APP, &f), -1);
	peer_free(p);
}

static void out_of_turn_costs_only_oneself(void **state)
{
	static const struct {
		enum wire_type type;
		unsigned stream;
		size_t len;
	} rows[] = {
		{ WIRE_DATA, WIRE_STDIN, 5 }, /* not attached to it */
		{ WIRE_CREDIT, WIRE_STDOUT, 4 },
		{ WIRE_PLAN, 0, 8 },
		{ WIRE_READY, 0, 0 },
		{ WIRE_KILL, 0, 4 },
		{ WIRE_START, 0, 0 },
		{ WIRE_END, 0, 0 },
	};
	static const uint8_t bytes[ATTACH_REQUEST_MAX + 1] = { 0xff };
	struct peer *good, *bad;
	struct frame f;

	(void)state;
	start_app(STREAMS);
	good = peer_attached(ATTACH_AUTO);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bad = peer_attached(ENDPOINT_STDOUT);
		(void)frame_put(&bad->wr, rows[i].type, 0, rows[i].stream, bytes, rows[i].len);
		peer_send(bad);
		if (peer_hears(bad, WIRE_APP, &f) != -1)
			fail_msg("row %zu stays", i);
		peer_free(bad);
	}
	bad = peer_new();
	(void)frame_put(&bad->wr, WIRE_PLAN, 0, 0, bytes, sizeof(bytes)); /* too long */
	peer_send(bad);
	assert_int_equal(peer_hears(bad, WIRE_APP, &f), -1);
	peer_free(bad);
	(void)app_writes(WIRE_STDOUT, "x");
	peer_reads(good, WIRE_STDOUT, "x");
	peer_free(good);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, peers_setup, peers_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(output_is_for_those_who_are_there),
		TEST(a_list_says_what_there_is),
		TEST(says_why_not),
		TEST(lines_of_several_stay_whole),
		TEST(the_end_of_ones_input_is_not_the_apps),
		TEST(input_that_nobody_reads_is_not_in_flight),
		TEST(at_a_terminal_every_key_counts),
		TEST(who_does_not_read_is_let_go),
		TEST(who_reads_is_not_let_go_with_who_does_not),
		TEST(one_stream_is_not_another),
		TEST(the_word_to_one_who_is_let_go),
		TEST(the_apps_end_is_the_last_word),
		TEST(the_tail_of_a_removed_app),
		TEST(an_app_that_is_started_again),
		TEST(out_of_turn_costs_only_oneself),
	};

	return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
