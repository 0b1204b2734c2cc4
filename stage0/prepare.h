/*
 * Fills a pod's directory for one app as `rkt run --no-overlay` does (contract 3.2). Images are
 * opened and checked first, so that most mistakes show before anything is made.
 */
#ifndef STAGE0_PREPARE_H
#define STAGE0_PREPARE_H

#include "stage0/manifest.h"
#include "stage0/poddir.h"
#include "stage0/unpack.h"
#include "stage1/common/err.h"

struct source {
	const char *path; /* borrowed */
	int fd;
	struct aci aci;   /* the id is known only after unpacking */
	struct image image;
};

#define SOURCE_INIT { .fd = -1 }

/* Errors lead with "image PATH". */
int source_open(const char *path, struct source *src_r, struct err *e);
void source_dispose(struct source *src);

/* The path, from the annotation coreos.com/rkt/stage1/NAME, without a leading '/'. */
int stage1_entry(const struct source *stage1, const char *name, const char **path_r, struct err *e);

int pod_prepare(struct poddir *pod, struct source *stage1, struct source *app,
	const struct app_opts *opts, struct err *e);

#endif
