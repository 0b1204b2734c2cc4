/* See delete.h. */
#include "stage0/delete.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/entry.h"
#include "stage0/mds.h"
#include "stage0/mounts.h"
#include "stage0/overlay.h"
#include "stage0/podcli.h"
#include "stage0/podread.h"
#include "stage0/root.h"
#include "stage1/common/util.h"

/* A pod without a stage1, or with one that has no gc, is one that stage1 cannot clean up: said, and gone on. */
static int run_gc(const struct known_pod *pod, const struct delete_opts *o, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(&pod->dir), *path = NULL;
	struct stage1_image s = STAGE1_IMAGE_INIT;
	struct err why = ERR_INIT;
	const char *argv[6], *entry = "";
	size_t n = 0;
	int ret = stage1_image_read(pod->dir.fd, &s, &why);

	if (ret == 0 && (ret = entry_path(&s.image, "gc", &entry, &why)) == 0)
		ret = err_set(&why, ERR_INPUT, "stage1 has no entrypoint 'gc'");
	if (ret < 0) {
		cmd_say("warning: pod %s: nothing outside of its directory is cleaned up: %s", pod->dir.uuid, why.msg);
		stage1_image_dispose(&s);
		return 0;
	}
	path = xasprintf("%s/stage1/rootfs/%s", dir, entry);
	argv[n++] = path;
	if (o->debug)
		argv[n++] = "--debug";
	if (s.version >= 5 && *o->local_config) {
		argv[n++] = "--local-config";
		argv[n++] = o->local_config;
	}
	argv[n++] = pod->dir.uuid;
	argv[n] = NULL;
	ret = entry_run(&(struct entry_call){ .path = path, .argv = argv, .cwd = pod->dir.fd, .quiet = true }, e);
	stage1_image_dispose(&s);
	if (ret == 0) /* an attempt before this one came further */
		cmd_say("warning: pod %s: %s is not there any more", pod->dir.uuid, path);
	return ret < 0 ? -1 : 0;
}

/* Not when it never was mounted, nor when an attempt before this one removed it and was killed at the layers. */
static bool has_layered_stage1(int pod)
{
	return pod_uses_overlay(pod) && faccessat(pod, "stage1/rootfs", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int leave_stage1(const struct known_pod *pod, const struct delete_opts *o, struct err *e)
{
	struct err why = ERR_INIT;
	int ret = 0;

	if (has_layered_stage1(pod->dir.fd))
		ret = overlay_mount_stage1(pod, &why);
	if (ret == 0)
		ret = run_gc(pod, o, &why);
	if (ret == 0)
		return 0;
	if (!o->force)
		return err_set(e, why.kind, "%s (--force removes the pod all the same)", why.msg);
	cmd_say("warning: pod %s: %s", pod->dir.uuid, why.msg);
	return 0;
}

/* A service that is gone knows nothing any more: said, and gone on, as rkt does. */
static void forget_registration(const struct known_pod *pod)
{
	struct err why = ERR_INIT;

	if (mds_unregister(pod->dir.fd, pod->dir.uuid, MDS_SOCKET, &why) < 0)
		cmd_say("warning: %s", why.msg);
}

/* All but the manifest, which goes last with the directory: what is left of a pod can still be told. */
static int remove_content(int pod, struct err *e)
{
	DIR *dir = dir_read(pod);
	struct dirent *d;
	int ret = 0;

	if (!dir)
		return err_sys(e, "open its directory");
	if (tree_remove(pod, "stage1", e) < 0 || tree_remove(pod, "overlay", e) < 0)
		ret = -1;
	while (ret == 0 && (d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0 && strcmp(d->d_name, "pod") != 0)
			ret = tree_remove(pod, d->d_name, e);
	(void)closedir(dir);
	return ret;
}

int pod_delete(struct known_pod *pod, const struct delete_opts *opts, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(&pod->dir);

	forget_registration(pod);
	if (pod->life == LIFE_EXITED_GARBAGE && leave_stage1(pod, opts, e) < 0)
		return err_prefix(e, "pod %s is kept", pod->dir.uuid);
	if (mounts_remove(dir, e) < 0 || remove_content(pod->dir.fd, e) < 0)
		return err_prefix(e, "pod %s is kept", pod->dir.uuid);
	if (poddir_discard(&pod->dir, e) < 0)
		return err_prefix(e, "pod %s", pod->dir.uuid);
	pod->life = LIFE_GONE;
	return 0;
}
