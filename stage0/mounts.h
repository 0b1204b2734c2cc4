/* What is mounted below a directory, in this process' mount namespace. */
#ifndef STAGE0_MOUNTS_H
#define STAGE0_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>

#include "stage1/common/err.h"

struct mounts {
	char **v; /* owned: absolute paths, in the order of mountinfo */
	size_t n;
};

/* Pure. Those of the text of /proc/PID/mountinfo that are below `dir`, or on it. */
void mounts_parse(const char *mountinfo, const char *dir, struct mounts *mounts_r);
int mounts_below(const char *dir, struct mounts *mounts_r, struct err *e);
void mounts_dispose(struct mounts *mounts);

/*
 * Unmounts all of it, the last first. Each is made private before: its own submounts may be shared with the host's,
 * whose volumes stay as they are. Nothing is detached that is busy: that is an error.
 */
int mounts_remove(const char *dir, struct err *e);

#endif
