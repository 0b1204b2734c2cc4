/*
 * stage0 run: what `rkt run --no-overlay` does for one image, up to becoming stage1. Whatever was
 * made is removed again when a step before the exec fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/cmds.h"
#include "stage0/prepare.h"
#include "stage0/runline.h"
#include "stage1/common/util.h"

static int set_environment(int lock, struct err *e)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", lock);
	if (setenv("RKT_LOCK_FD", number, 1) < 0 || setenv("RKT_SELINUX_CONTEXT", "", 1) < 0 ||
		setenv("RKT_SELINUX_MOUNT_CONTEXT", "", 1) < 0)
		return err_sys(e, "set the environment");
	return 0;
}

/* Returns only on failure. From the exec on the pod is stage1's, and so is our exit status. */
static int become_stage1(const struct run_line *r, const struct poddir *pod, const char *entry,
	int version, mode_t mask, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(pod);
	AUTO_FREE char *path = xasprintf("%s/stage1/rootfs/%s", dir, entry);
	AUTO_CLOSE int home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct run_args args;
	int saved;

	run_args_make(path, &r->opts, version, pod->uuid, &args);
	if (args.dropped)
		(void)fprintf(stderr, "stage0: warning: this stage1 does not know %s\n", args.dropped);
	if (set_environment(pod->fd, e) < 0)
		goto out;
	if (chdir(dir) < 0) {
		(void)err_sys(e, "change to %s", dir);
		goto out;
	}
	(void)umask(mask);
	if (fcntl(pod->fd, F_SETFD, 0) == 0)
		(void)execv(path, args.argv);
	saved = errno;
	if (home < 0 || fchdir(home) < 0) /* out of what is to be removed */
		(void)!chdir("/");
	errno = saved;
	(void)err_sys(e, "start %s", path);
out:
	run_args_dispose(&args);
	return -1;
}

static int run_pod(const struct run_line *r, struct source *stage1, struct source *app,
	struct poddir *pod, struct err *e)
{
	const char *entry;
	int version;
	mode_t mask;

	if (stage1_entry(stage1, "run", &entry, e) < 0)
		return -1;
	if (interface_version(image_annotation(&stage1->image,
		"coreos.com/rkt/stage1/interface-version"), &version, e) < 0)
		return err_prefix(e, "image %s", stage1->path);
	if (image_check_app(&app->image, &r->app, e) < 0)
		return err_prefix(e, "image %s", app->path);
	mask = umask(0); /* modes are as given; directories inherit setgid */
	if (poddir_create(r->dir, pod, e) < 0)
		return -1;
	if (r->uuid_file &&
		write_file_atomic(AT_FDCWD, r->uuid_file, pod->uuid, strlen(pod->uuid), 0644, e) < 0)
		return -1;
	if (pod_prepare(pod, stage1, app, &r->app, e) < 0)
		return -1;
	return become_stage1(r, pod, entry, version, mask, e);
}

static int run(const struct run_line *r, struct err *e)
{
	struct source stage1 = SOURCE_INIT, app = SOURCE_INIT;
	struct poddir pod = PODDIR_INIT;
	struct err undo = ERR_INIT;

	if (geteuid() != 0)
		return err_set(e, ERR_HOST, "run: only root can run pods");
	if (source_open(r->stage1_path, &stage1, e) == 0 && source_open(r->image, &app, e) == 0)
		(void)run_pod(r, &stage1, &app, &pod, e);
	source_dispose(&stage1);
	source_dispose(&app);
	if (pod.state && r->uuid_file)
		(void)unlink(r->uuid_file);
	if (poddir_discard(&pod, &undo) < 0)
		(void)fprintf(stderr, "stage0: warning: %s\n", undo.msg);
	poddir_dispose(&pod);
	return -1;
}

int cmd_run(int argc, char **argv)
{
	struct run_line line = RUN_LINE_INIT;
	struct err e = ERR_INIT;
	int status = 0;

	if (run_line_read(argc, argv, &line, &e) < 0 || (!line.help && run(&line, &e) < 0))
		status = cmd_fail(&e);
	run_line_dispose(&line);
	return status;
}
