/* See tarout.h. */
#include "stage0/tarout.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>

#include "stage0/place.h"
#include "stage1/common/util.h"

enum { BLOCK = 1 << 16 };

struct tarout {
	const struct tarout_opts *opts;
	struct archive *tar;
	struct archive_entry_linkresolver *links; /* knows the first name of a file with several */
	uint64_t bytes_left;
};

struct names {
	char **v; /* owned */
	size_t n;
};

/* What `path`, relative to the root, is: no part of it is a link or something mounted. */
static int open_beneath(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)(flags | O_CLOEXEC | O_NOFOLLOW),
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV,
	};

	return (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
}

static int tar_err(struct tarout *t, struct err *e)
{
	return err_set(e, ERR_SYSTEM, "write: %s", archive_error_string(t->tar));
}

static int copy_content(struct tarout *t, int fd, int64_t size, struct err *e)
{
	static char buf[BLOCK];

	while (size > 0) {
		ssize_t n = read(fd, buf, size < BLOCK ? (size_t)size : BLOCK);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read");
		if (n == 0)
			return err_set(e, ERR_SYSTEM, "became shorter while it was read");
		if (archive_write_data(t->tar, buf, (size_t)n) != n)
			return tar_err(t, e);
		size -= n;
	}
	return 0;
}

static int add_xattrs(int fd, struct archive_entry *ent, struct err *e)
{
	AUTO_FREE char *list = xmalloc(XATTR_LIST_MAX), *value = xmalloc(XATTR_SIZE_MAX);
	ssize_t len = flistxattr(fd, list, XATTR_LIST_MAX);

	if (len < 0)
		return errno == ENOTSUP ? 0 : err_sys(e, "list attributes");
	for (const char *name = list; name < list + len; name += strlen(name) + 1) {
		ssize_t size = place_keeps_xattr(name) ? fgetxattr(fd, name, value, XATTR_SIZE_MAX) : -1;

		if (size >= 0)
			archive_entry_xattr_add_entry(ent, name, value, (size_t)size);
		else if (place_keeps_xattr(name))
			return err_sys(e, "read attribute %s", name);
	}
	return 0;
}

static int shift_id(const struct tarout_opts *o, uint32_t id, int64_t *id_r, struct err *e)
{
	if (o->id_count && (id < o->id_shift || id - o->id_shift >= o->id_count))
		return err_set(e, ERR_INPUT, "owner %u is not within the pod's range", id);
	*id_r = id - (o->id_count ? o->id_shift : 0);
	return 0;
}

static int set_attributes(struct tarout *t, struct archive_entry *ent, const char *path, const struct stat *st,
	struct err *e)
{
	AUTO_FREE char *full = *path ? xasprintf("rootfs/%s", path) : xstrdup("rootfs");
	int64_t uid, gid;

	if (shift_id(t->opts, st->st_uid, &uid, e) < 0 || shift_id(t->opts, st->st_gid, &gid, e) < 0)
		return -1;
	archive_entry_copy_pathname(ent, full);
	archive_entry_set_mode(ent, st->st_mode);
	archive_entry_set_uid(ent, uid);
	archive_entry_set_gid(ent, gid);
	archive_entry_set_mtime(ent, st->st_mtim.tv_sec, st->st_mtim.tv_nsec);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		archive_entry_set_rdev(ent, st->st_rdev);
	archive_entry_set_size(ent, S_ISREG(st->st_mode) ? st->st_size : 0);
	archive_entry_set_dev(ent, st->st_dev);
	archive_entry_set_ino64(ent, (la_int64_t)st->st_ino);
	archive_entry_set_nlink(ent, (unsigned)st->st_nlink);
	return 0;
}

static int set_target(struct archive_entry *ent, int fd, struct err *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);

	if (n < 0)
		return err_sys(e, "read the link");
	target[n] = '\0';
	archive_entry_copy_symlink(ent, target);
	return 0;
}

static int take_bytes(struct tarout *t, const struct stat *st, struct err *e)
{
	if ((uint64_t)st->st_size > t->bytes_left)
		return err_set(e, ERR_INPUT, "more than %llu bytes of files", (unsigned long long)t->opts->bytes_max);
	t->bytes_left -= (uint64_t)st->st_size;
	return 0;
}

/* `fd` is open for reading if it is a file or a directory, else only a place. A name of a known file is a link. */
static int write_entry(struct tarout *t, struct archive_entry *ent, const char *path, int fd, const struct stat *st,
	struct err *e)
{
	struct archive_entry *unused = NULL, *same = ent;
	bool file;

	if (set_attributes(t, ent, path, st, e) < 0)
		return -1;
	archive_entry_linkify(t->links, &same, &unused);
	file = S_ISREG(st->st_mode) && !archive_entry_hardlink(ent);
	if (S_ISLNK(st->st_mode) && !archive_entry_hardlink(ent) && set_target(ent, fd, e) < 0)
		return -1;
	if ((file || S_ISDIR(st->st_mode)) && add_xattrs(fd, ent, e) < 0)
		return -1;
	if (file && take_bytes(t, st, e) < 0)
		return -1;
	if (archive_write_header(t->tar, ent) < ARCHIVE_WARN) /* a warning: the name is not UTF-8, and stays as it is */
		return tar_err(t, e);
	return file ? copy_content(t, fd, st->st_size, e) : 0;
}

