/* See server.h. The only file of the guest that knows libxenvchan. */
#include "init/server.h"

#include <libxenvchan.h>

#include "stage1/common/wire.h"

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

int server_open(struct transport *io_r, struct err *e)
{
	struct libxenvchan *chan;

	chan = libxenvchan_server_init(NULL, 0, WIRE_VCHAN, WIRE_RING, WIRE_RING);
	if (!chan)
		return err_sys(e, "open the control channel");
	chan->blocking = 0; /* neither is set by the library */
	chan->server_persist = 0;
	*io_r = (struct transport){
		.ctx = chan,
		.fd = libxenvchan_fd_for_select(chan),
		.ack = ack,
		.read = channel_read,
		.write = channel_write,
	};
	return 0;
}
