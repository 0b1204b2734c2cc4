/* Dom0's end of the control channel: the client of the guest's libxenvchan server. */
#include <stdio.h>

#include "stage1/common/util.h"
#include "stage1/common/wire.h"
#include "stage1/xen/internal.h"

static void ack(void *ctx)
{
	(void)libxenvchan_wait(ctx); /* the descriptor was readable: this does not block */
}

static ssize_t channel_read(void *ctx, void *buf, size_t len)
{
	return libxenvchan_read(ctx, buf, len);
}

static ssize_t channel_write(void *ctx, const void *buf, size_t len)
{
	return libxenvchan_write(ctx, buf, len);
}

int xen_channel(struct xen *xen, uint32_t domid, struct transport *io_r, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/local/domain/%u/%s", domid, WIRE_VCHAN);
	AUTO_FREE char *port = xasprintf("%s/event-channel", path);

	/* The server writes ring-ref first and event-channel last. */
	if (store_number(xen, port) < 0)
		return 0;
	xl_log_forget(xen);
	xen->chan = libxenvchan_client_init(&xen->log.vtable, (int)domid, path);
	if (!xen->chan)
		return err_xl(e, xen, "map the guest's control channel");
	xen->chan->blocking = 0; /* not set by the library */
	*io_r = (struct transport){
		.ctx = xen->chan,
		.fd = libxenvchan_fd_for_select(xen->chan),
		.ack = ack,
		.read = channel_read,
		.write = channel_write,
	};
	return 1;
}

void xen_channel_close(struct xen *xen)
{
	if (xen->chan)
		libxenvchan_close(xen->chan);
	xen->chan = NULL;
}
