/*
 * Where the streams of an app lead: rkt's annotations and --interactive (contract 2.6, 4.2). Pure.
 */
#ifndef STAGE1_PLAN_STREAMS_H
#define STAGE1_PLAN_STREAMS_H

#include "stage1/common/guest_plan.h"
#include "stage1/plan/plan.h"

enum stream_mode {
	STREAM_NULL,        /* /dev/null */
	STREAM_LOG,         /* output: lines to our own, with the app's name; and to the app's log */
	STREAM_STREAM,      /* a pipe, raw */
	STREAM_TTY,         /* the app's terminal, raw */
	STREAM_INTERACTIVE, /* ours: a terminal when ours is one, else a pipe; raw */
};

struct stream_modes {
	enum stream_mode mode[GUEST_IO_STREAMS];
};

struct stream_modes plan_streams(const struct plan_input *in, const struct pod_app *app);
/* What the guest makes of them. */
struct guest_io plan_io(const struct plan_input *in, const struct stream_modes *modes);
/* Index of the app that our stdin is for, -1: of none. */
int plan_stdin_app(const struct plan_input *in);

#endif
