/* Writing to the user's descriptors: never waits, and changes nothing about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/sink.h"

static char big[1 << 20];
static int fds[2]; /* [1] is the user's */
static struct sink sink;

static int setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	(void)alarm(20); /* a write that waits must not stop the tests */
	memset(big, 'x', sizeof(big));
	fds[0] = fds[1] = -1;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sink_close(&sink);
	assert_int_equal(sink.fd, -1);
	for (int i = 0; i < 2; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	return 0;
}

static size_t drain(void)
{
	size_t total = 0;
	ssize_t n;

	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	while ((n = read(fds[0], big, sizeof(big))) > 0)
		total += (size_t)n;
	return total;
}

/* Writes until it would wait; 0 comes, and comes again. */
static size_t fill(size_t chunk)
{
	size_t total = 0;
	ssize_t n;

	while ((n = sink_write(&sink, big, chunk)) > 0)
		total += (size_t)n;
	assert_int_equal(n, 0);
	assert_int_equal(sink_write(&sink, big, 1), 0);
	return total;
}

static void a_full_pipe_is_not_waited_for(void **state)
{
	size_t total;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink_open(&sink, fds[1]);
	assert_true(sink.own);
	total = fill(sizeof(big));
	assert_in_range(total, 4096, sizeof(big));
	assert_int_equal(drain(), total);
	assert_int_equal(sink_write(&sink, "again", 5), 5);
	assert_int_equal(drain(), 5);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0); /* the user's stays as it was */
	sink_close(&sink);
	assert_int_equal(write(fds[1], "mine", 4), 4); /* and open */
}

/* Without a descriptor of its own (no /proc, no right to open it): a write may not wait either. */
static void a_full_pipe_of_another_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink = (struct sink){ .fd = fds[1], .chunk = PIPE_BUF };
	assert_int_equal(fill(sizeof(big)) % PIPE_BUF, 0);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	(void)close(fds[0]);
	fds[0] = -1;
	assert_int_equal(sink_write(&sink, big, 1), -1);
}

static void a_pipe_nobody_reads_is_an_error(void **state)
{
	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	sink_open(&sink, fds[1]);
	(void)close(fds[0]);
	fds[0] = -1;
	assert_int_equal(sink_write(&sink, big, 1), -1);
	assert_int_equal(errno, EPIPE);
	sink_close(&sink);
	sink_open(&sink, fds[1]);
	assert_int_equal(sink_write(&sink, big, 1), -1);
}

static void a_full_socket_is_not_waited_for(void **state)
{
	size_t total;

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	sink_open(&sink, fds[1]);
	assert_true(sink.socket);
	total = fill(1000);
	assert_int_equal(drain(), total);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
	(void)close(fds[0]);
	fds[0] = -1;
	(void)signal(SIGPIPE, SIG_DFL); /* a socket says it without the signal */
	assert_int_equal(sink_write(&sink, big, 1), -1);
}

static void a_file_takes_all(void **state)
{
	char path[] = "/tmp/test_sink.XXXXXX";

	(void)state;
	fds[0] = mkstemp(path);
	fds[1] = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(unlink(path), 0);
	sink_open(&sink, fds[1]);
	assert_false(sink.own);
	assert_int_equal(sink_write(&sink, big, sizeof(big)), sizeof(big));
	assert_int_equal(sink_write(&sink, "end", 3), 3);
	assert_int_equal(drain(), sizeof(big) + 3);
}

static void other_descriptors(void **state)
{
	(void)state;
	fds[1] = open("/dev/null", O_WRONLY | O_CLOEXEC);
	sink_open(&sink, fds[1]);
	assert_int_equal(sink_write(&sink, big, sizeof(big)), sizeof(big));
	sink_close(&sink);
	(void)close(fds[1]);
	sink_open(&sink, fds[1]); /* closed, as stdout may be */
	assert_int_equal(sink_write(&sink, big, 1), -1);
	assert_int_equal(errno, EBADF);
	fds[1] = open("/dev/full", O_WRONLY | O_CLOEXEC);
	sink_open(&sink, fds[1]);
	assert_int_equal(sink_write(&sink, big, 1), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_full_pipe_is_not_waited_for),
		T(a_full_pipe_of_another_is_not_waited_for),
		T(a_pipe_nobody_reads_is_an_error),
		T(a_full_socket_is_not_waited_for),
		T(a_file_takes_all),
		T(other_descriptors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
