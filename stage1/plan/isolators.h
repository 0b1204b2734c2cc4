/*
 * What an app's isolators and the flags that lift them mean (contract 4.4): the limits the guest puts
 * on the app. Pure.
 *
 * Of memory and cpu the last isolator counts, and of it the limit only; no-new-privileges is on when
 * any says so; capability sets of one kind add up, both kinds are an error; so is a second seccomp set.
 */
#ifndef STAGE1_PLAN_ISOLATORS_H
#define STAGE1_PLAN_ISOLATORS_H

#include "stage1/plan/plan.h"

/*
 * The limits of one app. Warnings go to w, unless it is NULL. The caller owns what is in *limits_r:
 * isolators_dispose(), or its filter and summary.
 */
int isolators_plan(const struct run_opts *opts, const struct pod_app *app, struct guest_limits *limits_r,
	struct plan_warnings *w, struct err *e);
void isolators_dispose(struct guest_limits *limits);

#endif
