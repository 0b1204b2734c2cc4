/*
 * The supervisor's socket for what becomes of single apps, in the directory of a pod in which they come and
 * go: one request and one answer a connection, each a message (SOCK_SEQPACKET). The answer comes when it is
 * done. Root's alone.
 */
#ifndef STAGE1_APPCTL_H
#define STAGE1_APPCTL_H

#include <stdint.h>

#define APPCTL_SOCKET "app.sock" /* in the pod's directory, which is the working directory */

enum appctl_op {
	APPCTL_ADD = 1, /* of the manifest, as it is now; comes with the mount namespace where its files are */
	APPCTL_START,
	APPCTL_STOP,    /* also done when it does not run, or was never added */
	APPCTL_REMOVE,  /* it does not run; done when nothing here holds its files. Likewise */
};

enum { APPCTL_NAME_MAX = 255 };

struct appctl_request {
	uint32_t op;
	char app[APPCTL_NAME_MAX + 1];
};

struct appctl_answer {
	uint32_t failed;
	char text[512]; /* why */
};

#endif
