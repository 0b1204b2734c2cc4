/*
 * The machine a pod gets, complete: stage1/xen carries it out without a decision of its own.
 * Pure data; made by plan/plan.c.
 */
#ifndef STAGE1_PLAN_DOMAIN_PLAN_H
#define STAGE1_PLAN_DOMAIN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

struct domain_plan {
	char *name;       /* "rkt-UUID" */
	uint8_t uuid[16]; /* the pod's: what gc and stop know a domain by */
	char *kernel, *ramdisk; /* absolute paths in dom0 */
	char *cmdline;    /* under 1024 bytes (MAX_GUEST_CMDLINE of xen/include/public/xen.h) */
	uint64_t memory_kib;
	uint32_t vcpus;
	uint32_t event_channels; /* highest port */
	uint32_t grant_frames;   /* of 512 entries; a p9 device takes 1026 entries */
	uint32_t maptrack_frames;
	char *export_tag, *export_path; /* the 9p export; the path is absolute, in dom0 */
	char *export_security;   /* QEMU's security_model */
};

#define DOMAIN_PLAN_INIT { .name = 0 }

void domain_plan_dispose(struct domain_plan *plan);

#endif
