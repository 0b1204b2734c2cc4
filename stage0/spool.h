/*
 * Files without a name, in TMPDIR or /var/tmp: gone with their last descriptor. All return it, the caller's, or -1.
 */
#ifndef STAGE0_SPOOL_H
#define STAGE0_SPOOL_H

#include <stdint.h>

#include "stage1/common/err.h"

int spool_open(struct err *e);
/* A copy of the file `fd`, from its start, of at most `bytes`. */
int spool_copy(int fd, uint64_t bytes, struct err *e);

#endif
