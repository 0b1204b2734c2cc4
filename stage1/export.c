/* See export.h. */
#include "stage1/export.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "stage1/common/util.h"
#include "stage1/idmap.h"
#include "stage1/volumes.h"

/* Setuid programs and device nodes that a guest makes must mean nothing in dom0. */
enum { HARMLESS = MS_NOSUID | MS_NODEV, ATTR_HARMLESS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

static int open_root(const struct pod_app *app, const char *s1root, struct err *e)
{
	AUTO_FREE char *rel = xasprintf(PLAN_APP_ROOT, app->name);
	AUTO_FREE char *path = xasprintf("%s/%s", s1root, rel);
	int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "app '%s': no root file system at %s", app->name, path);
}

int export_check(const struct pod *pod, const char *s1root, struct err *e)
{
	for (size_t i = 0; i < pod->napps; i++) {
		AUTO_CLOSE int fd = open_root(&pod->apps[i], s1root, e);

		if (fd < 0)
			return -1;
	}
	return 0;
}

/* How a tree is exported. */
struct manner {
	bool recursive, read_only;
	int idmap; /* a user namespace that maps its owners, or -1 */
};

/* EINVAL: the file system cannot map owners; the other reasons were excluded (mount_setattr(2)). */
static int map_owners(int tree, int idmap)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)idmap };

	return idmap < 0 ? 0 : mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr));
}

/*
 * A copy of the mount at `fd`, from there on, placed at `target` (a directory or an empty file, as
 * the source is). It has its restrictions before anybody can see it. -1 with errno; else *unmapped_r
 * says whether its owners could not be mapped.
 */
static int export_tree(int fd, const char *target, const struct manner *how, bool *unmapped_r)
{
	unsigned deep = how->recursive ? AT_RECURSIVE : 0;
	AUTO_CLOSE int tree = open_tree(fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | deep);
	struct mount_attr attr = {
		.attr_set = (unsigned)ATTR_HARMLESS | (how->read_only ? MOUNT_ATTR_RDONLY : 0),
		.propagation = MS_PRIVATE,
	};

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH | deep, &attr, sizeof(attr)) < 0)
		return -1;
	*unmapped_r = map_owners(tree, how->idmap) < 0;
	if (*unmapped_r && errno != EINVAL)
		return -1;
	return move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

static int export_app(const struct pod_app *app, const char *s1root, int idmap, struct err *warning,
	struct err *e)
{
	const struct manner how = { .idmap = idmap };
	bool unmapped;

	AUTO_CLOSE int fd = open_root(app, s1root, e);
	AUTO_FREE char *target = xasprintf("%s/" PLAN_EXPORT_POD "/" PLAN_POD_APPS "/%s", s1root, app->name);

	if (fd < 0)
		return -1;
	if (mkdir(target, 0755) < 0 || export_tree(fd, target, &how, &unmapped) < 0)
		return err_sys(e, "app '%s': export its root file system", app->name);
	if (unmapped)
		(void)err_set(warning, ERR_HOST, "app '%s': its files are seen with the owners of --private-users, for "
			"their file system cannot map them (ext4, xfs and btrfs can)", app->name);
	return 0;
}

/* The pod's own directory, made new for each pod: nobody else writes in it, the guest does below it. */
static int open_empty(const struct volume_plan *v, struct err *e)
{
	AUTO_CLOSE int shared = -1;
	AUTO_CLOSE int fd = -1;
	bool made;

	if (mkdir(PLAN_SHARED_DIR, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", PLAN_SHARED_DIR);
	shared = open(PLAN_SHARED_DIR, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (shared < 0)
		return err_sys(e, "open %s", PLAN_SHARED_DIR);
	made = mkdirat(shared, v->source, 0700) == 0;
	if (!made && errno != EEXIST)
		return err_sys(e, "app '%s', volume '%s': make it", v->app, v->name);
	fd = openat(shared, v->source, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "app '%s', volume '%s': open it", v->app, v->name);
	/* The owner first: chown(2) takes setuid and setgid bits away. */
	if (made && (fchown(fd, v->uid, v->gid) < 0 || fchmod(fd, v->mode) < 0))
		return err_sys(e, "app '%s', volume '%s': give it its owner and mode", v->app, v->name);
	return STEAL_FD(fd);
}

/* Something to mount a copy of `fd` on. */
static int make_target(int fd, const char *target)
{
	AUTO_CLOSE int made = -1;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -1;
	if (S_ISDIR(st.st_mode))
		return mkdir(target, 0755);
	made = open(target, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	return made < 0 ? -1 : 0;
}

static int export_volume(const struct volume_plan *v, const char *s1root, struct err *e)
{
	bool host = v->kind == POD_VOLUME_HOST, unmapped;
	const struct manner how = { .recursive = host && v->recursive, .read_only = v->read_only, .idmap = -1 };
	AUTO_CLOSE int fd = host ? volume_open(v, e) : open_empty(v, e);
	AUTO_FREE char *target = xasprintf("%s/%s", s1root, v->entry);

	if (fd < 0)
		return -1;
	if (make_target(fd, target) < 0 || export_tree(fd, target, &how, &unmapped) < 0)
		return err_sys(e, "app '%s', volume '%s': export %s", v->app, v->name, v->source);
	return 0;
}

static int make_base(const char *s1root, const char *base, struct err *e)
{
	static const char *const dirs[] = { PLAN_EXPORT_POD, PLAN_EXPORT_POD "/" PLAN_POD_APPS,
		PLAN_EXPORT_POD "/" PLAN_POD_EMPTY, PLAN_EXPORT_VOLUMES };

	if (mount("stage1-xen", base, "tmpfs", HARMLESS | MS_NOEXEC, "mode=0755,size=256k") < 0)
		return err_sys(e, "mount %s", base);
	for (size_t i = 0; i < COUNT(dirs); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", s1root, dirs[i]);

		if (mkdir(path, 0755) < 0)
			return err_sys(e, "make %s", path);
	}
	return 0;
}

int export_mount(const struct pod *pod, const char *s1root, const struct mounts_plan *mounts,
	const struct id_shift *shift, struct err *warning, struct err *e)
{
	AUTO_CLOSE int idmap = -1;
	AUTO_FREE char *base = xasprintf("%s/" PLAN_EXPORT_DIR, s1root);
	mode_t mask;
	int ret = 0;

	if (shift->count > 0) {
		idmap = idmap_open(shift, e);
		if (idmap < 0)
			return -1;
	}
	mask = umask(0);
	/* Slave: when the host unmounts something, what we inherited of it goes too, and is not busy. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		ret = err_sys(e, "make a mount namespace");
	if (ret == 0)
		ret = make_base(s1root, base, e);
	for (size_t i = 0; i < pod->napps && ret == 0; i++)
		ret = export_app(&pod->apps[i], s1root, idmap, warning, e);
	for (size_t i = 0; i < mounts->nvolumes && ret == 0; i++)
		if (mounts->volumes[i].entry)
			ret = export_volume(&mounts->volumes[i], s1root, e);
	if (ret == 0 && mount(NULL, base, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | HARMLESS, NULL) < 0)
		ret = err_sys(e, "make %s read-only", base);
	(void)umask(mask);
	return ret;
}
