/* A crossing entrypoint as a child, whose output is nobody's business unless it fails (contract 2.5). */
#ifndef STAGE0_CROSSRUN_H
#define STAGE0_CROSSRUN_H

#include "stage0/cross.h"

/* As cross_become(). `debug`: what it says is shown. An error has the last line it said. */
int cross_run(struct known_pod *pod, const char *name, const char *const *args, size_t nargs, bool debug, struct err *e);

#endif
