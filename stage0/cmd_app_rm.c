/* stage0 app rm: an app of a mutable pod is stopped and removed, with all it has written (rkt stage0/app_rm.go). */
#include "stage0/appcli.h"
#include "stage0/appdir.h"
#include "stage1/common/util.h"

static int remove_app(struct known_pod *pod, const struct app_cli *c, struct err *e)
{
	AUTO_CLOSE int lock = -1;

	if (appdir_lock(pod->dir.fd, &lock, e) < 0 || app_must_be_there(pod->dir.fd, c->app, e) < 0)
		return -1;
	if (pod->life == LIFE_RUNNING && (app_cross(pod, "app/stop", c->app, c->cli.debug, e) < 0 ||
						 app_cross(pod, "app/rm", c->app, c->cli.debug, e) < 0))
		return -1;
	return appdir_remove(&pod->dir, c->app, e);
}

static int act(const struct app_cli *c, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	int ret = pods_find(c->cli.dir, c->cli.rest.words.v[0], &pod, e);

	if (ret == 0 && pod.life == LIFE_RUNNING && !pod_is_ready(pod.dir.fd))
		ret = err_set(e, ERR_HOST, "pod \"%s\" is running but its supervisor is not ready yet", pod.dir.uuid);
	else if (ret == 0 && remove_app(&pod, c, e) < 0)
		ret = err_prefix(e, "error removing app");
	known_pod_dispose(&pod);
	return ret;
}

int cmd_app_rm(int argc, char **argv)
{
	struct app_cli c = APP_CLI_INIT;
	const struct cli_flag flags[] = { APP_CLI_FLAGS(&c) };
	struct err e = ERR_INIT;
	int ret = app_cli_read(&c, "usage: stage0 app rm UUID --app=NAME\n\n"
		"Stops an app of a mutable pod and removes it, with all it has written.\n", flags, COUNT(flags), argc, argv, &e);
	bool root = true;

	if (ret == 0 && !c.app)
		ret = err_set(&e, ERR_USAGE, "must provide the app: --app=NAME");
	if (ret == 0) {
		root = cmd_is_root("app rm");
		ret = root ? act(&c, &e) : 0;
	}
	pod_cli_dispose(&c.cli);
	return ret < 0 ? cmd_fail(&e) : cmd_end(root ? 0 : EXIT_STAGE0);
}
