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
#include "stage0/runargs.h"
#include "stage1/common/util.h"

struct run {
	struct run_opts opts;
	struct app_opts app;
	const char *image, *stage1_path, *dir, *uuid_file, *insecure;
	bool help, no_overlay;
	struct cli_rest rest;
};

static int read_command_line(int argc, char **argv, struct run *r, struct err *e)
{
	const struct cli_flag flags[] = {
		{ "stage1-path", CLI_STRING, &r->stage1_path, "ACI",
			"stage1 image (" STAGE1_PATH_DEFAULT ")" },
		{ "dir", CLI_STRING, &r->dir, "DIR", "data directory (" DATA_DIR_DEFAULT ")" },
		{ "debug", CLI_SWITCH, &r->opts.debug, NULL, "let stage1 say more" },
		{ "interactive", CLI_SWITCH, &r->opts.interactive, NULL, "connect the app to this terminal" },
		{ "net", CLI_STRING, &r->opts.net, "LIST", "networks (none: others are to come)" },
		{ "hostname", CLI_STRING, &r->opts.hostname, "NAME", "host name of the pod (rkt-UUID)" },
		{ "ipc", CLI_STRING, &r->opts.ipc, "MODE", "auto, private or parent" },
		{ "uuid-file-save", CLI_STRING, &r->uuid_file, "FILE", "write the pod's UUID there" },
		{ "name", CLI_STRING, &r->app.name, "NAME", "name of the app" },
		{ "exec", CLI_STRING, &r->app.exec, "PROGRAM", "run this instead of the image's program" },
		{ "user", CLI_STRING, &r->app.user, "USER", "name, number or path whose owner is meant" },
		{ "group", CLI_STRING, &r->app.group, "GROUP", "likewise" },
		{ "working-dir", CLI_STRING, &r->app.working_dir, "DIR", "directory the app starts in" },
		{ "environment", CLI_LIST, &r->app.environment, "NAME=VALUE", "set a variable; repeatable" },
		{ "local-config", CLI_STRING, &r->opts.local_config, "DIR", "configuration (/etc/rkt)" },
		{ "insecure-options", CLI_STRING, &r->insecure, "LIST",
			"paths, capabilities, seccomp, all-run; image is accepted" },
		{ "no-overlay", CLI_SWITCH, &r->no_overlay, NULL, "accepted: it is always so" },
		{ "help", CLI_SWITCH, &r->help, NULL, "print this" },
	};

	if (cli_parse(flags, COUNT(flags), argc, argv, &r->rest, e) < 0)
		return -1;
	if (r->help) {
		(void)puts("usage: stage0 run [FLAGS] IMAGE [-- ARGS]\n\n"
			"Runs the image file IMAGE (an ACI) as a pod; ARGS follow its program's own.\n"
			"Signatures of images are not checked.\n");
		cli_help(flags, COUNT(flags), stdout);
	}
	return 0;
}

static int read_options(int argc, char **argv, struct run *r, struct err *e)
{
	if (read_command_line(argc, argv, r, e) < 0)
		return -1;
	if (r->help)
		return 0;
	if (r->rest.words.n == 0)
		return err_set(e, ERR_USAGE, "run: no image given");
	if (r->rest.words.n > 1)
		return err_set(e, ERR_USAGE, "run: one image only, '%s' is too much", r->rest.words.v[1]);
	r->image = r->rest.words.v[0];
	r->app.args = r->rest.args;
	r->app.nargs = r->rest.nargs;
	for (size_t i = 0; i < r->app.nargs; i++)
		if (!strcmp(r->app.args[i], "---"))
			return err_set(e, ERR_USAGE, "run: one image only: '---' is not supported");
	if (!*r->opts.net)
		return err_set(e, ERR_USAGE, "--net: empty");
	return insecure_options(r->insecure, &r->opts, e);
}

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
static int become_stage1(const struct run *r, const struct poddir *pod, const char *entry,
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

static int run_pod(const struct run *r, struct source *stage1, struct source *app,
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

static int run(const struct run *r, struct err *e)
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
	struct run r = { .stage1_path = STAGE1_PATH_DEFAULT, .dir = DATA_DIR_DEFAULT, .insecure = "",
		.opts = { .net = "none", .local_config = "/etc/rkt" } };
	struct err e = ERR_INIT;
	int status = 0;

	if (read_options(argc, argv, &r, &e) < 0 || (!r.help && run(&r, &e) < 0))
		status = cmd_fail(&e);
	cli_rest_dispose(&r.rest);
	cli_list_dispose(&r.app.environment);
	return status;
}
