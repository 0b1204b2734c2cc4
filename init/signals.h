/* The signals PID 1 hears of: its children's ends, and being asked to end the pod. */
#ifndef INIT_SIGNALS_H
#define INIT_SIGNALS_H

#include "stage1/common/err.h"

/* Blocks them and ignores SIGPIPE; a signalfd that does not block, or -1. */
int signals_open(struct err *e);

#endif
