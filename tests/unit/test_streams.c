/* An app's pipes in the guest against a dom0 that gives credit, or none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "init/streams.h"
#include "stage1/common/util.h"

static struct streams s;
static struct frame_writer wr;
static struct frame_reader rd;
static int app[WIRE_STREAMS]; /* the app's ends */
static uint8_t big[WIRE_WINDOW];

static int setup(void **state)
{
	int fds[WIRE_STREAMS];

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	memset(&wr, 0, sizeof(wr));
	memset(&rd, 0, sizeof(rd));
	for (int i = 0; i < WIRE_STREAMS; i++) {
		int p[2];

		assert_int_equal(pipe2(p, O_CLOEXEC | O_NONBLOCK), 0);
		fds[i] = p[i == WIRE_STDIN ? 1 : 0];
		app[i] = p[i == WIRE_STDIN ? 0 : 1];
	}
	streams_init(&s, 5, fds);
	return 0;
}

static void close_app(int i)
{
	if (app[i] >= 0)
		assert_int_equal(close(app[i]), 0);
	app[i] = -1;
}

static int teardown(void **state)
{
	(void)state;
	streams_close(&s);
	streams_close(&s);
	for (int i = 0; i < WIRE_STREAMS; i++)
		close_app(i);
	return 0;
}

static void dom0_says(enum wire_type type, unsigned stream, const void *data, size_t len)
{
	const struct frame f = { .type = type, .app = 5, .stream = stream, .data = data, .len = (uint32_t)len };

	streams_frame(&s, &f);
}

static void dom0_credits(unsigned stream, uint32_t n)
{
	uint8_t bytes[4];

	wire_put_u32(bytes, n);
	dom0_says(WIRE_CREDIT, stream, bytes, sizeof(bytes));
}

struct told { size_t data[WIRE_STREAMS], eof[WIRE_STREAMS], credit[WIRE_STREAMS], frames; };

/* What is queued for dom0, summed up. */
static struct told hear(void)
{
	struct told t = { .frames = 0 };
	struct err e = ERR_INIT;
	struct frame f;
	size_t len, room;
	const uint8_t *data = frame_queued(&wr, &len);

	memcpy(frame_space(&rd, &room), data, len);
	frame_added(&rd, len);
	frame_sent(&wr, len);
	for (; frame_pop(&rd, &f, &e) == FRAME_READY; t.frames++) {
		assert_int_equal(f.app, 5);
		if (f.type == WIRE_DATA)
			t.data[f.stream] += f.len;
		else if (f.type == WIRE_EOF)
			t.eof[f.stream]++;
		else if (f.type == WIRE_CREDIT)
			t.credit[f.stream] += wire_u32(f.data);
		else
			fail_msg("frame of type %d", f.type);
	}
	assert_int_equal(e.kind, ERR_NONE);
	assert_int_equal(frame_pending(&rd), 0);
	return t;
}

static struct told produce(void)
{
	streams_produce(&s, &wr);
	return hear();
}

static size_t app_writes(int i, size_t len)
{
	ssize_t n = write(app[i], big, len);

	return n < 0 ? 0 : (size_t)n;
}

static size_t app_reads(void)
{
	ssize_t n = read(app[WIRE_STDIN], big, sizeof(big));

	return n < 0 ? 0 : (size_t)n;
}

static void carries_output_as_far_as_credit_goes(void **state)
{
	size_t sent = 0;

	(void)state;
	for (int i = 0; i < 100; i++) {
		(void)app_writes(WIRE_STDOUT, 4096);
		sent += produce().data[WIRE_STDOUT];
	}
	assert_int_equal(sent, WIRE_WINDOW);
	assert_int_equal(app_writes(WIRE_STDERR, 10), 10); /* the other stream has its own */
	assert_int_equal(produce().data[WIRE_STDERR], 10);
	dom0_credits(WIRE_STDOUT, 7);
	assert_int_equal(produce().data[WIRE_STDOUT], 7);
	assert_int_equal(produce().frames, 0);
}

