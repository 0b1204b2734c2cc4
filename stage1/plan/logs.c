/* See logs.h. */
#include "stage1/plan/logs.h"

#include <limits.h>
#include <string.h>

#include "stage1/plan/streams.h"

#define MODE "coreos.com/rkt/experiment/logmode"
#define DIR_NOTE "coreos.com/rkt/experiment/kubernetes-log-dir"
#define PATH_NOTE "coreos.com/rkt/experiment/kubernetes-log-path"

static bool is_logged(const struct plan_input *in, const struct pod_app *app)
{
	const char *mode = pod_note(in->pod->notes, in->pod->nnotes, MODE);
	const struct stream_modes modes = plan_streams(in, app);
	const struct guest_io io = plan_io(in, &modes);

	return mode && !strcmp(mode, "k8s-plain") &&
		plan_endpoints(&modes, &io) & (ENDPOINT_STDOUT | ENDPOINT_STDERR);
}

int plan_log(const struct plan_input *in, const struct pod_app *app, struct log_plan *log_r, struct err *e)
{
	struct log_plan log = { .dir = NULL };

	if (!is_logged(in, app)) {
		*log_r = log;
		return 0;
	}
	log.dir = pod_note(in->pod->notes, in->pod->nnotes, DIR_NOTE);
	log.name = pod_note(app->notes, app->nnotes, PATH_NOTE);
	if (!log.dir || *log.dir != '/')
		return err_set(e, ERR_INPUT, "pod.annotations: " MODE " is k8s-plain, and " DIR_NOTE " is no absolute path");
	if (!log.name)
		return err_set(e, ERR_INPUT, "app '%s': annotation " PATH_NOTE " is missing, for " MODE " is k8s-plain",
			app->name);
	if (!*log.name || strchr(log.name, '/') || !strcmp(log.name, ".") || !strcmp(log.name, "..") ||
		strlen(log.name) > NAME_MAX)
		return err_set(e, ERR_INPUT, "app '%s': annotation " PATH_NOTE ": '%s' is not the name of a file",
			app->name, log.name);
	*log_r = log;
	return 0;
}

int plan_check_logs(const struct plan_input *in, struct err *e)
{
	const struct pod *pod = in->pod;
	struct log_plan log, other;

	for (size_t i = 0; i < pod->napps; i++) {
		if (plan_log(in, &pod->apps[i], &log, e) < 0)
			return -1;
		for (size_t k = 0; log.dir && k < i; k++)
			if (plan_log(in, &pod->apps[k], &other, e) == 0 && other.dir && !strcmp(other.name, log.name))
				return err_set(e, ERR_INPUT, "app '%s': annotation " PATH_NOTE ": app '%s' has the same",
					pod->apps[i].name, pod->apps[k].name);
	}
	return 0;
}
