/* Reading the texts of a pod's /etc/resolv.conf and /etc/hosts, as their modes say (stage1/plan/etc.h). */
#ifndef STAGE1_ETC_H
#define STAGE1_ETC_H

#include "stage1/plan/etc.h"

/* `s1root` is the pod's stage1/rootfs, where stage0 and our image leave theirs. */
int etc_read(const struct etc_modes *modes, const char *s1root, struct etc_files *files_r,
	struct err *e);

#endif
