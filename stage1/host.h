/* Is this a host we can work on, and the module for its Xen (stage1/xen/xen.h). */
#ifndef STAGE1_HOST_H
#define STAGE1_HOST_H

#include "stage1/common/err.h"
#include "stage1/xen/xen.h"

/* Root, in dom0 of a running Xen. Each failure is one line with its remedy. */
int host_check(struct err *e);
/*
 * 0: no domain of a pod of this image can be there, for no Xen runs, or one that the image below `s1root` has no module
 * for: it cannot have made one since the host was booted. Otherwise 1.
 */
int host_may_have_domain(const char *s1root, struct err *e);
/*
 * Loads lib/stage1-xen/xen-VERSION.so below `s1root` for the Xen that is running. The module stays
 * loaded until the process ends.
 */
int host_load_xen(const char *s1root, const struct xen_ops **ops_r, struct err *e);

#endif
