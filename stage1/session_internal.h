/* What the files of a session share. */
#ifndef STAGE1_SESSION_INTERNAL_H
#define STAGE1_SESSION_INTERNAL_H

#include "stage1/common/err.h"
#include "stage1/session.h"

enum {
	SIGNAL_KILL = 9, /* of Linux on x86, as the guest has them */
	SIGNAL_MAX = 64,
};

/* session.c */
void session_app_init(struct session_app *app);
void session_produce_app(struct session *s, struct session_app *app, unsigned id);

/* session_apps.c */
/* Frames about it may come of the guest. */
static inline bool session_app_is_known(const struct session_app *app)
{
	return app->phase == SESSION_FIXED || app->phase == SESSION_BEGUN || app->phase == SESSION_LEAVING;
}
/* What is due of one that comes and goes; before session_produce_app(). */
void session_produce_phase(struct session *s, struct session_app *app, unsigned id);
int session_take_gone(struct session_app *app, const struct frame *f, struct err *e);
void session_app_free(struct session_app *app);

/* session_take.c */
/* What is right of an app and of a process that entered one. *over_r: it was the last word. */
int session_take_state(struct session_app *app, const struct frame *f, bool *over_r, struct err *e);

/* session_exec.c: slots are numbers without WIRE_EXEC_FIRST */
void session_exec_free(struct session *s, size_t slot);
void session_exec_over(struct session *s, size_t slot); /* its last word has come */
int session_take_exec(struct session *s, const struct frame *f, struct err *e);
void session_produce_exec(struct session *s, struct session_exec *x, unsigned id);

#endif
