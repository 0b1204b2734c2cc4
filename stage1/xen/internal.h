/* What the files of stage1/xen share. */
#ifndef STAGE1_XEN_INTERNAL_H
#define STAGE1_XEN_INTERNAL_H

#define LIBXL_API_VERSION 0x041400 /* compiles with 4.17 and 4.20 (xen-facts 1.1) */
#include <libxl.h>
#include <libxl_event.h>
#include <libxl_utils.h>
#include <libxenvchan.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "stage1/xen/xen.h"

struct xl_log {
	xentoollog_logger vtable; /* must be first: libxl calls through it */
	bool debug;
	char first_error[300]; /* libxl's return codes say little: its first complaint says why */
};

/* Our own 9p backend, as its parent knows it. */
struct p9_process {
	pid_t pid; /* 0: there is none */
	int pidfd, socket;
	uint32_t backend_domid;
};

/* The same, as xenstore knows it; -1: nothing is known. */
struct p9_record {
	long pid, backend_domid;
};

struct xen {
	libxl_ctx *ctx;
	struct xl_log log;
	struct xs_handle *xs;
	struct libxenvchan *chan;
	libxl_evgen_domain_death *death;
	uint32_t domid;
	enum domain_state state;
	struct p9_process p9;
};

void xl_log_init(struct xl_log *log, bool debug);
/* Before a call whose failure is to be explained: what libxl complained of earlier is not why. */
static inline void xl_log_forget(struct xen *xen)
{
	*xen->log.first_error = '\0';
}
/* "TEXT: what libxl complained of first". Evaluates to -1. */
#define err_xl(e, xen, ...) (err_xl_((e), (xen), __VA_ARGS__), -1)
void err_xl_(struct err *e, struct xen *xen, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* domcfg.c: a plan is complete, so this cannot fail. *cfg is initialised by it. */
void domcfg_fill(libxl_ctx *ctx, const struct domain_plan *plan, libxl_domain_config *cfg);
/* Likewise for its network device number `i`. */
void domcfg_nic(const struct domain_plan *plan, uint32_t i, libxl_device_nic *nic);
/* libxl's code of the failure, 0 without. In both cases *info_r is to be disposed of. */
int domain_look(struct xen *xen, uint32_t domid, libxl_dominfo *info_r);
/* Sets the first n of max in a map that was initialised. libxl's code of the failure, 0 without. */
int domcfg_vcpus(libxl_ctx *ctx, uint32_t n, uint32_t max, libxl_bitmap *map);

/* domain.c */
int xen_create(struct xen *xen, const struct domain_plan *plan, uint32_t *domid_r, struct err *e);
int xen_find(struct xen *xen, const uint8_t uuid[16], uint32_t *domid_r, struct err *e);
int xen_lookup(struct xen *xen, const char *name, uint32_t *domid_r, struct err *e);
int xen_attach(struct xen *xen, const struct domain_plan *plan, uint32_t domid, struct err *e);
int xen_unpause(struct xen *xen, uint32_t domid, struct err *e);
int xen_destroy(struct xen *xen, uint32_t domid, struct err *e);
int xen_dump(struct xen *xen, uint32_t domid, const char *path, struct err *e);
int xen_backend(struct xen *xen, uint32_t domid, int *pidfd_r, struct err *e);
bool xen_taken(struct xen *xen, uint32_t domid);
int xen_console(struct xen *xen, uint32_t domid, int *fd_r, struct err *e);

/* usage.c */
int xen_pause(struct xen *xen, uint32_t domid, struct err *e);
int xen_resume(struct xen *xen, uint32_t domid, struct err *e);
bool xen_paused(struct xen *xen, uint32_t domid);
int xen_set_memory(struct xen *xen, uint32_t domid, uint64_t kib, struct err *e);
int xen_set_vcpus(struct xen *xen, uint32_t domid, uint32_t vcpus, struct err *e);
int xen_usage(struct xen *xen, uint32_t domid, struct xen_usage *usage_r, struct err *e);

/* events.c */
int xen_watch(struct xen *xen, uint32_t domid, struct err *e);
int xen_poll_prepare(struct xen *xen, struct pollfd *fds, int *timeout_ms, struct err *e);
int xen_poll_done(struct xen *xen, const struct pollfd *fds, int n, enum domain_state *state_r,
	struct err *e);

/* vchan.c */
int xen_channel(struct xen *xen, uint32_t domid, struct transport *io_r, struct err *e);
void xen_channel_close(struct xen *xen);

/* store.c */
/* A node's value as a number, -1 when it is absent or none. */
long store_number(struct xen *xen, const char *path);
/*
 * Waits until the state of a 9p backend, the node at `path`, is InitWait or later. pidfd: of the process
 * that is to bring it there, or -1.
 */
int store_wait_backend(struct xen *xen, const char *path, int pidfd, struct err *e);

/* p9.c */
/* Starts the backend, which waits to be told of its domain. */
int p9_spawn(struct xen *xen, const struct domain_plan *plan, struct err *e);
/* Tells xenstore and the backend of the domain, and waits until the devices are offered to it. */
int p9_offer(struct xen *xen, const struct domain_plan *plan, uint32_t domid, struct err *e);
/* Ends the backend that this process started, if it did. */
void p9_end(struct xen *xen);
/* Before a domain is destroyed, and after: removes what libxl does not know of. */
void p9_record_read(struct xen *xen, uint32_t domid, struct p9_record *r);
void p9_removed(struct xen *xen, uint32_t domid, const struct p9_record *r);
void p9_sweep(struct xen *xen, const uint8_t uuid[16]);

#endif
