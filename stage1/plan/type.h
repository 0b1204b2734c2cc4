/*
 * What kind of guest a pod's machine is. Pure. The pod's annotation `stage1-xen/type`, the administrator's, says it:
 * `pv`, which runs on every CPU and is the default, or `pvh`, which needs one that virtualizes. The kernel is the same.
 */
#ifndef STAGE1_PLAN_TYPE_H
#define STAGE1_PLAN_TYPE_H

#include "stage1/plan/domain_plan.h"
#include "stage1/plan/facts.h"
#include "stage1/pod/pod.h"

#define TYPE_NOTE "stage1-xen/type"

/* A host that cannot is told so; nothing is chosen instead. */
int type_plan(const struct pod *pod, const struct host_facts *facts, enum domain_type *type_r, struct err *e);
/* What Xen takes on top of a guest's memory. */
uint64_t type_overhead_kib(enum domain_type type, uint64_t memory_kib, uint32_t vcpus);
const char *type_name(enum domain_type type);

#endif
