/*
 * Unpacks an application container image (a tar of `manifest` and `rootfs/`, compressed or not)
 * whose bytes are hostile: nothing is written outside of the directory given, sizes are bounded,
 * and what the archive says is either done or an error. Knows nothing of what a manifest means.
 *
 * The programs set LC_CTYPE to C.UTF-8: libarchive decodes names of pax headers by it.
 */
#ifndef STAGE0_UNPACK_H
#define STAGE0_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "stage0/stream.h"
#include "stage1/common/err.h"

struct aci_limits {
	uint64_t bytes;   /* of the uncompressed archive, and of all files with their holes */
	uint64_t entries;
	size_t manifest;  /* bytes */
};

#define ACI_LIMITS_DEFAULT { .bytes = 64ULL << 30, .entries = 2000000, .manifest = 4 << 20 }

struct aci {
	char *manifest; /* owned; a NUL follows */
	size_t manifest_len;
	char id[IMAGE_ID_LEN + 1];
};

#define ACI_INIT { .manifest = NULL }

/* Only the manifest; no id. Reads no further than it: quick when it comes first, as it should. */
int aci_peek(int fd, const struct aci_limits *limits, struct aci *aci_r, struct err *e);

/*
 * Makes `rootfs` in the directory `dir`, where there must be none. After a failure a part of it may
 * be there: tree_remove() it. The manifest is read, not written.
 */
int aci_unpack(int fd, int dir, const struct aci_limits *limits, struct aci *aci_r, struct err *e);

void aci_dispose(struct aci *aci);

#endif
