/*
 * /etc/resolv.conf and /etc/hosts of a pod, from flags (contract 2.1.3; rkt rkt/run.go parseDNSFlags,
 * common/resolv_conf.go, stage0/run.go writeEtcHosts). Pure.
 */
#ifndef STAGE0_DNS_H
#define STAGE0_DNS_H

#include "stage0/cli.h"

struct dns_flags {
	struct cli_list dns;     /* IP,... each, or host, or none */
	struct cli_list search, options;
	struct cli_list entries; /* IP=NAME,... each, or host */
	const char *domain;
};

struct dns_plan {
	char *mode;   /* of --dns-conf-mode; NULL when both files are as stage1 thinks best */
	char *resolv; /* the text of rkt-resolv.conf; NULL when stage1 gets none */
	char *hosts;  /* likewise rkt-hosts; what stage1's hosts-fallback says goes before it */
};

#define DNS_PLAN_INIT { .mode = NULL }

int dns_plan(const struct dns_flags *flags, struct dns_plan *plan_r, struct err *e);
void dns_plan_dispose(struct dns_plan *plan);
void dns_flags_dispose(struct dns_flags *flags);

#endif
