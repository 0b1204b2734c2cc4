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
#include <time.h>

#include "stage0/root.h"
#include "stage0/treegc.h"
#include "stage0/treestore.h"
#include "stage1/common/util.h"

/* Where the program locks a directory, once: what another one does just before that. */
static void (*meanwhile)(int store);
static int store;

int flock(int fd, int how)
{
	void (*now)(int) = meanwhile;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISDIR(st.st_mode))
		return (int)syscall(SYS_flock, fd, how);
	meanwhile = NULL;
	if (now)
		now(store);
	return (int)syscall(SYS_flock, fd, how);
}

/* In place of treegc.c's. */
static bool in_use;

int tree_is_in_use(const char *data, const char *id, struct err *e)
{
	(void)data;
	(void)id;
	(void)e;
	return in_use;
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
	AUTO_FREE char *file = NULL, *mark = NULL;

	if (tree_render(f->path, "me", &src, id, &e) < 0)
		fail_msg("%s", e.msg);
	file = xasprintf("%s/manifest", id);
	mark = xasprintf("%s/rendered", id);
	assert_int_equal(faccessat(store, file, F_OK, 0), 0);
	assert_int_equal(faccessat(store, mark, F_OK, 0), 0);
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

static char *tree_path(const char *below)
{
	struct source src = SOURCE_INIT;
	char id[TREE_ID_LEN + 1];
	struct err e = ERR_INIT;

	assert_int_equal(source_identify(&src, &e), 0);
	tree_id(src.aci.id, id);
	return xasprintf("%s%s", id, below);
}

static void makes_again_what_rkt_left_half_made(void **state)
{
	AUTO_FREE char *tree = tree_path(""), *part = tree_path("/part");

	assert_int_equal(mkdirat(store, tree, 0755), 0);
	assert_int_equal(mkdirat(store, part, 0755), 0);
	render(*state);
	assert_int_equal(faccessat(store, part, F_OK, 0), -1);
}

/* Our first versions did not mark theirs, and a pod may run from one. */
static void leaves_what_a_pod_has(void **state)
{
	AUTO_FREE char *tree = tree_path(""), *part = tree_path("/manifest"), *own = tree_path("/own");

	assert_int_equal(mkdirat(store, tree, 0755), 0);
	assert_int_equal(mkdirat(store, part, 0755), 0);
	assert_int_equal(mkdirat(store, own, 0755), 0);
	in_use = true;
	render(*state);
	in_use = false;
	assert_int_equal(faccessat(store, own, F_OK, 0), 0);
}

static void leaves_what_rkt_has_made(void **state)
{
	static const char *const files[] = { "/manifest", "/hash", "/rendered" };
	AUTO_FREE char *tree = tree_path(""), *hash = tree_path("/hash");

	assert_int_equal(mkdirat(store, tree, 0755), 0);
	for (size_t i = 0; i < COUNT(files); i++) {
		AUTO_FREE char *path = tree_path(files[i]);
		AUTO_CLOSE int fd = openat(store, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

		assert_true(fd >= 0);
	}
	render(*state);
	assert_int_equal(faccessat(store, hash, F_OK, 0), 0);
}

/* Until the process waits for a lock, which is system call 73. */
static void wait_for_lock(pid_t pid)
{
	const struct timespec little = { .tv_nsec = 10000000 };
	AUTO_FREE char *path = xasprintf("/proc/%d/syscall", (int)pid);
	char text[4] = "";

	while (strncmp(text, "73 ", 3) != 0) {
		AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

		assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
		(void)nanosleep(&little, NULL);
		assert_true(fd >= 0 && read(fd, text, 3) >= 0);
	}
}

/* rkt, which holds its lock from before we look until the tree is whole. */
static void waits_for_rkt(void **state)
{
	struct fix *f = *state;
	AUTO_FREE char *tree = tree_path(""), *hash = tree_path("/hash"), *mark = tree_path("/rendered");
	AUTO_FREE char *manifest = tree_path("/manifest"), *dir = xasprintf("%s/cas/treestorelocks", f->path);
	AUTO_FREE char *lock = xasprintf("%s/%s", dir, tree);
	int status;
	pid_t us;

	assert_int_equal(mkdir(dir, 0755), 0);
	AUTO_CLOSE int fd = open(lock, O_RDONLY | O_CREAT | O_CLOEXEC, 0660);
	assert_int_equal(syscall(SYS_flock, fd, LOCK_EX), 0);
	assert_int_equal(mkdirat(store, tree, 0755), 0);
	us = fork();
	if (us == 0) {
		(void)close(fd);
		render(f);
		_exit(0);
	}
	wait_for_lock(us);
	for (const char *const *p = (const char *const[]){ manifest, hash, mark, NULL }; *p; p++)
		assert_int_equal(mknodat(store, *p, S_IFREG | 0644, 0), 0);
	assert_int_equal(syscall(SYS_flock, fd, LOCK_UN), 0);
	assert_int_equal(waitpid(us, &status, 0), us);
	assert_int_equal(status, 0);
	assert_int_equal(faccessat(store, hash, F_OK, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(makes_again_what_was_taken_for_a_left_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_what_has_the_name_of_a_left_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(removes_what_was_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(makes_again_what_rkt_left_half_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_what_a_pod_has, set_up, tear_down),
		cmocka_unit_test_setup_teardown(leaves_what_rkt_has_made, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_for_rkt, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
