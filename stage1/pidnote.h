/*
 * A process by what no other one can be, kept in a file: the boot it lives in, its number, the time it
 * started. For who comes after the process that started it; numbers alone are used again.
 */
#ifndef STAGE1_PIDNOTE_H
#define STAGE1_PIDNOTE_H

#include <sys/types.h>

#include "stage1/common/err.h"

#define PIDNOTE_BACKEND "backend" /* in the pod's directory: the process that serves its files */

/* The process must not have been waited for. */
int pidnote_write(const char *path, pid_t pid, struct err *e);
/* A pidfd of the noted process, the caller's; -1: it has ended, or none is noted. */
int pidnote_open(const char *path);
/* Ends it (KILL) when it has not ended, waits until it is gone, and removes the note. Nothing noted: fine. */
int pidnote_end(const char *path, struct err *e);

#endif
