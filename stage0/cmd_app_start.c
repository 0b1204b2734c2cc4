/* stage0 app start and stop: they change nothing but what stage1 does with an app, and its marks. */
#include <string.h>

#include "stage0/appcli.h"
#include "stage0/appdir.h"
#include "stage1/common/util.h"

/* Under the lock, so that one that is being removed leaves no mark. */
static int mark(int pod, const char *app, struct err *e)
{
	AUTO_CLOSE int lock = -1;

	if (appdir_lock(pod, &lock, e) < 0 || app_must_be_there(pod, app, e) < 0)
		return -1;
	return appdir_mark_started(pod, app, e);
}

static int start(struct known_pod *pod, const struct app_cli *c, struct err *e)
{
	if (mark(pod->dir.fd, c->app, e) < 0)
		return -1;
	return app_cross(pod, "app/start", c->app, c->cli.debug, e);
}

static int stop(struct known_pod *pod, const struct app_cli *c, struct err *e)
{
	if (app_must_be_there(pod->dir.fd, c->app, e) < 0)
		return -1;
	return app_cross(pod, "app/stop", c->app, c->cli.debug, e);
}

static int act(const struct app_cli *c, bool stops, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	int ret = app_find_ready(c->cli.dir, c->cli.rest.words.v[0], &pod, e);

	if (ret < 0 && stops && pod_after_run(pod.life)) {
		cmd_say("pod \"%s\" is already stopped", pod.dir.uuid);
		ret = 0;
	} else if (ret == 0) {
		ret = (stops ? stop : start)(&pod, c, e);
		if (ret < 0)
			(void)err_prefix(e, stops ? "error stopping app" : "error starting app");
	}
	known_pod_dispose(&pod);
	return ret;
}

static int command(int argc, char **argv, const char *usage, bool stops)
{
	struct app_cli c = APP_CLI_INIT;
	const struct cli_flag flags[] = { APP_CLI_FLAGS(&c) };
	struct err e = ERR_INIT;
	int ret = app_cli_read(&c, usage, flags, COUNT(flags), argc, argv, &e);
	bool root = true;

	if (ret == 0 && !c.app)
		ret = err_set(&e, ERR_USAGE, "must provide the app: --app=NAME");
	if (ret == 0) {
		root = cmd_is_root(stops ? "app stop" : "app start");
		ret = root ? act(&c, stops, &e) : 0;
	}
	pod_cli_dispose(&c.cli);
	return ret < 0 ? cmd_fail(&e) : cmd_end(root ? 0 : EXIT_STAGE0);
}

int cmd_app_start(int argc, char **argv)
{
	return command(argc, argv, "usage: stage0 app start UUID --app=NAME\n\n"
		"Starts an app that was added to a mutable pod, or that has ended there.\n", false);
}

int cmd_app_stop(int argc, char **argv)
{
	return command(argc, argv, "usage: stage0 app stop UUID --app=NAME\n\n"
		"Stops an app of a mutable pod: TERM, and KILL after 90 s. Returns when it has ended.\n", true);
}
