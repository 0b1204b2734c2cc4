/*
 * TERM, INT, HUP and PWR as bytes of a pipe; what is sent to a process forked from ours does not come here. PWR is
 * the stop entrypoint's (stage1/main_stop.c). Handlers and not a signalfd: a blocked SIGHUP would be inherited by
 * the QEMU that libxl starts, which libxl ends by SIGHUP (xen-facts 0.11).
 */
#ifndef STAGE1_SIGNALS_H
#define STAGE1_SIGNALS_H

#include "stage1/common/err.h"

int signals_open(int *fd_r, struct err *e); /* lives as long as the process */
void signals_of_terminal(void);             /* WINCH and TSTP too, for who has one (stage1/terminal.h) */
int signals_next(int fd);                   /* the next one that arrived; 0: none */

#endif
