/* See place.h. */
#include "stage0/place.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "stage0/root.h"
#include "stage1/common/util.h"

struct attr {
	mode_t mode;
	uid_t uid;
	gid_t gid;
	struct timespec mtime;
};

struct place_dir {
	char *path;
	struct attr attr;
};

static int attr_read(struct archive_entry *ent, struct attr *a, struct err *e)
{
	la_int64_t uid = archive_entry_uid(ent), gid = archive_entry_gid(ent);

	if (uid < 0 || uid >= UINT32_MAX || gid < 0 || gid >= UINT32_MAX)
		return err_set(e, ERR_INPUT, "owner %lld:%lld is out of range", (long long)uid,
			(long long)gid);
	a->mode = archive_entry_mode(ent) & 07777;
	a->uid = (uid_t)uid;
	a->gid = (gid_t)gid;
	a->mtime.tv_sec = archive_entry_mtime(ent);
	a->mtime.tv_nsec = archive_entry_mtime_nsec(ent);
	return 0;
}

/* Owner first: changing it clears setuid bits. Only root can give files away. */
static int attr_apply(int fd, const struct attr *a, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, a->mtime };

	if (geteuid() == 0 && fchown(fd, a->uid, a->gid) < 0)
		return err_sys(e, "set owner");
	if (fchmod(fd, a->mode) < 0)
		return err_sys(e, "set mode");
	if (futimens(fd, times) < 0)
		return err_sys(e, "set times");
	return 0;
}

/* The same for what cannot be opened: a link, a device, a fifo. It is new and `dir` is ours. */
static int attr_apply_at(int dir, const char *name, const struct attr *a, bool link, struct err *e)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, a->mtime };

	if (geteuid() == 0 && fchownat(dir, name, a->uid, a->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set owner");
	if (!link && fchmodat(dir, name, a->mode, 0) < 0)
		return err_sys(e, "set mode");
	if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "set times");
	return 0;
}

static int write_block(int fd, const char *p, size_t len, off_t off)
{
	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		p += n;
		off += n;
		len -= (size_t)n;
	}
	return 0;
}

static int copy_content(int fd, struct archive *tar, off_t size, struct err *e)
{
	const void *buf;
	size_t len;
	la_int64_t off;
	int rc;

	while ((rc = archive_read_data_block(tar, &buf, &len, &off)) == ARCHIVE_OK) {
		if (off < 0 || off > size || len > (uint64_t)(size - off))
			return err_set(e, ERR_INPUT, "content beyond its own size");
		if (write_block(fd, buf, len, off) < 0)
			return err_sys(e, "write");
	}
	if (rc != ARCHIVE_EOF)
		return err_set(e, ERR_INPUT, "read: %s", archive_error_string(tar));
	if (ftruncate(fd, size) < 0) /* a hole at the end */
		return err_sys(e, "write");
	return 0;
}

bool place_keeps_xattr(const char *name)
{
	return !strcmp(name, "security.capability") || str_has_prefix(name, "user.");
}

/* Of a file only, as rkt. Not every file system has those of users: then they are lost. */
static int copy_xattrs(int fd, struct archive_entry *ent, struct err *e)
{
	const char *name;
	const void *value;
	size_t size;

	(void)archive_entry_xattr_reset(ent);
	while (geteuid() == 0 && archive_entry_xattr_next(ent, &name, &value, &size) == ARCHIVE_OK)
		if (place_keeps_xattr(name) && fsetxattr(fd, name, value, size, 0) < 0 &&
			(errno != ENOTSUP || !str_has_prefix(name, "user.")))
			return err_sys(e, "set attribute %.100s", name);
	return 0;
}

static int put_file(struct place *p, struct archive *tar, struct archive_entry *ent, int dir,
	const char *name, const struct attr *a, struct err *e)
{
	AUTO_CLOSE int fd = -1;
	la_int64_t size = archive_entry_size(ent);

	if (size < 0 || (uint64_t)size > p->bytes_left)
		return err_set(e, ERR_INPUT, "too large: files of the image exceed the limit");
	p->bytes_left -= (uint64_t)size;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, "create");
	if (copy_content(fd, tar, size, e) < 0 || attr_apply(fd, a, e) < 0)
		return -1;
	return copy_xattrs(fd, ent, e);
}

static int put_symlink(struct archive_entry *ent, int dir, const char *name, const struct attr *a,
	struct err *e)
{
	const char *target = archive_entry_symlink(ent);

