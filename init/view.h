/*
 * What an app sees as its file systems (contract 4.6): its image's root, the kernel's /proc and /sys,
 * a /dev of its own, the pod's /dev/pts and /dev/shm, its volumes. All of it is mounted in a mount
 * namespace of the app's, at places that init/target.h resolves inside the app's root.
 *
 * Unless plan.mounts.protect_paths is off, what of /proc and /sys is the machine's rather than the
 * app's is read-only or cannot be looked into: rkt's list (stage1/init/common/app.go).
 */
#ifndef INIT_VIEW_H
#define INIT_VIEW_H

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"

/* For a child about to become an app. Afterwards its root directory, and its current one, are the app's. */
int view_enter(const struct guest_app *app, struct err *e);

#endif
