/*
 * A command in an app of a running pod, through the supervisor's socket (stage1/control.h): the rest of
 * the `enter` entrypoint. Our terminal becomes the command's, or our pipes do.
 */
#ifndef STAGE1_ENTER_H
#define STAGE1_ENTER_H

#include "stage1/cli.h"
#include "stage1/common/err.h"

/*
 * In the pod's directory. `signals` is stage1/signals.h's: they are for the command; once it is over they end the wait
 * for who reads what it wrote, an error. On success *status_r is the command's exit
 * status, 128+n when signal n killed it.
 */
int enter_pod(const struct enter_opts *opts, int signals, int *status_r, struct err *e);

#endif
