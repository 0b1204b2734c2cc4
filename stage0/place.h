/*
 * Puts tar entries below a root directory, which they cannot leave (root.h). Owner, mode, times and
 * some extended attributes are applied; those of directories last, when nothing is added to them any more.
 */
#ifndef STAGE0_PLACE_H
#define STAGE0_PLACE_H

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "stage1/common/err.h"

struct place_dir; /* a directory's path and attributes, for later */

struct place {
	int root;            /* borrowed */
	bool layered;        /* what comes later replaces what is there; else that is an error */
	uint64_t bytes_left; /* of files' sizes, holes included */
	struct place_dir *dirs;
	size_t ndirs, room;
};

/*
 * `path` is clean and relative to the root ("" is the root itself); `link` likewise, for a hard
 * link, or NULL. Content is read from `tar`, at this entry.
 */
int place_entry(struct place *p, struct archive *tar, struct archive_entry *ent, const char *path,
	const char *link, struct err *e);
/* May be called again when more has been placed. */
int place_finish(struct place *p, struct err *e);
void place_dispose(struct place *p);

/* The extended attributes that images of ours and rkt's have: file capabilities, and users' own. */
bool place_keeps_xattr(const char *name);

#endif
