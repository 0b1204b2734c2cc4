/* Copying a tree inside the guest: for docker images, whose volumes begin with what the image has there. */
#ifndef INIT_COPY_H
#define INIT_COPY_H

#include "stage1/common/err.h"

/* 1 when the directory has no entry, or copy_tree() has begun with it and not ended; 0 when neither; -1 with errno. */
int copy_is_due(int dir);

/*
 * The mode, owner and content of directory `from` become those of directory `to`. Files, directories
 * and links, with their modes, owners and times; no devices, sockets or fifos. Follows no link.
 * Neither descriptor needs to be more than O_PATH. What is there already is replaced; a directory where
 * something else is to be, or the reverse, is an error.
 */
int copy_tree(int from, int to, struct err *e);

#endif
