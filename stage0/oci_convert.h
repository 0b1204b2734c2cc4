/*
 * An OCI image's configuration as an appc image manifest, by the rules of docker2aci (0.13, squashed:
 * lib/internal/internal.go, GenerateManifestV22, and lib/docker2aci.go, mergeManifests). Pure.
 */
#ifndef STAGE0_OCI_CONVERT_H
#define STAGE0_OCI_CONVERT_H

#include "stage0/oci_image.h"

/*
 * `file` is the image's file name without its directories, which names an image that has at most a
 * tag. *text_r is the caller's.
 */
int oci_convert(const struct oci_image *image, const char *file, char **text_r, struct err *e);

#endif
