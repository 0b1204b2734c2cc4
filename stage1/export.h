/*
 * The trees the guest sees by 9p, in a mount namespace of the supervisor's and its backend's own: the
 * host's mounts stay free, and all of it is gone with the last of the two.
 *
 *     export/                      a read-only tmpfs
 *         pod/apps/NAME            the app's root
 *         pod/empty/NUMBER         an empty volume, kept in the pod's directory
 *         volumes/NUMBER           a host volume: a directory, or a single file
 *
 * Everything below is private: what the host mounts or unmounts later changes nothing here, so a
 * read-only volume stays read-only to its last submount.
 */
#ifndef STAGE1_EXPORT_H
#define STAGE1_EXPORT_H

#include "stage1/plan/plan.h"

/* Each app's root file system is there; nothing is made. `s1root` is the pod's stage1/rootfs. */
int export_check(const struct pod *pod, const char *s1root, struct err *e);
/*
 * Makes the empty volumes in the pod's directory, which is the current one; enters the namespace for
 * good and mounts the trees. Owners in the apps' roots are shifted back (rkt shifts no volume); where a
 * file system cannot do that they stay as they are, and *warning says so.
 */
int export_mount(const struct pod *pod, const char *s1root, const struct mounts_plan *mounts,
	const struct id_shift *shift, struct err *warning, struct err *e);

#endif
