/* stage0 app add: an image more in a mutable pod that runs (rkt stage0/app_add.go). */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/appcli.h"
#include "stage0/appdir.h"
#include "stage0/runline.h"
#include "stage0/verify.h"
#include "stage1/common/util.h"

static int refuse_second(int pod, const char *app, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	int ret = pod_read_meta(pod, &meta, e);

	for (size_t i = 0; ret == 0 && i < meta.napps; i++)
		if (!strcmp(meta.apps[i].name, app))
			ret = err_set(e, ERR_USAGE, "the pod has an app '%s' already: use --name=NAME", app);
	pod_meta_dispose(&meta);
	return ret;
}

/* With the manifest locked. When stage1 will not have it nothing of it stays, unlike with rkt. */
static int add(struct known_pod *pod, struct content *content, bool debug, struct err *e)
{
	const char *app = content->apps[0].name;
	struct err undo = ERR_INIT;

	/* one that was killed left files of an app that the manifest has not, or marks */
	if (refuse_second(pod->dir.fd, app, e) < 0 || appdir_remove(&pod->dir, app, e) < 0)
		return -1;
	if (appdir_add(&pod->dir, content, e) == 0 && app_cross(pod, "app/add", app, debug, e) == 0)
		return 0;
	if (appdir_remove(&pod->dir, app, &undo) < 0)
		cmd_say("warning: %s", undo.msg);
	return -1;
}

static int add_to(const struct run_line *r, struct known_pod *pod, struct err *e)
{
	const struct trust trust = { .all = r->opts.no_signatures, .system = r->system_config, .local = r->opts.local_config };
	struct content content = CONTENT_INIT;
	AUTO_CLOSE int lock = -1;
	mode_t mask;
	int ret = content_open(&r->pod, NULL, !trust.all, &content, e);

	if (ret == 0)
		ret = source_verify(&content.sources[0], &trust, e);
	if (ret == 0)
		ret = appdir_lock(pod->dir.fd, &lock, e);
	mask = umask(0);
	if (ret == 0)
		ret = add(pod, &content, r->opts.debug, e);
	(void)umask(mask);
	content_dispose(&content);
	return ret;
}

int cmd_app_add(int argc, char **argv)
{
	struct run_line line = RUN_LINE_INIT;
	struct known_pod pod = KNOWN_POD_INIT;
	struct err e = ERR_INIT;
	int ret = run_line_read(argc, argv, LINE_ADD, &line, &e), status = 0;

	if (ret == 0 && !line.help) {
		if (!cmd_is_root("app add"))
			status = EXIT_STAGE0;
		else if (app_find_ready(line.dir, line.pod_uuid, &pod, &e) < 0 || add_to(&line, &pod, &e) < 0)
			ret = err_prefix(&e, "error adding app to pod");
	}
	known_pod_dispose(&pod);
	run_line_dispose(&line);
	return ret < 0 ? cmd_fail(&e) : cmd_end(status);
}
