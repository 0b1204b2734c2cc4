/*
 * The other ends of the guest's network devices. A frontend is up as soon as its driver is: what it sends before
 * the backend's domain has joined the device to its network is lost.
 */
#ifndef INIT_BACKENDS_H
#define INIT_BACKENDS_H

#include "stage1/common/guest_plan.h"

/* Returns when each backend says that it is connected, after wait_ms with an error that names the network. */
int backends_wait(const struct guest_plan *plan, int wait_ms, struct err *e);

#endif
