/*
 * Sockets that our service manager has handed to us (sd_listen_fds(3)): descriptors from 3 on, when LISTEN_PID is ours.
 * rkt and stage0 execute us in their own process, so they are.
 */
#ifndef STAGE1_LISTEN_H
#define STAGE1_LISTEN_H

#include "stage1/plan/listen.h"

/*
 * Those of TCP that listen; they are ours, and nobody we start has them, nor the variables. Others stay open and are
 * counted.
 */
void listen_take(struct listen_sockets *sockets_r);

#endif
