/* How the 9p backend ends, for who waits for it. */
#ifndef STAGE1_P9_STATUS_H
#define STAGE1_P9_STATUS_H

enum {
	P9_STATUS_FAILED = 1,
	P9_STATUS_BROKEN = 3, /* the guest broke the protocol of its rings */
};

#endif
