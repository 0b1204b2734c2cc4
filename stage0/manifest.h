/*
 * Manifests: reading what stage0 needs of an image's, and making the pod's from it as rkt does
 * (contract section 4). Pure: bytes in, bytes out.
 */
#ifndef STAGE0_MANIFEST_H
#define STAGE0_MANIFEST_H

#include <json-c/json_object.h>
#include <stddef.h>

#include "stage0/cli.h"
#include "stage1/common/err.h"

struct image {
	json_object *doc;
	const char *name; /* borrowed from doc */
};

#define IMAGE_INIT { .doc = NULL }

/* What overrides an image's app section; NULL where nothing does. All borrowed. */
struct app_opts {
	const char *name, *exec, *user, *group, *working_dir;
	struct cli_list environment; /* NAME=VALUE */
	char **args;                 /* become exec's last ones */
	size_t nargs;
};

/* Any image: kind, version and name. Errors lead with "image manifest". */
int image_parse(const char *text, size_t len, struct image *image_r, struct err *e);
/* What an app's image must have beyond that: labels os and arch that run here, a sound app section. */
int image_check_app(const struct image *image, const struct app_opts *opts, struct err *e);
/* NULL when there is none of that name; borrowed. */
const char *image_annotation(const struct image *image, const char *name);
void image_dispose(struct image *image);

/* *name_r is the caller's: --name, or the last part of the image's name made to fit. */
int app_name(const struct image *image, const struct app_opts *opts, char **name_r, struct err *e);

/* The pod manifest of one app, compact JSON, the caller's. `id` is the image's. */
int pod_manifest(const struct image *image, const char *id, const struct app_opts *opts,
	char **text_r, struct err *e);

#endif
