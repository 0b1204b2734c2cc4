/*
 * How the frames of the pod's interface ethN and of the guest's device reach each other: in the pod's
 * network namespace an nftables table of the netdev family forwards what comes in at the one to the
 * other. (A bridge would take ethN's own MAC, which is the guest's, for itself; and macvlan passes
 * only frames to its MAC.) The same rules are the pod's spoofing filter: from the guest come only its
 * own MAC and its own addresses. All of it ends with the namespace.
 *
 * The addresses stay on ethN: a plugin's DEL looks for them there.
 */
#ifndef STAGE1_NET_JOIN_H
#define STAGE1_NET_JOIN_H

#include <stdbool.h>

#include "stage1/common/guest_plan.h"

struct join_opts {
	bool any_source;     /* no filter: the network's configuration asks for it */
	const char *only_to; /* restricted networks: the one host address the guest may reach; NULL: all */
};

/*
 * The text for `nft -D vif=vifD.N -f`, malloc'ed; `$vif` in it is dom0's name of the guest's device.
 * Pure.
 */
char *join_rules(const struct guest_nic *nic, const struct join_opts *opts);

#endif
