/*
 * A directory that is exported to a fuzzer, and one beside it with a victim: whatever the guest does,
 * the victim and its directory stay as they are.
 */
#ifndef TESTS_P9_SCRATCH_H
#define TESTS_P9_SCRATCH_H

#include "tests/p9/client.h"

/* A client that is attached (fid 0), to a new tree: file, dir/inner, and links that lead out. */
struct client *scratch_begin(void);
/* Aborts when something outside has changed. */
void scratch_check(void);
void scratch_end(void);

#endif
