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
	STREAM_STREAM,      /* a pipe, raw, for whoever is attached (stage1/attach.h) */
	STREAM_TTY,         /* a terminal of the app's own, likewise */
	STREAM_INTERACTIVE, /* ours: a terminal when ours is one, else a pipe; raw */
};

struct stream_modes {
	enum stream_mode mode[GUEST_IO_STREAMS];
};

struct stream_modes plan_streams(const struct plan_input *in, const struct pod_app *app);
/* What the guest makes of them. */
struct guest_io plan_io(const struct plan_input *in, const struct stream_modes *modes);
/* What can be attached to; the values are the wire's (stage1/attach_request.h). */
enum endpoint {
	ENDPOINT_STDIN = 1,
	ENDPOINT_STDOUT = 2,
	ENDPOINT_STDERR = 4,
	ENDPOINT_TTY_IN = 8,
	ENDPOINT_TTY_OUT = 16,
};

/* Those an app offers; of a terminal whose output is stdout's. */
uint32_t plan_endpoints(const struct stream_modes *modes, const struct guest_io *io);
/* The endpoint that what the app writes to this stream of the wire's leads to, 0: to none. */
static inline uint32_t endpoint_of_output(uint32_t endpoints, size_t stream)
{
	static const uint32_t of[GUEST_IO_STREAMS] = { 0, ENDPOINT_STDOUT | ENDPOINT_TTY_OUT, ENDPOINT_STDERR };

	return endpoints & of[stream];
}

/* Index of the app that our stdin is for, -1: of none. */
int plan_stdin_app(const struct plan_input *in);

#endif
