/*
 * What a pod is made of: images, opened and checked, and which app is of which of them. All that can
 * be wrong shows here, before anything is made.
 */
#ifndef STAGE0_CONTENT_H
#define STAGE0_CONTENT_H

#include "stage0/manifest.h"
#include "stage0/source.h"

struct content_app {
	char *name;            /* owned */
	struct source *source; /* one of the content's */
	const char *id;        /* what a given manifest says; NULL otherwise */
};

struct content {
	const struct pod_opts *opts; /* borrowed */
	struct source *sources;      /* owned; one for each of opts->apps */
	size_t nsources;
	struct content_app *apps;
	size_t napps;
	char *file; /* the manifest given, as it is; NULL when one is made */
	size_t file_len;
	struct json_object *file_doc;
};

#define CONTENT_INIT { .opts = NULL }

/*
 * `manifest` is the path of --pod-manifest, or NULL: its apps take the images by id or, where it
 * gives none, by name. `kept` as in source.h. Dispose after errors too.
 */
int content_open(const struct pod_opts *opts, const char *manifest, bool kept, struct content *c, struct err *e);
/*
 * The text of the pod's manifest, the caller's: the one given, byte for byte, or one that is made.
 * Images not unpacked yet have the id "sha512-0" in it.
 */
int content_manifest(const struct content *c, char **text_r, size_t *len_r, struct err *e);
void content_dispose(struct content *c);

#endif
