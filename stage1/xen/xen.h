/*
 * The one door to Xen: everything stage1 does with libxl, xenstore and libxenvchan.
 *
 * These libraries carry Xen's version in their names and fail on another one, so the folder is built
 * as a module, xen-VERSION.so, that stage1/xenmod.c loads for the Xen that is running. The rest of
 * stage1 is not linked to Xen at all. One handle per process; one pod's domain per handle.
 */
#ifndef STAGE1_XEN_XEN_H
#define STAGE1_XEN_XEN_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "stage1/common/err.h"
#include "stage1/common/transport.h"
#include "stage1/plan/domain_plan.h"
#include "stage1/plan/facts.h"

struct xen;

enum domain_state {
	DOMAIN_RUNNING,
	DOMAIN_POWEROFF, /* shut down by the guest, in whatever orderly way */
	DOMAIN_CRASHED,
	DOMAIN_GONE,     /* destroyed by somebody */
};

enum { XEN_VCPUS_MAX = 128 }; /* of a domain; the guest's kernel knows fewer */

/* What a domain has used, by Xen's own counters. */
struct xen_usage {
	bool paused;
	uint64_t cpu_ns, memory_kib, memory_max_kib;
	uint32_t nvcpus;
	uint64_t vcpu_ns[XEN_VCPUS_MAX];
	pid_t backend; /* the process that serves the export; 0: not known */
};

enum { XEN_OPS_ABI = 5, XEN_POLL_MAX = 24 };

struct xen_ops {
	unsigned abi; /* XEN_OPS_ABI */
	/* debug: libxl's own log goes to stderr. */
	int (*open)(bool debug, struct xen **xen_r, struct err *e);
	void (*close)(struct xen *xen); /* NULL is fine */
	int (*facts)(struct xen *xen, struct host_facts *facts_r, struct err *e);
	/* 1 and the domain with this uuid, 0 when there is none. */
	int (*find)(struct xen *xen, const uint8_t uuid[16], uint32_t *domid_r, struct err *e);
	/*
	 * Builds the domain and leaves it paused, its 9p backend waiting for it. On failure nothing is
	 * left. Must be called before watch().
	 */
	int (*create)(struct xen *xen, const struct domain_plan *plan, uint32_t *domid_r,
		struct err *e);
	/* From here on poll_done() reports the domain's end. Before unpause(). */
	int (*watch)(struct xen *xen, uint32_t domid, struct err *e);
	/* The plan's network devices, which create() leaves out. The domain may run already. */
	int (*attach)(struct xen *xen, const struct domain_plan *plan, uint32_t domid, struct err *e);
	int (*unpause)(struct xen *xen, uint32_t domid, struct err *e);
	/* Both: 0 also when it is so already. A domain that is being built is paused too: not to be resumed. */
	int (*pause)(struct xen *xen, uint32_t domid, struct err *e);
	int (*resume)(struct xen *xen, uint32_t domid, struct err *e);
	/* Paused by whomever, and not about to be destroyed. */
	bool (*paused)(struct xen *xen, uint32_t domid);
	int (*usage)(struct xen *xen, uint32_t domid, struct xen_usage *usage_r, struct err *e);
	/* How much memory the guest is to have, up to its plan's maximum: it takes or gives the rest by itself. */
	int (*set_memory)(struct xen *xen, uint32_t domid, uint64_t kib, struct err *e);
	/* How many vCPUs it may use, likewise. */
	int (*set_vcpus)(struct xen *xen, uint32_t domid, uint32_t vcpus, struct err *e);
	/* 0 also when it is gone already. Takes 2 s with a 9p device (xen-facts 1.6). */
	int (*destroy)(struct xen *xen, uint32_t domid, struct err *e);
	/* The number of the domain of that name. */
	int (*lookup)(struct xen *xen, const char *name, uint32_t *domid_r, struct err *e);
	/* When the pod has no domain: what a destroy that was cut short has left of it in xenstore. */
	void (*sweep)(struct xen *xen, const uint8_t uuid[16]);
	/* The domain's memory into a file, which is made or replaced; on failure part of it may be there. */
	int (*dump)(struct xen *xen, uint32_t domid, const char *path, struct err *e);
	/* A pidfd of the process that serves the export, the caller's. */
	int (*backend)(struct xen *xen, uint32_t domid, int *pidfd_r, struct err *e);
	/* Somebody else has paused the domain or takes it away: libxl pauses before it destroys. */
	bool (*taken)(struct xen *xen, uint32_t domid);
	/* The console's terminal, non-blocking, raw, the caller's. */
	int (*console)(struct xen *xen, uint32_t domid, int *fd_r, struct err *e);
	/*
	 * 1 and the channel once the guest serves it, 0 when not yet: ask again after poll_done().
	 * One per handle; channel_close() gives the guest's pages back.
	 */
	int (*channel)(struct xen *xen, uint32_t domid, struct transport *io_r, struct err *e);
	void (*channel_close)(struct xen *xen);
	/* The caller's poll(2): fills up to XEN_POLL_MAX entries, lowers *timeout_ms; then looks. */
	int (*poll_prepare)(struct xen *xen, struct pollfd *fds, int *timeout_ms, struct err *e);
	int (*poll_done)(struct xen *xen, const struct pollfd *fds, int n, enum domain_state *state_r,
		struct err *e);
};

/* The module's only symbol. */
#define XEN_OPS_SYMBOL "stage1_xen_ops"
extern const struct xen_ops stage1_xen_ops __attribute__((visibility("default")));

#endif
