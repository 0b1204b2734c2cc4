/*
 * Amounts as Kubernetes writes them (resource.Quantity; contract 4.4): "512Mi", "1.5G", "800m", "2e3".
 * Pure.
 */
#ifndef STAGE1_PLAN_QUANTITY_H
#define STAGE1_PLAN_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

enum quantity_unit { QUANTITY_ONES, QUANTITY_THOUSANDTHS };

/*
 * The amount in the unit, rounded up. NULL, or what is wrong with the text: "is not a quantity", "is
 * negative", "is too large" (over INT64_MAX of the unit).
 */
const char *quantity_amount(const char *text, enum quantity_unit unit, uint64_t *amount_r);

/*
 * What follows the number: a power of two, or of ten (of an exponent no more than three digits count). The
 * other power is 0. False: it is none.
 */
bool quantity_suffix(const char *s, int *two_r, int *ten_r);
/* The suffix of just this power; NULL: it has none. */
const char *quantity_suffix_text(int two, int ten);

#endif
