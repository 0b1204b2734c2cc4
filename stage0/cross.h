/*
 * Crossing entrypoints of a running pod's stage1 (contract 2.5): what they are told by, whichever it is.
 */
#ifndef STAGE0_CROSS_H
#define STAGE0_CROSS_H

#include <stdbool.h>
#include <stddef.h>

#include "stage0/pods.h"
#include "stage1/common/err.h"

/* RKT_EXPERIMENT_NAME is a truth, as rkt asks for its younger commands; else an error that says so. */
int cross_experiment(const char *name, const char *command, struct err *e);

/*
 * Becomes the entrypoint `name` of the running pod, in its directory and with the environment that rkt gives:
 * RKT_STAGE1_ENTERCMD, RKT_STAGE1_ENTERPID and PATH. `args` are its `nargs` flags. Returns only on failure.
 */
int cross_become(struct known_pod *pod, const char *name, const char *const *args, size_t nargs, struct err *e);

/* The app that is meant in this pod: `app`, or its only one; the name is the caller's. */
int cross_choose_app(int pod, const char *app, char **app_r, struct err *e);

#endif