static void an_end_is_said_once(void **state)
{
	struct told t;

	(void)state;
	assert_int_equal(app_writes(WIRE_STDERR, 3), 3);
	close_app(WIRE_STDERR);
	assert_false(streams_done(&s));
	t = produce();
	assert_int_equal(t.data[WIRE_STDERR], 3);
	assert_int_equal(t.eof[WIRE_STDERR], 1);
	assert_false(streams_done(&s));
	close_app(WIRE_STDOUT);
	assert_int_equal(produce().eof[WIRE_STDOUT], 1);
	assert_true(streams_done(&s));
	assert_int_equal(produce().frames, 0);
}

static void an_end_waits_for_credit_and_room(void **state)
{
	struct told t;

	(void)state;
	for (size_t sent = 0; sent < WIRE_WINDOW; sent += produce().data[WIRE_STDOUT])
		(void)app_writes(WIRE_STDOUT, 4096);
	assert_int_equal(app_writes(WIRE_STDOUT, 5), 5);
	close_app(WIRE_STDOUT);
	close_app(WIRE_STDERR);
	assert_int_equal(produce().eof[WIRE_STDOUT], 0); /* 5 bytes are before it */
	dom0_credits(WIRE_STDOUT, 5);
	while (frame_room(&wr) > 3) { /* until there is room for 3 bytes of data, then for nothing */
		size_t queued, room;

		(void)frame_queued(&wr, &queued);
		room = sizeof(wr.buf) - queued - WIRE_HEAD - 3;
		room = room > WIRE_PAYLOAD_MAX + WIRE_HEAD ? WIRE_PAYLOAD_MAX : room - WIRE_HEAD;
		assert_true(frame_put(&wr, WIRE_DATA, 5, WIRE_STDERR, big, room));
	}
	streams_produce(&s, &wr);
	assert_int_equal(frame_room(&wr), 0);
	assert_false(streams_done(&s));
	t = hear();
	assert_int_equal(t.data[WIRE_STDOUT], 3);
	assert_int_equal(t.eof[WIRE_STDOUT], 0);
	assert_int_equal(produce().data[WIRE_STDOUT], 2);
	dom0_credits(WIRE_STDOUT, 1); /* the end is found by reading, which takes credit */
	assert_int_equal(produce().eof[WIRE_STDOUT], 1);
	assert_true(streams_done(&s));
}

static void dom0_may_refuse_output(void **state)
{
	(void)state;
	dom0_says(WIRE_EOF, WIRE_STDOUT, NULL, 0);
	errno = 0;
	assert_int_equal(app_writes(WIRE_STDOUT, 1), 0);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(produce().frames, 0);
	dom0_says(WIRE_EOF, WIRE_STDERR, NULL, 0);
	assert_true(streams_done(&s));
}

static void carries_stdin_and_credits_it(void **state)
{
	struct told t;

	(void)state;
	dom0_says(WIRE_DATA, WIRE_STDIN, "hello", 5);
	t = produce();
	assert_int_equal(t.credit[WIRE_STDIN], 5);
	assert_int_equal(app_reads(), 5);
	assert_memory_equal(big, "hello", 5);
	assert_int_equal(produce().frames, 0);
	dom0_says(WIRE_DATA, WIRE_STDIN, "bye", 3);
	dom0_says(WIRE_EOF, WIRE_STDIN, NULL, 0);
	t = produce();
	assert_int_equal(t.credit[WIRE_STDIN], 3);
	assert_int_equal(t.eof[WIRE_STDIN], 0); /* dom0 knows */
	assert_int_equal(app_reads(), 3);
	assert_int_equal(read(app[WIRE_STDIN], big, 1), 0);
}

/* An app that does not read: all of a window is kept, and nothing of it is credited beyond what left. */
static void keeps_a_window_of_stdin(void **state)
{
	size_t sent = 0, credited = 0, taken = 0;
	uint8_t part[WIRE_PAYLOAD_MAX], next = 0, want = 0;

	(void)state;
	assert_int_equal(fcntl(app[WIRE_STDIN], F_SETPIPE_SZ, 4096), 4096);
	for (int round = 0; round < 500; round++) {
		size_t n = (size_t)(1 + round * 7919 % WIRE_PAYLOAD_MAX);

		if (n <= WIRE_WINDOW + credited - sent) {
			for (size_t i = 0; i < n; i++)
				part[i] = next++;
			dom0_says(WIRE_DATA, WIRE_STDIN, part, n);
			sent += n;
		}
		credited += produce().credit[WIRE_STDIN];
		assert_in_range(sent - credited, 0, WIRE_WINDOW);
		if (round % 3) {
			n = app_reads();
			for (size_t i = 0; i < n; i++)
				assert_int_equal(big[i], want++);
			taken += n;
		}
	}
	dom0_says(WIRE_EOF, WIRE_STDIN, NULL, 0);
	for (int round = 0; round < 100; round++) {
		credited += produce().credit[WIRE_STDIN];
		taken += app_reads();
	}
	assert_int_equal(taken, sent); /* the end came behind all of it */
	assert_int_equal(credited, sent);
	assert_int_equal(read(app[WIRE_STDIN], big, 1), 0);
}

