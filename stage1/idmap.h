/*
 * Owners of files that rkt's --private-users has shifted on disk, mapped back for the pod: a mount whose
 * owner SHIFT is seen as 0 and the other way round (mount_setattr(2), MOUNT_ATTR_IDMAP).
 */
#ifndef STAGE1_IDMAP_H
#define STAGE1_IDMAP_H

#include "stage1/cli.h"
#include "stage1/common/err.h"

/* A user namespace that maps so, for mount_attr.userns_fd; a descriptor, or -1. */
int idmap_open(const struct id_shift *shift, struct err *e);

#endif
