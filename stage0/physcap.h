/* What Xen says the CPU can, for `stage0 check`. */
#ifndef STAGE0_PHYSCAP_H
#define STAGE0_PHYSCAP_H

#include <stdbool.h>

#include "stage1/common/err.h"

/* Whether PVH guests can run here (stage1/plan/type.h). By the libxenctrl of this name, which need not be there. */
int physcap_pvh(const char *library, bool *can_r, struct err *e);

#endif
