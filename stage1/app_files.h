/*
 * The trees of one app more, in the exports of a pod that runs: in the mount namespace of the process that
 * serves them, and nowhere else, so that taking them away leaves them free at once, whatever the guest does.
 */
#ifndef STAGE1_APP_FILES_H
#define STAGE1_APP_FILES_H

#include "stage1/export.h"

struct app_files {
	int caller;      /* the mount namespace where the app's root and volumes are */
	int backend;     /* a pidfd of the process that serves the exports */
	const char *s1root;
	const struct id_shift *shift;
	const struct pod_app *app;
	const char *entry; /* of its root, below s1root */
	struct mounts_plan *mounts; /* of this app alone */
};

/*
 * Looks what the host volumes are, and adds root and volumes; *warning as of export_mount(). After a failure
 * nothing is left. An empty volume that is there already stays as it is, and stays there.
 */
int app_files_add(const struct app_files *f, struct err *warning, struct err *e);
/* Of what was added: the roots and host volumes at these entries below s1root. */
int app_files_remove(int backend, const char *s1root, char *const *entries, size_t n, struct err *e);

#endif
