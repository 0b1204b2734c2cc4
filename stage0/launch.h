/*
 * From a pod that is complete to stage1 running it: becoming stage1 as `rkt run` and
 * `rkt run-prepared` do (contract 2.1).
 */
#ifndef STAGE0_LAUNCH_H
#define STAGE0_LAUNCH_H

#include <sys/types.h>

#include "stage0/dns.h"
#include "stage0/manifest.h"
#include "stage0/poddir.h"
#include "stage0/runargs.h"

/* Whether the image says how it is run. The caller says which image. */
int launch_check(const struct image *stage1, struct err *e);
/* Whether apps can come and go with it. */
int launch_check_mutable(const struct image *stage1, struct err *e);

struct launch {
	const struct run_flags *flags;
	const struct dns_plan *dns;
	mode_t mask;            /* the umask stage1 gets */
	const char *mds_socket; /* register with the metadata service there; NULL: do not */
};

/*
 * The pod is in state `run`, locked by pod->fd. Its layers are mounted if it has any. Returns only on
 * failure, with everything unmounted: from the exec on the pod is stage1's, and so is our exit status.
 */
int pod_launch(struct poddir *pod, const struct launch *launch, struct err *e);

#endif
