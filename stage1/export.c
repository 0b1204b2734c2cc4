/* See export.h. */
#include "stage1/export.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "stage1/common/util.h"
#include "stage1/export_internal.h"
#include "stage1/idmap.h"
#include "stage1/volumes.h"

/* Setuid programs and device nodes that a guest makes must mean nothing in dom0. */
enum { HARMLESS = MS_NOSUID | MS_NODEV };

int export_check(const struct pod *pod, const char *s1root, struct err *e)
{
	for (size_t i = 0; i < pod->napps; i++) {
		AUTO_CLOSE int fd = export_open_root(&pod->apps[i], s1root, e);

		if (fd < 0)
			return -1;
	}
	return 0;
}

static int export_tree(int fd, const char *target, const struct export_manner *how, bool *unmapped_r)
{
	AUTO_CLOSE int tree = export_clone(fd, how, unmapped_r);

	return tree < 0 ? -1 : move_mount(tree, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH);
}

static int export_app(const struct pod_app *app, const char *s1root, int idmap, struct err *warning,
	struct err *e)
{
	const struct export_manner how = { .idmap = idmap };
	bool unmapped;

	AUTO_CLOSE int fd = export_open_root(app, s1root, e);
	AUTO_FREE char *target = xasprintf("%s/" PLAN_EXPORT_POD "/" PLAN_POD_APPS "/%s", s1root, app->name);

	if (fd < 0)
		return -1;
	if (mkdir(target, 0755) < 0 || export_tree(fd, target, &how, &unmapped) < 0)
		return err_sys(e, "app '%s': export its root file system", app->name);
	if (unmapped)
		export_warn_unmapped(app, warning);
	return 0;
}

static int export_volume(const struct volume_plan *v, const char *s1root, struct err *e)
{
	bool host = v->kind == POD_VOLUME_HOST, unmapped;
	const struct export_manner how = { .recursive = host && v->recursive, .read_only = v->read_only, .idmap = -1 };
	AUTO_CLOSE int fd = host ? volume_open(v, e) : export_open_empty(v, e);
	AUTO_FREE char *target = xasprintf("%s/%s", s1root, v->entry);

	if (fd < 0)
		return -1;
	if (export_make_target(fd, target) < 0 || export_tree(fd, target, &how, &unmapped) < 0)
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
