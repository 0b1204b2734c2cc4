/*
 * The networks a pod would get, for `stage0 plan`: chosen by stage1's own code from the configurations of this host
 * and of the stage1 image, which is not unpacked. Whether their plugins are here is not looked at.
 */
#ifndef STAGE0_NETPLAN_H
#define STAGE0_NETPLAN_H

#include <stdio.h>

#include "stage1/common/err.h"
#include "stage1/pod/pod.h"

struct net_sources {
	const char *net;          /* the value of --net; not host */
	const char *local_config; /* NULL: /etc/rkt */
	const char *image;        /* of stage1: path of the ACI; one that cannot be read is said in the text */
	const struct pod *pod;    /* for its ports */
};

/* *text_r is malloc'ed; *n_r is how many there are. */
int netplan(const struct net_sources *from, char **text_r, size_t *n_r, struct err *e);

#endif
