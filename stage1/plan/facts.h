/* What a planner must know of the host: read first (stage1/host.c, stage1/xen), then only data. */
#ifndef STAGE1_PLAN_FACTS_H
#define STAGE1_PLAN_FACTS_H

#include <stdint.h>

struct host_facts {
	uint64_t free_kib; /* memory Xen could give to a new domain now */
	uint32_t cpus;     /* physical ones, online */
};

#endif
