/* What the readers of the manifest's parts share. Only for stage1/pod. */
#ifndef STAGE1_POD_READ_H
#define STAGE1_POD_READ_H

#include "stage1/pod/jnode.h"
#include "stage1/pod/pod.h"

/* 1 and the list, whose length is within bounds; 0 when there is none */
int read_list(const struct jnode *at, const char *key, struct jnode *list_r, struct err *e);
/* Replaces *s_r by a copy when the member is there. */
int read_string(const struct jnode *at, const char *key, char **s_r, struct err *e);
/* A list of strings; nothing when there is none. Half of it is there after an error. */
int read_strings(const struct jnode *at, const char *key, char ***list_r, size_t *n_r, struct err *e);
/* *n_r stays as it is when the member is absent. */
int read_number(const struct jnode *at, const char *key, uint32_t max, uint32_t *n_r, struct err *e);
void free_strings(char **list, size_t n);

/* read.c */
/* A list of {name, value}, a value that is not there being "". Half of it is there after an error. */
int read_pairs(const struct jnode *at, const char *key, struct pod_pair **pairs_r, size_t *n_r, struct err *e);
void free_pairs(struct pod_pair *pairs, size_t n);

/* volumes.c */
int read_volumes(const struct jnode *root, struct pod *pod, struct err *e);
int read_mounts(const struct jnode *at, struct pod_app *app, struct err *e);
int read_mount_points(const struct jnode *at, struct pod_app *app, struct err *e);
void free_volumes(struct pod *pod);
void free_mounts(struct pod_app *app);

/* isolators.c */
int read_isolators(const struct jnode *at, struct pod_app *app, struct err *e);
void free_isolators(struct pod_app *app);

/* ports.c */
int read_app_ports(const struct jnode *at, struct pod_app *app, struct err *e);
int read_host_ports(const struct jnode *root, struct pod *pod, struct err *e);
void free_app_ports(struct pod_app *app);
void free_host_ports(struct pod *pod);

#endif
