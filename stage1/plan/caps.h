/* Capabilities by name, and sets of them: bit n is capability n of linux/capability.h. Pure. */
#ifndef STAGE1_PLAN_CAPS_H
#define STAGE1_PLAN_CAPS_H

#include <stdint.h>

#define CAPS_ALL UINT64_MAX /* no limit, also for those we do not know */

/* The bounding set of an app that says nothing (appc spec, ace.md; contract 4.4.1). */
extern const uint64_t caps_default;

/* The number of "CAP_CHOWN", in either case; -1 when there is none of that name. */
int caps_find(const char *name);
/* The name of capability n without "CAP_", or NULL. */
const char *caps_name(unsigned n);

#endif
