/*
 * From a pod manifest, the flags of `run` and the host's facts to complete plans. Pure: no
 * descriptor, clock, environment, log or libxl. What is refused is refused here, before anything is
 * made.
 */
#ifndef STAGE1_PLAN_PLAN_H
#define STAGE1_PLAN_PLAN_H

#include "stage1/cli.h"
#include "stage1/common/guest_plan.h"
#include "stage1/plan/domain_plan.h"
#include "stage1/plan/etc.h"
#include "stage1/plan/facts.h"
#include "stage1/plan/mounts.h"
#include "stage1/pod/pod.h"

/* Ours, when both stdin and stdout are one. */
struct plan_terminal {
	uint32_t rows, cols;
	const char *term; /* the TERM variable; NULL: not known */
};

struct plan_input {
	const struct run_opts *opts;
	const struct pod *pod;
	const struct host_facts *facts;
	const char *s1root; /* absolute path of the pod's stage1/rootfs */
	const struct mounts_plan *mounts;   /* plan_mounts() of this pod; NULL: it mounts nothing */
	const struct etc_files *etc;        /* NULL: there are none */
	const struct guest_nic *nics;       /* as made in dom0 (stage1/net/net.h); NULL: not yet, plan_domain() needs none */
	size_t nnics;                       /* how many there will be, at most DOMAIN_NICS_MAX */
	const char *net_resolv; /* what a network says for resolv.conf, or NULL */
	const char *net_host;   /* the host's address in the pod's network; NULL: none */
	const struct plan_terminal *terminal; /* NULL: there is none */
	const struct listen_plans *listens; /* NULL: none */
	const char *kernel_params; /* of PLAN_KERNEL_PARAMS in run's environment; NULL: none */
};

/* More words for the guest kernel's command line: the variable is that of rkt's kvm (hypervisor.go). */
#define PLAN_KERNEL_PARAMS "RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS"

enum { PLAN_MDS_PORT = 18112 }; /* rkt common/common.go, MetadataServicePort */

/* The roots of the apps, below s1root (rkt common/common.go, AppRootfsPath). */
#define PLAN_APP_ROOT "opt/stage2/%s/rootfs"

/* Who serves the exports of a pod that says nothing. */
#ifndef PLAN_P9_BACKEND /* the benchmark's other program has another */
#define PLAN_P9_BACKEND P9_OWN
#endif

/* What libxl runs for each nic, below s1root. */
#define PLAN_NIC_SCRIPT "vif"

enum {
	PLAN_MEMORY_KIB = 128 << 10,  /* of a guest whose pod says nothing */
	PLAN_OVERHEAD_KIB = 4 << 10,  /* what Xen takes on top of any guest: page tables, rounding (xen-facts 1.8) */
	PLAN_WARNINGS_MAX = 64,
};

struct plan_warnings {
	size_t n, more;
	char *line[PLAN_WARNINGS_MAX]; /* when there are more, the last says how many */
};

/* A line for the operator, made harmless; nothing when there is no list. Program names lead it when printed. */
void plan_warn(struct plan_warnings *warnings, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Flags and manifest entries that this version cannot honour: an error, or a warning when harmless. */
int plan_check(const struct plan_input *in, struct plan_warnings *warnings, struct err *e);
/* Likewise of one app, which is added to a pod that runs: in->pod's of that index. */
int plan_check_app(const struct plan_input *in, size_t i, struct plan_warnings *warnings, struct err *e);
int plan_domain(const struct plan_input *in, struct domain_plan *plan_r, struct plan_warnings *w,
	struct err *e);
/* The plan's nics, of whose number plan_domain() was told, once they are made. */
void plan_domain_nics(struct domain_plan *plan, const struct guest_nic *nics);
/* Nic number `i` is served by another domain than dom0. */
void plan_domain_backend(struct domain_plan *plan, uint32_t i, uint32_t domid, const char *bridge);
/* Cannot fail on what plan_check() has passed. Borrows strings from in->pod, which must outlive it. */
void plan_guest(const struct plan_input *in, struct guest_plan *plan_r);

void plan_warnings_dispose(struct plan_warnings *warnings);

#endif
