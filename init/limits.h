/*
 * What a process of an app is limited to by itself (its cgroup's limits are init/cgroup.h's): OOM score,
 * rlimits, capabilities, no-new-privileges, system calls.
 *
 * In the child that becomes a process of the app, be it the app's program, a handler or an entered
 * command, the order is: cgroup_join() in PID 1's root; limits_apply() as root in the app's; the change
 * of user; limits_lock() last before execve.
 */
#ifndef INIT_LIMITS_H
#define INIT_LIMITS_H

#include <stdbool.h>

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"

/* As root. */
int limits_apply(const struct guest_limits *limits, struct err *e);
/*
 * As the user it will be; `unprivileged` when the app's own user is not root. Behind it only execve, exit and
 * what the filter allows are safe.
 */
int limits_lock(const struct guest_limits *limits, bool unprivileged, struct err *e);

#endif
