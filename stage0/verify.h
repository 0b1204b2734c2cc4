/*
 * Images are signed by a key that is trusted for their name, or they do not run (rkt: rkt/image/validator.go,
 * and rkt/stage1hash.go for the stage1).
 */
#ifndef STAGE0_VERIFY_H
#define STAGE0_VERIFY_H

#include <stdbool.h>

#include "stage0/content.h"
#include "stage0/source.h"
#include "stage1/common/err.h"

/* Whose signatures count; see keystore.h. */
struct trust {
	bool all; /* --insecure-options=image */
	const char *system, *local;
};

/*
 * Looks for FILE.asc; for a layout that is a directory for DIR/index.json.asc, from which all else in it
 * hangs by digest. Errors lead with "image PATH".
 */
int source_verify(const struct source *src, const struct trust *trust, struct err *e);

/* The images of a pod, and its stage1 unless that is the installed one: who can write that can write us. */
int verify_all(const struct content *content, const struct source *stage1, const struct trust *trust,
	struct err *e);

#endif
