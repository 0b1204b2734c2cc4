/*
 * Whether connections from 127.0.0.1 may leave the host by a device: its sysctl route_localnet. There is one for all
 * pods on a bridge, so LOCALNET_DIR says who of them needs it (a link named by the pod's UUID to the device's name),
 * and the last one sets it back. One that was set already is not ours, and stays.
 */
#ifndef STAGE1_NET_LOCALNET_H
#define STAGE1_NET_LOCALNET_H

#include "stage1/common/err.h"

#define LOCALNET_DIR "/run/stage1-xen/route_localnet" /* its lock is that of the sysctls, too */

/* What this lets in besides must be kept out already, and until localnet_unset() has returned. */
int localnet_set(const char *uuid, const char *device, struct err *e);
/* 0 also when the pod has set none, or the device is gone. */
int localnet_unset(const char *uuid, struct err *e);

#endif
