/* See root.h. */
#include "stage0/root.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "stage1/common/util.h"

static int open_how(int root, const char *path, int flags, unsigned long long resolve)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC),
		.resolve = resolve | RESOLVE_NO_XDEV,
	};
	long fd;

	do /* EAGAIN: a rename elsewhere raced with a '..' in a link */
		fd = syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return (int)fd;
}

int root_open(int root, const char *path, int flags)
{
	return open_how(root, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int root_open_plain(int root, const char *path, int flags)
{
	return open_how(root, path, flags, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static int make_dir(int parent, const char *name, mode_t mode)
{
	if (mkdirat(parent, name, 0700) < 0)
		return -1;
	if (geteuid() == 0 && fchownat(parent, name, 0, 0, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return fchmodat(parent, name, mode, 0); /* ours, and new: not a link */
}

/* The longest part that exists is found by the kernel; only the rest is walked. */
int root_mkdirs(int root, const char *path, mode_t mode)
{
	AUTO_FREE char *buf = xstrdup(path);
	AUTO_CLOSE int at = root_open(root, path, O_PATH | O_DIRECTORY);
	char *part = buf, *slash;

	if (at >= 0 || errno != ENOENT)
		return STEAL_FD(at);
	at = root_open(root, "", O_PATH | O_DIRECTORY);
	while (at >= 0 && *part) {
		slash = strchr(part, '/');
		if (slash)
			*slash = '\0';
		/* buf is the path up to here; a link that leads nowhere is EEXIST, then ENOENT */
		if (make_dir(at, part, mode) < 0 && errno != EEXIST)
			return -1;
		(void)close(at);
		at = root_open(root, buf, O_PATH | O_DIRECTORY);
		if (!slash)
			break;
		*slash = '/';
		part = slash + 1;
	}
	return STEAL_FD(at);
}

int root_parent(int root, const char *path, const char **base_r)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);

	*base_r = slash ? slash + 1 : path;
	return root_mkdirs(root, dir, 0755);
}
