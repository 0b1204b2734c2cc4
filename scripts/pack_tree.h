/*
 * The list of what goes into an archive, made from the entries of the command line and sorted.
 * Knows nothing of formats.
 */
#ifndef SCRIPTS_PACK_TREE_H
#define SCRIPTS_PACK_TREE_H

#include <sys/stat.h>

#include "stage1/common/util.h"

struct item {
	char *dest;    /* clean: no leading or trailing '/', no '.' and '..' */
	char *src;     /* a regular file, or NULL */
	char *target;  /* of a symbolic link, or NULL */
	mode_t mode;   /* with the type */
	bool implicit; /* a parent, or found by walking: gives way to a directory asked for by name */
};

struct tree {
	struct item *items;
	size_t n, room;
};

#define TREE_INIT { .items = NULL }

/* DEST=SRC[:MODE], DEST/[:MODE] or DEST->TARGET */
int tree_add(struct tree *t, const char *entry, struct err *e);
/* Adds missing parents and sorts: parents before children, `manifest` first of all. */
int tree_finish(struct tree *t, struct err *e);
struct item *tree_find(struct tree *t, const char *dest);
void tree_dispose(struct tree *t);

#endif
