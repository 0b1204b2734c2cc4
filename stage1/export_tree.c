/* See export_internal.h. */
#include "stage1/export_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "stage1/common/util.h"

/* Setuid programs and device nodes that a guest makes must mean nothing in dom0. */
enum { ATTR_HARMLESS = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

int export_open_root(const struct pod_app *app, const char *s1root, struct err *e)
{
	AUTO_FREE char *rel = xasprintf(PLAN_APP_ROOT, app->name);
	AUTO_FREE char *path = xasprintf("%s/%s", s1root, rel);
	int fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "app '%s': no root file system at %s", app->name, path);
}

/* EINVAL: the file system cannot map owners; the other reasons were excluded (mount_setattr(2)). */
static int map_owners(int tree, int idmap)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)idmap };

	return idmap < 0 ? 0 : mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof(attr));
}

int export_clone(int fd, const struct export_manner *how, bool *unmapped_r)
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
	return STEAL_FD(tree);
}

/* The pod's own directory, made new for each pod: nobody else writes in it, the guest does below it. */
int export_open_empty(const struct volume_plan *v, struct err *e)
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

int export_make_target(int fd, const char *target)
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

void export_warn_unmapped(const struct pod_app *app, struct err *warning)
{
	(void)err_set(warning, ERR_HOST, "app '%s': its files are seen with the owners of --private-users, for "
		"their file system cannot map them (ext4, xfs and btrfs can)", app->name);
}
