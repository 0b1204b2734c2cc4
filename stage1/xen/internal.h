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

struct xen {
	libxl_ctx *ctx;
	struct xl_log log;
	struct xs_handle *xs;
	struct libxenvchan *chan;
	libxl_evgen_domain_death *death;
	uint32_t domid;
	enum domain_state state;
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

/* domain.c */
int xen_create(struct xen *xen, const struct domain_plan *plan, uint32_t *domid_r, struct err *e);
int xen_find(struct xen *xen, const uint8_t uuid[16], uint32_t *domid_r, struct err *e);
int xen_unpause(struct xen *xen, uint32_t domid, struct err *e);
int xen_destroy(struct xen *xen, uint32_t domid, struct err *e);
int xen_backend(struct xen *xen, uint32_t domid, int *pidfd_r, struct err *e);
bool xen_taken(struct xen *xen, uint32_t domid);
int xen_console(struct xen *xen, uint32_t domid, int *fd_r, struct err *e);

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
/* Waits until the state of the backend of the domain's export `devid` is InitWait or later. */
int store_wait_backend(struct xen *xen, uint32_t domid, uint32_t devid, struct err *e);

#endif
