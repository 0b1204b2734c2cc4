/*
 * The socket by which an app says that it is ready (sd_notify(3)). As with rkt's `Type=notify`, the word
 * of the app's main process counts and nobody else's; of what it says only READY=1 means something here.
 */
#ifndef INIT_NOTIFY_H
#define INIT_NOTIFY_H

#include <stdbool.h>
#include <sys/types.h>

#include "stage1/common/err.h"

/* Where the sockets are in PID 1's tree, each by the name of its app. */
#define NOTIFY_DIR "/notify"

/* Makes the app's socket, which does not block; a descriptor, or -1. */
int notify_open(const char *app, struct err *e);
/* Takes what has come, a bounded number of messages. Whether `pid` has said READY=1. */
bool notify_ready(int fd, pid_t pid);

#endif
