/* In place of init/cgroup.c: cgroups here are the host's, whose hierarchy is not ours to change. */
#include "init/cgroup.h"

#include <string.h>

int cgroup_make(const struct guest_app *app, struct err *e)
{
	return strcmp(app->name, "unwanted") == 0 ? err_set(e, ERR_SYSTEM, "make the cgroup %s", app->name) : 0;
}

int cgroup_join(const struct guest_app *app, bool entered, struct err *e)
{
	(void)app;
	(void)entered;
	(void)e;
	return 0;
}

void cgroup_terminate(const struct guest_app *app)
{
	(void)app;
}

const char *cgroup_verdict(const struct guest_app *app)
{
	return strcmp(app->name, "hungry") == 0 ? "out of memory (limit 1 MiB)" : "";
}
