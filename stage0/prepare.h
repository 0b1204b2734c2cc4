/*
 * Fills a pod's directory as `rkt prepare --no-overlay` does (contract 3.2): the pod is in state
 * `prepare` afterwards, complete. Where it goes from there is the caller's: to `prepared`, or to `run`.
 */
#ifndef STAGE0_PREPARE_H
#define STAGE0_PREPARE_H

#include "stage0/content.h"
#include "stage0/poddir.h"

int pod_prepare(struct poddir *pod, struct source *stage1, struct content *content, struct err *e);

#endif
