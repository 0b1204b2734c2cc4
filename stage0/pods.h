/*
 * Finding pods, and telling what becomes of them: the directory of DATA/pods that holds a pod, and
 * whether somebody has locked it, are its state (contract 3.1; rkt's names for the states). Knows
 * nothing of what is in a pod's directory. Nothing here makes a directory.
 */
#ifndef STAGE0_PODS_H
#define STAGE0_PODS_H

#include <stdbool.h>
#include <stddef.h>

#include "stage0/poddir.h"
#include "stage1/common/err.h"

enum pods_dir { /* in the order of a pod's life */
	PODS_EMBRYO,
	PODS_PREPARE,
	PODS_PREPARED,
	PODS_RUN,
	PODS_EXITED_GARBAGE,
	PODS_GARBAGE,
	PODS_NDIRS,
};

enum { /* where rkt looks for a pod that is named, and what it lists */
	PODS_MOST = 1 << PODS_PREPARE | 1 << PODS_PREPARED | 1 << PODS_RUN | 1 << PODS_EXITED_GARBAGE,
};

enum pod_life {
	LIFE_EMBRYO,
	LIFE_PREPARING,
	LIFE_ABORTED_PREPARE,
	LIFE_PREPARED,
	LIFE_RUNNING,
	LIFE_EXITED,
	LIFE_EXITED_DELETING,
	LIFE_EXITED_GARBAGE,
	LIFE_DELETING,
	LIFE_GARBAGE,
	LIFE_GONE, /* was removed while we held it */
};

struct known_pod {
	struct poddir dir; /* open, not locked */
	enum pod_life life;
};

#define KNOWN_POD_INIT { .dir = PODDIR_INIT, .life = LIFE_GONE }

struct pod_names {
	char (*v)[37]; /* owned: sorted, each once */
	size_t n;
};

/* Pure. rkt's name of the state: "aborted prepare". */
enum pod_life pod_life(enum pods_dir dir, bool locked);
const char *pod_life_name(enum pod_life life);
/* Of a state: it has run and ended. Of a state: nothing changes any more but by gc. */
bool pod_after_run(enum pod_life life);
bool pod_finished(enum pod_life life);
/* Whether `name` is how a pod's directory is called: lower case, with dashes. */
bool pod_name_valid(const char *name);

/* The pods in those of DATA's directories whose bits are set. No DATA, no pods. */
int pods_list(const char *data, unsigned dirs, struct pod_names *names_r, struct err *e);
void pod_names_dispose(struct pod_names *names);

/* 1; 0 when there is no such pod (any more). Errors lead with "pod UUID". */
int pods_open(const char *data, const char *uuid, struct known_pod *pod_r, struct err *e);
/* A UUID or the beginning of just one pod's. */
int pods_find(const char *data, const char *text, struct known_pod *pod_r, struct err *e);
/* Looks again where the pod is now, which may be nowhere: LIFE_GONE. */
int pods_refresh(struct known_pod *pod, struct err *e);

enum { PODS_PATIENCE_MS = 1000 };

/*
 * Locks the pod for this process and looks again: 1; 0 when another has locked it or it is gone. Those who only
 * read are waited for, PODS_PATIENCE_MS at most. pod->life is the state without our lock, in both cases.
 */
int pods_lock(struct known_pod *pod, struct err *e);
/* Renames the directory, for good: synced. */
int pods_move(struct known_pod *pod, enum pods_dir to, struct err *e);
void known_pod_dispose(struct known_pod *pod);

#endif
