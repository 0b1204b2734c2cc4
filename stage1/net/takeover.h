/*
 * What a CNI plugin made of an interface, read from the kernel: MAC, MTU, addresses and routes, for
 * the guest to have exactly these. The result a plugin prints says less: ptp, for one, replaces the
 * route to its subnet.
 */
#ifndef STAGE1_NET_TAKEOVER_H
#define STAGE1_NET_TAKEOVER_H

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"

/*
 * Reads interface `ifname` ("ethN") of the network namespace `netns_fd` into *nic_r, whose name and
 * lists are malloc'ed: guest_nic_dispose(). Addresses of the link-local scope that the kernel made by
 * itself, and routes of the tables local and multicast, are left out: the guest's kernel makes its own.
 * The calling thread's namespace is as before when it returns.
 */
int takeover_read(int netns_fd, const char *ifname, struct guest_nic *nic_r, struct err *e);

#endif
