/*
 * Paths below a root that may be hostile: resolved by the kernel (openat2) as in a chroot, so that
 * no link and no '..' leads out, and no mount point is crossed. Without openat2 nothing works.
 *
 * These return -1 with errno: the caller knows what the user calls the place.
 */
#ifndef STAGE0_ROOT_H
#define STAGE0_ROOT_H

#include <sys/types.h>

#include "stage1/common/err.h"

/* Opens what is there. `path` is relative to `root`; links inside are followed unless O_NOFOLLOW. */
int root_open(int root, const char *path, int flags);

/* The same, but a link anywhere on the way is ELOOP. */
int root_open_plain(int root, const char *path, int flags);

/*
 * Opens (O_PATH) the directory `path`, making what is missing of it with `mode`; made directories
 * are root's when we are. "" is the root itself.
 */
int root_mkdirs(int root, const char *path, mode_t mode);

/* root_mkdirs of all but the last part of `path`. *base_r points into `path`. */
int root_parent(int root, const char *path, const char **base_r);

/*
 * Removes `name` (no path) in `dir` with all below it. Refuses to go through a mount point, follows nothing.
 * Constant in descriptors and stack however deep the tree is. Nothing there: success.
 */
int tree_remove(int dir, const char *name, struct err *e);

#endif
