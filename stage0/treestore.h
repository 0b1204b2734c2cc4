/*
 * Unpacked images that pods share: DATA/cas/tree/ID/{manifest,rootfs}, each made once and never changed
 * (rkt store/treestore). Pods lay their own layer over them.
 */
#ifndef STAGE0_TREESTORE_H
#define STAGE0_TREESTORE_H

#include <stdbool.h>

#include "stage0/source.h"

enum { TREE_ID_LEN = 12 + 64 }; /* "deps-sha512-" + hex */

/* rkt's id of an image's tree: the hash of the keys of its layers, here one; keys have 64 digits. */
void tree_id(const char *image_id, char id_r[TREE_ID_LEN + 1]);
/*
 * Makes the image's tree unless it is there, whole; it is on the disk then. `name` is the caller's own among
 * those who may be at it too. What others, rkt among them, left unfinished when they died is removed.
 */
int tree_render(const char *data, const char *name, struct source *src, char id_r[TREE_ID_LEN + 1],
	struct err *e);

/*
 * rkt's lock, shared (flock's LOCK_SH) by those who make trees, until it is written which pod has them; whoever
 * removes trees has it alone. A descriptor that holds it; -1 leaves errno.
 */
int trees_lock(const char *data, int how, struct err *e);
/* Removes the trees that are not used, but for those that somebody is at. */
int trees_sweep(const char *data, bool (*used)(const void *arg, const char *id), const void *arg, struct err *e);

#endif
