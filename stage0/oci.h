/*
 * OCI images and `docker save` archives, by path: what stage0 needs of one, in the terms it has for
 * ACIs. The parts: oci_store.h where the bytes lie, oci_image.h what belongs to an image, oci_convert.h
 * its manifest, oci_layers.h its files.
 */
#ifndef STAGE0_OCI_H
#define STAGE0_OCI_H

#include "stage0/oci_image.h"
#include "stage0/unpack.h"

struct oci {
	struct oci_store store;
	struct oci_image image;
};

#define OCI_INIT { .store = OCI_STORE_INIT }

/*
 * "FILE:TAG" -> FILE and TAG when there is a FILE and no "FILE:TAG". *file_r is the caller's, *tag_r is
 * in `path`, or NULL.
 */
void oci_split_path(const char *path, char **file_r, const char **tag_r);

/*
 * Reads the image from `fd`, which stays the caller's. aci_r->manifest is an appc manifest made from
 * it; `path` names an image that does not say its name itself. *oci_r and *aci_r are the caller's.
 *
 * The id is sha512 of that manifest, a NUL and the image's configuration, which names all content by
 * its digests.
 */
int oci_open(int fd, const char *path, const char *tag, const struct aci_limits *limits,
	struct oci *oci_r, struct aci *aci_r, struct err *e);
/* As aci_unpack(). */
int oci_unpack(const struct oci *oci, int dir, const struct aci_limits *limits, struct err *e);
void oci_dispose(struct oci *oci);

#endif
