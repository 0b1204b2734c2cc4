/* The supervisor's socket and those who enter. */
#include "tests/unit/peers.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/exec_request.h"
#include "stage1/common/util.h"
#include "stage1/control_internal.h"

static void peer_asks(struct peer *p)
{
	char *argv[] = { (char *)"ls" };
	const struct exec_request req = { .argv = argv, .argc = 1,
		.io.kind = { GUEST_IO_PIPE, GUEST_IO_PIPE, GUEST_IO_PIPE } };
	struct err e = ERR_INIT;
	uint8_t *data;
	size_t len;

	assert_int_equal(exec_request_encode(&req, &data, &len, &e), 0);
	assert_true(frame_put(&p->wr, WIRE_EXEC, WIRE_EXEC_FIRST, 0, data, len));
	assert_true(frame_put(&p->wr, WIRE_START, WIRE_EXEC_FIRST, 0, NULL, 0));
	free(data);
	peer_send(p);
}

static struct peer *peer_entered(unsigned *id_r)
{
	struct peer *p = peer_new();
	struct frame f;

	peer_asks(p);
	assert_true(guest_hears(WIRE_START, &f));
	*id_r = f.app;
	(void)frame_put_app(&guest, f.app, WIRE_APP_STARTED, 99, "");
	guest_said();
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(f.app, WIRE_EXEC_FIRST);
	assert_int_equal(wire_u32(f.data + 4), 99);
	return p;
}

