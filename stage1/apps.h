/*
 * The apps of a mutable pod, as its supervisor knows them: names and numbers, their plans and files, and
 * those who ask for something to become of them (stage1/appctl.h).
 */
#ifndef STAGE1_APPS_H
#define STAGE1_APPS_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/control.h"
#include "stage1/machine.h"
#include "stage1/output.h"
#include "stage1/plan/plan.h"
#include "stage1/session.h"

enum { APPS_POLL_MAX = 17 };

struct apps_input {
	const struct plan_input *plan; /* all of it that is the pod's: `pod` and `mounts` are its own at each time */
	struct machine *machine;       /* whose memory the apps are promised */
	struct session *session;
	struct output *output;
	struct control *control;       /* those who attach */
	int backend;                   /* pidfd of the exports' server */
};

struct apps;

/* Listens. What is in `in`, and what that points to, must be there until apps_close(). */
int apps_open(struct apps **a_r, const struct apps_input *in, struct err *e);
/* What it waits for, at most APPS_POLL_MAX entries; returns how many. Lowers *timeout_ms when something is due. */
size_t apps_prepare(const struct apps *a, struct pollfd *fds, int *timeout_ms);
/* As control_serve(). Apps that have ended get their status files first. */
bool apps_serve(struct apps *a);
/* The name of the app of that number, NULL when there is none; borrowed. And the other way round: -1. */
int apps_find(const struct apps *a, const char *name);
/* Answers everybody, and closes; `in` is of no use any more. NULL is fine. */
void apps_close(struct apps *a);
/* When nothing more is written or served of them: names and logs. NULL is fine. */
void apps_free(struct apps *a);

#endif
