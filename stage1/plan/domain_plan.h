/*
 * The machine a pod gets, complete: stage1/xen carries it out without a decision of its own.
 * Pure data; made by plan/plan.c.
 */
#ifndef STAGE1_PLAN_DOMAIN_PLAN_H
#define STAGE1_PLAN_DOMAIN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "stage1/plan/facts.h"

/*
 * A tree of dom0's that the guest sees by 9p. The number of an export in the plan is its device's in
 * the guest (/sys/bus/xen/devices/9pfs-N) and in xenstore.
 */
struct domain_export {
	char *tag;      /* what the guest mounts it by: at most 31 of A-Za-z0-9._-, the first a letter */
	char *path;     /* absolute, in dom0, as the supervisor's mount namespace has it */
	char *security; /* QEMU's security_model */
	uint32_t ring_order; /* the guest has two rings of at most 2^order pages; QEMU knows 9 alone */
};

enum { DOMAIN_EXPORTS_MAX = 2 };

/* A network device. Its number in the plan is N of vifDOMID.N in dom0, and of the pod's ethN. */
struct domain_nic {
	uint8_t mac[6];
	uint32_t mtu;
	uint32_t backend_domid; /* 0: dom0. Of another domain the guest's driver believes nothing */
	char *bridge;           /* in that domain, which joins the device to it itself; NULL: its usual one */
};

enum {
	DOMAIN_NICS_MAX = 16,
	DOMAIN_QUEUES_MAX = 2, /* of one device: more won nothing (docs/performance.md, Networks) */
	DOMAIN_CMDLINE_MAX = 1023, /* bytes (MAX_GUEST_CMDLINE of xen/include/public/xen.h, with its NUL) */
};

/* Who serves the exports. */
enum p9_backend {
	P9_OWN,  /* stage1/main_p9.c, a process of the supervisor's */
	P9_QEMU, /* by libxl */
};

enum domain_type {
	DOMAIN_PV,
	DOMAIN_PVH,
};

struct domain_plan {
	enum domain_type type;
	char *name;       /* "rkt-UUID" */
	uint8_t uuid[16]; /* the pod's: what gc and stop know a domain by */
	char *kernel, *ramdisk; /* absolute paths in dom0 */
	char *cmdline;    /* at most DOMAIN_CMDLINE_MAX bytes */
	uint64_t memory_kib;
	uint64_t memory_max_kib; /* what it may grow to; at least memory_kib */
	uint64_t core_max_kib; /* when the guest crashes its memory is kept, if it is no larger; 0: never */
	uint32_t vcpus;
	uint32_t vcpus_max; /* how many there may be later; at least vcpus */
	bool pinned;             /* to `cpus`, all of the vCPUs to all of them */
	struct cpu_set cpus;
	uint32_t pool;           /* of CPUs, by Xen's number */
	char *pool_name;         /* NULL: none was asked for */
	uint32_t event_channels; /* highest port */
	uint32_t grant_frames;   /* of 512 entries; an export takes 1026, a queue of a nic 514 */
	uint32_t maptrack_frames;
	struct domain_export exports[DOMAIN_EXPORTS_MAX];
	uint32_t nexports;
	struct domain_nic nics[DOMAIN_NICS_MAX];
	uint32_t nnics;
	char *nic_script; /* what libxl runs when a device comes and goes: stage1/main_vif.c; NULL without nics */
	enum p9_backend p9_backend;
	char *p9_program;       /* P9_OWN: its path in dom0 */
	uint32_t backend_domid; /* of the domain that serves the exports */
};

#define DOMAIN_PLAN_INIT { .name = 0 }

void domain_plan_dispose(struct domain_plan *plan);

#endif
