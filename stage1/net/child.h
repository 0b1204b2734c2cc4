/*
 * One program at a time, with a text to read and a deadline: plugins and nft. Knows nothing of networks.
 */
#ifndef STAGE1_NET_CHILD_H
#define STAGE1_NET_CHILD_H

#include <stdbool.h>
#include <stddef.h>

#include "stage1/common/err.h"

struct child_call {
	const char *program;  /* path */
	char *const *argv, *const *env;
	const char *input;    /* what it reads on stdin */
	size_t input_len;
	size_t output_max;    /* bytes it may print */
	bool with_errors;     /* stderr is caught too; else it is ours */
	int timeout_ms;
	int cancel;           /* a descriptor: when it can be read the program is killed; -1: none */
};

/*
 * Runs it to its end, however it comes: 0 and its wait status, what it printed NUL-terminated in
 * *output_r (malloc'ed). -1 when it could not be started, printed too much, took too long or was
 * cancelled; then it and its process group have been killed. Ends with us.
 */
int child_run(const struct child_call *call, int *status_r, char **output_r, size_t *len_r, struct err *e);

/*
 * For a process that works for the pod, before it execs: the end of a unit is told to all its processes (systemd's
 * KillMode=control-group), and it is the supervisor who ends this one. Blocked and not ignored: programs in Go take TERM
 * back. What it starts inherits that.
 */
void child_hear_no_end(void);

/* "exit status 3" or "killed by signal 9" */
void child_status_text(int status, char text_r[40]);

#endif
