/* Mount targets in a hostile root: whatever its links say, nothing is opened or made outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "init/target.h"
#include "stage1/common/util.h"
#include "tests/unit/no_openat2.h"

static char top[] = "/tmp/test-target-XXXXXX"; /* the root is top/root, and top/outside must stay empty */
static int top_fd, root;

static int setup(void **state)
{
	(void)state;
	(void)umask(0);
	assert_non_null(mkdtemp(top));
	top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(top_fd, "root", 0755), 0);
	assert_int_equal(mkdirat(top_fd, "outside", 0755), 0);
	root = openat(top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return root < 0;
}

static int teardown(void **state)
{
	AUTO_FREE char *remove = xasprintf("rm -rf %s", top);

	(void)state;
	(void)close(root);
	(void)close(top_fd);
	return system(remove);
}

static void link_to(const char *text, const char *name)
{
	assert_int_equal(symlinkat(text, root, name), 0);
}

/* What `path` gives is just what is at `real` (in top), and is of the kind. */
static void makes(const char *path, bool file, const char *real)
{
	AUTO_CLOSE int fd = target_make(root, path, file, file ? 0644 : 0750);
	struct stat got, want;

	if (fd < 0)
		fail_msg("%s: %s", path, strerror(errno));
	assert_int_equal(fstat(fd, &got), 0);
	if (fstatat(top_fd, real, &want, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s did not make %s", path, real);
	if (got.st_ino != want.st_ino || got.st_dev != want.st_dev)
		fail_msg("%s is not %s", path, real);
	assert_int_equal(S_ISDIR(got.st_mode), !file);
	assert_int_equal(got.st_mode & 07777, file ? 0644 : 0750);
}

static void makes_what_is_missing(void **state)
{
	struct stat st;

	(void)state;
	makes("/srv", false, "root/srv");
	makes("/srv", false, "root/srv");
	makes("/a/b/c", false, "root/a/b/c");
	makes("/a/f/file", true, "root/a/f/file");
	makes("relative", false, "root/relative");
	makes("/with\nnewline/\x1b[2J", false, "root/with\nnewline/\x1b[2J");
	assert_int_equal(fstatat(top_fd, "root/a/b", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

static void links_lead_nowhere_but_into_the_root(void **state)
{
	AUTO_FREE char *absolute = xasprintf("%s/outside", top);
	AUTO_FREE char *inside = xasprintf("root%s/outside/y", top);

	(void)state;
	link_to("/there", "abs");
	makes("/abs", false, "root/there");
	link_to("rel/./deep", "link");
	makes("/link/x", false, "root/rel/deep/x");
	link_to("../../../../outside", "up");
	makes("/up/f", true, "root/outside/f");
	link_to(absolute, "out");
	makes("/out/y", false, inside);
	link_to("two", "one");
	link_to("/three/", "two");
	makes("/one/z", false, "root/three/z");
	makes("/../../../etc/x", false, "root/etc/x");
	link_to("/conf/resolv.conf", "etc/resolv.conf");
	makes("/etc/resolv.conf", true, "root/conf/resolv.conf");
}

static void refuses(const char *path, int error)
{
	int fd = target_make(root, path, false, 0755);

	if (fd >= 0 || errno != error)
		fail_msg("%s: %d, %s", path, fd, strerror(errno));
}

static void gives_up_on_what_leads_nowhere(void **state)
{
	AUTO_FREE char *name = xmalloc(300);
	AUTO_FREE char *deep = xmalloc(5000);
	AUTO_CLOSE int file = openat(root, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	(void)state;
	assert_true(file >= 0);
	link_to("loop", "loop");
	refuses("/loop", ELOOP);
	link_to("pong/x", "ping");
	link_to("ping/x", "pong");
	refuses("/ping/y", ELOOP);
	link_to("grow/grow/grow", "grow"); /* a link that never resolves and doubles each time */
	refuses("/grow", ELOOP);
	refuses("/file/below", ENOTDIR);
	refuses("/file/../x", ENOTDIR);
	memset(name, 'n', 299);
	name[299] = '\0';
	refuses(name, ENAMETOOLONG);
	for (size_t i = 0; i < 2499; i++)
		memcpy(deep + 2 * i, "d/", 3);
	refuses(deep, ENAMETOOLONG);
	link_to("/proc/self/root", "magic"); /* there is no /proc in this root, so a directory is made */
	makes("/magic", false, "root/proc/self/root");
}

/* A root in which /proc is the real one: links that the kernel follows by itself would lead out. */
static void follows_no_link_of_proc(void **state)
{
	AUTO_CLOSE int real = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	(void)state;
	assert_int_equal(target_open(real, "/proc/self/root", O_PATH), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(target_make(real, "/proc/self/cwd/x", false, 0755), -1);
	assert_int_equal(errno, ELOOP);
}

/* Never by a way that follows links: then rather nothing. */
static int try_without(void *arg)
{
	struct stat st;

	(void)arg;
	if (target_open(root, "/etc", O_PATH) >= 0 || errno != ENOSYS)
		return 1;
	if (target_make(root, "/closed/file", true, 0644) >= 0 || errno != ENOSYS)
		return 2;
	if (target_make(root, "/closed", false, 0755) >= 0 || errno != ENOSYS)
		return 3;
	return fstatat(root, "closed", &st, AT_SYMLINK_NOFOLLOW) == 0 ? 4 : 0;
}

static void fails_closed_without_openat2(void **state)
{
	(void)state;
	assert_int_equal(without_openat2(try_without, NULL), 0);
}

static void nothing_was_made_outside(void **state)
{
	AUTO_FREE char *count = xasprintf("test $(ls -A %s/outside | wc -l) = 0 && test $(ls -A %s | wc -l) = 2",
		top, top);

	(void)state;
	assert_int_equal(system(count), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_what_is_missing),
		cmocka_unit_test(links_lead_nowhere_but_into_the_root),
		cmocka_unit_test(gives_up_on_what_leads_nowhere),
		cmocka_unit_test(follows_no_link_of_proc),
		cmocka_unit_test(fails_closed_without_openat2),
		cmocka_unit_test(nothing_was_made_outside),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
