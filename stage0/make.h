/*
 * A pod, from its command line to its being run or prepared. Whatever was made is removed again when a step
 * fails.
 */
#ifndef STAGE0_MAKE_H
#define STAGE0_MAKE_H

#include "stage0/runline.h"

/* With LINE_LAUNCH in `which` it returns only on failure: this process becomes stage1. Else it prints the UUID. */
int pod_make(const struct run_line *r, int which, struct err *e);

#endif
