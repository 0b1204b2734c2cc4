/* Trees made beside one another, by processes of which one takes another's for what was left by a dead one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "stage0/root.h"
#include "stage0/treestore.h"
#include "stage1/common/util.h"

/* Where the program locks, once: what another one does just before that. */
static void (*meanwhile)(int store);
static int store;

int flock(int fd, int how)
{
	void (*now)(int) = meanwhile;

	meanwhile = NULL;
	if (now)
		now(store);
	return (int)syscall(SYS_flock, fd, how);
}

int source_identify(struct source *src, struct err *e)
{
	(void)e;
	(void)snprintf(src->aci.id, sizeof(src->aci.id), "sha512-%0128d", 1);
	return 0;
}

int source_unpack(struct source *src, int dir, mode_t mode, struct err *e)
{
	(void)src;
	return write_file_atomic(dir, "manifest", "{}", 2, mode, e);
}

struct fix {
	char path[32];
};

static int set_up(void **state)
{
	struct fix *f = xcalloc(1, sizeof(*f));
	AUTO_FREE char *cas = NULL, *tree = NULL;

	(void)strcpy(f->path, "/tmp/test_treestore.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	cas = xasprintf("%s/cas", f->path);
	tree = xasprintf("%s/tree", cas);
	assert_int_equal(mkdir(cas, 0755), 0);
	assert_int_equal(mkdir(tree, 0755), 0);
	store = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(store >= 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;
	AUTO_CLOSE int tmp = open("/tmp", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	if (tree_remove(tmp, f->path + strlen("/tmp/"), &e) < 0)
		fail_msg("%s", e.msg);
	(void)close(store);
	free(f);
	return 0;
}

static void render(const struct fix *f)
{
	struct source src = SOURCE_INIT;
	char id[TREE_ID_LEN + 1];
	struct err e = ERR_INIT;
	AUTO_FREE char *file = NULL;

	if (tree_render(f->path, "me", &src, id, &e) < 0)
		fail_msg("%s", e.msg);
	file = xasprintf("%s/manifest", id);
	assert_int_equal(faccessat(store, file, F_OK, 0), 0);
	assert_int_equal(faccessat(store, ".new-me", F_OK, 0), -1);
	assert_null(meanwhile);
}

/* By a process that has the lock, and ends when the directory is gone. */
static void take_away(int at)
{
	int ends[2];
	char c;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	if (fork() == 0) {
		int fd = openat(at, ".new-me", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0 || syscall(SYS_flock, fd, LOCK_EX | LOCK_NB) < 0 || write(ends[1], "", 1) < 0 ||
			unlinkat(at, ".new-me", AT_REMOVEDIR) < 0)
			_exit(1);
		_exit(0);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &c, 1), 1);
	(void)close(ends[0]);
}

static void makes_again_what_was_taken_for_a_left_one(void **state)
{
	int status;

	meanwhile = take_away;
	render(*state);
	assert_true(wait(&status) > 0);
	assert_int_equal(status, 0);
}

/* A third process has removed what was left; its name is somebody's own now. */
static void replace(int at)
{
	assert_int_equal(unlinkat(at, ".new-left", AT_REMOVEDIR), 0);
	assert_int_equal(mkdirat(at, ".new-left", 0755), 0);
}

static void leaves_what_has_the_name_of_a_left_one(void **state)
{
	assert_int_equal(mkdirat(store, ".new-left", 0755), 0);
	meanwhile = replace;
	render(*state);
	assert_int_equal(faccessat(store, ".new-left", F_OK, 0), 0);
}

static void removes_what_was_left(void **state)
{
	assert_int_equal(mkdirat(store, ".new-left", 0755), 0);
	render(*state);
	assert_int_equal(faccessat(store, ".new-left", F_OK, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_again_what_was_taken_for_a_left_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_what_has_the_name_of_a_left_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removes_what_was_left, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
