/*
 * A mutable pod's machine while the pod runs: memory and vCPUs grow with what its apps are promised, up to what the
 * domain was built for. They do not shrink: what an app leaves is for the next one.
 */
#ifndef STAGE1_MACHINE_H
#define STAGE1_MACHINE_H

#include "stage1/xen/xen.h"

enum { MACHINE_LOOK_MS = 100 }; /* Xen does not say when a guest has taken memory: while it is to, we look */

struct machine {
	const struct xen_ops *xo;
	struct xen *xen;
	uint32_t domid;
	uint64_t memory_kib, memory_max_kib; /* it has; it may have */
	uint64_t guest_kib;  /* of it not for apps */
	uint32_t vcpus, vcpus_max;
	uint64_t wanted_kib; /* 0: it does not grow now */
	int64_t deadline;    /* monotonic ms; until then the guest has time to */
};

/* Begins; more than memory_max_kib is not asked for. What Xen has not free is refused. */
int machine_grow(struct machine *m, uint64_t kib, struct err *e);
/* 1: it has what it was to have. 0: ask again in a moment. -1: the guest does not take it, and is as before. */
int machine_grown(struct machine *m, struct err *e);
/* As many as there may be, of `vcpus`; the guest brings them up when an app starts (init/cpus.c). */
int machine_use(struct machine *m, uint32_t vcpus, struct err *e);

#endif
