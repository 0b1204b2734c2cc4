/* See treestore.h. */
#include "stage0/treestore.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "stage0/root.h"
#include "stage0/treegc.h"
#include "stage1/common/util.h"

#define UNFINISHED ".new-" /* and the name; locked while somebody is at it */
#define RENDERED "rendered" /* rkt's mark in a tree that is whole; it removes one without, whoever uses it */

void tree_id(const char *image_id, char id_r[TREE_ID_LEN + 1])
{
	unsigned char digest[SHA512_DIGEST_LENGTH];
	SHA2_CTX hash;

	SHA512Init(&hash);
	SHA512Update(&hash, (const uint8_t *)image_id, strnlen(image_id, 7 + 64));
	SHA512Final(digest, &hash);
	(void)memcpy(id_r, "deps-sha512-", sizeof("deps-sha512-"));
	for (size_t i = 0; i < 32; i++)
		(void)sprintf(id_r + 12 + 2 * i, "%02x", digest[i]);
}

/* *locks_r is where rkt has a file for each tree, locked while it makes or removes that tree. */
static int open_store(const char *data, int *store_r, int *locks_r, struct err *e)
{
	static const char *const parts[] = { "cas", "cas/tree", "cas/treestorelocks" };
	AUTO_CLOSE int fd = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open %s", data);
	for (size_t i = 0; i < COUNT(parts); i++)
		if (mkdirat(fd, parts[i], 0750) < 0 && errno != EEXIST)
			return err_sys(e, "create %s/%s", data, parts[i]);
	*store_r = openat(fd, parts[1], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (*store_r < 0)
		return err_sys(e, "open %s/%s", data, parts[1]);
	*locks_r = openat(fd, parts[2], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *locks_r < 0 ? err_sys(e, "open %s/%s", data, parts[2]) : 0;
}

/* Opens and locks what has the name still when it is locked; -1 with errno, which is ENOENT when it is gone. */
static int lock_at(int store, const char *name, int flags, int how)
{
	AUTO_CLOSE int fd = openat(store, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0660);
	struct stat here, there;
	int ret;

	if (fd < 0)
		return -1;
	do
		ret = flock(fd, how);
	while (ret < 0 && errno == EINTR);
	if (ret < 0 || fstat(fd, &here) < 0 || fstatat(store, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	if (here.st_ino != there.st_ino || here.st_dev != there.st_dev) {
		errno = ENOENT;
		return -1;
	}
	return STEAL_FD(fd);
}

static int remove_unfinished(int store, struct err *e)
{
	DIR *dir = dir_read(store);
	struct dirent *d;
	int ret = 0;

	if (!dir)
		return err_sys(e, "read the tree store");
	while (ret == 0 && (d = readdir(dir))) {
		AUTO_CLOSE int lock = str_has_prefix(d->d_name, UNFINISHED) ?
			lock_at(store, d->d_name, O_DIRECTORY, LOCK_EX | LOCK_NB) : -1;

		if (lock >= 0)
			ret = tree_remove(store, d->d_name, e);
	}
	(void)closedir(dir);
	return ret;
}

/* Another, who does not know of rkt's lock, may have been faster: theirs is as good. */
static int publish(int store, int fd, const char *unfinished, const char *id, struct err *e)
{
	if (syncfs(fd) < 0)
		return err_sys(e, "sync the tree store");
	if (renameat2(store, unfinished, store, id, RENAME_NOREPLACE) == 0)
		return 0;
	return errno == EEXIST ? tree_remove(store, unfinished, e) : err_sys(e, "rename %s", unfinished);
}

/* Before it is locked another may take it for one that was left, and remove it: it is made again, then. */
static int make_unfinished(int store, const char *name, struct err *e)
{
	int fd;

	do {
		if (mkdirat(store, name, 0750) < 0)
			return err_sys(e, "create %s in the tree store", name);
		fd = lock_at(store, name, O_DIRECTORY, LOCK_EX);
	} while (fd < 0 && errno == ENOENT);
	return fd < 0 ? err_sys(e, "lock %s in the tree store", name) : fd;
}

static int render(int store, const char *name, struct source *src, const char *id, struct err *e)
{
	AUTO_FREE char *unfinished = xasprintf(UNFINISHED "%s", name);
	AUTO_CLOSE int fd = -1;
	struct err undo = ERR_INIT;

	if (remove_unfinished(store, e) < 0)
		return -1;
	fd = make_unfinished(store, unfinished, e);
	if (fd < 0)
		return -1;
	if (source_unpack(src, fd, 0640, e) == 0 && write_file_atomic(fd, RENDERED, "", 0, 0644, e) == 0 &&
		publish(store, fd, unfinished, id, e) == 0)
		return 0;
	(void)tree_remove(store, unfinished, &undo);
	return -1;
}

/*
 * Our first versions made trees without the mark; who makes one in place, as rkt does, marks it before a pod has it.
 * So one that a pod has is whole, and is marked now. 1, or 0 when it is not.
 */
static int adopt(int store, const char *data, const char *id, struct err *e)
{
	AUTO_CLOSE int tree = openat(store, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int ret;

	if (tree < 0)
		return errno == ENOENT ? 0 : err_sys(e, "tree %s", id);
	ret = tree_is_in_use(data, id, e);
	return ret > 0 && write_file_atomic(tree, RENDERED, "", 0, 0644, e) < 0 ? -1 : ret;
}

/* 1, or 0 when there is none that is whole */
static int is_there(int store, const char *id, struct err *e)
{
	AUTO_FREE char *mark = xasprintf("%s/" RENDERED, id);

	if (faccessat(store, mark, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : err_sys(e, "tree %s", id);
}

/* rkt removes lock files that nobody holds: it is made again, then. -1 with errno. */
static int lock_file(int dir, const char *name, int how)
{
	int fd;

	do
		fd = lock_at(dir, name, O_CREAT, how);
	while (fd < 0 && errno == ENOENT);
	return fd;
}

int tree_render(const char *data, const char *name, struct source *src, char id_r[TREE_ID_LEN + 1],
	struct err *e)
{
	AUTO_CLOSE int store = -1, locks = -1, lock = -1;
	int ret;

	if (source_identify(src, e) < 0 || open_store(data, &store, &locks, e) < 0)
		return -1;
	tree_id(src->aci.id, id_r);
	ret = is_there(store, id_r, e);
	if (ret != 0)
		return ret < 0 ? -1 : 0;
	lock = lock_file(locks, id_r, LOCK_EX);
	if (lock < 0)
		return err_sys(e, "lock tree %s", id_r);
	ret = is_there(store, id_r, e);
	if (ret == 0)
		ret = adopt(store, data, id_r, e);
	if (ret == 0 && tree_remove(store, id_r, e) == 0) /* what rkt has left half made */
		return render(store, name, src, id_r, e);
	return ret > 0 ? 0 : -1;
}

int trees_lock(const char *data, int how, struct err *e)
{
	AUTO_CLOSE int fd = open(data, O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int dir = -1;
	int lock;

	if (fd < 0 || (mkdirat(fd, "locks", 0755) < 0 && errno != EEXIST))
		return err_sys(e, "create %s/locks", data);
	dir = openat(fd, "locks", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open %s/locks", data);
	lock = lock_file(dir, "prepareLock", how);
	return lock < 0 ? err_sys(e, "lock %s/locks/prepareLock", data) : lock;
}

/* The mark first: what is left of it by one that is killed here is no tree. */
static int sweep(int store, int locks, const char *id, struct err *e)
{
	AUTO_FREE char *mark = xasprintf("%s/" RENDERED, id);
	AUTO_CLOSE int lock = lock_at(locks, id, O_CREAT, LOCK_EX | LOCK_NB);

	if (lock < 0)
		return errno == EWOULDBLOCK || errno == ENOENT ? 0 : err_sys(e, "lock tree %s", id);
	if (unlinkat(store, mark, 0) < 0 && errno != ENOENT)
		return err_sys(e, "tree %s", id);
	if (tree_remove(store, id, e) < 0)
		return err_prefix(e, "tree %s", id);
	(void)unlinkat(locks, id, 0);
	return 0;
}

int trees_sweep(const char *data, bool (*used)(const void *arg, const char *id), const void *arg, struct err *e)
{
	AUTO_CLOSE int store = -1, locks = -1;
	DIR *dir = open_store(data, &store, &locks, e) < 0 ? NULL : dir_read(store);
	struct dirent *d;
	int ret = 0;

	if (!dir)
		return *e->msg ? -1 : err_sys(e, "read the tree store");
	while (ret == 0 && (d = readdir(dir)))
		if (str_has_prefix(d->d_name, "deps-") && !used(arg, d->d_name))
			ret = sweep(store, locks, d->d_name, e);
	(void)closedir(dir);
	return ret;
}
