/*
 * An image's layers, put on each other in a directory: `rootfs` of what they make in all. Each is
 * read twice: first whole, so that nothing of a layer is placed whose digests are wrong, and to learn what
 * it takes away of the layers below (image-spec, layer.md: whiteouts); then for what it adds, when its file
 * must still have the same digest.
 */
#ifndef STAGE0_OCI_LAYERS_H
#define STAGE0_OCI_LAYERS_H

#include "stage0/oci_image.h"
#include "stage0/unpack.h"

/* As aci_unpack(): makes `rootfs` in `dir`, and after a failure a part of it may be there. */
int oci_layers_unpack(const struct oci_store *store, const struct oci_image *image, int dir,
	const struct aci_limits *limits, struct err *e);

#endif
