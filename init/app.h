/*
 * Starting one app: pipes and a process for it. What that process does to become the app's program
 * is init/become.h's.
 */
#ifndef INIT_APP_H
#define INIT_APP_H

#include <stdint.h>
#include <sys/types.h>

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"
#include "stage1/common/wire.h"

/* What a child that never got to its exec writes into the report pipe, in one write. */
struct app_failure {
	uint32_t status; /* as WIRE_APP_FAILED's value */
	char text[WIRE_TEXT_MAX];
};

struct app_process {
	pid_t pid;
	int report; /* read end: an app_failure, or end of file once the app's program runs */
	int stream[WIRE_STREAMS]; /* our ends of the pipes, non-blocking; -1: stdin is /dev/null */
};

/* Forks the app. On success the caller owns the descriptors of *p_r. */
int app_spawn(const struct guest_app *app, struct app_process *p_r, struct err *e);

#endif
