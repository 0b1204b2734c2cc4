/*
 * Attaching to an app of a running pod, through the supervisor's socket (stage1/control.h): the rest of the
 * `attach` entrypoint. What we read is the app's input, what it writes from now on is our output.
 */
#ifndef STAGE1_ATTACH_H
#define STAGE1_ATTACH_H

#include "stage1/cli.h"
#include "stage1/common/err.h"

/*
 * In the pod's directory, until the app's output ends, our reader is gone, a signal comes, or the user types ^] three
 * times at a terminal that is the app's (stage1/escape.h): all of these are 0, whatever becomes of the app.
 * `signals` is stage1/signals.h's.
 */
int attach_pod(const struct attach_opts *opts, int signals, struct err *e);

#endif
