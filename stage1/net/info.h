/*
 * net-info.json: the networks of a pod, as rkt reads them (contract 5.5; rkt networking/netinfo/netinfo.go),
 * and what gc tears down. An entry is written before its plugin runs, without addresses then. Pure.
 */
#ifndef STAGE1_NET_INFO_H
#define STAGE1_NET_INFO_H

#include <stddef.h>

#include "stage1/common/err.h"
#include "stage1/net/result.h"

#define NET_INFO_FILE "net-info.json"

enum { NET_INFO_MAX = 1 << 20 };

struct net_info {
	char *name;
	char *conf;   /* path of the copy of its configuration, relative to the pod's directory */
	char *plugin; /* path of its (first) plugin */
	char *ifname;
	char *ip;     /* "" when none is known */
	char *args;
	char *mask;   /* dotted quad, "" without an IPv4 address */
};

struct net_infos {
	struct net_info *list;
	size_t n;
};

/* The text of the file; none is "null". malloc'ed. */
char *net_infos_print(const struct net_infos *infos);
int net_infos_parse(const char *text, size_t len, struct net_infos *infos_r, struct err *e);
void net_infos_dispose(struct net_infos *infos);
void net_info_dispose(struct net_info *info);

/* The address rkt shows: the IPv4 one, or the first of all; NULL takes it away. */
void net_info_set_ip(struct net_info *info, const struct net_add *add);

#endif
