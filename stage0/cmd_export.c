/* stage0 export: what an app of a pod that has ended left, as an image. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "stage0/manifest.h"
#include "stage0/mounts.h"
#include "stage0/overlay.h"
#include "stage0/podcli.h"
#include "stage0/podread.h"
#include "stage0/root.h"
#include "stage0/tarout.h"
#include "stage0/unpack.h"
#include "stage1/common/util.h"

static const char usage[] =
	"usage: stage0 export [FLAGS] UUID FILE.aci\n\n"
	"Makes an image of an app of a pod that has ended: its image's manifest, and its files as it left them.\n";

struct export_opts {
	struct pod_cli cli;
	const char *app, *uuid, *out;
	bool overwrite;
};

/* Held to the end of the process, so that no gc takes what we read. */
static int hold(const struct known_pod *pod, struct err *e)
{
	if (pod->life != LIFE_EXITED && pod->life != LIFE_EXITED_GARBAGE)
		return err_set(e, ERR_HOST, "pod %s is not exited, only exited pods can be exported", pod->dir.uuid);
	if (flock(pod->dir.fd, LOCK_SH | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? err_set(e, ERR_HOST, "pod %s is being removed", pod->dir.uuid) :
			err_sys(e, "pod %s: lock", pod->dir.uuid);
	return 0;
}

static int open_plain(const struct known_pod *pod, const char *app, int *root_r, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(&pod->dir), *path = xasprintf("stage1/rootfs/opt/stage2/%s/rootfs", app);
	AUTO_FREE char *full = xasprintf("%s/%s", dir, path);
	struct mounts mounts = { .n = 0 };

	if (mounts_below(full, &mounts, e) < 0)
		return -1;
	if (mounts.n)
		(void)err_set(e, ERR_HOST, "something is still mounted at %s", mounts.v[0]);
	mounts_dispose(&mounts);
	if (e->kind != ERR_NONE)
		return -1;
	*root_r = root_open(pod->dir.fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
	return *root_r < 0 ? err_sys(e, "open %s", full) : 0;
}

/* "SHIFT:COUNT" of --private-users */
static int read_users(int pod, struct tarout_opts *t, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	char end;

	if (faccessat(pod, "private-users-prepared", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	if (pod_read_file(pod, "private-users-prepared", 64, &text, &len, e) < 0)
		return -1;
	if (sscanf(text, "%" SCNu32 ":%" SCNu32 "%c", &t->id_shift, &t->id_count, &end) != 2 || !t->id_count)
		return err_set(e, ERR_INPUT, "private-users-prepared: '%s' is no range", text);
	return 0;
}

/* A file without a name, as far as the file system knows such, so that nothing is left of one who is killed. */
static int open_nameless(const char *out, char *tmp, int *fd_r, struct err *e)
{
	const char *slash = strrchr(out, '/');
	AUTO_FREE char *dir = slash ? xstrndup(out, (size_t)(slash - out) + 1) : xstrdup(".");

	*fd_r = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (*fd_r >= 0)
		tmp[0] = '\0';
	else if (errno == EOPNOTSUPP || errno == EISDIR)
		*fd_r = mkostemp(tmp, O_CLOEXEC);
	return *fd_r < 0 ? err_sys(e, "create %s", out) : 0;
}

/* `tmp` is its name, if it has one. One that is to replace another must have one for a moment. */
static int give_name(int fd, char *tmp, const struct export_opts *o, struct err *e)
{
	AUTO_FREE char *self = xasprintf("/proc/self/fd/%d", fd);
	unsigned flags = o->overwrite ? 0 : RENAME_NOREPLACE;

	if (!tmp[0] && !o->overwrite) {
		if (linkat(AT_FDCWD, self, AT_FDCWD, o->out, AT_SYMLINK_FOLLOW) < 0)
			return err_sys(e, "create %s", o->out);
		return 0;
	}
	if (!tmp[0]) {
		(void)sprintf(tmp, "%s.%06d", o->out, (int)getpid() % 1000000);
		if (linkat(AT_FDCWD, self, AT_FDCWD, tmp, AT_SYMLINK_FOLLOW) < 0) {
			tmp[0] = '\0';
			return err_sys(e, "create %s", o->out);
		}
	}
	return renameat2(AT_FDCWD, tmp, AT_FDCWD, o->out, flags) < 0 ? err_sys(e, "create %s", o->out) : 0;
}

static int write_out(const struct export_opts *o, const struct tarout_opts *t, struct err *e)
{
	AUTO_FREE char *tmp = xasprintf("%s.XXXXXX", o->out);
	AUTO_CLOSE int fd = -1;
	mode_t mask = umask(0);
	int ret;

	(void)umask(mask);
	if (!o->overwrite && faccessat(AT_FDCWD, o->out, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_USAGE, "%s exists (--overwrite replaces it)", o->out);
	if (open_nameless(o->out, tmp, &fd, e) < 0)
		return -1;
	ret = tarout_write(fd, t, e);
	if (ret == 0 && fchmod(fd, 0644 & ~mask) < 0)
		ret = err_sys(e, "set the mode of %s", o->out);
	if (ret == 0)
		ret = give_name(fd, tmp, o, e);
	if (ret < 0 && tmp[0])
		(void)unlink(tmp);
	return ret;
}

static int export_app(const struct export_opts *o, const struct known_pod *pod, const char *app, struct err *e)
{
	const struct aci_limits limits = ACI_LIMITS_DEFAULT;
	AUTO_FREE char *path = xasprintf("appsinfo/%s/manifest", app), *manifest = NULL;
	struct tarout_opts t = { .root = -1, .bytes_max = limits.bytes };
	struct image image = IMAGE_INIT;
	AUTO_CLOSE int root = -1;

	if (pod_read_file(pod->dir.fd, path, limits.manifest, &manifest, &t.manifest_len, e) < 0 ||
		image_parse(manifest, t.manifest_len, &image, e) < 0)
		return -1;
	image_dispose(&image);
	if (read_users(pod->dir.fd, &t, e) < 0)
		return -1;
	if (pod_uses_overlay(pod->dir.fd) ? overlay_open_app(pod, app, &root, e) < 0 :
		open_plain(pod, app, &root, e) < 0)
		return -1;
	t.root = root;
	t.manifest = manifest;
	return write_out(o, &t, e);
}

static int export(const struct export_opts *o, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	struct pod_meta meta = POD_META_INIT;
	const struct pod_app_ref *app;
	int ret = pods_find(o->cli.dir, o->uuid, &pod, e);

	if (ret == 0)
		ret = hold(&pod, e);
	if (ret == 0 && (pod_read_meta(pod.dir.fd, &meta, e) < 0 || pod_choose_app(&meta, o->app, &app, e) < 0))
		ret = err_prefix(e, "pod %s", pod.dir.uuid);
	if (ret == 0 && export_app(o, &pod, app->name, e) < 0)
		ret = err_prefix(e, "app '%s'", app->name);
	pod_meta_dispose(&meta);
	known_pod_dispose(&pod);
	return ret;
}

static int check_words(struct export_opts *o, struct err *e)
{
	const struct cli_list *words = &o->cli.rest.words;
	const char *dot = words->n == 2 ? strrchr(words->v[1], '.') : NULL;

	if (words->n != 2)
		return err_set(e, ERR_USAGE, "export takes a UUID and a file to write, and nothing else");
	if (!dot || strcmp(dot, ".aci") != 0)
		return err_set(e, ERR_USAGE, "the name of an image must end in .aci, not so '%s'", words->v[1]);
	o->uuid = words->v[0];
	o->out = words->v[1];
	return 0;
}

int cmd_export(int argc, char **argv)
{
	struct export_opts o = { .cli = POD_CLI_INIT };
	const struct cli_flag flags[] = {
		{ "app", CLI_STRING, &o.app, "NAME", "the app, when the pod has several" },
		{ "overwrite", CLI_SWITCH, &o.overwrite, NULL, "replace the file if it is there" },
		POD_CLI_FLAGS(&o.cli),
	};
	struct err e = ERR_INIT;
	int ret = pod_cli_read(&o.cli, usage, flags, COUNT(flags), argc, argv, &e);

	if (ret == 0 && (ret = check_words(&o, &e)) == 0)
		ret = export(&o, &e);
	pod_cli_dispose(&o.cli);
	return ret < 0 ? cmd_fail(&e) : cmd_end(0);
}
