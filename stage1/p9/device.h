/*
 * A domain's 9pfs devices as xenstore knows them: offered, connected when the guest's drivers are
 * there, closed when they leave. Of a guest this side reads numbers only; the rings, where its bytes
 * are, are another process' (rings of serve.h). Which domain we are in does not matter: paths are
 * relative to it.
 */
#ifndef STAGE1_P9_DEVICE_H
#define STAGE1_P9_DEVICE_H

#include <xenstore.h>

#include "stage1/common/err.h"
#include "stage1/p9/serve.h"

/* Offers devices 0 to n-1 to the guest: state InitWait. */
int devices_offer(struct xs_handle *xs, uint32_t domid, unsigned n, struct err *e);
/*
 * Until the domain is gone, which is 0. When the guest has readied all devices, *connect is written to
 * `server`, a socket; a byte from there says that it serves them. The server's end is an error.
 */
int devices_follow(struct xs_handle *xs, uint32_t domid, unsigned n, int server, struct err *e);

#endif
