/*
 * What our own service manager is told of the pod (sd_notify(3)): rkt's stage1 does so too, by nspawn's
 * --notify-ready. It is there when NOTIFY_SOCKET is.
 */
#ifndef STAGE1_NOTIFY_H
#define STAGE1_NOTIFY_H

#include <stdbool.h>

#include "stage1/common/err.h"

/* The pod is ready, or begins to end. `socket`: NOTIFY_SOCKET, or NULL: then nothing is done. Never waits. */
int notify_manager(const char *socket, bool ready, struct err *e);

#endif
