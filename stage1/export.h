/*
 * The tree the guest sees by 9p: one directory an app, in a mount namespace of the supervisor's and
 * its backend's own. The host's mounts stay free, and it is gone with the last of the two.
 */
#ifndef STAGE1_EXPORT_H
#define STAGE1_EXPORT_H

#include "stage1/plan/plan.h"

/* Each app's root file system is there; nothing is made. `s1root` is the pod's stage1/rootfs. */
int export_check(const struct pod *pod, const char *s1root, struct err *e);
/* Enters the namespace for good and mounts the tree that plan->exports names. */
int export_mount(const struct pod *pod, const char *s1root, const struct domain_plan *plan,
	struct err *e);

#endif
