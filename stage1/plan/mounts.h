/*
 * What each app of a pod mounts, and what dom0 must export for it. The rules are rkt's
 * (stage1/init/common/mount.go, GenerateMounts; contract 4.6). Pure: what lies at a host volume's
 * source is read by stage1/export.c and told here by mounts_found().
 *
 * Two exports serve a pod, because the guest may cache the one and not the other: PLAN_EXPORT_POD
 * holds what belongs to the pod alone, its apps' roots and empty volumes; PLAN_EXPORT_VOLUMES what
 * dom0 may change under the pod's feet.
 */
#ifndef STAGE1_PLAN_MOUNTS_H
#define STAGE1_PLAN_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"
#include "stage1/pod/pod.h"

struct plan_warnings;

/* Directories of the two exports, below s1root, and of what is in the first. */
#define PLAN_EXPORT_DIR "export"
#define PLAN_EXPORT_POD PLAN_EXPORT_DIR "/pod"
#define PLAN_EXPORT_VOLUMES PLAN_EXPORT_DIR "/volumes"
#define PLAN_POD_APPS "apps"   /* apps/NAME */
#define PLAN_POD_EMPTY "empty" /* empty/NUMBER */
/* Where empty volumes are kept, below the pod's directory (contract 3.2). */
#define PLAN_SHARED_DIR "sharedVolumes"

enum { PLAN_MOUNTS_MAX = 1024 /* of one app */, PLAN_VOLUMES_MAX = 1024 /* of a pod */ };

/* A tree to export: a volume, or one of its two faces when apps mount it both ways. */
struct volume_plan {
	enum pod_volume_kind kind;
	const char *app, *name; /* the first app that mounts it, and as what: for messages */
	char *source;           /* host: absolute path in dom0; empty: a name in PLAN_SHARED_DIR */
	bool read_only;         /* enforced in dom0. Empty: only when no app may write it */
	bool recursive;
	uint32_t mode, uid, gid; /* empty */
	bool implicit;           /* nobody named it: the app's own */
	char *entry;             /* its place below s1root; NULL for a device node, which is not exported */
	const char *node;        /* a device node's twin in the guest, an absolute path of PID 1's */
};

struct mount_plan {
	size_t volume;   /* in mounts_plan.volumes */
	char *target;    /* absolute and clean; links are the guest's to resolve */
	bool read_only;
	bool copy_image; /* an implicit volume of a converted docker image: filled from the image first */
};

struct app_mounts {
	struct mount_plan *list; /* mounted in this order: a later one hides an earlier one below it */
	size_t n;
	bool has_sysfs;          /* /sys is the kernel's: nothing is mounted at or below it */
};

struct mounts_plan {
	struct volume_plan *volumes;
	size_t nvolumes;
	struct app_mounts *apps; /* as pod.apps */
	size_t napps;
	bool exports_volumes;    /* the second export is needed */
};

#define MOUNTS_PLAN_INIT { .volumes = NULL }

/* Borrows from the pod. Errors: "app 'web', mount '/srv': no volume named 'data'". */
int plan_mounts(const struct pod *pod, struct mounts_plan *plan_r, struct plan_warnings *warnings,
	struct err *e);
/*
 * Of the whole pod's plan what one app needs, for an app that is added while the pod runs. Host volumes get places
 * of their own, numbered from `first` on. An empty volume has one place for all apps, by its name, and can be
 * written: who may not is kept from it in the guest, for another app may come that does.
 */
void mounts_of_app(const struct mounts_plan *all, size_t app, size_t first, struct mounts_plan *own_r);
void mounts_plan_dispose(struct mounts_plan *plan);

/*
 * A host volume's source is of this file type; major and minor when it is a device. A device of dom0
 * means nothing in the guest: those every kernel has are the guest's own, the rest is an error.
 */
int mounts_found(struct volume_plan *volume, uint32_t mode, unsigned dev_major, unsigned dev_minor,
	struct err *e);

/* "/a//b/../c/." -> "/a/c": absolute, ".." stops at the root. malloc'ed. */
char *path_clean(const char *path);

#endif
