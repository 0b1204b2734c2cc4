/*
 * A cgroup (v2) an app, below CGROUP_DIR "/apps": its share of memory and cpu, and its device policy. In it are
 * one for what the app runs, the only one that it sees, read-only, at the root of its cgroups (init/view.c), and
 * one for what has entered it. All apps together leave PID 1 memory and processes to go on with.
 */
#ifndef INIT_CGROUP_H
#define INIT_CGROUP_H

#include <stdbool.h>

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"

#define CGROUP_DIR "/sys/fs/cgroup"

/* PID 1: the app's cgroup with its limits; it stays until cgroup_remove(). Fine when it is there already. */
int cgroup_make(const struct guest_app *app, struct err *e);
/*
 * A child, in PID 1's root: into its place of the app's cgroup, which becomes the root of the cgroups it sees.
 * Processes that entered have the app's limits, but do not end with it.
 */
int cgroup_join(const struct guest_app *app, bool entered, struct err *e);
/* What the app runs, not what entered it: there is some; it is told to end (TERM); it is ended (KILL). */
bool cgroup_populated(const struct guest_app *app);
void cgroup_terminate(const struct guest_app *app);
void cgroup_kill(const struct guest_app *app);
/* All of it, what entered it as well, which is ended. False while something of that is left: try again. */
bool cgroup_remove(const struct guest_app *app);
/* When the app has ended: "", or what the kernel did to it for want of memory. Valid until the next call. */
const char *cgroup_verdict(const struct guest_app *app);

#endif
