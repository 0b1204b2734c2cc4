/*
 * stage0 app: what becomes of single apps of mutable pods, an experiment of rkt's as there. A table of
 * commands, and what they share.
 */
#include <stdio.h>
#include <string.h>

#include "stage0/appcli.h"
#include "stage0/crossrun.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"

static const struct command commands[] = {
	{ "sandbox", cmd_app_sandbox, "run a pod without apps" },
	{ "add", cmd_app_add, "add an app to such a pod" },
	{ "start", cmd_app_start, "start an app that was added, or has ended" },
	{ "stop", cmd_app_stop, "stop an app" },
	{ "rm", cmd_app_rm, "remove an app" },
	{ "exec", cmd_enter, "run a command in an app: enter" },
	{ "list", cmd_app_list, "list the apps of a pod" },
	{ "status", cmd_app_status, "say what is known of an app" },
};

int app_cli_read(struct app_cli *c, const char *usage, const struct cli_flag *flags, size_t nflags, int argc,
	char **argv, struct err *e)
{
	int ret = pod_cli_read(&c->cli, usage, flags, nflags, argc, argv, e);

	if (ret != 0)
		return ret;
	if (c->cli.rest.words.n != 1 || c->cli.rest.nargs)
		return err_set(e, ERR_USAGE, c->cli.rest.words.n ? "one pod only" : "must provide the pod UUID");
	if (c->app && !acname_valid(c->app))
		return err_set(e, ERR_USAGE, "--app: '%s' is not an app name", c->app);
	return 0;
}

int app_find_ready(const char *dir, const char *uuid, struct known_pod *pod_r, struct err *e)
{
	if (pods_find(dir, uuid, pod_r, e) < 0)
		return -1;
	if (pod_r->life != LIFE_RUNNING)
		return err_set(e, ERR_HOST, "pod \"%s\" isn't currently running", pod_r->dir.uuid);
	if (!pod_is_ready(pod_r->dir.fd))
		return err_set(e, ERR_HOST, "supervisor for pod \"%s\" is not yet ready", pod_r->dir.uuid);
	return 0;
}

int app_must_be_there(int pod, const char *app, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	const struct pod_app_ref *ref;
	int ret;

	if (pod_read_meta(pod, &meta, e) < 0)
		return -1;
	ret = pod_choose_app(&meta, app, &ref, e);
	pod_meta_dispose(&meta);
	return ret;
}

int app_cross(struct known_pod *pod, const char *entry, const char *app, bool debug, struct err *e)
{
	AUTO_FREE char *debug_flag = xasprintf("--debug=%s", debug ? "true" : "false");
	AUTO_FREE char *uuid_flag = xasprintf("--uuid=%s", pod->dir.uuid), *app_flag = xasprintf("--app=%s", app);
	bool adds = !strcmp(entry, "app/add");
	const char *args[3] = { debug_flag, adds ? uuid_flag : app_flag, app_flag };

	return cross_run(pod, entry, args, adds ? 3 : 2, debug, e);
}

static int help(void)
{
	(void)puts("usage: stage0 app COMMAND [FLAGS] [ARGS]\n");
	commands_print(commands, COUNT(commands));
	return cmd_end(0);
}

int cmd_app(int argc, char **argv)
{
	struct err e = ERR_INIT;
	int status;

	if (!cmd_word_first(argc, argv) || !strcmp(argv[1], "help"))
		return help();
	if (cross_experiment("app", "app", &e) < 0)
		return cmd_fail(&e);
	if (commands_run(commands, COUNT(commands), argc - 1, argv + 1, &status))
		return status;
	(void)err_set(&e, ERR_USAGE, "unknown command 'app %s': see stage0 app", argv[1]);
	return cmd_fail(&e);
}
