/* Processes by their notes: the noted one is found and ended, one that got its number never. */
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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/pidnote.h"

static char dir[] = "/tmp/pidnote.XXXXXX";

/* Its name is the worst one: stat has names in brackets. */
static pid_t start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		(void)prctl(PR_SET_NAME, "a) 1 2 3 (");
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		(void)raise(SIGSTOP);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	return pid;
}

static bool noted(void)
{
	int fd = pidnote_open("note");

	if (fd >= 0)
		(void)close(fd);
	return fd >= 0;
}

static void ends_what_is_noted(void **state)
{
	struct err e = ERR_INIT;
	pid_t pid = start();
	int status;

	(void)state;
	assert_int_equal(pidnote_write("note", pid, &e), 0);
	assert_true(noted());
	assert_int_equal(pidnote_end("note", &e), 0);
	assert_int_equal(access("note", F_OK), -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(pidnote_end("note", &e), 0); /* nothing noted */
	assert_int_equal(pidnote_write("note", pid, &e), -1);
}

/* As it was written, with its n-th word another one: 0 is the boot, 1 the number, 2 the start. */
static void spoil(const char *good, int n, const char *word)
{
	AUTO_FREE char *copy = xstrdup(good), *note = NULL;
	char *w[3], *save;
	struct err e = ERR_INIT;

	w[0] = strtok_r(copy, " \n", &save);
	w[1] = strtok_r(NULL, " \n", &save);
	w[2] = strtok_r(NULL, " \n", &save);
	assert_non_null(w[2]);
	note = xasprintf("%s %s %s\n", n == 0 ? word : w[0], n == 1 ? word : w[1], n == 2 ? word : w[2]);
	assert_int_equal(write_file_atomic(AT_FDCWD, "note", note, strlen(note), 0644, &e), 0);
}

static void leaves_others_alone(void **state)
{
	AUTO_FREE char *good = NULL;
	struct err e = ERR_INIT;
	pid_t pid = start(), later;
	char other[16];
	size_t len;

	(void)state;
	(void)usleep(30000); /* start times are in ticks of 10 ms */
	later = start();
	(void)snprintf(other, sizeof(other), "%d", (int)later);
	assert_int_equal(pidnote_write("note", pid, &e), 0);
	assert_int_equal(read_file_at(AT_FDCWD, "note", 200, &good, &len, &e), 0);
	const struct {
		int n;
		const char *word;
	} rows[] = { { 0, "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01" }, { 1, other }, { 1, "1" }, { 1, "-5" }, { 1, "x" },
		{ 2, "1" }, { 2, "x" } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		spoil(good, rows[i].n, rows[i].word);
		assert_false(noted());
		assert_int_equal(pidnote_end("note", &e), 0);
		assert_int_equal(access("note", F_OK), -1);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), 0); /* both live */
	}
	spoil(good, 3, "");
	assert_true(noted());
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_false(noted());
	assert_int_equal(kill(later, SIGKILL), 0);
	assert_int_equal(waitpid(later, NULL, 0), later);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_what_is_noted),
		cmocka_unit_test(leaves_others_alone),
	};
	int ret;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 1;
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink("note");
	(void)!chdir("/");
	(void)rmdir(dir);
	return ret;
}
