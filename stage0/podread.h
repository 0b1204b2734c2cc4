/*
 * What the files in a pod's directory say (contract 3.2 to 3.6), for those who only look. `pod` is
 * the open directory. Files below stage1's root may be a guest's work: they are never followed out
 * of the directory, must be regular files, and are bounded. Numbers are read as rkt's scanf does.
 */
#ifndef STAGE0_PODREAD_H
#define STAGE0_PODREAD_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "stage0/pods.h"
#include "stage1/common/err.h"

struct pod_times { /* tv_sec 0: it has not happened, or nobody knows */
	struct timespec created, started, marked; /* marked: as garbage, which is the best guess at its end */
};

struct pod_net {
	const char *name, *ip; /* borrowed from the document; "" when it has none */
};

struct pod_nets {
	json_object *doc; /* the array, or NULL */
	struct pod_net *v;
	size_t n;
};

#define POD_NETS_INIT { .doc = NULL }

struct pod_app_ref {
	const char *name, *image_id; /* borrowed from the document; the name can be part of a path */
	json_object *obj;
};

struct pod_meta { /* the pod manifest, as far as every pod must have it */
	json_object *doc;
	struct pod_app_ref *apps;
	size_t napps;
};

#define POD_META_INIT { .doc = NULL }

/* A file, whose text is the caller's. */
int pod_read_file(int pod, const char *path, size_t max, char **text_r, size_t *len_r, struct err *e);
/* The number in `pid`, or else in `ppid`: 1; 0 when there is none. *parent_r: it was `ppid`. */
int pod_read_pid(int pod, int *pid_r, bool *parent_r);
int pod_read_times(const struct known_pod *pod, struct pod_times *times_r, struct err *e);
/* Where stage1 leaves its word, relative to the pod; the caller's. */
int pod_base(int pod, char **base_r, struct err *e);
bool pod_uses_overlay(int pod);
/* A treeStoreID, as one part of a path; the caller's. `path` is relative to the pod. */
int pod_read_tree_id(int pod, const char *path, char **id_r, struct err *e);
/* 1 and the code when the app has ended and this is known. */
int pod_exit_code(int pod, const char *app, int *code_r);
bool pod_is_ready(int pod);

/* None for a pod without net-info.json. */
int pod_read_nets(const struct known_pod *pod, struct pod_nets *nets_r, struct err *e);
void pod_nets_dispose(struct pod_nets *nets);

bool pod_has_manifest(enum pod_life life);
int pod_read_meta(int pod, struct pod_meta *meta_r, struct err *e);
/* The only app, or that of the name if it is given; errors name the apps. */
int pod_choose_app(const struct pod_meta *meta, const char *name, const struct pod_app_ref **app_r, struct err *e);
/* "example.com/web:1.2"; the caller's. */
int pod_image_name(int pod, const char *app, char **name_r, struct err *e);
void pod_meta_dispose(struct pod_meta *meta);

#endif
