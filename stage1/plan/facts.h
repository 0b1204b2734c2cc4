/* What a planner must know of the host: read first (stage1/host.c, stage1/xen), then only data. */
#ifndef STAGE1_PLAN_FACTS_H
#define STAGE1_PLAN_FACTS_H

#include <stdbool.h>
#include <stdint.h>

enum { FACTS_CPUS_MAX = 512, FACTS_POOLS_MAX = 32, FACTS_NAME_MAX = 64 };

struct cpu_set {
	uint64_t bits[FACTS_CPUS_MAX / 64];
};

struct host_pool {
	uint32_t id;
	char name[FACTS_NAME_MAX];
	struct cpu_set cpus;
};

struct host_facts {
	uint64_t free_kib; /* memory Xen could give to a new domain now */
	uint32_t cpus;     /* physical ones, online */
	bool pvh;          /* the CPU has what a PVH guest needs, and Xen uses it */
	struct host_pool pools[FACTS_POOLS_MAX]; /* of CPUs; more are not known */
	uint32_t npools;   /* 0: nobody asked */
};

#endif
