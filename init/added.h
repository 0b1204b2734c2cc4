/*
 * The plan of an app that dom0 adds while the pod runs: its parts as they arrive, and the app they make.
 */
#ifndef INIT_ADDED_H
#define INIT_ADDED_H

#include "init/app.h"

struct added {
	uint8_t *bytes; /* what has arrived; the plan's strings point into it */
	size_t len;
	bool too_long;  /* or there was no memory for it */
	struct guest_plan plan;
};

void added_part(struct added *d, const struct frame *f);
/* It is complete: the app of that number begins, or has failed. */
void added_begin(struct added *d, struct app *a, unsigned id);
/* The app is gone, or the guest ends: both can be used again. */
void added_dispose(struct added *d, struct app *a);

#endif
