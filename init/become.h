/*
 * From a fresh child of PID 1 to a program of an app: the app's root first, then, in it, the user,
 * the limits, the working directory and the program. Every function here is called in a child that
 * ends when one fails; nothing of it is ever called in PID 1 itself. The rules of exec lookup are
 * rkt's (stage1/init/common, FindBinPath; contract 4.5).
 */
#ifndef INIT_BECOME_H
#define INIT_BECOME_H

#include <stdbool.h>
#include <stdint.h>

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"

/* The app's cgroup, and a mount namespace of its own, with the app's file systems, whose root is the app's. */
int become_root(const struct guest_app *app, struct err *e);

enum program_kind {
	PROGRAM_MAIN,    /* the app's own: its user, exec[0] looked up by rkt's rules */
	PROGRAM_HANDLER, /* pre-start, post-stop: the same as root */
	PROGRAM_ENTERED, /* a process that enters: root, in /, exec[0] looked up along PATH as a shell does */
};

/* Joins that namespace, and so is in the app's root; and the app's cgroup. */
int become_inside(const struct guest_app *app, enum program_kind kind, int mnt, struct err *e);

struct program {
	enum program_kind kind;
	char **exec;      /* exec[0] is replaced by the path that was found */
	char *const *env; /* NULL: the app's */
	unsigned nsockets; /* it has from descriptor 3 on: it is told so (LISTEN_FDS, LISTEN_PID) */
};

/*
 * In the app's root: its environment, restrictions and user, then execve. Returns only on failure,
 * with the exit status that names its kind (200, 203 or 254, see WIRE_APP_FAILED).
 */
uint32_t become_program(const struct guest_app *app, const struct program *prog, struct err *e);

#endif
