/*
 * A network whose backend is another domain, a driver domain: the guest's device is joined to a bridge there, by that
 * domain's own means. Nothing of it is in dom0's kernel: no interface in the pod's namespace, no filter, no ports. What
 * the guest's device is follows from the configuration and from what the plugin for addresses alone says. Pure.
 */
#ifndef STAGE1_NET_REMOTE_H
#define STAGE1_NET_REMOTE_H

#include "stage1/common/guest_plan.h"
#include "stage1/net/conf.h"
#include "stage1/net/result.h"

/*
 * `index` is N of ethN. The MAC is the pod's and the interface's, so that it is the same again. *nic_r:
 * guest_nic_dispose(). Errors: a result that cannot be read, or has no address.
 */
int net_remote_nic(const struct net_conf *conf, const char *uuid, size_t index, const struct net_add *add,
	struct guest_nic *nic_r, struct err *e);

#endif
