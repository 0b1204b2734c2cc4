/* See cross.h. */
#include "stage0/cross.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stage0/cli.h"
#include "stage0/entry.h"
#include "stage0/podread.h"
#include "stage0/wait.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"

int cross_experiment(const char *name, const char *command, struct err *e)
{
	AUTO_FREE char *variable = xasprintf("RKT_EXPERIMENT_%s", name);
	const char *value;
	bool on;

	for (char *c = variable; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	value = getenv(variable);
	if (value && cli_bool(value, &on) && on)
		return 0;
	return err_set(e, ERR_USAGE, "%s is an experiment of rkt's: it needs %s=true in the environment", command,
		variable);
}

/* rkt does not look whether the app named is in the pod: stage1 will say. */
int cross_choose_app(int pod, const char *app, char **app_r, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	const struct pod_app_ref *ref;
	int ret;

	if (app) {
		*app_r = xstrdup(app);
		return acname_valid(app) ? 0 : err_set(e, ERR_USAGE, "--app: '%s' is not an app name", app);
	}
	if (pod_read_meta(pod, &meta, e) < 0)
		return -1;
	ret = pod_choose_app(&meta, NULL, &ref, e);
	if (ret == 0)
		*app_r = xstrdup(ref->name);
	pod_meta_dispose(&meta);
	return ret;
}

static int find_entry(const struct stage1_image *s, const char *dir, const char *name, char **path_r, struct err *e)
{
	const char *entry;
	int ret = entry_path(&s->image, name, &entry, e);

	if (ret == 0)
		return err_set(e, ERR_INPUT, "its stage1 has no entrypoint '%s'", name);
	if (ret > 0)
		*path_r = xasprintf("%s/stage1/rootfs/%s", dir, entry);
	return ret > 0 ? 0 : -1;
}

int cross_become(struct known_pod *pod, const char *name, const char *const *args, size_t nargs, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(&pod->dir), *enter = NULL, *path = NULL;
	AUTO_FREE char *cmd_env = NULL, *pid_env = NULL, *path_env = NULL;
	AUTO_FREE const char **argv = xcalloc(nargs + 2, sizeof(*argv));
	struct stage1_image s = STAGE1_IMAGE_INIT;
	int pid, ret;

	if (wait_pid(pod, &pid, e) < 0 || stage1_image_read(pod->dir.fd, &s, e) < 0)
		return -1;
	ret = find_entry(&s, dir, "enter", &enter, e) < 0 || find_entry(&s, dir, name, &path, e) < 0 ? -1 : 0;
	stage1_image_dispose(&s);
	if (ret < 0)
		return -1;
	cmd_env = xasprintf("RKT_STAGE1_ENTERCMD=%s", enter);
	pid_env = xasprintf("RKT_STAGE1_ENTERPID=%d", pid);
	path_env = xasprintf("PATH=%s", getenv("PATH") ? getenv("PATH") : "");
	argv[0] = path;
	memcpy(argv + 1, args, nargs * sizeof(*args));
	if (fchdir(pod->dir.fd) < 0)
		return err_sys(e, "change to the pod's directory");
	(void)execve(path, (char *const *)argv, (char *const[]){ cmd_env, pid_env, path_env, NULL });
	return err_sys(e, "start %s", path);
}