static void drops_what_exceeds_the_window(void **state)
{
	(void)state;
	assert_int_equal(fcntl(app[WIRE_STDIN], F_SETPIPE_SZ, 4096), 4096);
	for (int i = 0; i < 20; i++)
		dom0_says(WIRE_DATA, WIRE_STDIN, big, WIRE_PAYLOAD_MAX);
	assert_int_equal(s.in_end, WIRE_WINDOW);
}

static void tells_when_the_app_closes_stdin(void **state)
{
	struct told t;

	(void)state;
	close_app(WIRE_STDIN);
	dom0_says(WIRE_DATA, WIRE_STDIN, "x", 1);
	t = produce();
	assert_int_equal(t.eof[WIRE_STDIN], 1);
	assert_int_equal(t.credit[WIRE_STDIN], 0);
	dom0_says(WIRE_DATA, WIRE_STDIN, "y", 1); /* it was on its way */
	dom0_says(WIRE_EOF, WIRE_STDIN, NULL, 0);
	assert_int_equal(produce().frames, 0);
}

static void waits_only_for_what_can_be_done(void **state)
{
	struct pollfd fds[WIRE_STREAMS];

	(void)state;
	streams_poll(&s, true, fds);
	assert_int_equal(fds[WIRE_STDIN].fd, -1); /* nothing to write */
	assert_int_equal(fds[WIRE_STDOUT].fd, s.out[WIRE_STDOUT].fd);
	assert_int_equal(fds[WIRE_STDOUT].events, POLLIN);
	assert_int_equal(fds[WIRE_STDERR].fd, s.out[WIRE_STDERR].fd);
	streams_poll(&s, false, fds);
	assert_int_equal(fds[WIRE_STDOUT].fd, -1);
	dom0_says(WIRE_DATA, WIRE_STDIN, "x", 1);
	s.out[WIRE_STDERR].credit = 0;
	streams_poll(&s, true, fds);
	assert_int_equal(fds[WIRE_STDIN].fd, s.stdin_fd);
	assert_int_equal(fds[WIRE_STDIN].events, POLLOUT);
	assert_int_equal(fds[WIRE_STDERR].fd, -1);
	streams_close(&s);
	streams_poll(&s, true, fds);
	for (int i = 0; i < WIRE_STREAMS; i++)
		assert_int_equal(fds[i].fd, -1);
	assert_true(streams_done(&s));
}

static void an_empty_struct_has_no_streams(void **state)
{
	int zero = fcntl(STDIN_FILENO, F_GETFD) < 0 ? open("/dev/null", O_RDONLY | O_CLOEXEC) : 0;
	struct streams none = { .app = 0 };
	struct pollfd fds[WIRE_STREAMS];

	(void)state;
	assert_int_equal(zero, 0);
	streams_poll(&none, true, fds);
	for (int i = 0; i < WIRE_STREAMS; i++)
		assert_int_equal(fds[i].fd, -1);
	assert_true(streams_done(&none));
	streams_produce(&none, &wr);
	assert_int_equal(hear().frames, 0);
	streams_close(&none);
	assert_int_not_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(carries_output_as_far_as_credit_goes),
		T(an_end_is_said_once),
		T(an_end_waits_for_credit_and_room),
		T(dom0_may_refuse_output),
		T(carries_stdin_and_credits_it),
		T(keeps_a_window_of_stdin),
		T(drops_what_exceeds_the_window),
		T(tells_when_the_app_closes_stdin),
		T(waits_only_for_what_can_be_done),
		T(an_empty_struct_has_no_streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
