/*
 * The end of a pod's directory (contract 2.3): stage1's gc is run for one that has been run, what is
 * mounted below is unmounted, then all is removed. What cannot be cleaned up keeps its directory,
 * which alone knows what there is to clean up: the next attempt goes on.
 */
#ifndef STAGE0_DELETE_H
#define STAGE0_DELETE_H

#include <stdbool.h>

#include "stage0/pods.h"
#include "stage1/common/err.h"

struct delete_opts {
	bool debug;
	bool force; /* also when stage1's gc fails */
	const char *local_config;
};

/* The pod is locked by us and one of the two sorts of garbage. Errors lead with "pod UUID". */
int pod_delete(struct known_pod *pod, const struct delete_opts *opts, struct err *e);

#endif
