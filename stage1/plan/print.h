/* Plans as text, a line a fact: for `stage0 plan`, and for the goldens of the tests. */
#ifndef STAGE1_PLAN_PRINT_H
#define STAGE1_PLAN_PRINT_H

#include <stdio.h>

#include "stage1/common/guest_plan.h"
#include "stage1/plan/domain_plan.h"

void plan_print_domain(const struct domain_plan *plan, FILE *out);
void plan_print_guest(const struct guest_plan *plan, FILE *out);

#endif
