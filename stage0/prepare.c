/* See prepare.h. */
#include "stage0/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/root.h"
#include "stage1/common/util.h"

static int write_text(int dir, const char *path, const char *text, mode_t mode, struct err *e)
{
	return write_file_atomic(dir, path, text, strlen(text), mode, e);
}

/* rkt's key of a rendered tree: the hash of the keys of its images, here one; keys have 64 digits. */
static int write_tree_id(int pod, const char *id, struct err *e)
{
	unsigned char digest[SHA512_DIGEST_LENGTH];
	char text[80] = "deps-sha512-";
	SHA2_CTX hash;

	SHA512Init(&hash);
	SHA512Update(&hash, (const uint8_t *)id, 7 + 64);
	SHA512Final(digest, &hash);
	for (size_t i = 0; i < 32; i++)
		(void)sprintf(text + 12 + 2 * i, "%02x", digest[i]);
	return write_text(pod, "stage1TreeStoreID", text, 0640, e);
}

/* rkt: ensureMtabExists; here a link in the image cannot lead out */
static int ensure_mtab(int dir, struct err *e)
{
	AUTO_CLOSE int root = openat(dir, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int etc = root < 0 ? -1 : root_mkdirs(root, "etc", 0755);

	if (etc < 0)
		return err_sys(e, "its directory etc");
	if (symlinkat("../proc/self/mounts", etc, "mtab") < 0 && errno != EEXIST)
		return err_sys(e, "its etc/mtab");
	return 0;
}

static int prepare_app(int pod, int stage1, const struct content_app *app, struct err *e)
{
	AUTO_FREE char *stage2 = xasprintf("opt/stage2/%s", app->name);
	AUTO_FREE char *info = xasprintf("appsinfo/%s", app->name);
	AUTO_FREE char *info_manifest = xasprintf("appsinfo/%s/manifest", app->name);
	AUTO_CLOSE int root = openat(stage1, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int dir = root < 0 ? -1 : root_mkdirs(root, stage2, 0755);
	struct source *source = app->source;

	if (dir < 0)
		return err_sys(e, "create %s in stage1", stage2);
	if (source_unpack(source, dir, 0644, e) < 0)
		return -1;
	if (ensure_mtab(dir, e) < 0)
		return err_prefix(e, "image %s", source->path);
	if (mkdirat(pod, info, 0750) < 0)
		return err_sys(e, "create %s", info);
	return write_file_atomic(pod, info_manifest, source->aci.manifest, source->aci.manifest_len, 0640, e);
}

static int prepare_stage1(int pod, struct source *stage1, int *dir_r, struct err *e)
{
	AUTO_CLOSE int dir = -1;

	if (mkdirat(pod, "stage1", 0750) < 0)
		return err_sys(e, "create directory stage1");
	dir = openat(pod, "stage1", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open directory stage1");
	if (source_unpack(stage1, dir, 0640, e) < 0)
		return -1;
	*dir_r = STEAL_FD(dir);
	return 0;
}

static int write_manifest(int pod, const struct content *content, struct err *e)
{
	AUTO_FREE char *manifest = NULL;
	size_t len;

	if (content_manifest(content, &manifest, &len, e) < 0)
		return -1;
	return write_file_atomic(pod, "pod", manifest, len, 0640, e);
}

int pod_prepare(struct poddir *pod, struct source *stage1, struct content *content, struct err *e)
{
	AUTO_CLOSE int stage1_dir = -1;

	if (poddir_move(pod, "prepare", e) < 0 || write_text(pod->fd, "pod-created", "", 0640, e) < 0 ||
		write_text(pod->fd, "pod.lck", "", 0600, e) < 0 ||
		prepare_stage1(pod->fd, stage1, &stage1_dir, e) < 0 ||
		write_tree_id(pod->fd, stage1->aci.id, e) < 0)
		return -1;
	if (mkdirat(pod->fd, "appsinfo", 0750) < 0)
		return err_sys(e, "create directory appsinfo");
	for (size_t i = 0; i < content->napps; i++)
		if (prepare_app(pod->fd, stage1_dir, &content->apps[i], e) < 0)
			return -1;
	return write_manifest(pod->fd, content, e);
}
