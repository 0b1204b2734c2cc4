/* Names in archives: made clean, and never repaired into something they did not say. Pure. */
#ifndef STAGE0_NAMES_H
#define STAGE0_NAMES_H

#include "stage1/common/err.h"

/* "./rootfs//a/./b/" -> "rootfs/a/b"; what is absolute or tries to climb is refused. */
int name_clean(const char *name, char **clean_r, struct err *e);

/*
 * Where the link `name` (clean) leads in its archive, by its target's text; NULL when that is
 * absolute or above the top.
 */
char *name_follow(const char *name, const char *target);

#endif
