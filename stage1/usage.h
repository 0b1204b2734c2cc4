/*
 * What a pod uses of the host, as one JSON object: by Xen's counters (struct xen_usage), by those of its
 * network devices and of the processes that serve its files. All of them only grow, from the pod's start on.
 * Directions are the pod's: received is what came to it.
 */
#ifndef STAGE1_USAGE_H
#define STAGE1_USAGE_H

#include <stdio.h>

#include "stage1/xen/xen.h"

/* Of one process, and of those it has started. */
struct usage_process {
	uint64_t cpu_ns, memory_bytes, read_bytes, written_bytes;
};

enum { USAGE_NICS_MAX = 16, USAGE_STAT_MAX = 4096 };

struct usage_nic {
	uint32_t n; /* the pod's ethN */
	uint64_t received_bytes, received_packets, sent_bytes, sent_packets;
};

struct usage {
	uint32_t domid;
	struct xen_usage xen;
	struct usage_process files;
	struct usage_nic nics[USAGE_NICS_MAX];
	size_t nnics;
};

/*
 * Pure: adds what /proc/PID/stat, statm and io say, in clock ticks of `hz` and pages. What is not there as
 * proc(5) has it is an error.
 */
int usage_add_process(struct usage_process *p, const char *stat, const char *statm, const char *io, uint64_t hz,
	uint64_t page, struct err *e);

/* The processes and devices of u->domid, whose xen_usage is there; in the pod's directory, of the pod's UUID. */
int usage_read(struct usage *u, const char *uuid, struct err *e);

/* One line. */
void usage_print(const struct usage *u, FILE *out);

#endif