static int add_tree(struct tarout *t, const char *path, struct err *e);

/* Devices and fifos must not be opened: what it is, is known before. */
static int add_path(struct tarout *t, const char *path, struct err *e)
{
	AUTO_CLOSE int place = open_beneath(t->opts->root, path, O_PATH);
	AUTO_CLOSE int fd = -1;
	struct archive_entry *ent;
	struct stat st;
	int ret;

	if (place < 0 && errno == EXDEV)
		return err_set(e, ERR_HOST, "something is mounted there");
	if (place < 0 || fstat(place, &st) < 0)
		return err_sys(e, "open");
	if (S_ISSOCK(st.st_mode))
		return 0;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = open_beneath(t->opts->root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_sys(e, "open");
	}
	ent = archive_entry_new();
	ret = write_entry(t, ent, path, fd >= 0 ? fd : place, &st, e);
	archive_entry_free(ent);
	if (ret < 0 || !S_ISDIR(st.st_mode))
		return ret;
	(void)close(STEAL_FD(fd));
	(void)close(STEAL_FD(place));
	return add_tree(t, path, e);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int read_names(struct tarout *t, const char *path, struct names *names, struct err *e)
{
	int fd = open_beneath(t->opts->root, path, O_RDONLY | O_DIRECTORY);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir) {
		int ret = err_sys(e, "open");

		if (fd >= 0)
			(void)close(fd);
		return ret;
	}
	while (errno = 0, (d = readdir(dir))) {
		if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
			continue;
		if (names->n % 64 == 0)
			names->v = xrealloc(names->v, names->n + 64, sizeof(*names->v));
		names->v[names->n++] = xstrdup(d->d_name);
	}
	if (errno)
		(void)err_sys(e, "read");
	(void)closedir(dir);
	if (names->n)
		qsort(names->v, names->n, sizeof(*names->v), by_name);
	return e->kind == ERR_NONE ? 0 : -1;
}

/* Paths end at PATH_MAX, and so does the recursion: nobody could unpack longer ones. */
static int add_tree(struct tarout *t, const char *path, struct err *e) /* NOLINT(misc-no-recursion) */
{
	struct names names = { .n = 0 };
	int ret = read_names(t, path, &names, e);

	for (size_t i = 0; ret == 0 && i < names.n; i++) {
		AUTO_FREE char *sub = *path ? xasprintf("%s/%s", path, names.v[i]) : xstrdup(names.v[i]);

		if (strlen(sub) + sizeof("rootfs/") > PATH_MAX)
			ret = err_set(e, ERR_INPUT, "a path too long for an image, rootfs/%.100s...", sub);
		else if ((ret = add_path(t, sub, e)) < 0 && !strstr(e->msg, "rootfs/"))
			(void)err_prefix(e, "rootfs/%s", sub);
	}
	for (size_t i = 0; i < names.n; i++)
		free(names.v[i]);
	free(names.v);
	return ret;
}

static int add_manifest(struct tarout *t, struct err *e)
{
	struct archive_entry *ent = archive_entry_new();
	bool good;

	archive_entry_copy_pathname(ent, "manifest");
	archive_entry_set_mode(ent, S_IFREG | 0644);
	archive_entry_set_mtime(ent, time(NULL), 0);
	archive_entry_set_size(ent, (int64_t)t->opts->manifest_len);
	good = archive_write_header(t->tar, ent) == ARCHIVE_OK &&
		archive_write_data(t->tar, t->opts->manifest, t->opts->manifest_len) ==
			(la_ssize_t)t->opts->manifest_len;
	archive_entry_free(ent);
	return good ? 0 : tar_err(t, e);
}

int tarout_write(int fd, const struct tarout_opts *opts, struct err *e)
{
	struct tarout t = { .opts = opts, .tar = archive_write_new(), .bytes_left = opts->bytes_max };
	int ret = 0;

	t.links = archive_entry_linkresolver_new();
	archive_entry_linkresolver_set_strategy(t.links, ARCHIVE_FORMAT_TAR_PAX_RESTRICTED);
	if (archive_write_set_format_pax_restricted(t.tar) != ARCHIVE_OK ||
		archive_write_add_filter_gzip(t.tar) != ARCHIVE_OK ||
		archive_write_set_bytes_in_last_block(t.tar, 1) != ARCHIVE_OK ||
		archive_write_open_fd(t.tar, fd) != ARCHIVE_OK)
		ret = tar_err(&t, e);
	if (ret == 0)
		ret = add_manifest(&t, e);
	if (ret == 0)
		ret = add_path(&t, "", e);
	if (ret == 0 && archive_write_close(t.tar) != ARCHIVE_OK)
		ret = tar_err(&t, e);
	(void)archive_write_free(t.tar);
	archive_entry_linkresolver_free(t.links);
	return ret;
}
