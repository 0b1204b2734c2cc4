/*
 * The pod's network namespace in dom0, by its name in /var/run/netns as rkt and `ip netns` have them:
 * a bind mount, which keeps it while no process is in it.
 */
#ifndef STAGE1_NET_NETNS_H
#define STAGE1_NET_NETNS_H

#include "stage1/common/err.h"

#define NETNS_DIR "/var/run/netns"

/* NETNS_DIR/cni-UUID; malloc'ed. */
char *netns_path(const char *uuid);

/* Made with loopback up and without addresses of its own making. It must not exist. */
int netns_create(const char *path, struct err *e);
/* 0 also when it is gone. From whatever mount namespace: it is gone in all of them. */
int netns_remove(const char *path, struct err *e);
int netns_open(const char *path, int *fd_r, struct err *e);

/* The interface takes frames to every multicast address: the guest's groups are not known here. */
int netns_hear_multicast(int netns, const char *ifname, struct err *e);

#endif
