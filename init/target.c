/* See target.h. */
#include "init/target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "stage1/common/util.h"

enum { LINKS_MAX = 40 }; /* as the kernel's */

int target_open(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	long fd;

	do /* EAGAIN: a rename elsewhere raced with a '..' */
		fd = syscall(SYS_openat2, root, *path ? path : "/", &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return (int)fd;
}

/*
 * `path` up to `end` is a link that leads nowhere: what it says takes its place, so that walking on
 * makes what it leads to. -1 with errno.
 */
static int expand_link(int parent, const char *name, char path[PATH_MAX], size_t start, size_t end)
{
	char link[PATH_MAX], whole[PATH_MAX];
	ssize_t len = readlinkat(parent, name, link, sizeof(link));
	int n;

	if (len < 0)
		return -1;
	n = snprintf(whole, sizeof(whole), "%.*s%.*s%s", *link == '/' ? 0 : (int)start, path, (int)len, link,
		path + end);
	if (len == (ssize_t)sizeof(link) || n >= (int)sizeof(whole)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(path, whole, (size_t)n + 1);
	return 0;
}

static int make_one(int parent, const char *name, bool file, mode_t mode)
{
	AUTO_CLOSE int made = -1;

	if (!file)
		return mkdirat(parent, name, mode);
	made = openat(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return made < 0 ? -1 : 0;
}

enum step { STEP_OK, STEP_EXPANDED, STEP_FAILED };

/* The part of `path` from `start` to `end` is missing, or a link to something that is. */
static enum step make_part(int root, char path[PATH_MAX], size_t start, size_t end, bool file, mode_t mode)
{
	AUTO_CLOSE int parent = -1;
	char before[PATH_MAX], name[NAME_MAX + 1];
	struct stat st;

	if (end - start > NAME_MAX) {
		errno = ENAMETOOLONG;
		return STEP_FAILED;
	}
	(void)snprintf(before, sizeof(before), "%.*s", (int)start, path);
	(void)snprintf(name, sizeof(name), "%.*s", (int)(end - start), path + start);
	parent = target_open(root, before, O_PATH | O_DIRECTORY);
	if (parent < 0)
		return STEP_FAILED;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		if (S_ISLNK(st.st_mode))
			return expand_link(parent, name, path, start, end) < 0 ? STEP_FAILED : STEP_EXPANDED;
		return STEP_OK; /* somebody else has just made it */
	}
	if (errno != ENOENT || (make_one(parent, name, file, mode) < 0 && errno != EEXIST))
		return STEP_FAILED;
	return STEP_OK;
}

/* Makes the first to the last missing part, or expands one link. */
static enum step make_parts(int root, char path[PATH_MAX], bool file, mode_t mode)
{
	for (size_t start = 0, end; path[start += strspn(path + start, "/")]; start = end) {
		size_t next;
		AUTO_CLOSE int fd = -1;
		char upto[PATH_MAX];
		enum step step;
		bool last;

		end = start + strcspn(path + start, "/");
		next = end + strspn(path + end, "/");
		last = !path[next];
		(void)snprintf(upto, sizeof(upto), "%.*s", (int)end, path);
		fd = target_open(root, upto, O_PATH);
		if (fd >= 0)
			continue;
		if (errno != ENOENT)
			return STEP_FAILED;
		step = make_part(root, path, start, end, file && last, last ? mode : 0755);
		if (step != STEP_OK)
			return step;
	}
	return STEP_OK;
}

int target_make(int root, const char *path, bool file, mode_t mode)
{
	char rest[PATH_MAX];
	int fd = target_open(root, path, O_PATH);

	if (fd >= 0 || errno != ENOENT)
		return fd;
	if (strlen(path) >= sizeof(rest)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	(void)snprintf(rest, sizeof(rest), "%s", path);
	for (int links = 0; links <= LINKS_MAX; links++) {
		enum step step = make_parts(root, rest, file, mode);

		if (step == STEP_FAILED)
			return -1;
		if (step == STEP_OK)
			return target_open(root, rest, O_PATH);
	}
	errno = ELOOP;
	return -1;
}
