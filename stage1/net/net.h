/*
 * The pod's networks in dom0, as rkt makes them (rkt networking/networking.go): a network namespace
 * of the pod's own in which unmodified CNI plugins do their work, each leaving an interface ethN. Its
 * frames are then the guest's: join.h has how, takeover.h what the guest takes over.
 *
 * In the pod's directory, which is the current one:
 *   netns              path of the namespace, written before it is made
 *   net/               copies of the selected configurations, written before their plugins run
 *   net/ethN.nft       the rules that join ethN to the guest's device (join.h), for stage1/main_vif.c
 *   net-info.json      as rkt reads it (rkt networking/netinfo/netinfo.go)
 */
#ifndef STAGE1_NET_NET_H
#define STAGE1_NET_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"

struct net_plan; /* the networks a pod gets, chosen and checked; nothing is made yet */

/* What has been made. */
struct net_result {
	struct guest_nic *nics; /* index N is ethN; names and addresses are owned here */
	size_t nnics;
	char *resolv_conf;      /* text, of the first plugin that names a server; NULL: none does */
	char *host_ip;          /* the host's address as the pod sees it: gateway of the forwardable network; or NULL */
};

void net_result_dispose(struct net_result *result);

#endif
