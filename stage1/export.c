/* See export.h. */
#include "stage1/export.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "stage1/common/util.h"

/* Setuid programs and device nodes that a guest makes must mean nothing in dom0. */
enum { HARMLESS = MS_NOSUID | MS_NODEV };

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

static int bind_app(const struct pod_app *app, const char *s1root, const char *export,
	struct err *e)
{
	AUTO_CLOSE int fd = open_root(app, s1root, e);
	AUTO_FREE char *target = xasprintf("%s/%s", export, app->name);
	char source[40];

	if (fd < 0)
		return -1;
	(void)snprintf(source, sizeof(source), "/proc/self/fd/%d", fd);
	if (mkdir(target, 0755) < 0 || mount(source, target, NULL, MS_BIND, NULL) < 0 ||
		mount(NULL, target, NULL, MS_REMOUNT | MS_BIND | HARMLESS, NULL) < 0)
		return err_sys(e, "app '%s': export its root file system", app->name);
	return 0;
}

int export_mount(const struct pod *pod, const char *s1root, const struct domain_plan *plan,
	struct err *e)
{
	/* Slave: when the host unmounts a pod's overlay, our copy of it goes too. */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, "make a mount namespace");
	if (mount("stage1-xen", plan->exports[0].path, "tmpfs", HARMLESS | MS_NOEXEC,
			"mode=0755,size=256k") < 0)
		return err_sys(e, "mount %s", plan->exports[0].path);
	for (size_t i = 0; i < pod->napps; i++)
		if (bind_app(&pod->apps[i], s1root, plan->exports[0].path, e) < 0)
			return -1;
	if (mount(NULL, plan->exports[0].path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | HARMLESS, NULL) < 0)
		return err_sys(e, "make %s read-only", plan->exports[0].path);
	return 0;
}
