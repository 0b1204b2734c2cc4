/* See type.h. */
#include "stage1/plan/type.h"

#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/plan.h"

const char *type_name(enum domain_type type)
{
	return type == DOMAIN_PVH ? "pvh" : "pv";
}

int type_plan(const struct pod *pod, const struct host_facts *facts, enum domain_type *type_r, struct err *e)
{
	const char *text = pod_note(pod->notes, pod->nnotes, TYPE_NOTE);
	enum domain_type type = text && !strcmp(text, type_name(DOMAIN_PVH)) ? DOMAIN_PVH : DOMAIN_PV;

	if (text && strcmp(text, type_name(type)) != 0)
		return err_set(e, ERR_INPUT, "annotation '" TYPE_NOTE "': '%s' is neither pv nor pvh", text);
	if (type == DOMAIN_PVH && !facts->pvh)
		return err_set(e, ERR_HOST, "annotation '" TYPE_NOTE "': pvh needs a CPU with VT-x and EPT or AMD-V and NPT, "
			"switched on: Xen finds none here");
	*type_r = type;
	return 0;
}

/* Nested page tables come from a pool that libxl makes this large (libxl_get_required_shadow_memory()). */
static uint64_t paging_kib(uint64_t memory_kib, uint32_t vcpus)
{
	return 4 * (UINT64_C(256) * vcpus + 2 * (memory_kib >> 10));
}

uint64_t type_overhead_kib(enum domain_type type, uint64_t memory_kib, uint32_t vcpus)
{
	return PLAN_OVERHEAD_KIB + (type == DOMAIN_PVH ? paging_kib(memory_kib, vcpus) : 0);
}
