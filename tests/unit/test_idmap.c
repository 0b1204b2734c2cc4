/* Owners that rkt has shifted on disk, as a pod sees them. Needs root and a file system that can map owners. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/idmap.h"

enum { FIRST = 1 << 20, COUNT_OF = 1 << 16 };

static char dir[] = "/var/tmp/stage1-xen-idmap.XXXXXX";

/* The directory by a mount that maps; -1 with errno. */
static int mapped(const struct id_shift *shift)
{
	struct err e = ERR_INIT;
	AUTO_CLOSE int idmap = idmap_open(shift, &e);
	AUTO_CLOSE int tree = open_tree(AT_FDCWD, dir, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)idmap };

	if (idmap < 0)
		fail_msg("%s", e.msg);
	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
		return -1;
	return STEAL_FD(tree);
}

static void expect_owner(int at, const char *name, uid_t uid, gid_t gid)
{
	struct stat st;

	assert_int_equal(fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH), 0);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
}

static void maps_owners_both_ways(void **state)
{
	static const struct id_shift shift = { .first = FIRST, .count = COUNT_OF };
	AUTO_CLOSE int tree = -1;
	AUTO_CLOSE int disk = -1;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_non_null(mkdtemp(dir));
	disk = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mknodat(disk, "web", S_IFREG | 0644, 0), 0);
	assert_int_equal(mknodat(disk, "theirs", S_IFREG | 0644, 0), 0);
	assert_int_equal(fchownat(disk, "", FIRST, FIRST, AT_EMPTY_PATH), 0);
	assert_int_equal(fchownat(disk, "web", FIRST + 33, FIRST + 44, 0), 0);
	tree = mapped(&shift);
	if (tree >= 0) {
		expect_owner(tree, "", 0, 0);
		expect_owner(tree, "web", 33, 44);
		expect_owner(tree, "theirs", 65534, 65534); /* not the pod's */
		assert_int_equal(mkdirat(tree, "new", 0755), 0);
		expect_owner(disk, "new", FIRST, FIRST);
		assert_int_equal(fchownat(tree, "new", COUNT_OF - 1, 7, 0), 0);
		expect_owner(disk, "new", FIRST + COUNT_OF - 1, FIRST + 7);
		assert_int_equal(fchownat(tree, "new", COUNT_OF, 7, 0), -1); /* nobody of the pod's */
	}
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
	(void)unlinkat(disk, "new", AT_REMOVEDIR);
	(void)unlinkat(disk, "web", 0);
	(void)unlinkat(disk, "theirs", 0);
	assert_int_equal(rmdir(dir), 0);
	if (tree < 0)
		skip();
}

static void refuses_a_map_the_kernel_does_not_take(void **state)
{
	static const struct id_shift shift = { .first = 5, .count = UINT32_MAX };
	struct err e = ERR_INIT;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(idmap_open(&shift, &e), -1);
	assert_string_equal(e.msg, "map owners from 5 on: Invalid argument");
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_owners_both_ways),
		cmocka_unit_test(refuses_a_map_the_kernel_does_not_take),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
