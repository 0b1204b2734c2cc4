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
	POD_VOLUMES_MAX = 1024,
	POD_PORTS_MAX = 1024,
};

struct pod_pair { /* an annotation, a variable */
	char *name, *value;
};

struct pod_handler {
	char *name; /* pre-start or post-stop; each once an app */
	char **exec;
	size_t nexec;
};

struct pod_mount_point {
	char *name, *path; /* the path is absolute */
	bool read_only;
};

enum pod_volume_kind { POD_VOLUME_HOST, POD_VOLUME_EMPTY };
enum pod_tristate { POD_UNSET = -1, POD_FALSE, POD_TRUE };

struct pod_volume {
	char *name; /* an ACName */
	enum pod_volume_kind kind;
	char *source;                /* host: absolute path in dom0 */
	enum pod_tristate read_only; /* unset: as the mount point says */
	bool recursive;              /* host: what is mounted below comes along; the default */
	uint32_t mode, uid, gid;     /* empty: 0755, 0, 0 */
};

struct pod_mount {
	char *volume;                  /* names an entry of pod.volumes, unless app_volume is there */
	char *path;                    /* in the app's root */
	struct pod_volume *app_volume; /* NULL, or the app's own volume */
};

/* What an isolator's value looks like; which names have which is pod/isolators.c's table. */
enum pod_isolator_kind {
	POD_ISOLATOR_OTHER,    /* a name rkt ignores, or nobody knows: the value is not read */
	POD_ISOLATOR_QUANTITY, /* limit, request: a Kubernetes quantity as text, or NULL */
	POD_ISOLATOR_SET,      /* set, and errno_name or NULL */
	POD_ISOLATOR_NUMBER,
	POD_ISOLATOR_SWITCH,   /* on */
};

struct pod_isolator {
	char *name;
	enum pod_isolator_kind kind;
	char *limit, *request;
	char **set;
	size_t nset;
	char *errno_name;
	int64_t number;
	bool on;
};

enum pod_protocol { POD_TCP, POD_UDP, POD_OTHER };

struct pod_port { /* an app listens there */
	char *name; /* an ACName */
	enum pod_protocol protocol;
	uint16_t port;
	bool activated; /* socketActivated: the app finds it open when it starts */
};

struct pod_host_port { /* and this one of the host leads there */
	char *name;                /* of a port of one of the apps, unless pod_port is there */
	uint16_t port;
	int family;                /* 4 or 6: only by addresses of that kind; 0: by all */
	char ip[46];               /* the host's, "" for any of the family */
	struct pod_port *pod_port; /* NULL, or where it leads */
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
	struct pod_pair *env;
	size_t nenv;
	bool read_only_root;
	struct pod_handler *handlers;
	size_t nhandlers;
	struct pod_mount_point *mount_points;
	size_t nmount_points;
	struct pod_mount *mounts;
	size_t nmounts;
	struct pod_isolator *isolators; /* in the manifest's order: of some kinds the last one counts */
	size_t nisolators;
	struct pod_pair *notes; /* the app's annotations: an image's author may have written them */
	size_t nnotes;
	struct pod_port *ports;
	size_t nports;
	bool docker_image; /* converted from docker: its image manifest has DOCKER_NOTE */
	bool docker_group; /* and that named a user only: without a group of this name, the user's number is meant */
	bool says_ready;   /* its image manifest has NOTIFY_NOTE, and means it */
};

#define DOCKER_NOTE "appc.io/docker/repository"
#define NOTIFY_NOTE "appc.io/executor/supports-systemd-notify"

struct pod {
	struct pod_app *apps;
	size_t napps;
	struct pod_volume *volumes;
	size_t nvolumes;
	struct pod_host_port *ports;
	size_t nports;
	struct pod_pair *notes; /* the pod's annotations: the administrator's */
	size_t nnotes;
};

#define POD_INIT { .apps = NULL }

/* The pod manifest. Errors lead with the place: "pod.apps[1].name: expected string, found int". */
int pod_parse(const char *text, size_t len, struct pod *pod_r, struct err *e);
/*
 * An app without a section `app` takes that of its image manifest (rkt stage1/common/types/pod.go,
 * LoadPod). `text` is that manifest; messages lead with "image of app 'NAME'".
 */
int pod_app_from_image(struct pod_app *app, const char *text, size_t len, struct err *e);
/*
 * What the annotations of the app's image say, by its manifest.
 *
 * Whether it was converted from docker. docker2aci repeats a user that stands alone as the group, so that
 * is none unless the pod has another group for the app (rkt stage1/init/common/pod.go, ParseUserGroup).
 *
 * Whether the app says itself when it is ready (there, supportsNotify): a truth as Go's strconv.ParseBool
 * reads it.
 */
int pod_app_know_image(struct pod_app *app, const char *text, size_t len, struct err *e);
void pod_dispose(struct pod *pod);

/* The first annotation of that name, or NULL; borrowed. */
const char *pod_note(const struct pod_pair *notes, size_t n, const char *name);

/* appc spec, schema/types/acname.go */
bool acname_valid(const char *s);

#endif
