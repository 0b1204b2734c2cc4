/*
 * What of one app is in the directory of a pod that has it only for a while (contract 2.5, 3.2): its entry in
 * the manifest, its files, its marks. `pod` is the open directory.
 */
#ifndef STAGE0_APPDIR_H
#define STAGE0_APPDIR_H

#include <json-c/json_object.h>

#include "stage0/content.h"
#include "stage0/poddir.h"

/* Who changes the manifest or the marks holds the lock meanwhile: a descriptor, the caller's. Waits. */
int appdir_lock(int pod, int *lock_r, struct err *e);
/* Makes the app's files, mounts its layer if the pod has layers, adds it to the manifest, marks it created. */
int appdir_add(const struct poddir *pod, struct content *content, struct err *e);
/* All of that away. What is not there is no error. */
int appdir_remove(const struct poddir *pod, const char *app, struct err *e);
/* It is about to be started, again maybe: its old end is forgotten. */
int appdir_mark_started(int pod, const char *app, struct err *e);

#endif
