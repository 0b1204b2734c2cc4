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

static const struct aci_limits limits = ACI_LIMITS_DEFAULT;

static int open_image(struct source *src, struct err *e)
{
	struct stat st;

	/* not blocking: it might be a fifo */
	src->fd = open(src->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (src->fd < 0 || fstat(src->fd, &st) < 0)
		return err_sys(e, "open");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "not a regular file");
	if (aci_peek(src->fd, &limits, &src->aci, e) < 0)
		return -1;
	return image_parse(src->aci.manifest, src->aci.manifest_len, &src->image, e);
}

int source_open(const char *path, struct source *src_r, struct err *e)
{
	struct source src = SOURCE_INIT;

	src.path = path;
	if (open_image(&src, e) < 0) {
		source_dispose(&src);
		return err_prefix(e, "image %s", path);
	}
	*src_r = src;
	return 0;
}

void source_dispose(struct source *src)
{
	if (src->fd >= 0)
		(void)close(src->fd);
	aci_dispose(&src->aci);
	image_dispose(&src->image);
	*src = (struct source)SOURCE_INIT;
}

int stage1_entry(const struct source *stage1, const char *name, const char **path_r, struct err *e)
{
	AUTO_FREE char *key = xasprintf("coreos.com/rkt/stage1/%s", name);
	const char *path = image_annotation(&stage1->image, key);
	AUTO_FREE char *slashed = NULL;

	if (!path)
		return err_set(e, ERR_INPUT, "image %s: no annotation '%s': not a stage1", stage1->path, key);
	slashed = xasprintf("/%s/", path);
	if (!*path || strstr(slashed, "/../"))
		return err_set(e, ERR_INPUT, "image %s: annotation '%s': '%s' is no path in the image",
			stage1->path, key, path);
	*path_r = path + strspn(path, "/");
	return 0;
}

static int write_text(int dir, const char *path, const char *text, mode_t mode, struct err *e)
{
	return write_file_atomic(dir, path, text, strlen(text), mode, e);
}

/* Unpacks into `dir` and learns the id; the file must still be the one that was checked. */
static int unpack_source(struct source *src, int dir, mode_t mode, struct err *e)
{
	struct aci aci = ACI_INIT;
	bool same;

	if (aci_unpack(src->fd, dir, &limits, &aci, e) < 0)
		return err_prefix(e, "image %s", src->path);
	same = aci.manifest_len == src->aci.manifest_len &&
		!memcmp(aci.manifest, src->aci.manifest, aci.manifest_len);
	(void)memcpy(src->aci.id, aci.id, sizeof(aci.id));
	aci_dispose(&aci);
	if (!same)
		return err_set(e, ERR_INPUT, "image %s: changed while it was read", src->path);
	return write_file_atomic(dir, "manifest", src->aci.manifest, src->aci.manifest_len, mode, e);
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

static int prepare_app(int pod, int stage1, const char *name, struct source *app, struct err *e)
{
	AUTO_FREE char *stage2 = xasprintf("opt/stage2/%s", name);
	AUTO_FREE char *info = xasprintf("appsinfo/%s", name);
	AUTO_FREE char *info_manifest = xasprintf("appsinfo/%s/manifest", name);
	AUTO_CLOSE int root = openat(stage1, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	AUTO_CLOSE int dir = root < 0 ? -1 : root_mkdirs(root, stage2, 0755);

	if (dir < 0)
		return err_sys(e, "create %s in stage1", stage2);
	if (unpack_source(app, dir, 0644, e) < 0)
		return -1;
	if (ensure_mtab(dir, e) < 0)
		return err_prefix(e, "image %s", app->path);
	if (mkdirat(pod, "appsinfo", 0750) < 0 || mkdirat(pod, info, 0750) < 0)
		return err_sys(e, "create %s", info);
	return write_file_atomic(pod, info_manifest, app->aci.manifest, app->aci.manifest_len, 0640, e);
}

static int prepare_stage1(int pod, struct source *stage1, int *dir_r, struct err *e)
{
	AUTO_CLOSE int dir = -1;

	if (mkdirat(pod, "stage1", 0750) < 0)
		return err_sys(e, "create directory stage1");
	dir = openat(pod, "stage1", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open directory stage1");
	if (unpack_source(stage1, dir, 0640, e) < 0)
		return -1;
	*dir_r = STEAL_FD(dir);
	return 0;
}

int pod_prepare(struct poddir *pod, struct source *stage1, struct source *app,
	const struct app_opts *opts, struct err *e)
{
	AUTO_FREE char *name = NULL;
	AUTO_FREE char *manifest = NULL;
	AUTO_CLOSE int stage1_dir = -1;

	if (app_name(&app->image, opts, &name, e) < 0)
		return err_prefix(e, "image %s", app->path);
	if (poddir_move(pod, "prepare", e) < 0 || write_text(pod->fd, "pod-created", "", 0640, e) < 0 ||
		write_text(pod->fd, "pod.lck", "", 0600, e) < 0 ||
		prepare_stage1(pod->fd, stage1, &stage1_dir, e) < 0 ||
		write_tree_id(pod->fd, stage1->aci.id, e) < 0 ||
		prepare_app(pod->fd, stage1_dir, name, app, e) < 0)
		return -1;
	if (pod_manifest(&app->image, app->aci.id, opts, &manifest, e) < 0)
		return err_prefix(e, "image %s", app->path);
	if (write_text(pod->fd, "pod", manifest, 0640, e) < 0)
		return -1;
	return poddir_move(pod, "run", e);
}
