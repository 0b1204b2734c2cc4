/* See sandbox.h. */
#include "tests/unit/sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage0/root.h"
#include "stage1/common/util.h"

void sandbox_open(struct sandbox *s)
{
	int fd;

	(void)strcpy(s->path, "/tmp/test-unpacking.XXXXXX");
	assert_non_null(mkdtemp(s->path));
	s->dir = open(s->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(s->dir, "in", 0755), 0);
	assert_int_equal(mkdirat(s->dir, "outside", 0755), 0);
	fd = openat(s->dir, "outside/victim", O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "safe", 4), 4);
	(void)close(fd);
	s->in = openat(s->dir, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int count_outside(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)st;
	(void)type;
	return ftw->level > 2 ? -1 : 0;
}

void sandbox_check(const struct sandbox *s)
{
	AUTO_FREE char *outside = xasprintf("%s/outside", s->path);
	struct err e = ERR_INIT;
	AUTO_FREE char *text = NULL;
	struct stat st;
	size_t len;

	assert_int_equal(read_file_at(s->dir, "outside/victim", 100, &text, &len, &e), 0);
	assert_string_equal(text, "safe");
	assert_int_equal(fstatat(s->dir, "outside/victim", &st, 0), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(fstatat(s->dir, "outside/new", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(s->dir, "new", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(s->in, "new", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(fstatat(s->in, "manifest", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(access("/new-from-a-test", F_OK), -1);
	assert_int_equal(nftw(outside, count_outside, 8, FTW_PHYS), 0);
}

void sandbox_close(struct sandbox *s)
{
	AUTO_CLOSE int tmp = openat(s->dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	(void)close(s->in);
	(void)close(s->dir);
	assert_int_equal(tree_remove(tmp, strrchr(s->path, '/') + 1, &e), 0);
}
