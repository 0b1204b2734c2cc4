/* The files of a pod's networks (net.h), in the pod's directory. For stage1/net, and stage0's plan. */
#ifndef STAGE1_NET_FILES_H
#define STAGE1_NET_FILES_H

#include "stage1/net/conf.h"
#include "stage1/net/info.h"

#define NET_DIR "net"
#define NETNS_FILE "netns"
#define LOCAL_CONFIG_DEFAULT "/etc/rkt"

/* Of the directories that exist, builtin ones first; each file that is a configuration, in order. */
struct net_confs {
	struct net_conf *list;
	size_t n;
	char *where; /* the directories, for messages */
};

int net_confs_read(const char *s1root, const char *local_config, struct net_confs *confs_r, struct err *e);
/*
 * The same by its steps, for builtin ones that are no files: first each of these by net_confs_add() with directory 0,
 * in the order of their names, then the local ones. `builtin` says for messages where they are.
 */
void net_confs_init(const char *builtin, const char *local_config, struct net_confs *confs_r);
int net_confs_add(const char *path, const char *text, size_t len, unsigned dir, struct net_confs *confs, struct err *e);
int net_confs_local(const char *local_config, struct net_confs *confs, struct err *e);
void net_confs_dispose(struct net_confs *confs);

int net_conf_read(const char *path, struct net_conf *conf_r, struct err *e);

int net_infos_write(const struct net_infos *infos, struct err *e);
/* No file is no network. */
int net_infos_read(struct net_infos *infos_r, struct err *e);

/* net/ethN.SUFFIX; malloc'ed. */
char *net_file(const char *ifname, const char *suffix);
int net_file_write(const char *ifname, const char *suffix, const char *text, struct err *e);
/* The text, or NULL when there is none; malloc'ed. */
int net_file_read(const char *ifname, const char *suffix, char **text_r, struct err *e);

#endif
