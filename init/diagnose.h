/* Why a program that is there cannot be executed for want of a file (rkt's stage1/diagnostic). */
#ifndef INIT_DIAGNOSE_H
#define INIT_DIAGNOSE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The interpreter that the program names (an ELF file's, or a script's first line), when that is what
 * is missing; `missing` has room for `size` bytes. False: it is something else. The file is the image's:
 * nothing in it is trusted.
 */
bool diagnose_interpreter(const char *program, char *missing, size_t size);

#endif
