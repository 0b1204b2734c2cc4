/*
 * Paths below a root that may be hostile: resolved by the kernel (openat2) as if the root were /, so
 * that no link, no '..' and no link of /proc leads out. Where openat2 is missing nothing works.
 */
#ifndef INIT_TARGET_H
#define INIT_TARGET_H

#include <stdbool.h>
#include <sys/types.h>

/* Opens what is there, links followed. `path` may begin with '/', which is `root`. -1 with errno. */
int target_open(int root, const char *path, int flags);

/*
 * Opens (O_PATH) what is to be covered at `path`, made when it is missing: a directory, or an empty
 * file when `file`. Missing parents are made too (0755), and a link that leads nowhere gets what it
 * leads to. What is there already may be of the other kind. -1 with errno.
 */
int target_make(int root, const char *path, bool file, mode_t mode);

#endif
