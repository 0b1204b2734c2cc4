/* What lies at the sources of a pod's host volumes, read before anything is made. */
#ifndef STAGE1_VOLUMES_H
#define STAGE1_VOLUMES_H

#include "stage1/plan/mounts.h"

/* O_PATH, links followed: the source is the administrator's choice. rkt's words when it is missing. */
int volume_open(const struct volume_plan *volume, struct err *e);
/* Tells the plan what each source is. An error for one that is missing, or a device of this host's own. */
int volumes_look(struct mounts_plan *plan, struct err *e);

#endif
