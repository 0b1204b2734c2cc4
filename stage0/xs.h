/* One read from xenstored's socket, for `stage0 check`: no library, no connection kept. */
#ifndef STAGE0_XS_H
#define STAGE0_XS_H

#include <stddef.h>

#include "stage1/common/err.h"

int xs_read_socket(const char *socket_path, const char *node, char *value_r, size_t size,
	struct err *e);

#endif
