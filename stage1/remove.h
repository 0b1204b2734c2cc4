/* Removing the domain of a pod whose supervisor cannot: for gc and stop, in the pod's directory. */
#ifndef STAGE1_REMOVE_H
#define STAGE1_REMOVE_H

#include <stdbool.h>

#include "stage1/common/err.h"

/* The domain whose uuid is the pod's; never one by name or number. 0 also when there is none. */
int remove_domain(const char *uuid, bool debug, struct err *e);

#endif
