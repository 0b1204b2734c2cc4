/* How trees are taken for the exports: what export.c and app_files.c share. */
#ifndef STAGE1_EXPORT_INTERNAL_H
#define STAGE1_EXPORT_INTERNAL_H

#include "stage1/export.h"

/* How a tree is exported. */
struct export_manner {
	bool recursive, read_only;
	int idmap; /* a user namespace that maps its owners, or -1 */
};

/* O_PATH descriptors, the caller's; -1 on failure. */
int export_open_root(const struct pod_app *app, const char *s1root, struct err *e);
/* The empty volume is made in the pod's directory, which is the current one. */
int export_open_empty(const struct volume_plan *v, struct err *e);
/*
 * A copy of the mount at `fd`, from there on, not mounted yet: the caller's descriptor. It has its restrictions
 * before anybody can see it. -1 with errno; else *unmapped_r says whether its owners could not be mapped.
 */
int export_clone(int fd, const struct export_manner *how, bool *unmapped_r);
/* Makes something to mount a copy of `fd` on: a directory or an empty file. -1 with errno. */
int export_make_target(int fd, const char *target);
void export_warn_unmapped(const struct pod_app *app, struct err *warning);

#endif
