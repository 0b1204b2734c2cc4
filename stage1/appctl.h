/*
 * The supervisor's socket for what becomes of single apps, in the directory of a pod in which they come and
 * go: one request and one answer a connection, each a message (SOCK_SEQPACKET). The answer comes when it is
 * done. Root's alone.
 */
#ifndef STAGE1_APPCTL_H
#define STAGE1_APPCTL_H

#include <stdint.h>

#include "stage1/common/err.h"

#define APPCTL_SOCKET "app.sock" /* in the pod's directory, which is the working directory */

enum appctl_op {
	APPCTL_ADD = 1, /* of the manifest, as it is now; comes with the mount namespace where its files are */
	APPCTL_START,
	APPCTL_STOP,    /* also done when it does not run, or was never added */
	APPCTL_NUMBER,  /* what the guest calls it: for those who enter */
	APPCTL_REMOVE,  /* it does not run; done when nothing here holds its files. Likewise */
};

enum { APPCTL_NAME_MAX = 255 };

struct appctl_request {
	uint32_t op;
	char app[APPCTL_NAME_MAX + 1];
};

struct appctl_answer {
	uint32_t failed;
	uint32_t number;
	char text[512]; /* why */
};

/* As a client; `fd` goes along unless it is -1. What is answered that failed is an error. */
int appctl_ask(const struct appctl_request *rq, int fd, struct appctl_answer *answer_r, struct err *e);

#endif
