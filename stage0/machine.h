/* Asking the stage1 of a running pod for what rkt has no word for: stage1/main_machine.c. */
#ifndef STAGE0_MACHINE_H
#define STAGE0_MACHINE_H

#include "stage0/pods.h"
#include "stage1/common/err.h"

/* said_r: as entry_call's. */
int machine_call(const struct known_pod *pod, const char *verb, char **said_r, struct err *e);

#endif
