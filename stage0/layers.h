/*
 * The overlays of a pod about to run: its own layers over the trees of its images, as rkt mounts them
 * (contract 3.2; rkt stage0/run.go overlayRender). They stay mounted when the pod has ended, in the
 * caller's mount namespace, until it is removed.
 */
#ifndef STAGE0_LAYERS_H
#define STAGE0_LAYERS_H

#include "stage0/poddir.h"

/* Does nothing for a pod that was not prepared so. After an error nothing is mounted. */
int layers_mount(const struct poddir *pod, struct err *e);
/* Of one app more, in a pod that runs. */
int layers_mount_app(const struct poddir *pod, const char *app, struct err *e);
/* Unmounts whatever is mounted below the pod's directory. */
int layers_unmount(const struct poddir *pod, struct err *e);
/* A link etc/mtab in the root of an app that has none: `dir` has `rootfs` in it (rkt: ensureMtabExists). */
int ensure_mtab(int dir, struct err *e);

#endif
