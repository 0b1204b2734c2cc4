/*
 * A network's configuration, as an administrator writes it for rkt and CNI: NAME.conf with one plugin,
 * NAME.conflist with a chain of them (CNI spec 0.1.0 to 1.0.0). Pure: bytes in, a struct out, and what
 * each plugin is to read.
 *
 * Three keys are ours, and plugins ignore them:
 *   "stage1-xen/any-source": true    the guest may send with addresses that are not its own
 *   "stage1-xen/only-gateway": true  it may reach no address but the network's gateway
 *   "stage1-xen/backend": "DOMAIN"   the network is in that domain (remote.h): only ipam's plugin is called, and of the
 *                                    others' keys "bridge", "mtu" and "isDefaultGateway" count
 */
#ifndef STAGE1_NET_CONF_H
#define STAGE1_NET_CONF_H

#include <stdbool.h>
#include <stddef.h>

#include "stage1/common/err.h"

enum {
	NET_CONF_MAX = 1 << 20, /* bytes of a file */
	NET_PLUGINS_MAX = 16,   /* of a chain */
};

struct net_plugin {
	char *type;           /* a file name; NULL when the configuration lacks it */
	char *ipam;           /* of the plugin that gives it addresses, or NULL */
	bool takes_ports;     /* capability portMappings: the pod's ports are its business */
};

struct net_conf {
	char *path;           /* where it was read */
	const char *file;     /* its last part */
	unsigned dir;         /* which directory: of two with one name, that of the later directory counts */
	char *name;           /* of the network: a letter or digit, then those and "._-" */
	char *version;        /* cniVersion; "0.1.0" when it says none, as plugins take it */
	bool list;            /* .conflist */
	char *text;           /* the file's bytes, with a NUL behind them */
	size_t len;
	struct net_plugin *plugins;
	size_t nplugins;      /* at least 1 */
	bool ip_masq, any_source, only_gateway;
	char *backend;        /* name of the domain, or NULL: dom0 */
	char *bridge;         /* with it: the bridge there, or NULL */
	unsigned mtu;         /* likewise; 0: it says none */
	bool default_gateway; /* likewise */
};

#define NET_CONF_INIT { .path = NULL }

/* Messages lead with the path. Whether the network can be used is not looked at: it may be unselected. */
int net_conf_parse(const char *path, const char *text, size_t len, struct net_conf *conf_r, struct err *e);
void net_conf_dispose(struct net_conf *conf);

/* The plugin called as number `i` of the chain: with a backend the one for addresses. */
const char *net_conf_type(const struct net_conf *conf, size_t i);

/* By its suffix, whether a file is a configuration. */
bool net_conf_is_file(const char *name);

/* For a network that is selected: what net_conf_parse() left unsaid. */
int net_conf_check(const struct net_conf *conf, struct err *e);

/* CNI 0.4.0 and later hand the result of ADD to DEL. */
bool net_conf_del_takes_result(const struct net_conf *conf);

/*
 * What plugin number `i` of the chain reads: the file's own bytes when nothing is to be added.
 * `prev` (JSON of a result) and `ports` (JSON array of CNI's portMappings) may be NULL; the latter is
 * only for a plugin that takes them. malloc'ed. Errors: `prev` is no JSON.
 */
int net_conf_input(const struct net_conf *conf, size_t i, const char *prev, const char *ports, char **text_r,
	size_t *len_r, struct err *e);

#endif
