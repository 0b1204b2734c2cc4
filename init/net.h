/* The guest's network: the loopback device and the plan's interfaces, complete before an app runs. */
#ifndef INIT_NET_H
#define INIT_NET_H

#include "stage1/common/guest_plan.h"

/*
 * Devices are known by their MAC, in whatever order they appear: waits for each, for at most
 * wait_ms in all. /proc is there.
 */
int net_up(const struct guest_plan *plan, int wait_ms, struct err *e);

#endif