static void only_root_may_connect(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(stat(CONTROL_SOCKET, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	start_pod();
}

static void nobody_is_heard_before_the_apps_run(void **state)
{
	struct peer *p = peer_new();
	struct frame f;

	(void)state;
	peer_asks(p);
	assert_false(guest_hears(WIRE_EXEC, &f));
	start_pod();
	assert_true(guest_hears(WIRE_EXEC, &f));
	assert_in_range(f.app, WIRE_EXEC_FIRST, WIRE_EXEC_FIRST + WIRE_EXEC_COUNT - 1);
	peer_free(p);
}

/* Where apps come and go, one that takes long to begin holds up nobody who enters another. */
static void apps_that_come_hold_up_nobody(void **state)
{
	struct peer *p = peer_new();
	struct frame f;

	(void)state;
	s->stays = true;
	peer_asks(p);
	assert_false(guest_hears(WIRE_EXEC, &f));
	assert_true(frame_put_hello(&guest));
	guest_said();
	turn();
	assert_true(guest_hears(WIRE_EXEC, &f));
	peer_free(p);
}

static void streams_go_both_ways_and_the_end_comes_last(void **state)
{
	struct frame f;
	struct peer *p;
	unsigned id;

	(void)state;
	start_pod();
	p = peer_entered(&id);
	(void)frame_put(&p->wr, WIRE_DATA, WIRE_EXEC_FIRST, WIRE_STDIN, "question", 8);
	(void)frame_put(&p->wr, WIRE_EOF, WIRE_EXEC_FIRST, WIRE_STDIN, NULL, 0);
	peer_send(p);
	assert_true(guest_hears(WIRE_DATA, &f));
	assert_int_equal(f.app, id);
	assert_memory_equal(f.data, "question", 8);
	assert_true(guest_hears(WIRE_EOF, &f));
	assert_int_equal(peer_hears(p, WIRE_CREDIT, &f), 1);
	assert_int_equal(wire_u32(f.data), 8);

	(void)frame_put(&guest, WIRE_DATA, id, WIRE_STDERR, "answer", 6);
	(void)frame_put(&guest, WIRE_EOF, id, WIRE_STDOUT, NULL, 0);
	(void)frame_put(&guest, WIRE_EOF, id, WIRE_STDERR, NULL, 0);
	(void)frame_put_app(&guest, id, WIRE_APP_EXITED, 3, "");
	guest_said();
	assert_int_equal(peer_hears(p, WIRE_EOF, &f), 1);
	assert_int_equal(f.stream, WIRE_STDOUT);
	assert_int_equal(peer_hears(p, WIRE_DATA, &f), 1);
	assert_int_equal(f.stream, WIRE_STDERR);
	assert_int_equal(peer_hears(p, WIRE_EOF, &f), 1);
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_EXITED);
	assert_int_equal(wire_u32(f.data + 4), 3);
	assert_int_equal(peer_hears(p, WIRE_APP, &f), -1);
	peer_free(p);
}

/* What the guest may send is what the peer has taken, and one window more that waits here. */
static void a_slow_reader_stalls_only_itself(void **state)
{
	static char data[WIRE_PAYLOAD_MAX];
	unsigned slow_id, quick_id;
	struct peer *slow, *quick;
	size_t sent = 0;
	struct frame f;

	(void)state;
	start_pod();
	slow = peer_entered(&slow_id);
	quick = peer_entered(&quick_id);
	for (int round = 0; round < 8; round++) {
		while (session_find(s, slow_id)->out[WIRE_STDOUT].allowed >= sizeof(data)) {
			(void)frame_put(&guest, WIRE_DATA, slow_id, WIRE_STDOUT, data, sizeof(data));
			guest_said();
			sent += sizeof(data);
		}
		turn();
	}
	assert_in_range(sent, WIRE_WINDOW, 2 * WIRE_WINDOW);
	(void)frame_put(&guest, WIRE_DATA, quick_id, WIRE_STDOUT, "x", 1);
	guest_said();
	assert_int_equal(peer_hears(quick, WIRE_DATA, &f), 1);
	for (size_t got = 0; got < sent; got += f.len) {
		assert_int_equal(peer_hears(slow, WIRE_DATA, &f), 1);
		(void)frame_put_u32(&slow->wr, WIRE_CREDIT, WIRE_EXEC_FIRST, WIRE_STDOUT, f.len);
		peer_send(slow);
	}
	assert_true(session_find(s, slow_id)->out[WIRE_STDOUT].allowed >= sizeof(data));
	peer_free(slow);
	peer_free(quick);
}

static void who_goes_away_takes_the_process_along(void **state)
{
	struct frame f;
	struct peer *p;
	unsigned id;

	(void)state;
	start_pod();
	p = peer_entered(&id);
	peer_free(p);
	assert_true(guest_hears(WIRE_KILL, &f));
	assert_int_equal(f.app, id);
}

static void a_peer_out_of_turn_costs_only_itself(void **state)
{
	static const struct {
		enum wire_type type;
		unsigned stream;
		size_t len;
	} rows[] = {
		{ WIRE_START, 0, 0 }, /* without a request */
		{ WIRE_DATA, WIRE_STDIN, 5 },
		{ WIRE_CREDIT, WIRE_STDOUT, 4 },
		{ WIRE_END, 0, 0 },
		{ WIRE_APP, 0, 8 },
	};
	static const uint8_t bytes[8] = { 0xff };
	struct peer *good, *bad;
	struct frame f;
	unsigned id;

	(void)state;
	start_pod();
	good = peer_entered(&id);
	for (size_t i = 0; i < COUNT(rows); i++) {
		bad = peer_new();
		(void)frame_put(&bad->wr, rows[i].type, WIRE_EXEC_FIRST, rows[i].stream, bytes, rows[i].len);
		peer_send(bad);
		assert_int_equal(peer_hears(bad, WIRE_APP, &f), -1);
		peer_free(bad);
	}
	bad = peer_new();
	memset(&bad->wr, 0, sizeof(bad->wr));
	(void)frame_put(&bad->wr, WIRE_EXEC, WIRE_EXEC_FIRST, 0, bytes, sizeof(bytes)); /* no greeting */
	peer_send(bad);
	assert_int_equal(peer_hears(bad, WIRE_APP, &f), -1);
	peer_free(bad);
	(void)frame_put(&guest, WIRE_DATA, id, WIRE_STDOUT, "x", 1);
	guest_said();
	assert_int_equal(peer_hears(good, WIRE_DATA, &f), 1);
	peer_free(good);
}

static void requests_have_a_limit(void **state)
{
	static uint8_t bytes[WIRE_PAYLOAD_MAX];
	struct peer *p = peer_new();
	struct frame f;
	int ret = 0;

	(void)state;
	start_pod();
	for (size_t n = 0; n <= WIRE_EXEC_MAX && ret == 0; n += sizeof(bytes)) {
		(void)frame_put(&p->wr, WIRE_EXEC, WIRE_EXEC_FIRST, 0, bytes, sizeof(bytes));
		peer_send(p);
		ret = peer_hears(p, WIRE_APP, &f);
	}
	assert_int_equal(ret, -1);
	peer_free(p);
}

static void a_pod_that_ends_says_so(void **state)
{
	struct peer *p, *late;
	struct frame f;
	unsigned id;

	(void)state;
	start_pod();
	p = peer_entered(&id);
	session_stop(s, 1000);
	late = peer_new();
	peer_asks(late);
	assert_int_equal(peer_hears(late, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_FAILED);
	assert_true(f.len > 8);
	peer_free(late);
	(void)frame_put(&guest, WIRE_EOF, id, WIRE_STDOUT, NULL, 0);
	(void)frame_put(&guest, WIRE_EOF, id, WIRE_STDERR, NULL, 0);
	(void)frame_put_app(&guest, id, WIRE_APP_KILLED, 15, "");
	guest_said();
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_KILLED);
	peer_free(p);
}

/* Two windows of output, of which the peer has one and has read none, when the pod is to end. */
static struct peer *peer_behind(unsigned *id_r)
{
	static char data[WIRE_PAYLOAD_MAX];
	const struct session_out *out;
	struct peer *p;

	start_pod();
	p = peer_entered(id_r);
	out = &session_find(s, *id_r)->out[WIRE_STDOUT];
	for (int i = 0; i < 8; i++) {
		(void)frame_put(&guest, WIRE_DATA, *id_r, WIRE_STDOUT, data, sizeof(data));
		guest_said();
		turn();
	}
	assert_int_equal(out->end - out->start, WIRE_WINDOW);
	assert_int_equal(control_deadline(c, s), -1);
	session_stop(s, 1000);
	turn();
	return p;
}

static void command_ends(unsigned id)
{
	(void)frame_put(&guest, WIRE_EOF, id, WIRE_STDOUT, NULL, 0);
	(void)frame_put(&guest, WIRE_EOF, id, WIRE_STDERR, NULL, 0);
	(void)frame_put_app(&guest, id, WIRE_APP_EXITED, 0, "");
	guest_said();
}

static void a_pod_that_ends_does_not_wait_for_a_slow_reader(void **state)
{
	struct session_out *out;
	struct frame f;
	struct peer *p;
	unsigned id;

	(void)state;
	p = peer_behind(&id);
	out = &session_find(s, id)->out[WIRE_STDOUT];
	assert_true(session_waits(out));
	assert_in_range(control_deadline(c, s), monotonic_ms(), monotonic_ms() + CONTROL_LAST_PATIENCE_MS);
	c->last_patience_ms = 0;
	assert_true(guest_hears(WIRE_EOF, &f));
	assert_int_equal(f.app, id);
	assert_int_equal(f.stream, WIRE_STDOUT);
	assert_int_equal(out->start, out->end);
	assert_int_equal(control_deadline(c, s), -1);
	command_ends(id);
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_FAILED);
	assert_int_equal(wire_u32(f.data + 4), CONTROL_FAILED_STATUS);
	peer_free(p);
}

