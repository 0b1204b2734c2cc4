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
	assert_int_equal(copy_is_due(dir), 1);
	assert_int_equal(system("touch e/.hidden"), 0);
	assert_int_equal(copy_is_due(dir), 0);
	assert_int_equal(copy_is_due(-1), -1);
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

static void follows_nothing_that_is_there(void **state)
{
	AUTO_CLOSE int from = -1;
	AUTO_CLOSE int to = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(system("mkdir -p s2/dir other d2 && echo a >s2/name && echo b >s2/dir/inside && echo old >other/name &&"
		"ln -s ../other/name d2/name && ln -s ../other d2/dir"), 0);
	from = open_dir("s2");
	to = open_dir("d2");
	assert_int_equal(copy_tree(from, to, &e), -1);
	assert_string_equal(e.msg, "copy 'dir': Not a directory");
	assert_int_equal(system("rm d2/dir"), 0);
	e = (struct err)ERR_INIT;
	assert_int_equal(copy_tree(from, to, &e), 0);
	assert_int_equal(system("test ! -L d2/name && cmp s2/name d2/name && cmp s2/dir/inside d2/dir/inside &&"
		"test \"$(cat other/*)\" = old"), 0);
}

/* By the copier's end, or by an error: what is half there is not taken for a volume's own. */
static void begins_anew_what_was_broken_off(void **state)
{
	AUTO_CLOSE int from = -1;
	AUTO_CLOSE int to = -1;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(system("mkdir -p s4/d s4/z d4 && echo a >s4/d/a && ln -s a s4/d/link && chmod 1775 s4 && mkdir -p d4/z/in-the-way &&"
		"echo b >s4/z/in-the-way"), 0);
	from = open_dir("s4");
	to = open_dir("d4");
	assert_int_equal(copy_is_due(to), 0);
	assert_int_equal(copy_tree(from, to, &e), -1);
	assert_string_equal(e.msg, "copy 'in-the-way': Is a directory");
	assert_int_equal(copy_is_due(to), 1);
	assert_int_equal(system("rmdir d4/z/in-the-way && mkdir -p d4/d && echo half >d4/d/a"), 0);
	e = (struct err)ERR_INIT;
	assert_int_equal(copy_tree(from, to, &e), 0);
	assert_int_equal(copy_is_due(to), 0);
	assert_int_equal(system("test \"$(stat -c %a d4)\" = 1775 && test \"$(cat d4/d/link)\" = a && cmp s4/z/in-the-way d4/z/in-the-way"), 0);
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
		cmocka_unit_test(follows_nothing_that_is_there),
		cmocka_unit_test(begins_anew_what_was_broken_off),
		cmocka_unit_test(bounds_the_depth),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
