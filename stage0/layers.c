/* See layers.h. */
#include "stage0/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/mounts.h"
#include "stage0/overlay.h"
#include "stage0/podread.h"
#include "stage0/root.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"

/* A link in the image cannot lead out, unlike with rkt. */
int ensure_mtab(int dir, struct err *e)
{
	AUTO_CLOSE int root = openat(dir, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int etc = root < 0 ? -1 : root_mkdirs(root, "etc", 0755);

	if (etc < 0)
		return err_sys(e, "its directory etc");
	if (symlinkat("../proc/self/mounts", etc, "mtab") < 0 && errno != EEXIST)
		return err_sys(e, "its etc/mtab");
	return 0;
}

static int make_dir(int at, const char *path, mode_t mode, struct err *e)
{
	AUTO_CLOSE int fd = root_mkdirs(at, path, mode);

	return fd < 0 ? err_sys(e, "create directory %s", path) : 0;
}

/*
 * The directories of the layer over tree `id`; `app` is NULL for stage1's. The layer's root has the
 * mode of the image's, and what the app makes in it is not setgid because the pod's directory is.
 */
static int make_layer(const struct poddir *pod, const char *id, const char *app, mode_t *mode_r, struct err *e)
{
	AUTO_FREE char *tree = xasprintf("%s/cas/tree/%s/rootfs", pod->data, id);
	AUTO_FREE char *top = xasprintf("overlay/%s", id);
	AUTO_FREE char *upper = xasprintf("%s/upper%s%s", top, app ? "/" : "", app ? app : "");
	AUTO_FREE char *work = xasprintf("%s/work%s%s", top, app ? "/" : "", app ? app : "");
	struct stat st;

	if (lstat(tree, &st) < 0)
		return err_sys(e, "%s", tree);
	*mode_r = st.st_mode & 07777;
	if (make_dir(pod->fd, top, 0750, e) < 0 || make_dir(pod->fd, upper, *mode_r, e) < 0)
		return -1;
	return make_dir(pod->fd, work, 0750, e);
}

/* rkt: the times of rkt/status change, so that it is in the upper layer, where readers look. */
static int mount_stage1(const struct poddir *pod, const char *dir, int *root_r, struct err *e)
{
	AUTO_FREE char *at = xasprintf("%s/stage1/rootfs", dir);
	AUTO_FREE char *id = NULL;
	AUTO_CLOSE int root = -1;
	mode_t mode;

	if (pod_read_tree_id(pod->fd, "stage1TreeStoreID", &id, e) < 0 ||
		make_layer(pod, id, NULL, &mode, e) < 0 ||
		make_dir(pod->fd, "stage1/rootfs", mode, e) < 0 ||
		overlay_mount(pod->data, dir, id, NULL, at, e) < 0)
		return -1;
	root = openat(pod->fd, "stage1/rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || utimensat(root, "rkt/status", NULL, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, "stage1's rkt/status");
	*root_r = STEAL_FD(root);
	return 0;
}

static int copy_manifest(int pod, const char *app, int to, struct err *e)
{
	AUTO_FREE char *from = xasprintf("appsinfo/%s/manifest", app);
	AUTO_FREE char *text = NULL;
	size_t len;

	if (pod_read_file(pod, from, POD_MANIFEST_MAX, &text, &len, e) < 0)
		return -1;
	return write_file_atomic(to, "manifest", text, len, 0644, e);
}

static int mount_app(const struct poddir *pod, const char *dir, int root, const char *app, struct err *e)
{
	AUTO_FREE char *stage2 = xasprintf("opt/stage2/%s", app);
	AUTO_FREE char *at = xasprintf("%s/stage1/rootfs/%s/rootfs", dir, stage2);
	AUTO_FREE char *id_file = xasprintf("appsinfo/%s/treeStoreID", app);
	AUTO_FREE char *id = NULL;
	AUTO_CLOSE int home = root_mkdirs(root, stage2, 0755);
	mode_t mode;

	if (home < 0)
		return err_sys(e, "create %s in stage1", stage2);
	if (pod_read_tree_id(pod->fd, id_file, &id, e) < 0 || copy_manifest(pod->fd, app, home, e) < 0 ||
		make_layer(pod, id, app, &mode, e) < 0 || make_dir(home, "rootfs", mode, e) < 0 ||
		overlay_mount(pod->data, dir, id, app, at, e) < 0)
		return -1;
	return ensure_mtab(home, e);
}

static int mount_all(const struct poddir *pod, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(pod);
	struct pod_meta meta = POD_META_INIT;
	AUTO_CLOSE int root = -1;
	int ret;

	if (mount_stage1(pod, dir, &root, e) < 0)
		return err_prefix(e, "stage1");
	ret = pod_read_meta(pod->fd, &meta, e);
	for (size_t i = 0; ret == 0 && i < meta.napps; i++)
		if (mount_app(pod, dir, root, meta.apps[i].name, e) < 0)
			ret = err_prefix(e, "app '%s'", meta.apps[i].name);
	pod_meta_dispose(&meta);
	return ret;
}

int layers_mount(const struct poddir *pod, struct err *e)
{
	struct err undo = ERR_INIT;

	if (!pod_uses_overlay(pod->fd) || mount_all(pod, e) == 0)
		return 0;
	if (layers_unmount(pod, &undo) < 0)
		err_append(e, "; %s", undo.msg);
	return -1;
}

int layers_mount_app(const struct poddir *pod, const char *app, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(pod);
	AUTO_CLOSE int root = openat(pod->fd, "stage1/rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return err_sys(e, "open stage1/rootfs");
	return mount_app(pod, dir, root, app, e);
}

int layers_unmount(const struct poddir *pod, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(pod);

	return pod_uses_overlay(pod->fd) ? mounts_remove(dir, e) : 0;
}
