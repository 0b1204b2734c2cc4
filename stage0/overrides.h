/*
 * The parts of a pod manifest that flags make: volumes, mounts, ports, isolators, variables. For
 * manifest.c. Errors are "--FLAG 'VALUE': why".
 */
#ifndef STAGE0_OVERRIDES_H
#define STAGE0_OVERRIDES_H

#include <string.h>

#include "stage0/jbuild.h"
#include "stage0/manifest.h"

/* "--FLAG 'VALUE': text"; evaluates to -1. */
#define flag_err(e, flag, value, ...) (err_set_((e), ERR_USAGE, __VA_ARGS__), \
	err_prefix((e), "--%s '%.100s%s'", (flag), (value), strlen(value) > 100 ? "..." : ""))

/* podflags.c. *list_r is NULL (JSON's null) when there is none of them. */
int make_volumes(const struct cli_list *volumes, json_object **list_r, struct err *e);
/* The app's own, then the pod's, without those whose path was there already (MergeMounts). */
int make_mounts(const struct cli_list *own, const struct cli_list *pod, json_object *volumes,
	json_object **list_r, struct err *e);

/* The app's own volumes and where they go, added to its mounts; the list is made when it is NULL. */
int add_app_volumes(const struct cli_list *flags, json_object **mounts, struct err *e);

/* ports.c: looks into the apps for what the names mean. */
int make_ports(const struct cli_list *ports, json_object *apps, json_object **list_r, struct err *e);
/* Of a mutable pod: they say themselves where they lead. */
int make_pod_ports(const struct cli_list *ports, json_object **list_r, struct err *e);

/* isolators.c: changes app.isolators as rkt's prepareIsolators does. */
int override_isolators(json_object *app, const struct app_opts *opts, struct err *e);

/* environ.c */
bool env_name_valid(const char *name, size_t len);
int check_set_env(const struct cli_list *vars, struct err *e);
/* app.environment of what the image says and the flags, of which those of --set-env were checked. */
int override_environment(json_object *app, const struct app_opts *app_opts, const struct pod_opts *opts,
	struct err *e);
/*
 * The variables of an --set-env-file, added to `vars`; they point into `text`, which is changed.
 * Blank lines and those that begin with '#' or ';' are none. One set twice, by any file: an error.
 */
int env_file_read(const char *path, char *text, size_t len, struct cli_list *vars, struct err *e);

#endif
