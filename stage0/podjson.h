/* A pod as rkt's --format=json shows it (rkt api/v1: Pod, App). */
#ifndef STAGE0_PODJSON_H
#define STAGE0_PODJSON_H

#include <json-c/json_object.h>

#include "stage0/appstate.h"
#include "stage0/podread.h"
#include "stage1/common/err.h"

/* *obj_r is the caller's. A pod that is still being prepared has no time of creation: an error, as rkt's. */
int pod_json(const struct known_pod *pod, json_object **obj_r, struct err *e);

/* One app of the pod manifest `doc`, in this state. The caller's. */
json_object *app_json(json_object *doc, const struct pod_app_ref *app, const struct app_state *state);

#endif
