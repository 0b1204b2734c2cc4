/*
 * What a CNI plugin prints: the result of ADD, of every version from 0.1.0 (ip4, ip6) to 1.0.0 (ips),
 * and its complaint when it fails. Pure.
 */
#ifndef STAGE1_NET_RESULT_H
#define STAGE1_NET_RESULT_H

#include <stdint.h>
#include <stddef.h>

#include "stage1/common/err.h"

enum {
	NET_RESULT_MAX = 1 << 20, /* bytes a plugin may print */
	NET_RESULT_IPS_MAX = 64,
	NET_IP_TEXT = 46,
};

struct net_ip {
	int family; /* 4 or 6 */
	unsigned prefix;
	char ip[NET_IP_TEXT], gateway[NET_IP_TEXT]; /* canonical; no gateway is "" */
};

struct net_dns {
	char **servers, **search, **options; /* addresses; words */
	size_t nservers, nsearch, noptions;
	char *domain; /* or NULL */
};

struct net_add {
	struct net_ip *ips;
	size_t nips;
	struct net_dns dns;
	char *text; /* the result as JSON, for plugins that come later */
};

#define NET_ADD_INIT { .ips = NULL }

/* Messages lead with "result". A result without addresses is one. */
int net_add_parse(const char *text, size_t len, struct net_add *add_r, struct err *e);
void net_add_dispose(struct net_add *add);

/* The first address of a family, or NULL. */
const struct net_ip *net_add_ip(const struct net_add *add, int family);

/* resolv.conf of these servers, or NULL when none is named. `network` for its first line. malloc'ed. */
char *net_resolv_conf(const struct net_dns *dns, const char *network);

/* "MSG; DETAILS" of {"code","msg","details"}; NULL when it is nothing of the kind. malloc'ed. */
char *net_failure_text(const char *text, size_t len);

#endif
