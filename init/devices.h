/*
 * Which device nodes the processes of a cgroup may open: those every app has, and no other. Apps have
 * CAP_MKNOD, and with Xen's nodes (gntdev, evtchn, xenbus, privcmd) a root user would speak to the
 * hypervisor as the kernel does. Making nodes is allowed: unpacking an image in an app works.
 */
#ifndef INIT_DEVICES_H
#define INIT_DEVICES_H

#include "stage1/common/err.h"

/* Puts the policy on the cgroup of this open directory. */
int devices_restrict(int cgroup, struct err *e);

#endif
