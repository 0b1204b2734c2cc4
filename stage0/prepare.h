/*
 * Fills a pod's directory as `rkt prepare` does (contract 3.2): the pod is in state `prepare` afterwards,
 * complete. Where it goes from there is the caller's: to `prepared`, or to `run` and pod_launch().
 */
#ifndef STAGE0_PREPARE_H
#define STAGE0_PREPARE_H

#include <stdbool.h>

#include "stage0/content.h"
#include "stage0/poddir.h"

/* With `overlay` images are unpacked once for all pods, else for this one, as with rkt's --no-overlay. */
int pod_prepare(struct poddir *pod, struct source *stage1, struct content *content, bool overlay, struct err *e);

/* One app more, to a pod that is there. */
int pod_prepare_app(const struct poddir *pod, const struct content_app *app, bool overlay, struct err *e);

#endif
