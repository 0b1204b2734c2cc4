/* What load.c and speed.c share. */
#ifndef TESTS_P9_LOAD_H
#define TESTS_P9_LOAD_H

#include "tests/p9/p9test.h"

enum { PIECE = 1 << 20 };

extern int dir; /* where all happens */

__attribute__((noreturn)) void die(const char *what);
void enter(const char *name); /* makes it, to be dir */
void remove_files(const char *name, unsigned n);

#endif
