/* The domain's end, and xenstore's news, as descriptors for the caller's poll. */
#include <stdio.h>
#include <sys/time.h>

#include "stage1/common/util.h"
#include "stage1/common/wire.h"
#include "stage1/xen/internal.h"

int xen_watch(struct xen *xen, uint32_t domid, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/local/domain/%u/%s", domid, WIRE_VCHAN);

	xen->domid = domid;
	xl_log_forget(xen);
	if (libxl_evenable_domain_death(xen->ctx, domid, 0, &xen->death))
		return err_xl(e, xen, "watch domain %u", domid);
	if (!xs_watch(xen->xs, path, "channel"))
		return err_sys(e, "watch %s", path);
	return 0;
}

/* fds[0] is xenstore's, the rest libxl's. */
int xen_poll_prepare(struct xen *xen, struct pollfd *fds, int *timeout_ms, struct err *e)
{
	struct timeval now;
	int n = XEN_POLL_MAX - 1;

	(void)gettimeofday(&now, NULL);
	if (libxl_osevent_beforepoll(xen->ctx, &n, fds + 1, timeout_ms, now))
		return err_xl(e, xen, "prepare to wait for Xen");
	fds[0] = (struct pollfd){ .fd = xs_fileno(xen->xs), .events = POLLIN };
	return n + 1;
}

static void take_event(struct xen *xen, const libxl_event *ev)
{
	if (ev->domid != xen->domid)
		return;
	if (ev->type == LIBXL_EVENT_TYPE_DOMAIN_DEATH)
		xen->state = DOMAIN_GONE;
	else if (ev->type == LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN && xen->state == DOMAIN_RUNNING)
		xen->state = ev->u.domain_shutdown.shutdown_reason == LIBXL_SHUTDOWN_REASON_POWEROFF ?
			DOMAIN_POWEROFF : DOMAIN_CRASHED;
}

int xen_poll_done(struct xen *xen, const struct pollfd *fds, int n, enum domain_state *state_r,
	struct err *e)
{
	struct timeval now;
	libxl_event *ev;
	char **news;
	int rc;

	while (fds[0].revents && (news = xs_check_watch(xen->xs)) != NULL)
		free(news); /* which of our watches it was does not matter: state is read again */
	(void)gettimeofday(&now, NULL);
	libxl_osevent_afterpoll(xen->ctx, n - 1, fds + 1, now);
	while ((rc = libxl_event_check(xen->ctx, &ev, LIBXL_EVENTMASK_ALL, NULL, NULL)) == 0) {
		take_event(xen, ev);
		libxl_event_free(xen->ctx, ev);
	}
	if (rc != ERROR_NOT_READY)
		return err_xl(e, xen, "hear from Xen");
	*state_r = xen->state;
	return 0;
}
