/*
 * Quantities of resources as Kubernetes and appc write them: 16Mi, 500m, 1.5G, 2e3. Pure.
 * Source of facts: Kubernetes api/resource/quantity.go, which rkt 1.30 carries.
 */
#ifndef STAGE0_QUANTITY_H
#define STAGE0_QUANTITY_H

#include <stdint.h>

#include "stage1/common/err.h"

/*
 * *canonical_r (the caller's) is the spelling Go's encoder gives it: 1024Ki is 1Mi, 1.5 is 1500m.
 * *value_r is in units, rounded up. At most 18 digits, and nothing over 2^63 - 1. Errors are
 * "'TEXT' is no quantity ..."; the caller says of what.
 */
int quantity_read(const char *text, char **canonical_r, int64_t *value_r, struct err *e);

#endif