static void who_reads_in_time_has_all_of_it(void **state)
{
	struct frame f;
	struct peer *p;
	unsigned id;

	(void)state;
	p = peer_behind(&id);
	command_ends(id);
	for (size_t got = 0; got < 2 * WIRE_WINDOW; got += f.len) {
		assert_int_equal(peer_hears(p, WIRE_DATA, &f), 1);
		if (got >= WIRE_WINDOW)
			continue; /* the end has come: nobody takes credit any more */
		(void)frame_put_u32(&p->wr, WIRE_CREDIT, WIRE_EXEC_FIRST, WIRE_STDOUT, f.len);
		peer_send(p);
	}
	assert_int_equal(peer_hears(p, WIRE_APP, &f), 1);
	assert_int_equal(wire_u32(f.data), WIRE_APP_EXITED);
	assert_int_equal(wire_u32(f.data + 4), 0);
	peer_free(p);
}

/* Reads until the last word, which is returned, and gives credit; 0: hung up before it, or bytes are missing. */
static uint32_t reads_all(struct peer *p)
{
	struct err e = ERR_INIT;
	size_t got = 0, room;
	struct frame f;
	ssize_t n;

	(void)fcntl(p->fd, F_SETFL, 0);
	for (;;) {
		uint8_t *space = frame_space(&p->rd, &room);

		n = recv(p->fd, space, room, 0);
		if (n <= 0)
			return 0;
		frame_added(&p->rd, (size_t)n);
		while (frame_pop(&p->rd, &f, &e) == FRAME_READY) {
			const uint8_t *credit;

			if (f.type == WIRE_APP)
				return wire_u32(f.data) == WIRE_APP_EXITED && got < 2 * WIRE_WINDOW ? 0 : wire_u32(f.data);
			if (f.type != WIRE_DATA)
				continue;
			got += f.len;
			(void)frame_put_u32(&p->wr, WIRE_CREDIT, WIRE_EXEC_FIRST, f.stream, f.len);
			credit = frame_queued(&p->wr, &room);
			(void)send(p->fd, credit, room, MSG_NOSIGNAL);
			frame_sent(&p->wr, room);
		}
	}
}

