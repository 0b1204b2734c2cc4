/*
 * Waiting for something to become of a pod, without looking again and again: the end of a lock is
 * awaited by a child that asks for it, names by inotify.
 */
#ifndef STAGE0_WAIT_H
#define STAGE0_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "stage0/pods.h"
#include "stage1/common/err.h"

/* Nanoseconds; negative waits for ever. pod->life is what it is in the end. */
int wait_finished(struct known_pod *pod, int64_t patience, struct err *e);
/* Ready is what stage1 calls so (contract 3.5). That the pod has ended first is an error. */
int wait_ready(struct known_pod *pod, int64_t patience, struct err *e);
/* The process to enter (contract 3.4): `pid`, or the only child of `ppid`. The same holds. */
int wait_pid(struct known_pod *pod, int *pid_r, struct err *e);

#endif
