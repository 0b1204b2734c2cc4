/* The `run` entrypoint: one pod's whole life, in the pod's directory (the current one). */
#ifndef STAGE1_RUN_H
#define STAGE1_RUN_H

#include "stage1/cli.h"
#include "stage1/xen/xen.h"

/*
 * Runs the pod to its end. *status_r is what the process is to exit with (contract 6.3). On failure
 * nothing of the pod is left but what stage0 made, its pid file and the status of apps that ended.
 * `signals` is stage1/signals.h's.
 */
int run_pod(const struct run_opts *opts, const struct xen_ops *xo, int signals, int *status_r,
	struct err *e);

#endif
