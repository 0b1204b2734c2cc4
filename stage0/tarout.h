/*
 * Writes an image: `manifest`, and a tree as `rootfs`, into a gzipped tar. The tree is what an app has
 * left and may be hostile: it is never left by a link, nothing but files, directories, links, devices
 * and fifos gets in (sockets are passed over), and what the archive could not hold, or we would not
 * unpack again, is an error. Constant in descriptors however deep the tree is.
 */
#ifndef STAGE0_TAROUT_H
#define STAGE0_TAROUT_H

#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"

struct tarout_opts {
	const char *manifest;
	size_t manifest_len;
	int root;                    /* the tree's, a directory */
	uint32_t id_shift, id_count; /* owners are this range's: the shift is taken off. 0, 0: as they are */
	uint64_t bytes_max;          /* of all files, with their holes */
};

/* Errors lead with the place, as "rootfs/etc/passwd". */
int tarout_write(int fd, const struct tarout_opts *opts, struct err *e);

#endif
