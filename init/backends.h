/*
 * The other ends of the guest's network devices. A frontend is up as soon as its driver is: what it sends before
 * the backend's domain has joined the device to its network is lost.
 */
#ifndef INIT_BACKENDS_H
#define INIT_BACKENDS_H

#include "stage1/common/guest_plan.h"

int backends_open(struct err *e); /* xenstore, as the kernel's device speaks it; -1 on failure */

/*
 * Linux makes a list of its devices when it starts, and asks to be told of others after that (frontend_probe_and_watch()
 * of drivers/xen/xenbus/xenbus_probe_frontend.c): what dom0 offers in between it never sees. This makes it look again.
 */
int backends_remind(int xs, const struct guest_plan *plan, struct err *e);

/* Returns when each backend says that it is connected, after wait_ms with an error that names the network. */
int backends_wait(int xs, const struct guest_plan *plan, int wait_ms, struct err *e);

#endif
