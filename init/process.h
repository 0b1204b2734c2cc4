/*
 * A child of PID 1: forked, given its descriptors, and heard of through a pipe until its program runs.
 * What it does in between is init/become.h's.
 */
#ifndef INIT_PROCESS_H
#define INIT_PROCESS_H

#include <stdint.h>
#include <sys/types.h>

#include "init/become.h"
#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"
#include "stage1/common/wire.h"

struct process {
	pid_t pid;  /* -1: there is none (any more) */
	int report; /* read end, see process_report(); -1 once that said something */
};

#define PROCESS_NONE { .pid = -1, .report = -1 }

/* PID 1 needs more descriptors than a process gets by default; its children get the default. */
void process_init(void);

/*
 * The first process of an app: makes the app's mount namespace and root, reports READY and waits to be
 * killed, so that PID 1 can take hold of the namespace.
 */
int process_make_root(const struct guest_app *app, struct process *p_r, struct err *e);

/* A process that does just that, and ends. */
int process_do(void (*fn)(void), struct process *p_r, struct err *e);

struct process_spec {
	const struct guest_app *app;
	int mnt;        /* the app's mount namespace */
	const int *fds; /* become descriptors 0 to 2; -1: /dev/null. A terminal among them is its own */
	bool terminal;
	const int *sockets; /* become descriptors 3 and up, `nsockets` of them */
	unsigned nsockets;
	struct program program;
};

/* A process that is to run a program of the app. */
int process_spawn(const struct process_spec *spec, struct process *p_r, struct err *e);

enum process_report {
	PROCESS_SILENT, /* nothing yet */
	PROCESS_RUNS,   /* its program runs (or it was killed before it could say why not) */
	PROCESS_READY,  /* process_make_root() is done */
	PROCESS_FAILED, /* it ends without running: *status_r and *e say why */
};

/* Reads the report. After anything but SILENT the report is closed. */
enum process_report process_report(struct process *p, uint32_t *status_r, struct err *e);

#endif
