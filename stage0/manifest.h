/*
 * Manifests: reading what stage0 needs of an image's, and making the pod's of images and flags as
 * rkt does (contract section 4; rkt stage0/run.go generatePodManifest, stage0/common.go
 * generateRuntimeApp). Pure: bytes in, bytes out.
 */
#ifndef STAGE0_MANIFEST_H
#define STAGE0_MANIFEST_H

#include <json-c/json_object.h>
#include <stddef.h>

#include "stage0/cli.h"
#include "stage1/common/err.h"

struct image {
	json_object *doc;
	const char *name; /* borrowed from doc */
};

#define IMAGE_INIT { .doc = NULL }

/* What a command line says of one app; strings are borrowed, NULL where nothing is said. */
struct app_opts {
	const char *image; /* its path */
	const char *name, *exec, *user, *group, *working_dir;
	const char *memory, *cpu, *cpu_shares, *oom_score_adj; /* isolators, as text */
	const char *seccomp, *caps_retain, *caps_remove;
	const char *stdin_mode, *stdout_mode, *stderr_mode;
	bool read_only_root;
	struct cli_list gids;                                  /* N,N... each */
	struct cli_list environment;                           /* NAME=VALUE, as those below */
	struct cli_list annotations, user_annotations, user_labels;
	struct cli_list mounts;                                /* volume=NAME,target=PATH */
	struct cli_list mnt_volumes;                           /* name=NAME,target=PATH,kind=KIND,...: the app's own */
	char **args;                                           /* become exec's last ones */
	size_t nargs;
};

struct pod_opts {
	struct app_opts *apps; /* owned */
	size_t napps;
	struct cli_list volumes, ports;
	struct cli_list mounts;      /* of all apps; their own come first */
	struct cli_list inherited;   /* variables: set only where nothing else sets them; */
	struct cli_list env_file;    /* these beat what images and --environment say, */
	struct cli_list set_env;     /* and these beat all */
	struct cli_list annotations; /* the pod's */
	struct cli_list user_annotations, user_labels; /* likewise */
	bool mutable_pod;            /* apps come and go: `ports` are NAME:PROTOCOL:PODPORT:IP:PORT, and annotations --annotation's */
	bool added;                  /* its app is added to such a pod: arguments replace the image's */
};

#define POD_OPTS_INIT { .apps = NULL }

struct app_opts *pod_opts_add(struct pod_opts *opts, const char *image);
void pod_opts_dispose(struct pod_opts *opts);

/* Any image: kind, version and name. Errors lead with "image manifest". */
int image_parse(const char *text, size_t len, struct image *image_r, struct err *e);
/* An image that is to be unpacked: its own files, and all of them, are its root. */
int image_check_whole(const struct image *image, struct err *e);
/* What an app's image must have beyond that: labels os and arch that run here, a sound app section. */
int image_check_app(const struct image *image, const struct app_opts *opts, struct err *e);
/* NULL when there is none of that name; borrowed. */
const char *image_annotation(const struct image *image, const char *name);
const char *image_label(const struct image *image, const char *name);
void image_dispose(struct image *image);

/* *name_r is the caller's: --name, or the last part of the image's name made to fit. */
int app_name(const struct image *image, const struct app_opts *opts, char **name_r, struct err *e);
/* A name of images, labels and annotations: appc's ACIdentifier. */
bool acidentifier_valid(const char *s);

struct app_image {
	const struct image *image;
	const char *id; /* "sha512-..." */
};

/*
 * The pod manifest, compact JSON, the caller's: opts->apps of `images`, one for each. What it says
 * is checked as far as stage1's own reader does. Errors lead with the flag, and before it with
 * "image PATH" where it is an image's.
 */
int pod_manifest(const struct pod_opts *opts, const struct app_image *images, char **text_r,
	struct err *e);

#endif
