/* The `enter` entrypoint, in a child, against the supervisor's socket. */
#include "tests/unit/peers.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/control_internal.h"
#include "stage1/enter.h"
#include "stage1/signals.h"

enum { HANGS_S = 20, AGAIN_MS = 100, FAILED = 99 };

struct entered {
	pid_t pid;
	int pidfd;
	int out, err; /* the other ends of its stdout and stderr */
	unsigned id;  /* of the command */
};

static void run_enter(const int out[2], const int err[2])
{
	char *argv[] = { (char *)"ls", NULL };
	const struct enter_opts opts = { .argv = argv, .argc = 1 };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), signals, status;
	struct err e = ERR_INIT;

	(void)alarm(HANGS_S);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(out[1], STDOUT_FILENO) < 0 || dup2(err[1], STDERR_FILENO) < 0)
		_exit(FAILED);
	if (signals_open(&signals, &e) == 0 && enter_pod(&opts, signals, &status, &e) == 0)
		_exit(status);
	(void)write_all(STDERR_FILENO, e.msg, strlen(e.msg));
	_exit(FAILED);
}

/* A turn of the supervisor's loop once somebody has something for it, or has taken something. */
static void wait_and_turn(void)
{
	struct pollfd fds[CONTROL_POLL_MAX];

	assert_true(poll(fds, control_prepare(c, s, fds), HANGS_S * 1000) > 0);
	turn();
}

/* Its stdout is a pipe that takes a page. */
static struct entered enter(void)
{
	static const char manifest[] = "{\"acVersion\":\"1.30.0\",\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"app\",\"image\":{}}]}";
	struct err e = ERR_INIT;
	struct entered n;
	int out[2], err[2];
	struct frame f;

	start_pod();
	assert_int_equal(write_file_atomic(AT_FDCWD, "pod", manifest, strlen(manifest), 0644, &e), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC) | pipe2(err, O_CLOEXEC), 0);
	assert_true(fcntl(out[1], F_SETPIPE_SZ, 4096) > 0);
	n = (struct entered){ .pid = fork(), .out = out[0], .err = err[0] };
	if (n.pid == 0)
		run_enter(out, err);
	n.pidfd = (int)syscall(SYS_pidfd_open, n.pid, 0);
	assert_true(n.pidfd >= 0);
	(void)close(out[1]);
	(void)close(err[1]);
	while (!guest_hears(WIRE_START, &f))
		wait_and_turn();
	n.id = f.app;
	(void)frame_put_app(&guest, n.id, WIRE_APP_STARTED, 99, "");
	guest_said();
	return n;
}

/* It has written more than its reader takes, and has ended; enter has been told. */
static void command_writes_and_ends(unsigned id)
{
	static char data[WIRE_PAYLOAD_MAX];

	(void)frame_put(&guest, WIRE_DATA, id, WIRE_STDOUT, data, sizeof(data));
	(void)frame_put(&guest, WIRE_EOF, id, WIRE_STDOUT, NULL, 0);
	(void)frame_put(&guest, WIRE_EOF, id, WIRE_STDERR, NULL, 0);
	(void)frame_put_app(&guest, id, WIRE_APP_EXITED, 3, "");
	guest_said();
	turn();
	while (c->nclients > 0)
		wait_and_turn();
}

static int status_of(const struct entered *n)
{
	int status;

	assert_int_equal(waitpid(n->pid, &status, 0), n->pid);
	assert_true(WIFEXITED(status));
	(void)close(n->pidfd);
	(void)close(n->out);
	(void)close(n->err);
	assert_int_equal(unlink("pod"), 0);
	return WEXITSTATUS(status);
}

static void writes_all_of_it(void **state)
{
	struct entered n = enter();
	size_t got = 0;
	char buf[4096];
	ssize_t len;

	(void)state;
	command_writes_and_ends(n.id);
	while ((len = read(n.out, buf, sizeof(buf))) > 0)
		got += (size_t)len;
	assert_int_equal(got, WIRE_PAYLOAD_MAX);
	assert_int_equal(status_of(&n), 3);
}

/* A signal is for the command while there is one; then it is for who waits for a reader that does not read. */
static void can_be_left_when_nobody_reads(void **state)
{
	struct entered n = enter();
	struct pollfd end = { .fd = n.pidfd, .events = POLLIN };
	char text[200] = "";
	struct frame f;

	(void)state;
	assert_int_equal(kill(n.pid, SIGTERM), 0);
	while (!guest_hears(WIRE_KILL, &f))
		wait_and_turn();
	assert_int_equal(wire_u32(f.data), SIGTERM);
	command_writes_and_ends(n.id);
	do /* it may not have heard yet that the command has ended */
		assert_int_equal(kill(n.pid, SIGTERM), 0);
	while (poll(&end, 1, AGAIN_MS) == 0);
	assert_true(read(n.err, text, sizeof(text) - 1) > 0);
	assert_string_equal(text, "left before all that the command wrote was read");
	assert_int_equal(status_of(&n), FAILED);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, peers_setup, peers_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(writes_all_of_it),
		TEST(can_be_left_when_nobody_reads),
	};

	return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
