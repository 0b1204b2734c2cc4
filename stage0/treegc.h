/* The trees that no pod has any more. */
#ifndef STAGE0_TREEGC_H
#define STAGE0_TREEGC_H

#include "stage1/common/err.h"

/* Removes them. Nothing is removed while somebody makes a pod, or when it is not known what a pod has. */
int trees_collect(const char *data, struct err *e);
/* 1 when a pod has that one, in whatever state; 0; -1. */
int tree_is_in_use(const char *data, const char *id, struct err *e);

#endif
