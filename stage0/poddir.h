/*
 * A pod's directory: DATA/pods/STATE/UUID, locked from its making to the end of the process (and of
 * what it execs, once the descriptor is let through). Knows the layout of states, not the content.
 */
#ifndef STAGE0_PODDIR_H
#define STAGE0_PODDIR_H

#include "stage1/common/err.h"

struct poddir {
	char *data;        /* resolved path of the data directory */
	int pods;          /* DATA/pods */
	int fd;            /* the pod's directory, open and locked: follows renames */
	const char *state; /* NULL when there is no directory */
	char uuid[37];
};

#define PODDIR_INIT { .pods = -1, .fd = -1 }

/* Makes DATA and what is missing below it, and a pod of a new UUID in state embryo. */
int poddir_create(const char *data, struct poddir *pod_r, struct err *e);
/* To another state; `state` must be static. */
int poddir_move(struct poddir *pod, const char *state, struct err *e);
/* The absolute path, the caller's. */
char *poddir_path(const struct poddir *pod);
/* Removes the directory if there is one; for failures. */
int poddir_discard(struct poddir *pod, struct err *e);
void poddir_dispose(struct poddir *pod);

#endif
