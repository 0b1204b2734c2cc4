/*
 * One image of an OCI layout or a `docker save` archive: found by its tag, and its parts known:
 * the configuration, and the layers in the order in which they are put on each other.
 *
 * Sources: image-spec v1.1 (image-layout.md, image-index.md, manifest.md, config.md), and for docker's
 * archives moby image/spec/v1.2.md. What has a digest is checked against it.
 */
#ifndef STAGE0_OCI_IMAGE_H
#define STAGE0_OCI_IMAGE_H

#include <json-c/json_object.h>
#include <stddef.h>
#include <stdint.h>

#include "stage0/digest.h"
#include "stage0/oci_store.h"

enum { OCI_LAYERS_MAX = 1000, OCI_REFS_MAX = 1000, OCI_DEPTH_MAX = 4, OCI_INDEXES_MAX = 100 };

struct oci_layer {
	char *file;          /* its name in the store */
	char *digest;        /* of the file; NULL in docker's archives, which give none */
	uint64_t size;       /* of the file; not known: UINT64_MAX */
	const char *diff_id; /* digest of the tar archive in it; borrowed from the configuration */
};

struct oci_image {
	char *ref;                    /* its tag or whole reference; NULL when it has none */
	char index[DIGEST_MAX + 1];    /* digest of index.json as it was read; "" in docker's archives */
	char manifest[DIGEST_MAX + 1]; /* digest; likewise */
	char id[DIGEST_MAX + 1];       /* digest of the configuration */
	char *text;                   /* the configuration as it is */
	size_t len;
	json_object *config;
	struct oci_layer *layers;
	size_t n;
};

#define OCI_IMAGE_INIT { .ref = NULL }

/* `tag` may be NULL. `max` bounds each of the JSON documents, bytes. */
int oci_image_read(const struct oci_store *store, const char *tag, size_t max,
	struct oci_image *image_r, struct err *e);
void oci_image_dispose(struct oci_image *image);

/* Shared by the parts (oci_image.c, oci_index.c). */

/* What an index or docker's manifest.json offers under a name. */
struct oci_choice {
	char *ref;   /* as shown; may be NULL */
	char *other; /* another name it goes by; may be NULL */
	int rank;    /* 0: for another platform; else the higher the better */
	char *digest; /* of a manifest, or NULL: */
	uint64_t size;
	size_t at;   /* index in manifest.json */
};

struct oci_choices {
	struct oci_choice *v;
	size_t n;
	size_t nested; /* indexes read within others */
};

void oci_choices_add(struct oci_choices *list, const struct oci_choice *c); /* takes its strings */
/* The one of that tag, or the only one. Else the error lists what there is. */
int oci_choices_pick(const struct oci_choices *list, const char *tag,
	const struct oci_choice **choice_r, struct err *e);
void oci_choices_dispose(struct oci_choices *list);

/* All that index.json offers, nested indexes included, and its own digest. */
int oci_index_read(const struct oci_store *store, size_t max, struct oci_choices *list_r,
	char digest_r[DIGEST_MAX + 1], struct err *e);

struct jnode;
/* A descriptor: *digest_r is the caller's. */
int oci_descriptor(const struct jnode *at, char **digest_r, uint64_t *size_r, struct err *e);
/* "blobs/sha256/..." of a digest that was checked; the caller's. */
char *oci_blob_name(const char *digest);
/* A document by its descriptor. */
int oci_blob_json(const struct oci_store *store, const char *digest, uint64_t size, size_t max,
	const char *what, json_object **doc_r, struct err *e);

#endif
