/* See copy.h. */
#include "init/copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum {
	DEPTH_MAX = 200,    /* four descriptors a level */
	UNFINISHED = 01000, /* the mode of a directory while it is being filled; the right one comes last */
};

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

int copy_is_due(int dir)
{
	const struct dirent *entry;
	struct stat st;
	DIR *d;

	if (fstat(dir, &st) < 0)
		return -1;
	if ((st.st_mode & 07777) == UNFINISHED)
		return 1;
	d = dir_read(dir);
	if (!d)
		return -1;
	do {
		errno = 0;
		entry = readdir(d);
	} while (entry && is_dots(entry->d_name));
	(void)closedir(d);
	return entry ? 0 : errno ? -1 : 1;
}

/* The owner first: chown(2) takes setuid bits away. */
static int copy_attributes(int to, const struct stat *st)
{
	struct timespec times[2] = { st->st_atim, st->st_mtim };

	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -1;
	return futimens(to, times);
}

static int copy_bytes(int from, int to)
{
	AUTO_FREE char *buf = malloc(128 << 10);
	ssize_t n;

	if (!buf)
		return -1;
	while ((n = read(from, buf, 128 << 10)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || write_all(to, buf, (size_t)n) < 0)
			return -1;
	}
	return 0;
}

/* Of a copy that was broken off. */
static int remove_old(int dir, const char *name)
{
	return unlinkat(dir, name, 0) == 0 || errno == ENOENT ? 0 : -1;
}

static int copy_file(int from_dir, int to_dir, const char *name)
{
	AUTO_CLOSE int from = openat(from_dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	AUTO_CLOSE int to = -1;
	struct stat st;

	if (from < 0 || fstat(from, &st) < 0 || remove_old(to_dir, name) < 0)
		return -1;
	to = openat(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0 || copy_bytes(from, to) < 0)
		return -1;
	return copy_attributes(to, &st);
}

static int copy_link(int from_dir, int to_dir, const char *name, const struct stat *st)
{
	char text[PATH_MAX];
	ssize_t len = readlinkat(from_dir, name, text, sizeof(text));

	if (len < 0 || len == (ssize_t)sizeof(text))
		return -1;
	text[len] = '\0';
	if (remove_old(to_dir, name) < 0 || symlinkat(text, to_dir, name) < 0)
		return -1;
	return fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
}

static int copy_level(int from, int to, int depth, struct err *e);

static int copy_dir(int from_dir, int to_dir, const char *name, int depth, struct err *e)
{
	AUTO_CLOSE int from = openat(from_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int to = -1;

	if (depth == DEPTH_MAX)
		return err_set(e, ERR_INPUT, "copy '%s': more than %d directories deep", name, DEPTH_MAX);
	if (from < 0 || (mkdirat(to_dir, name, 0700) < 0 && errno != EEXIST))
		return err_sys(e, "copy '%s'", name);
	to = openat(to_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return err_sys(e, "copy '%s'", name);
	return copy_level(from, to, depth + 1, e);
}

static int copy_entry(int from, int to, const char *name, int depth, struct err *e)
{
	struct stat st;
	int ret = 0;

	if (fstatat(from, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "copy '%s'", name);
	if (S_ISDIR(st.st_mode))
		return copy_dir(from, to, name, depth, e);
	if (S_ISREG(st.st_mode))
		ret = copy_file(from, to, name);
	else if (S_ISLNK(st.st_mode))
		ret = copy_link(from, to, name, &st);
	return ret < 0 ? err_sys(e, "copy '%s'", name) : 0;
}

/* Attributes come last: a directory may be one that nobody may write in, and filling it sets its times. */
static int copy_level(int from, int to, int depth, struct err *e)
{
	DIR *d = dir_read(from);
	const struct dirent *entry;
	struct stat st;
	int ret = 0;

	if (!d)
		return err_sys(e, "copy a directory");
	while (ret == 0 && (errno = 0, entry = readdir(d)) != NULL)
		if (!is_dots(entry->d_name))
			ret = copy_entry(from, to, entry->d_name, depth, e);
	if (ret == 0 && (errno || fstat(from, &st) < 0 || copy_attributes(to, &st) < 0))
		ret = err_sys(e, "copy a directory");
	(void)closedir(d);
	return ret;
}

int copy_tree(int from, int to, struct err *e)
{
	AUTO_CLOSE int src = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int dst = openat(to, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (src < 0 || dst < 0 || fchmod(dst, UNFINISHED) < 0)
		return err_sys(e, "copy a directory");
	return copy_level(src, dst, 0, e);
}
