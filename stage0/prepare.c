/* See prepare.h. */
#include "stage0/prepare.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "stage0/layers.h"
#include "stage0/root.h"
#include "stage0/treestore.h"
#include "stage1/common/util.h"

static int write_text(int dir, const char *path, const char *text, mode_t mode, struct err *e)
{
	return write_file_atomic(dir, path, text, strlen(text), mode, e);
}

/* appsinfo/APP: what is known of the app's image even when its tree is gone. */
static int write_info(int pod, const struct content_app *app, const char *tree, struct err *e)
{
	AUTO_FREE char *info = xasprintf("appsinfo/%s", app->name);
	AUTO_FREE char *manifest = xasprintf("%s/manifest", info);
	AUTO_FREE char *id_file = xasprintf("%s/treeStoreID", info);
	const struct aci *aci = &app->source->aci;

	if (mkdirat(pod, info, 0750) < 0)
		return err_sys(e, "create %s", info);
	if (tree && write_text(pod, id_file, tree, 0640, e) < 0)
		return -1;
	return write_file_atomic(pod, manifest, aci->manifest, aci->manifest_len, 0640, e);
}

static int unpack_app(int stage1, const struct content_app *app, struct err *e)
{
	AUTO_FREE char *stage2 = xasprintf("opt/stage2/%s", app->name);
	AUTO_CLOSE int root = openat(stage1, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int dir = root < 0 ? -1 : root_mkdirs(root, stage2, 0755);

	if (dir < 0)
		return err_sys(e, "create %s in stage1", stage2);
	if (source_unpack(app->source, dir, 0644, e) < 0)
		return -1;
	return ensure_mtab(dir, e) < 0 ? err_prefix(e, "image %s", app->source->path) : 0;
}

/* Copies for this pod alone. */
static int fill_with_copies(const struct poddir *pod, struct source *stage1, int stage1_dir, struct content *content,
	struct err *e)
{
	char tree[TREE_ID_LEN + 1];

	if (source_unpack(stage1, stage1_dir, 0640, e) < 0)
		return -1;
	tree_id(stage1->aci.id, tree);
	if (write_text(pod->fd, "stage1TreeStoreID", tree, 0640, e) < 0)
		return -1;
	for (size_t i = 0; i < content->napps; i++)
		if (unpack_app(stage1_dir, &content->apps[i], e) < 0 ||
			write_info(pod->fd, &content->apps[i], NULL, e) < 0)
			return -1;
	return 0;
}

/* Trees that pods share; layers_mount() lays the pod's own layers over them. */
static int fill_with_trees(const struct poddir *pod, struct source *stage1, int stage1_dir, struct content *content,
	struct err *e)
{
	AUTO_CLOSE int lock = trees_lock(pod->data, LOCK_SH, e);
	char tree[TREE_ID_LEN + 1];

	if (lock < 0 || tree_render(pod->data, pod->uuid, stage1, tree, e) < 0 ||
		write_text(pod->fd, "stage1TreeStoreID", tree, 0640, e) < 0 ||
		write_file_atomic(stage1_dir, "manifest", stage1->aci.manifest, stage1->aci.manifest_len, 0640, e) < 0)
		return -1;
	for (size_t i = 0; i < content->napps; i++)
		if (tree_render(pod->data, pod->uuid, content->apps[i].source, tree, e) < 0 ||
			write_info(pod->fd, &content->apps[i], tree, e) < 0)
			return -1;
	return write_text(pod->fd, "overlay-prepared", "", 0644, e);
}

static int write_manifest(int pod, const struct content *content, struct err *e)
{
	AUTO_FREE char *manifest = NULL;
	size_t len;

	if (content_manifest(content, &manifest, &len, e) < 0)
		return -1;
	return write_file_atomic(pod, "pod", manifest, len, 0640, e);
}

int pod_prepare(struct poddir *pod, struct source *stage1, struct content *content, bool overlay, struct err *e)
{
	AUTO_CLOSE int stage1_dir = -1;

	if (poddir_move(pod, "prepare", e) < 0 || write_text(pod->fd, "pod-created", "", 0640, e) < 0 ||
		write_text(pod->fd, "pod.lck", "", 0600, e) < 0)
		return -1;
	if (mkdirat(pod->fd, "appsinfo", 0750) < 0 || mkdirat(pod->fd, "stage1", 0750) < 0)
		return err_sys(e, "create directories in %s", pod->uuid);
	stage1_dir = openat(pod->fd, "stage1", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (stage1_dir < 0)
		return err_sys(e, "open directory stage1");
	if ((overlay ? fill_with_trees : fill_with_copies)(pod, stage1, stage1_dir, content, e) < 0)
		return -1;
	return write_manifest(pod->fd, content, e);
}

int pod_prepare_app(const struct poddir *pod, const struct content_app *app, bool overlay, struct err *e)
{
	AUTO_CLOSE int stage1_dir = openat(pod->fd, "stage1", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int lock = overlay ? trees_lock(pod->data, LOCK_SH, e) : -1;
	char tree[TREE_ID_LEN + 1];

	if (overlay && lock < 0)
		return -1;
	if (stage1_dir < 0)
		return err_sys(e, "open directory stage1");
	if ((overlay ? tree_render(pod->data, pod->uuid, app->source, tree, e) : unpack_app(stage1_dir, app, e)) < 0)
		return -1;
	return write_info(pod->fd, app, overlay ? tree : NULL, e);
}
