/*
 * The pod manifest as stage1 understands it (contract section 4; appc spec, schema/pod.go).
 * Pure: bytes in, a struct out. Planning what it means is stage1/plan's.
 */
#ifndef STAGE1_POD_POD_H
#define STAGE1_POD_POD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"

enum {
	POD_MANIFEST_MAX = 8 << 20, /* bytes of the `pod` file we read */
	POD_APPS_MAX = 256,
	POD_LIST_MAX = 65536,       /* items of any one list */
};

struct pod_env {
	char *name, *value;
};

struct pod_mount {
	char *volume; /* names an entry of pod.volumes */
	char *path;   /* in the app's root */
};

struct pod_volume {
	char *name, *kind; /* kind: host, empty */
};

struct pod_app {
	char *name;       /* an ACName: a-z, 0-9 and single dashes */
	char *image_name; /* NULL when the manifest has none */
	bool has_app;     /* the section `app` was there: false means the image's own counts */
	char **exec;      /* arguments are bytes without NUL */
	size_t nexec;
	char *user, *group; /* a name, a number, or a path whose owner is meant */
	uint32_t *gids;
	size_t ngids;
	char *cwd; /* absolute; "/" when absent or empty */
	struct pod_env *env;
	size_t nenv;
	bool read_only_root;
	char **handlers; /* names of the event handlers there are */
	size_t nhandlers;
	char **mount_points; /* the paths of app.mountPoints */
	size_t nmount_points;
	struct pod_mount *mounts;
	size_t nmounts;
	char **isolators; /* their names */
	size_t nisolators;
};

struct pod {
	struct pod_app *apps;
	size_t napps;
	struct pod_volume *volumes;
	size_t nvolumes;
	size_t nports;
};

#define POD_INIT { .apps = NULL }

/* The pod manifest. Errors lead with the place: "pod.apps[1].name: expected string, found int". */
int pod_parse(const char *text, size_t len, struct pod *pod_r, struct err *e);
/*
 * An app without a section `app` takes that of its image manifest (rkt stage1/common/types/pod.go,
 * LoadPod). `text` is that manifest; messages lead with "image of app 'NAME'".
 */
int pod_app_from_image(struct pod_app *app, const char *text, size_t len, struct err *e);
void pod_dispose(struct pod *pod);

/* appc spec, schema/types/acname.go */
bool acname_valid(const char *s);

#endif
