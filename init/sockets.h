/*
 * Sockets that an app finds open when it starts (sd_listen_fds(3)), in the guest's own network: dom0 relays to them
 * what comes to the host's.
 */
#ifndef INIT_SOCKETS_H
#define INIT_SOCKETS_H

#include <stdint.h>

#include "stage1/common/err.h"

/* Listens at the TCP port, at every address of the guest. */
int sockets_listen(uint16_t port, int *fd_r, struct err *e);
/* Connects to it from within; does not wait: what goes wrong later is the end of the stream. */
int sockets_connect(uint16_t port, int *fd_r, struct err *e);
/*
 * In a child that has descriptors 0 to 2: makes these n the ones from 3 on, open for the program to come. *keep are
 * others of its own that it goes on using: they are moved out of the way.
 */
int sockets_hand_over(const int *fds, unsigned n, int *const keep[], unsigned nkeep, struct err *e);

#endif
