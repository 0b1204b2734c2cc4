/* The overlays of a pod that rkt made: stage1's, and the apps' (contract 3.2). */
#ifndef STAGE0_OVERLAY_H
#define STAGE0_OVERLAY_H

#include "stage0/pods.h"
#include "stage1/common/err.h"

/* Mounts stage1's overlay where it belongs, unless it is there: after a reboot it is not. */
int overlay_mount_stage1(const struct known_pod *pod, struct err *e);
/*
 * What an app left, as a read-only mount that has no place: it is gone with the descriptor *root_r. The pod's
 * own layers stay as they are.
 */
int overlay_open_app(const struct known_pod *pod, const char *app, int *root_r, struct err *e);

#endif
