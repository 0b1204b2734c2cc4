/* Copying an image's directory into a volume. */
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

#include "init/copy.h"
#include "stage1/common/util.h"

static char top[] = "/tmp/test-copy-XXXXXX";

static int setup(void **state)
{
	(void)state;
	(void)umask(0);
	return !mkdtemp(top) || chdir(top) < 0;
}

static int teardown(void **state)
{
	AUTO_FREE char *remove = xasprintf("chmod -R u+rwx %s; rm -rf %s", top, top);

	(void)state;
	return chdir("/") < 0 || system(remove);
}

static int open_dir(const char *path)
{
	return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void knows_an_empty_directory(void **state)
{
	AUTO_CLOSE int dir = -1;

	(void)state;
	assert_int_equal(system("mkdir e"), 0);
	dir = open_dir("e");
	assert_int_equal(copy_is_empty(dir), 1);
	assert_int_equal(system("touch e/.hidden"), 0);
	assert_int_equal(copy_is_empty(dir), 0);
	assert_int_equal(copy_is_empty(-1), -1);
}

static void copies_files_directories_and_links(void **state)
{
	AUTO_CLOSE int from = -1;
	AUTO_CLOSE int to = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(system("mkdir -p src/d/ro dst && head -c 300000 /dev/urandom >src/d/big &&"
		"echo hi >src/f && chmod 4755 src/f && ln -s /etc/passwd src/link && ln -s nowhere src/d/dangling &&"
		"mkfifo src/fifo && echo x >src/d/ro/x && chmod 500 src/d/ro && chmod 1777 src &&"
		"touch -d 2001-02-03 src/f src/d/big src/d src"), 0);
	from = open_dir("src");
	to = open_dir("dst");
	if (copy_tree(from, to, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(system("test ! -e dst/fifo && rm src/fifo &&"
		"touch -d 2001-02-03 src && touch -d 2001-02-03 dst &&"
		"list() { find . -type l -printf '%p %U %G %l\n' -o -printf '%p %y %m %U %G %T@\n' | sort; } &&"
		"(cd src && list) >a && (cd dst && list) >b && diff a b && cmp src/d/big dst/d/big && cmp src/f dst/f"), 0);
}

static void does_not_write_over_what_is_there(void **state)
{
	AUTO_CLOSE int from = -1;
	AUTO_CLOSE int to = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(system("mkdir s2 d2 && echo a >s2/name && ln -s /dev/null d2/name"), 0);
	from = open_dir("s2");
	to = open_dir("d2");
	assert_int_equal(copy_tree(from, to, &e), -1);
	assert_string_equal(e.msg, "copy 'name': File exists");
}

static void bounds_the_depth(void **state)
{
	AUTO_CLOSE int from = -1;
	AUTO_CLOSE int to = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(system("mkdir s3 d3 && p=s3; i=0; while [ $i -le 200 ]; do p=$p/d; i=$((i+1)); done; mkdir -p $p"), 0);
	from = open_dir("s3");
	to = open_dir("d3");
	assert_int_equal(copy_tree(from, to, &e), -1);
	assert_string_equal(e.msg, "copy 'd': more than 200 directories deep");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_an_empty_directory),
		cmocka_unit_test(copies_files_directories_and_links),
		cmocka_unit_test(does_not_write_over_what_is_there),
		cmocka_unit_test(bounds_the_depth),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
