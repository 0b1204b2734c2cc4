/* See overlay.h. */
#include "stage0/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "stage0/mounts.h"
#include "stage0/podread.h"
#include "stage0/root.h"
#include "stage1/common/util.h"

/* The kernel splits options at ',' always, and kernels differ about a '\\' in what is no lower layer. */
static int check_path(const char *path, struct err *e)
{
	if (strpbrk(path, ",\\"))
		return err_set(e, ERR_HOST, "%s: an overlay cannot have a ',' or a '\\' in its path", path);
	return 0;
}

/* Lower layers are split at ':' unless it is escaped. */
static char *escape(const char *path)
{
	char *text = xcalloc(2 * strlen(path) + 1, 1), *to = text;

	for (; *path; path++) {
		if (*path == ':')
			*to++ = '\\';
		*to++ = *path;
	}
	return text;
}

static bool is_mounted(const char *path)
{
	struct mounts mounts = { .n = 0 };
	struct err ignored = ERR_INIT;
	bool found = false;

	if (mounts_below(path, &mounts, &ignored) == 0)
		for (size_t i = 0; i < mounts.n; i++)
			found = found || !strcmp(mounts.v[i], path);
	mounts_dispose(&mounts);
	return found;
}

int overlay_mount(const char *data, const char *pod, const char *id, const char *app, const char *at, struct err *e)
{
	AUTO_FREE char *low = xasprintf("%s/cas/tree/%s/rootfs", data, id);
	AUTO_FREE char *layers = xasprintf("%s/overlay/%s", pod, id);
	AUTO_FREE char *below = xasprintf("%s%s", app ? "/" : "", app ? app : "");
	AUTO_FREE char *lower = NULL, *options = NULL;

	if (check_path(low, e) < 0 || check_path(layers, e) < 0)
		return -1;
	lower = escape(low);
	options = xasprintf("lowerdir=%s,upperdir=%s/upper%s,workdir=%s/work%s", lower, layers, below, layers, below);
	if (mount("overlay", at, "overlay", 0, options) < 0 && errno != EBUSY)
		return err_sys(e, "mount the overlay at %s", at);
	return 0;
}

int overlay_mount_stage1(const struct known_pod *pod, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(&pod->dir), *root = xasprintf("%s/stage1/rootfs", dir), *id = NULL;

	if (is_mounted(root))
		return 0;
	if (pod_read_tree_id(pod->dir.fd, "stage1TreeStoreID", &id, e) < 0)
		return -1;
	return overlay_mount(pod->dir.data, dir, id, NULL, root, e);
}

static int mount_layers(int fs, const char *layers, int *root_r)
{
	if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", layers, 0) < 0 ||
		fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	*root_r = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return *root_r < 0 ? -1 : 0;
}

/*
 * All layers are lower ones: such an overlay cannot be written to, and needs no directory to work in. They are
 * named by descriptors: fsconfig() takes 255 bytes and no ','.
 */
int overlay_open_app(const struct known_pod *pod, const char *app, int *root_r, struct err *e)
{
	AUTO_FREE char *id = NULL, *id_path = xasprintf("appsinfo/%s/treeStoreID", app), *layers = NULL;
	AUTO_CLOSE int fs = -1;

	if (pod_read_tree_id(pod->dir.fd, id_path, &id, e) < 0)
		return -1;
	AUTO_FREE char *up = xasprintf("overlay/%s/upper/%s", id, app);
	AUTO_FREE char *low = xasprintf("%s/cas/tree/%s/rootfs", pod->dir.data, id);
	AUTO_CLOSE int upper = root_open(pod->dir.fd, up, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	AUTO_CLOSE int lower = open(low, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (upper < 0 || lower < 0)
		return err_sys(e, "open the layer %s", upper < 0 ? up : low);
	layers = xasprintf("/proc/self/fd/%d:/proc/self/fd/%d", upper, lower);
	fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0 || mount_layers(fs, layers, root_r) < 0)
		return err_sys(e, "mount the layers %s and %s", up, low);
	return 0;
}
