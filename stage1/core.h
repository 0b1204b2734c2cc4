/*
 * The memory of a guest that crashed, for who looks into it afterwards: the file CORE_FILE of the pod's
 * directory (an ELF core as `xl dump-core` makes it), when the plan allows one of that size and there is room.
 */
#ifndef STAGE1_CORE_H
#define STAGE1_CORE_H

#include "stage1/xen/xen.h"

#define CORE_FILE "core"

/* The domain is still there. Says what came of it on stderr; a failure changes nothing of how the pod ended. */
void core_dump(const struct xen_ops *xo, struct xen *xen, uint32_t domid, const struct domain_plan *plan);

#endif
