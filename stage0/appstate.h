/* What is known of one app of a mutable pod, by its marks (rkt lib/app.go, appStateInMutablePod). */
#ifndef STAGE0_APPSTATE_H
#define STAGE0_APPSTATE_H

#include <stdbool.h>
#include <time.h>

#include "stage0/pods.h"

struct app_state {
	const char *name;                           /* rkt's: "unknown", "created", "running", "exited" */
	struct timespec created, started, finished; /* tv_sec 0: it has not happened, or nobody knows */
	bool has_code;
	int code;
};

int app_state_read(const struct known_pod *pod, const char *app, struct app_state *state_r, struct err *e);

#endif
