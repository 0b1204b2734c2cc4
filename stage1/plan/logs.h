/* Whether what an app writes goes to a file as kubelet reads it: rkt's annotations (contract 2.6). Pure. */
#ifndef STAGE1_PLAN_LOGS_H
#define STAGE1_PLAN_LOGS_H

#include "stage1/plan/plan.h"

struct log_plan {
	const char *dir;  /* absolute, the administrator's; NULL: nothing is logged so */
	const char *name; /* of the file in it: the app's word, a single component */
};

/* Of streams of mode stream, as with rkt. Borrowed from the pod. */
int plan_log(const struct plan_input *in, const struct pod_app *app, struct log_plan *log_r, struct err *e);
/* All apps', and that no two of them have one file. */
int plan_check_logs(const struct plan_input *in, struct err *e);

#endif
