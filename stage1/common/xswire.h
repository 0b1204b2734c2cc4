/*
 * Messages of xenstored, as they come over its socket in dom0 and over /dev/xen/xenbus in a guest (xen/io/xs_wire.h):
 * for who has a request or two, and wants no library and no thread.
 */
#ifndef STAGE1_COMMON_XSWIRE_H
#define STAGE1_COMMON_XSWIRE_H

#include <stdint.h>
#include <sys/types.h>

#include <xen/io/xs_wire.h>

struct xs_message {
	uint32_t type, len;
	char body[XENSTORE_PAYLOAD_MAX + 1]; /* NUL-terminated */
};

/* Reads a whole one. -1 with errno: EPIPE at the end, EMSGSIZE when it is larger than they may be (`len` is set). */
int xswire_receive(int fd, struct xs_message *m);

#endif
