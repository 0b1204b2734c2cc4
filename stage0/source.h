/*
 * An image file that is to be run, whatever its kind: an ACI, an OCI layout (a directory or a tar of
 * one) or what `docker save` writes. The kind is known by its content.
 */
#ifndef STAGE0_SOURCE_H
#define STAGE0_SOURCE_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "stage0/manifest.h"
#include "stage0/oci.h"
#include "stage0/unpack.h"
#include "stage1/common/err.h"

struct source {
	const char *path; /* borrowed; as given, its tag included */
	char *file;       /* without that */
	int fd;           /* of the file or a copy of it, or a layout's directory */
	struct stat st;   /* of what was opened */
	bool is_oci;
	struct oci oci;
	struct aci aci;   /* the id of an ACI is "" until source_identify() or source_unpack() */
	struct image image;
};

#define SOURCE_INIT { .fd = -1, .oci = OCI_INIT }

/*
 * Errors of these lead with "image PATH". When it is to be `kept`, all that is read of it from here on is the same
 * bytes: a file that others than root may write is copied. What hangs by digests, a layout's directory, is not.
 */
int source_open(const char *path, bool kept, struct source *src_r, struct err *e);
/* Reads all of an ACI for its id. */
int source_identify(struct source *src, struct err *e);
/* Makes `rootfs` and `manifest` (of that mode) in `dir`. The image must still be the one that was opened. */
int source_unpack(struct source *src, int dir, mode_t mode, struct err *e);
void source_dispose(struct source *src);

#endif
