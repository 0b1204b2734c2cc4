/* The pipe of signals: what is ours comes out of it, in order; what our children are sent does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/signals.h"

static int fd;

static void each_comes_once(void **state)
{
	(void)state;
	assert_int_equal(signals_next(fd), 0);
	(void)raise(SIGTERM);
	(void)raise(SIGPWR);
	(void)raise(SIGHUP);
	assert_int_equal(signals_next(fd), SIGTERM);
	assert_int_equal(signals_next(fd), SIGPWR);
	assert_int_equal(signals_next(fd), SIGHUP);
	assert_int_equal(signals_next(fd), 0);
}

/* A terminal's ^C, and the end of a unit, are sent to both. */
static void a_childs_are_not_ours(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(raise(SIGINT) == 0 ? 5 : 6);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 5 << 8); /* nor do they end it */
	assert_int_equal(signals_next(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_comes_once),
		cmocka_unit_test(a_childs_are_not_ours),
	};
	struct err e = ERR_INIT;

	return signals_open(&fd, &e) < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
