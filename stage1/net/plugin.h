/* CNI plugins of this host: finding them and calling them (contract 5.2; CNI spec, "Execution protocol"). */
#ifndef STAGE1_NET_PLUGIN_H
#define STAGE1_NET_PLUGIN_H

#include "stage1/net/conf.h"
#include "stage1/net/result.h"

enum { NET_PLUGIN_TIMEOUT_MS = 60 * 1000 };

/*
 * Where plugins are looked for, ':' between, as CNI_PATH: the local configuration's net.d, rkt's
 * directory, the image's own, CNI's usual one, Debian's. malloc'ed.
 */
char *plugin_path(const char *local_config, const char *s1root);

/* The first regular file of the name; malloc'ed, NULL when there is none. */
char *plugin_find(const char *path, const char *type);

/* All that the configuration needs, addresses' plugins too. */
int plugins_check(const struct net_conf *conf, const char *path, struct err *e);

struct plugin_call {
	const char *command;  /* ADD or DEL */
	const struct net_conf *conf;
	const char *uuid, *netns, *ifname, *args;
	const char *path;     /* of plugins */
	const char *ports;    /* net_forward_mappings() */
	int timeout_ms;       /* for each plugin of a chain */
	int cancel;           /* see child.h */
};

/*
 * The whole chain. ADD: *add_r is the last one's result, its text set. On failure nothing is undone.
 */
int plugins_add(const struct plugin_call *call, struct net_add *add_r, struct err *e);
/* In reverse order, to the end whatever fails; `result` is that of ADD, or NULL when none is known. */
int plugins_del(const struct plugin_call *call, const char *result, struct err *e);

#endif
