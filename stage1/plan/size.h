/*
 * How large a pod's machine is. Pure.
 *
 * Memory: what its apps are limited to, and what the guest itself takes; an app without a limit counts
 * PLAN_APP_KIB. vCPUs: the sum of the apps' cpu limits, each rounded up; one when none is given (rkt's
 * kvm flavor takes all of the host then: each vCPU costs the guest memory, and Xen schedules the pod's
 * vCPUs against everybody's), at most as many as there are CPUs where it runs (stage1/plan/place.h).
 *
 * The pod's annotations (the administrator's) `stage1-xen/memory` and `stage1-xen/vcpus` override both;
 * `stage1-xen/memory-max` and `stage1-xen/vcpus-max` say how far a mutable pod's machine may grow with the limits of
 * its apps (stage1/machine.h), `stage1-xen/core` how large a core of the guest may be.
 * Annotations of an app, which its image's author may have written, never do.
 */
#ifndef STAGE1_PLAN_SIZE_H
#define STAGE1_PLAN_SIZE_H

#include "stage1/plan/place.h"
#include "stage1/plan/plan.h"

#define SIZE_NOTE_MEMORY "stage1-xen/memory" /* a quantity of bytes */
#define SIZE_NOTE_MEMORY_MAX "stage1-xen/memory-max" /* likewise; of mutable pods */
#define SIZE_NOTE_VCPUS "stage1-xen/vcpus"   /* a number */
#define SIZE_NOTE_VCPUS_MAX "stage1-xen/vcpus-max" /* likewise; of mutable pods */
#define SIZE_NOTE_CORE "stage1-xen/core"     /* a quantity of bytes: see stage1/core.h */

enum {
	SIZE_MEMORY_MIN_KIB = 24 << 10, /* a static program runs; see docs/performance.md */
	SIZE_SMALL_KIB = 64 << 10, /* with less, the rings are small */
	SIZE_GUEST_KIB = 48 << 10, /* kernel, PID 1, rings of one export, and some of it to breathe */
	SIZE_EXPORT_KIB = 4 << 10, /* the rings of one more */
	SIZE_QUEUE_KIB = 2 << 10,  /* a queue of a nic: 256 pages to receive into, and their heads */
	SIZE_APP_KIB = 80 << 10,   /* an app that has no limit: alone it gets a guest of 128 MiB */
	SIZE_GROWTH = 10, /* times the memory it begins with: Linux' EXTRA_MEM_RATIO, arch/x86/xen/setup.c */
	SIZE_VCPUS_MAX = 64,       /* NR_CPUS of kernel/config */
};

struct size {
	uint64_t memory_kib, memory_max_kib, core_max_kib;
	uint32_t vcpus, vcpus_max;
	struct place place;
};

/* The isolators have passed plan_check(); warnings go to w unless it is NULL. */
int size_plan(const struct plan_input *in, struct size *size_r, struct plan_warnings *w, struct err *e);
/* KiB of a kernel's own tables for that many of memory: page descriptors, page tables, Xen's p2m. */
uint64_t size_tables_kib(uint64_t memory_kib);
/* Under SIZE_SMALL_KIB; of a pod that has passed size_plan(), whatever its host. */
bool size_is_small(const struct plan_input *in);

#endif
