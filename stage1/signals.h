/*
 * TERM, INT and HUP as bytes of a pipe. Handlers and not a signalfd: a blocked SIGHUP would be
 * inherited by the QEMU that libxl starts, which libxl ends by SIGHUP (xen-facts 0.11).
 */
#ifndef STAGE1_SIGNALS_H
#define STAGE1_SIGNALS_H

#include "stage1/common/err.h"

int signals_open(int *fd_r, struct err *e); /* lives as long as the process */
int signals_pending(int fd);                /* how many arrived since the last call */

#endif
