/*
 * Where in the host a pod's vCPUs run. Pure. Two annotations of the pod, the administrator's, say it:
 * `stage1-xen/cpus`, a list of the host's CPUs as in "0-1,3" (each of the pod's vCPUs may use all of them),
 * and `stage1-xen/cpupool`, the name of one of Xen's pools. Without them: wherever Xen's first pool has CPUs.
 */
#ifndef STAGE1_PLAN_PLACE_H
#define STAGE1_PLAN_PLACE_H

#include "stage1/plan/facts.h"
#include "stage1/pod/pod.h"

#define PLACE_NOTE_CPUS "stage1-xen/cpus"
#define PLACE_NOTE_POOL "stage1-xen/cpupool"

struct place {
	bool pinned;         /* to `cpus` */
	struct cpu_set cpus;
	uint32_t pool;       /* Xen's number of it */
	const char *pool_name; /* borrowed from the annotation; NULL: none was asked for */
	uint32_t ncpus;      /* how many CPUs there are for the pod; UINT32_MAX: not known */
};

/* What the host has not is refused, in the words of the annotation. A host without known pools has everything. */
int place_plan(const struct pod *pod, const struct host_facts *facts, struct place *place_r, struct err *e);

/* "0-1,3". False for any other text, and for CPUs from FACTS_CPUS_MAX on. */
bool cpu_set_parse(const char *text, struct cpu_set *set_r);
/* The same, malloc'ed. */
char *cpu_set_text(const struct cpu_set *set);
bool cpu_set_has(const struct cpu_set *set, uint32_t cpu);
void cpu_set_add(struct cpu_set *set, uint32_t cpu);

#endif