/* One who is behind with reading when the command, and then the pod, has ended. */
static struct peer *peer_behind_the_end(void)
{
	unsigned id;
	struct peer *p = peer_behind(&id);

	command_ends(id);
	(void)frame_put_app(&guest, 0, WIRE_APP_EXITED, 0, "");
	(void)frame_put(&guest, WIRE_END, 0, 0, NULL, 0);
	guest_said();
	return p;
}

/* The pod has ended, and its supervisor waits a little for who reads; not for who does not. */
static void the_last_of_a_command_is_told_when_the_pod_has_ended(void **state)
{
	struct peer *p = peer_behind_the_end();
	int status;
	pid_t reader;

	(void)state;
	reader = fork();
	if (reader == 0)
		_exit((int)reads_all(p));
	control_close(c, s);
	c = NULL;
	assert_int_equal(waitpid(reader, &status, 0), reader);
	assert_int_equal(WEXITSTATUS(status), WIRE_APP_EXITED);
	peer_free(p);
}

static void who_does_not_read_is_told_so(void **state)
{
	struct peer *p = peer_behind_the_end();

	(void)state;
	c->last_patience_ms = 1;
	control_close(c, s);
	c = NULL;
	assert_int_equal(reads_all(p), WIRE_APP_FAILED);
	peer_free(p);
}

static void there_is_room_for_so_many_and_the_rest_waits(void **state)
{
	struct peer *peers[WIRE_EXEC_COUNT], *waiting;
	struct pollfd fds[CONTROL_POLL_MAX];
	struct frame f;
	unsigned id;

	(void)state;
	start_pod();
	for (size_t i = 0; i < COUNT(peers); i++)
		peers[i] = peer_entered(&id);
	waiting = peer_new();
	peer_asks(waiting);
	assert_false(guest_hears(WIRE_START, &f));
	assert_int_equal(control_prepare(c, s, fds), CONTROL_POLL_MAX);
	assert_int_equal(fds[0].fd, -1);
	peer_free(peers[0]);
	turn();
	(void)frame_put_app(&guest, WIRE_EXEC_FIRST, WIRE_APP_KILLED, 1, "");
	guest_said();
	assert_true(guest_hears(WIRE_START, &f));
	assert_int_equal(f.app, WIRE_EXEC_FIRST);
	for (size_t i = 1; i < COUNT(peers); i++)
		peer_free(peers[i]);
	peer_free(waiting);
}

static void replaces_a_socket_that_was_left(void **state)
{
	struct err e = ERR_INIT;
	struct control *again;

	(void)state;
	start_pod();
	assert_int_equal(control_open(&again, &e), 0);
	control_close(again, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, peers_setup, peers_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_root_may_connect),
		TEST(nobody_is_heard_before_the_apps_run),
		TEST(apps_that_come_hold_up_nobody),
		TEST(streams_go_both_ways_and_the_end_comes_last),
		TEST(a_slow_reader_stalls_only_itself),
		TEST(who_goes_away_takes_the_process_along),
		TEST(a_peer_out_of_turn_costs_only_itself),
		TEST(requests_have_a_limit),
		TEST(a_pod_that_ends_says_so),
		TEST(a_pod_that_ends_does_not_wait_for_a_slow_reader),
		TEST(who_reads_in_time_has_all_of_it),
		TEST(the_last_of_a_command_is_told_when_the_pod_has_ended),
		TEST(who_does_not_read_is_told_so),
		TEST(there_is_room_for_so_many_and_the_rest_waits),
		TEST(replaces_a_socket_that_was_left),
	};

	return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
