/* The guest plan's decoder. What it accepts is encoded to the very same bytes (but for a bool's). */
#include "stage1/common/guest_plan.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE uint8_t *copy = xmalloc(size);
	AUTO_FREE uint8_t *again = NULL;
	struct guest_plan plan = GUEST_PLAN_INIT;
	struct err e = ERR_INIT;
	size_t len;

	memcpy(copy, data, size);
	if (guest_plan_decode(copy, size, &plan, &e) < 0) {
		MUST(!plan.owned && *e.msg);
		return 0;
	}
	MUST(!memcmp(copy, data, size)); /* strings are borrowed, not changed */
	for (size_t i = 0; i < plan.napps; i++)
		MUST(plan.apps[i].nexec > 0 && plan.apps[i].exec[0] && !plan.apps[i].exec[plan.apps[i].nexec]);
	MUST(guest_plan_encode(&plan, &again, &len, &e) == 0);
	MUST(len == size);
	guest_plan_dispose(&plan);
	return 0;
}
