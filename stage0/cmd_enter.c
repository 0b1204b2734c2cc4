/* stage0 enter: becomes the stage1's `enter` of a running pod, as rkt does (contract 2.2). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage0/cross.h"
#include "stage0/entry.h"
#include "stage0/podcli.h"
#include "stage0/podread.h"
#include "stage0/wait.h"
#include "stage1/common/util.h"

static const char usage[] =
	"usage: stage0 enter [FLAGS] UUID [CMD [ARGS...]]\n\n"
	"Runs a command (/bin/bash) in an app of a running pod. Flags stand before the UUID.\n"
	"The exit status is the command's.\n";

struct enter_opts {
	struct pod_cli cli;
	const char *app, *uuid;
	char **cmd; /* argv's own, NULL-terminated */
	size_t ncmd;
};

/* From the tree rkt rendered stage1 to; a pod of ours has the tree in itself. */
static int find_enter(const struct known_pod *pod, char **path_r, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(&pod->dir), *id = NULL, *path = NULL;
	struct stage1_image s = STAGE1_IMAGE_INIT;
	struct err ignored = ERR_INIT;
	const char *entry;
	int ret;

	if (stage1_image_read(pod->dir.fd, &s, e) < 0)
		return -1;
	ret = entry_path(&s.image, "enter", &entry, e);
	if (ret == 0)
		ret = err_set(e, ERR_INPUT, "its stage1 has no entrypoint 'enter'");
	if (ret > 0 && pod_read_tree_id(pod->dir.fd, "stage1TreeStoreID", &id, &ignored) == 0)
		path = xasprintf("%s/cas/tree/%s/rootfs/%s", pod->dir.data, id, entry);
	if (ret > 0 && (!path || access(path, F_OK) < 0)) {
		free(path);
		path = xasprintf("%s/stage1/rootfs/%s", dir, entry);
	}
	stage1_image_dispose(&s);
	*path_r = STEAL(path);
	return ret > 0 ? 0 : -1;
}

/* Returns only on failure. */
static int become_enter(const struct enter_opts *o, const struct known_pod *pod, const char *path, int pid,
	const char *app, struct err *e)
{
	AUTO_FREE char *pid_flag = xasprintf("--pid=%d", pid), *app_flag = xasprintf("--appname=%s", app);
	AUTO_FREE char **argv = xcalloc(o->ncmd + 6, sizeof(*argv));
	size_t n = 0;

	argv[n++] = (char *)path; /* never written to */
	argv[n++] = pid_flag;
	argv[n++] = app_flag;
	argv[n++] = (char *)"--";
	for (size_t i = 0; i < o->ncmd; i++)
		argv[n++] = o->cmd[i];
	if (!o->ncmd) {
		cmd_say("no command specified, assuming \"/bin/bash\"");
		argv[n++] = (char *)"/bin/bash";
	}
	if (fchdir(pod->dir.fd) < 0)
		return err_sys(e, "change to the pod's directory");
	(void)execv(path, argv);
	return err_sys(e, "start %s", path);
}

static int enter(const struct enter_opts *o, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	AUTO_FREE char *app = NULL, *path = NULL;
	int pid, ret = pods_find(o->cli.dir, o->uuid, &pod, e);

	if (ret == 0 && pod.life != LIFE_RUNNING)
		ret = err_set(e, ERR_HOST, "pod \"%s\" isn't currently running", pod.dir.uuid);
	else if (ret == 0 && (wait_pid(&pod, &pid, e) < 0 || cross_choose_app(pod.dir.fd, o->app, &app, e) < 0 ||
		find_enter(&pod, &path, e) < 0))
		ret = -1;
	if (ret == 0)
		ret = become_enter(o, &pod, path, pid, app, e);
	known_pod_dispose(&pod);
	return ret;
}

int cmd_enter(int argc, char **argv)
{
	struct enter_opts o = { .cli = POD_CLI_INIT };
	const struct cli_flag flags[] = {
		{ "app", CLI_STRING, &o.app, "NAME", "the app, when the pod has several" },
		POD_CLI_FLAGS(&o.cli),
	};
	int first = pod_cli_first_word(flags, COUNT(flags), argc, argv), ret;
	struct err e = ERR_INIT;

	ret = pod_cli_read(&o.cli, usage, flags, COUNT(flags), first, argv, &e);
	if (ret == 0 && first == argc)
		ret = err_set(&e, ERR_USAGE, "no pod given: a UUID, or its beginning");
	if (ret == 0) {
		o.uuid = argv[first];
		o.cmd = argv + first + 1;
		o.ncmd = (size_t)(argc - first - 1);
		if (o.ncmd && !strcmp(o.cmd[0], "--")) { /* where others want it, and no program's name */
			o.cmd++;
			o.ncmd--;
		}
		ret = cmd_is_root("enter pods") ? enter(&o, &e) : EXIT_STAGE0;
	}
	pod_cli_dispose(&o.cli);
	if (ret < 0)
		return cmd_fail(&e);
	return ret == EXIT_STAGE0 ? EXIT_STAGE0 : cmd_end(0);
}
