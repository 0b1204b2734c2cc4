/* Removing a tree; see root.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "stage0/root.h"
#include "stage1/common/util.h"

/* A directory right here: neither through a link nor onto something mounted, bind mounts included. */
static int open_dir(int at, const char *name)
{
	struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return (int)syscall(SYS_openat2, at, name, &how, sizeof(how));
}

static DIR *list_dir(int at, const char *name, struct err *e)
{
	AUTO_CLOSE int fd = open_dir(at, name);
	DIR *dir;

	if (fd < 0 && errno == EXDEV) {
		(void)err_set(e, ERR_HOST, "'%s': something is mounted there", name);
		return NULL;
	}
	dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir)
		(void)err_sys(e, "open '%s'", name);
	else
		(void)STEAL_FD(fd); /* the stream's now */
	return dir;
}

/* The next entry but the two dots; NULL at the end or on an error, which is in e. */
static const char *next_name(DIR *dir, struct err *e)
{
	struct dirent *d;

	do {
		errno = 0;
		d = readdir(dir);
	} while (d && (!strcmp(d->d_name, ".") || !strcmp(d->d_name, "..")));
	if (!d && errno)
		(void)err_sys(e, "read a directory");
	return d ? d->d_name : NULL;
}

/* 1 when `name` is a directory that is not empty; other things are gone afterwards. */
static int remove_one(int at, const char *name, struct err *e)
{
	if (unlinkat(at, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR)
		return err_sys(e, "remove '%s'", name);
	if (unlinkat(at, name, AT_REMOVEDIR) == 0)
		return 0;
	return errno == ENOTEMPTY ? 1 : err_sys(e, "remove '%s'", name);
}

/* Empties the directory `name` of `top`: what is not empty in there moves up to `top`. */
static int empty_child(int top, const char *name, unsigned long *serial, struct err *e)
{
	DIR *dir = list_dir(top, name, e);
	const char *sub;
	int ret = 0;

	while (dir && ret == 0 && (sub = next_name(dir, e))) {
		char moved[40];

		ret = remove_one(dirfd(dir), sub, e);
		if (ret <= 0)
			continue;
		do {
			(void)snprintf(moved, sizeof(moved), ".removed-%lu", (*serial)++);
			ret = (int)syscall(SYS_renameat2, dirfd(dir), sub, top, moved, 1 /* NOREPLACE */);
		} while (ret < 0 && errno == EEXIST);
		if (ret < 0)
			ret = err_sys(e, "move '%s' to remove it", sub);
	}
	if (dir)
		(void)closedir(dir);
	return e->kind == ERR_NONE ? 0 : -1;
}

/* Once over all entries; *again_r when something may have come while we read. */
static int sweep(DIR *top, unsigned long *serial, bool *again_r, struct err *e)
{
	const char *name;

	rewinddir(top);
	*again_r = false;
	while ((name = next_name(top, e))) {
		int ret = remove_one(dirfd(top), name, e);

		if (ret > 0) {
			*again_r = true;
			ret = empty_child(dirfd(top), name, serial, e);
		}
		if (ret < 0)
			return -1;
	}
	return e->kind == ERR_NONE ? 0 : -1;
}

int tree_remove(int at, const char *name, struct err *e)
{
	int ret = remove_one(at, name, e);
	unsigned long serial = 0;
	bool again = true;
	DIR *top;

	if (ret <= 0)
		return ret;
	top = list_dir(at, name, e);
	if (!top)
		return -1;
	ret = 0;
	while (ret == 0 && again)
		ret = sweep(top, &serial, &again, e);
	(void)closedir(top);
	if (ret == 0 && unlinkat(at, name, AT_REMOVEDIR) < 0)
		ret = err_sys(e, "remove '%s'", name);
	return ret;
}
