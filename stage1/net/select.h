/*
 * Which networks a pod gets: --net against the configurations there are (contract 5.1; rkt
 * networking/podenv.go). Pure.
 */
#ifndef STAGE1_NET_SELECT_H
#define STAGE1_NET_SELECT_H

#include "stage1/net/conf.h"

enum { NET_NETWORKS_MAX = 16 }; /* DOMAIN_NICS_MAX of stage1/plan/domain_plan.h */

struct net_choice {
	const struct net_conf *conf;
	char *args;       /* CNI_ARGS; "" when --net gives none */
	char *copy;       /* the file's name in the pod's net/: no two have the same */
	char ifname[24];  /* ethN, N its index */
};

/*
 * `flag` is the value of --net, neither none nor host. Selected are the listed names, or all when
 * `all` is among them, in the order of their files' names. `where` says for the message where was
 * looked. *list_r: net_choices_dispose(); it borrows from `confs`.
 */
int net_select(const char *flag, const struct net_conf *confs, size_t n, const char *where,
	struct net_choice **list_r, size_t *n_r, struct err *e);
void net_choices_dispose(struct net_choice *list, size_t n);

/* The first that masquerades, else the last: it has the pod's ports and the host's address (contract 5.6). */
size_t net_forwardable(const struct net_choice *list, size_t n);

/* Whether an earlier one of the same directory has the name: it is ignored, which deserves a word. */
bool net_conf_is_repeated(const struct net_conf *confs, size_t i);

#endif