	if (!target)
		return err_set(e, ERR_INPUT, "a symbolic link without a target");
	if (symlinkat(target, dir, name) < 0)
		return err_sys(e, "create symbolic link");
	return attr_apply_at(dir, name, a, true, e);
}

static int put_node(struct archive_entry *ent, int dir, const char *name, const struct attr *a,
	struct err *e)
{
	mode_t type = archive_entry_filetype(ent);

	if (mknodat(dir, name, type | 0600, type == AE_IFIFO ? 0 : archive_entry_rdev(ent)) < 0)
		return err_sys(e, "create %s", type == AE_IFIFO ? "fifo" : "device");
	return attr_apply_at(dir, name, a, false, e);
}

static int put_hardlink(struct place *p, int dir, const char *name, const char *link, struct err *e)
{
	AUTO_CLOSE int from = -1;
	const char *base;

	/* not root_parent(): a link to nothing must not make directories */
	AUTO_FREE char *up = xstrdup(link);
	char *slash = strrchr(up, '/');

	base = slash ? link + (slash - up) + 1 : link;
	up[slash ? slash - up : 0] = '\0';
	from = root_open(p->root, up, O_PATH | O_DIRECTORY);
	if (from < 0 || linkat(from, base, dir, name, 0) < 0)
		return err_sys(e, "hard link to '%.100s'", link);
	return 0;
}

static int put_dir(struct place *p, int dir, const char *name, const char *path,
	const struct attr *a, struct err *e)
{
	AUTO_CLOSE int fd = -1;

	if (*path) { /* else the root itself */
		if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
			return err_sys(e, "create directory");
		fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0)
			return err_sys(e, "is there already");
	}
	if (p->ndirs == p->room) {
		p->room = p->room ? 2 * p->room : 64;
		p->dirs = xrealloc(p->dirs, p->room, sizeof(*p->dirs));
	}
	p->dirs[p->ndirs++] = (struct place_dir){ .path = xstrdup(path), .attr = *a };
	return 0;
}

/* Removes what is there unless it is a directory and shall be one. */
static int make_way(int dir, const char *name, bool for_dir, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "is there already");
	if (S_ISDIR(st.st_mode) && for_dir)
		return 0;
	return tree_remove(dir, name, e);
}

int place_entry(struct place *p, struct archive *tar, struct archive_entry *ent, const char *path,
	const char *link, struct err *e)
{
	AUTO_CLOSE int dir = -1;
	struct attr attr;
	const char *name;

	if (attr_read(ent, &attr, e) < 0)
		return -1;
	if (!*path && (link || archive_entry_filetype(ent) != AE_IFDIR))
		return err_set(e, ERR_INPUT, "must be a directory");
	dir = root_parent(p->root, path, &name);
	if (dir < 0)
		return err_sys(e, "its directory");
	if (p->layered && link && !strcmp(link, path))
		return err_set(e, ERR_INPUT, "a hard link to itself");
	if (p->layered && *path &&
		make_way(dir, name, !link && archive_entry_filetype(ent) == AE_IFDIR, e) < 0)
		return -1;
	if (link)
		return put_hardlink(p, dir, name, link, e);
	switch (archive_entry_filetype(ent)) {
	case AE_IFREG:
		return put_file(p, tar, ent, dir, name, &attr, e);
	case AE_IFDIR:
		return put_dir(p, dir, name, path, &attr, e);
	case AE_IFLNK:
		return put_symlink(ent, dir, name, &attr, e);
	case AE_IFCHR:
	case AE_IFBLK:
	case AE_IFIFO:
		return put_node(ent, dir, name, &attr, e);
	default:
		return err_set(e, ERR_INPUT, "of a type that images cannot hold");
	}
}

/*
 * In the archive's order: of two entries for one directory the later counts. What was a directory may
 * have been replaced by a later entry: it is not followed.
 */
int place_finish(struct place *p, struct err *e)
{
	for (size_t i = 0; i < p->ndirs; i++) {
		const struct place_dir *d = &p->dirs[i];
		AUTO_CLOSE int fd = root_open(p->root, d->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);

		if (fd < 0 && p->layered && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
			continue;
		if (fd < 0)
			return err_sys(e, "directory 'rootfs/%.150s'", d->path);
		if (attr_apply(fd, &d->attr, e) < 0)
			return err_prefix(e, "directory 'rootfs/%.150s'", d->path);
	}
	place_dispose(p);
	return 0;
}

void place_dispose(struct place *p)
{
	for (size_t i = 0; i < p->ndirs; i++)
		free(p->dirs[i].path);
	free(p->dirs);
	p->dirs = NULL;
	p->ndirs = p->room = 0;
}
