/*
 * Ports of the host that lead into the pod (contract 5.6; rkt common/networking/ports.go), and the
 * rules that make them do so. Pure.
 */
#ifndef STAGE1_NET_FORWARD_H
#define STAGE1_NET_FORWARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"
#include "stage1/pod/pod.h"

struct net_forward {
	const char *name; /* of the port, borrowed from the pod */
	const char *ip;   /* of the host, borrowed; "" for any */
	int family;       /* 4 or 6: only by such addresses; 0: by both */
	bool udp;
	uint16_t host_port, pod_port;
};

/* *list_r is malloc'ed. Errors: names that no app has, or several; two ports of the host that are one. */
int net_forwards(const struct pod *pod, struct net_forward **list_r, size_t *n_r, struct err *e);

/* Where they lead. */
struct net_target {
	const char *ip4, *ip6; /* of the pod; NULL: it has none */
	const char *device;    /* the host's end, which leads to ip4; NULL without ip4 */
};

/* An error when a port is wanted at a kind of address that the pod has not. */
int net_forwards_check(const struct net_forward *list, size_t n, const struct net_target *to, struct err *e);

/* The pod's table, for `nft -f`: made anew, all of it at once. malloc'ed. */
char *net_forward_rules(const char *uuid, const struct net_forward *list, size_t n, const struct net_target *to);
/* Takes the table away; nothing when there is none. malloc'ed. */
char *net_forward_removal(const char *uuid);

/* As JSON, for plugins that have the capability portMappings. malloc'ed; NULL when n is 0. */
char *net_forward_mappings(const struct net_forward *list, size_t n);

#endif
