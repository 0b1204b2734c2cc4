/* An image file: opened, its manifest read. */
#ifndef STAGE0_SOURCE_H
#define STAGE0_SOURCE_H

#include "stage0/manifest.h"
#include "stage0/unpack.h"
#include "stage1/common/err.h"

struct source {
	const char *path; /* borrowed */
	int fd;
	struct aci aci;   /* the id is "" until source_identify() or source_unpack() */
	struct image image;
};

#define SOURCE_INIT { .fd = -1 }

/* Errors of these lead with "image PATH". */
int source_open(const char *path, struct source *src_r, struct err *e);
/* Reads all of it for its id. */
int source_identify(struct source *src, struct err *e);
/* Makes `dir`/rootfs and `dir`/manifest, the latter with `mode`. The file must still be the one that was checked. */
int source_unpack(struct source *src, int dir, mode_t mode, struct err *e);
void source_dispose(struct source *src);

#endif
