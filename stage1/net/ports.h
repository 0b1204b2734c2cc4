/*
 * The host's ports that lead into a pod, carried out. Each is held by a socket of ours that nobody
 * connects to, for the rules lead elsewhere: so the kernel tells of clashes, with pods and with the
 * host's own programs, and a port is free again however the supervisor ends.
 */
#ifndef STAGE1_NET_PORTS_H
#define STAGE1_NET_PORTS_H

#include "stage1/net/forward.h"

#define PORTS_FILE "net/ports.nft" /* the rules, written before they count; see net.h */

struct ports_held {
	int *fds;
	size_t n;
};

/* Errors: "port 'http': the host's tcp port 80 is in use". */
int ports_hold(const struct net_forward *list, size_t n, struct ports_held *held_r, struct err *e);
void ports_release(struct ports_held *held);

/* Makes the pod's table, and remembers it in PORTS_FILE first. */
int ports_lead(const char *uuid, const struct net_forward *list, size_t n, const char *ip4, const char *ip6,
	struct err *e);
/* By PORTS_FILE, which is removed then; 0 also when there is none. */
int ports_unlead(const char *uuid, struct err *e);

#endif
