/* The overlays of a pod that rkt made: stage1's, and the apps' (contract 3.2). */
#ifndef STAGE0_OVERLAY_H
#define STAGE0_OVERLAY_H

#include "stage0/pods.h"
#include "stage1/common/err.h"

/*
 * Mounts at `at` the pod's layer over the tree `id`: DATA/cas/tree/ID/rootfs, below POD/overlay/ID/{upper,work};
 * an app's is in a directory of its name there, NULL means stage1's. All paths are absolute.
 */
int overlay_mount(const char *data, const char *pod, const char *id, const char *app, const char *at,
	struct err *e);
/* Mounts stage1's overlay where it belongs, unless it is there: after a reboot it is not. The directory must be. */
int overlay_mount_stage1(const struct known_pod *pod, struct err *e);
/*
 * What an app left, as a read-only mount that has no place: it is gone with the descriptor *root_r. The pod's
 * own layers stay as they are.
 */
int overlay_open_app(const struct known_pod *pod, const char *app, int *root_r, struct err *e);

#endif
