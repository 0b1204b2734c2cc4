/*
 * What QEMU's 9pfs backend (7.2, that of Debian 12, security_model=none) answers otherwise than a file system does:
 * left out of random operations that are to give the same by it and by ours. p9test gaps DIR shows each.
 *
 *   mkfifo, mknod, bind    ENXIO: it makes them, cannot open them to give them their owner, and takes them away again
 *   ftruncate, no name     ENOENT: it looks files up by their paths to change them
 *   setxattr to nothing    removes the attribute: the wire does not tell the two apart. Ours goes by what Linux sends
 *                          for a removal, so that only replacing a value by nothing (XATTR_REPLACE) removes it
 */
#ifndef TESTS_P9_GAPS_H
#define TESTS_P9_GAPS_H

#include <stdbool.h>
#include <stddef.h>

/* op, as diff.c calls it, is not to be done on the file fd, or with a value of that size. */
bool gap_at(const char *op, int fd, size_t size);

#endif
