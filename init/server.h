/* The guest's end of the control channel: a libxenvchan server for dom0. */
#ifndef INIT_SERVER_H
#define INIT_SERVER_H

#include "stage1/common/err.h"
#include "stage1/common/transport.h"

/* Publishes the channel at WIRE_VCHAN below the guest's xenstore directory. It lives as long as PID 1. */
int server_open(struct transport *io_r, struct err *e);

#endif
