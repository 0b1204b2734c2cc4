/* See appdir.h. */
#include "stage0/appdir.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>

#include "stage0/jbuild.h"
#include "stage0/layers.h"
#include "stage0/podread.h"
#include "stage0/prepare.h"
#include "stage0/root.h"
#include "stage1/common/util.h"

int appdir_lock(int pod, int *lock_r, struct err *e)
{
	AUTO_CLOSE int fd = openat(pod, "pod.lck", O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	int ret;

	if (fd < 0)
		return err_sys(e, "open pod.lck");
	do
		ret = flock(fd, LOCK_EX);
	while (ret < 0 && errno == EINTR);
	if (ret < 0)
		return err_sys(e, "lock pod.lck");
	*lock_r = STEAL_FD(fd);
	return 0;
}

static int write_manifest(int pod, json_object *doc, struct err *e)
{
	const char *text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	return write_file_atomic(pod, "pod", text, strlen(text), 0640, e);
}

/* The list of apps as it is written, which pod_read_meta() has found to be one or none. */
static json_object *apps_of(const struct pod_meta *meta)
{
	struct jnode root = jnode_root(meta->doc, "pod"), list;
	struct err ignored = ERR_INIT;

	if (jnode_opt(&root, "apps", json_type_array, &list, &ignored) > 0)
		return list.obj;
	return jb_list(meta->doc, "apps");
}

static int insert(int pod, const struct content *content, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	AUTO_FREE char *text = NULL;
	json_object *own = NULL;
	size_t len;
	int ret = -1;

	if (pod_read_meta(pod, &meta, e) < 0)
		return -1;
	if (content_manifest(content, &text, &len, e) == 0 && json_parse(text, len, "app", &own, e) == 0) {
		json_object *app = json_object_array_get_idx(jb_get(own, "apps"), 0);

		(void)json_object_array_add(apps_of(&meta), json_object_get(app));
		ret = write_manifest(pod, meta.doc, e);
	}
	json_object_put(own);
	pod_meta_dispose(&meta);
	return ret;
}

static int take_out(int pod, const char *name, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	int ret = 0;

	if (pod_read_meta(pod, &meta, e) < 0)
		return -1;
	for (size_t i = 0; i < meta.napps; i++)
		if (!strcmp(meta.apps[i].name, name)) {
			(void)json_object_array_del_idx(apps_of(&meta), i, 1);
			ret = write_manifest(pod, meta.doc, e);
			break;
		}
	pod_meta_dispose(&meta);
	return ret;
}

/* stage1's rkt/status, through the mount. */
static int open_marks(int pod, struct err *e)
{
	AUTO_CLOSE int root = openat(pod, "stage1/rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int dir = root < 0 ? -1 : root_open_plain(root, "rkt/status", O_PATH | O_DIRECTORY);

	return dir >= 0 ? dir : err_sys(e, "stage1's rkt/status");
}

static int mark(int marks, const char *app, const char *what, struct err *e)
{
	AUTO_FREE char *name = xasprintf("%s-%s", app, what);

	return write_file_atomic(marks, name, "", 0, 0644, e);
}

static void unmark(int marks, const char *app, const char *what)
{
	AUTO_FREE char *name = xasprintf("%s%s", app, what);

	(void)unlinkat(marks, name, 0);
}

/* In this order, that nobody sees it running and ended (rkt stage0/app_start.go). */
static void forget_runs(int marks, const char *app)
{
	unmark(marks, app, "-started");
	unmark(marks, app, "");
}

int appdir_mark_started(int pod, const char *app, struct err *e)
{
	AUTO_CLOSE int marks = open_marks(pod, e);

	if (marks < 0)
		return -1;
	forget_runs(marks, app);
	return mark(marks, app, "started", e);
}

int appdir_add(const struct poddir *pod, struct content *content, struct err *e)
{
	const struct content_app *app = &content->apps[0];
	bool overlay = pod_uses_overlay(pod->fd);
	AUTO_CLOSE int marks = open_marks(pod->fd, e);

	if (marks < 0 || pod_prepare_app(pod, app, overlay, e) < 0 ||
		(overlay && layers_mount_app(pod, app->name, e) < 0) || insert(pod->fd, content, e) < 0)
		return -1;
	return mark(marks, app->name, "created", e);
}

static int remove_below(int at, const char *path, const char *name, struct err *e)
{
	AUTO_CLOSE int dir = root_open_plain(at, path, O_RDONLY | O_DIRECTORY);

	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", path);
	return tree_remove(dir, name, e);
}

/* Other apps of the same image have layers of their own beside it. */
static int remove_layer(const struct poddir *pod, const char *app, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(pod), *root = xasprintf("%s/stage1/rootfs/opt/stage2/%s/rootfs", dir, app);
	AUTO_FREE char *id_file = xasprintf("appsinfo/%s/treeStoreID", app), *id = NULL, *upper = NULL, *work = NULL;
	struct err none = ERR_INIT;

	if (umount2(root, UMOUNT_NOFOLLOW) < 0 && errno != ENOENT && errno != EINVAL)
		return err_sys(e, "unmount %s", root);
	if (pod_read_tree_id(pod->fd, id_file, &id, &none) < 0)
		return 0; /* that was removed before */
	upper = xasprintf("overlay/%s/upper", id);
	work = xasprintf("overlay/%s/work", id);
	return remove_below(pod->fd, upper, app, e) < 0 ? -1 : remove_below(pod->fd, work, app, e);
}

int appdir_remove(const struct poddir *pod, const char *app, struct err *e)
{
	AUTO_CLOSE int root = openat(pod->fd, "stage1/rootfs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int marks = root < 0 ? -1 : root_open_plain(root, "rkt/status", O_PATH | O_DIRECTORY);

	if (pod_uses_overlay(pod->fd) && remove_layer(pod, app, e) < 0)
		return -1;
	if (root >= 0 && remove_below(root, "opt/stage2", app, e) < 0)
		return -1;
	if (remove_below(pod->fd, "appsinfo", app, e) < 0)
		return -1;
	if (marks >= 0) {
		forget_runs(marks, app);
		unmark(marks, app, "-created");
	}
	return take_out(pod->fd, app, e);
}
