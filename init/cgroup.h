/*
 * A cgroup (v2) an app, below CGROUP_DIR: its share of memory and cpu, and its device policy. What an
 * app sees of cgroups is its own, read-only, at the same place (init/mounts.c).
 */
#ifndef INIT_CGROUP_H
#define INIT_CGROUP_H

#include <stdbool.h>

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"

#define CGROUP_DIR "/sys/fs/cgroup"

/* PID 1: the app's cgroup with its limits; it stays until the guest ends. Fine when it is there already. */
int cgroup_make(const struct guest_app *app, struct err *e);
/*
 * A child, in PID 1's root: into the app's cgroup, which becomes the root of the cgroups it sees.
 * Processes that entered have the app's limits, but do not end with it: theirs is a cgroup below.
 */
int cgroup_join(const struct guest_app *app, bool entered, struct err *e);
/* The app's program has ended: what it left running is told to end (TERM), as systemd does for rkt. */
void cgroup_terminate(const struct guest_app *app);
/* When the app has ended: "", or what the kernel did to it for want of memory. Valid until the next call. */
const char *cgroup_verdict(const struct guest_app *app);

#endif
