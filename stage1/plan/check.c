/* What this version refuses, and what it ignores with a warning. See plan.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/isolators.h"
#include "stage1/plan/logs.h"
#include "stage1/plan/plan.h"

void plan_warn(struct plan_warnings *w, const char *fmt, ...)
{
	char line[300];
	va_list ap;

	if (!w)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text_make_harmless(line);
	if (w->n < PLAN_WARNINGS_MAX) {
		w->line[w->n++] = xstrdup(line);
		return;
	}
	w->more += w->more ? 1 : 2; /* the last that was kept makes room */
	free(w->line[w->n - 1]);
	w->line[w->n - 1] = xasprintf("%zu more warnings are not shown", w->more);
}

void plan_warnings_dispose(struct plan_warnings *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->line[i]);
	w->n = w->more = 0;
}

/* Whether a network of that name is in the list NAME[:ARGS],... */
static bool net_has(const char *net, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = net; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
		if (!strncmp(p, name, len) && strchr(":,", p[len]))
			return true; /* strchr finds the end of the text too */
	return false;
}

static int check_net(const struct run_opts *o, struct err *e)
{
	if (net_has(o->net, "host"))
		return err_set(e, ERR_INPUT, "--net=%s: a virtual machine has no part in the host's network: use "
			"--net=default, with --port to be reached at the host's addresses", o->net);
	if (net_has(o->net, "none") && strcmp(o->net, "none") != 0)
		return err_set(e, ERR_INPUT, "--net=%s: none takes no arguments and no other networks", o->net);
	if (o->mds_token && net_has(o->net, "none"))
		return err_set(e, ERR_INPUT, "--mds-token: with --net=none the metadata service cannot be reached");
	return 0;
}

static int check_flags(const struct run_opts *o, struct err *e)
{
	struct etc_modes modes;

	if (check_net(o, e) < 0)
		return -1;
	if (o->ipc && !strcmp(o->ipc, "parent"))
		return err_set(e, ERR_INPUT, "--ipc=parent: a virtual machine cannot share the host's IPC");
	if (o->ipc && strcmp(o->ipc, "auto") != 0 && strcmp(o->ipc, "private") != 0)
		return err_set(e, ERR_INPUT, "--ipc=%s: auto, private or parent", o->ipc);
	if (o->hostname && (!*o->hostname || strlen(o->hostname) > 64))
		return err_set(e, ERR_INPUT, "--hostname=%s: 1 to 64 bytes", o->hostname);
	if (etc_modes_parse(o->dns_conf_mode, &modes, e) < 0)
		return -1;
	return 0;
}

static int check_isolators(const struct run_opts *o, const struct pod_app *app, struct plan_warnings *w,
	struct err *e)
{
	struct guest_limits limits;

	if (isolators_plan(o, app, &limits, w, e) < 0)
		return -1;
	isolators_dispose(&limits);
	return 0;
}

static int check_app(const struct run_opts *o, const struct pod_app *app, struct plan_warnings *w,
	struct err *e)
{
	if (!app->has_app)
		return err_set(e, ERR_INPUT, "app '%s': neither the pod nor the image says what to run",
			app->name);
	if (app->nexec == 0 || !*app->exec[0])
		return err_set(e, ERR_INPUT, "app '%s': nothing to execute, use --exec=BINARY", app->name);
	for (size_t i = 0; i < app->nhandlers; i++)
		if (app->handlers[i].nexec == 0 || !*app->handlers[i].exec[0])
			return err_set(e, ERR_INPUT, "app '%s', event handler '%s': nothing to execute",
				app->name, app->handlers[i].name);
	return check_isolators(o, app, w, e);
}

/* Beside the status of app NAME, rkt keeps marks called NAME-created and NAME-started. */
static int check_markers(const struct pod *pod, struct err *e)
{
	for (size_t i = 0; i < pod->napps; i++) {
		const char *name = pod->apps[i].name;
		size_t len = strlen(name);

		for (size_t k = 0; k < pod->napps; k++) {
			const char *other = pod->apps[k].name;

			if (!strncmp(other, name, len) &&
				(!strcmp(other + len, "-created") || !strcmp(other + len, "-started")))
				return err_set(e, ERR_INPUT,
					"app '%s': the name is that of rkt's mark for app '%s'", other, name);
		}
	}
	return 0;
}

int plan_check_app(const struct plan_input *in, size_t i, struct plan_warnings *w, struct err *e)
{
	return check_markers(in->pod, e) < 0 ? -1 : check_app(in->opts, &in->pod->apps[i], w, e);
}

int plan_check(const struct plan_input *in, struct plan_warnings *w, struct err *e)
{
	const struct pod *pod = in->pod;

	if (check_flags(in->opts, e) < 0)
		return -1;
	if (pod->napps == 0 && !in->opts->mutable_pod)
		return err_set(e, ERR_INPUT, "pod.apps: empty");
	if (pod->napps > 0 && in->opts->mutable_pod)
		return err_set(e, ERR_INPUT, "--mutable: the pod has apps already: to such a pod they are added while it runs");
	if (pod->napps > 1 && in->opts->interactive)
		return err_set(e, ERR_INPUT, "--interactive: the pod has %zu apps, and there is one stdin",
			pod->napps);
	if (check_markers(pod, e) < 0)
		return -1;
	for (size_t i = 0; i < pod->napps; i++)
		if (check_app(in->opts, &pod->apps[i], w, e) < 0)
			return -1;
	if (plan_check_logs(in, e) < 0)
		return -1;
	if (pod->nports && !strcmp(in->opts->net, "none"))
		return err_set(e, ERR_INPUT, "pod.ports: with --net=none there is nothing they could lead to");
	return 0;
}
