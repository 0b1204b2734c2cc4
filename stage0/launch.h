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

/* What is asked of a stage1 image by its manifest. */
struct entrypoint {
	const char *path; /* in its root, without a leading '/'; borrowed from the image */
	int version;      /* of the interface */
};

/* `name` as in the annotation coreos.com/rkt/stage1/NAME. The caller says of which image. */
int stage1_entry(const struct image *stage1, const char *name, struct entrypoint *entry_r, struct err *e);

struct launch {
	const struct run_flags *flags;
	const struct dns_plan *dns;
	mode_t mask;            /* the umask stage1 gets */
	const char *mds_socket; /* register with the metadata service there; NULL: do not */
};

/*
 * The pod is in state `run`, locked by pod->fd. Returns only on failure: from the exec on the pod is
 * stage1's, and so is our exit status.
 */
int pod_launch(struct poddir *pod, const struct launch *launch, struct err *e);

#endif
