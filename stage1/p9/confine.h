/*
 * What is taken from the backend before it reads the first byte of a guest: all of the host's files
 * but the export, all system calls but those it needs, all capabilities but those that give files
 * their owners.
 */
#ifndef STAGE1_P9_CONFINE_H
#define STAGE1_P9_CONFINE_H

#include "stage1/common/err.h"

/* Signals, descriptors, limits: before anything is opened. */
int confine_begin(struct err *e);
/*
 * Leaves of all files only the exports: copies of the mounts at paths[0..n), in a mount namespace that
 * must be this process' own. roots_r[i] is a descriptor of each; *proc_fd_r one of a proc file system of
 * our pid namespace, which is mounted nowhere.
 */
int confine_root(char *const *paths, unsigned n, int *roots_r, int *proc_fd_r, struct err *e);
enum confine_role {
	CONFINE_WATCHER, /* talks to xenstored */
	CONFINE_SERVER,  /* serves the guest's rings */
};

/* All capabilities but those that give files their owners; the watcher needs none. */
int confine_capabilities(enum confine_role role, struct err *e);
/* For this thread and those it starts: calls that the role does not make end the process. */
int confine_calls(enum confine_role role, struct err *e);
/* For all threads of a server that has its rings: no more of them, and no more threads. */
int confine_more(struct err *e);

#endif
