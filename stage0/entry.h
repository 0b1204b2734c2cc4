/*
 * The entrypoints of the stage1 in a pod's directory: which they are (annotations of stage1/manifest,
 * contract 1.2), and running one as a child.
 */
#ifndef STAGE0_ENTRY_H
#define STAGE0_ENTRY_H

#include <stdbool.h>

#include "stage0/manifest.h"
#include "stage1/common/err.h"

struct stage1_image {
	struct image image;
	char *text;  /* owned */
	int version; /* of the interface */
};

#define STAGE1_IMAGE_INIT { .image = IMAGE_INIT }

/* Of the pod's directory `pod`. */
int stage1_image_read(int pod, struct stage1_image *s_r, struct err *e);
void stage1_image_dispose(struct stage1_image *s);

/*
 * 1 and the path below stage1's root, without a leading '/', borrowed; 0 when the image has no such entrypoint.
 * Names are rkt's, without what all of them begin with, or ENTRY_MACHINE.
 */
int entry_path(const struct image *image, const char *name, const char **path_r, struct err *e);
/* Ours, unknown to rkt: pauses, resumes and measures a pod (stage1/main_machine.c). */
#define ENTRY_MACHINE "stage1-xen.org/machine"

enum { ENTRY_SAID_MAX = 64 << 10 };

struct entry_call {
	const char *path;         /* absolute */
	const char *const *argv;  /* NULL-terminated */
	int cwd;                  /* the pod's directory */
	bool quiet;               /* without stdout, too: there is never a stdin */
	char **said_r;            /* unless NULL: its stdout, at most ENTRY_SAID_MAX bytes; the caller's, NULL on failure */
};

/* 1 when it was run and ended well; 0 when there is no such file; an error for all else, which names the path. */
int entry_run(const struct entry_call *call, struct err *e);

#endif
