/* ^] three times within a second: the way out of a terminal that is lent (as nspawn's; contract 2.1.4). Pure. */
#ifndef STAGE1_ESCAPE_H
#define STAGE1_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct escape {
	unsigned count; /* in a row */
	int64_t first_ms;
};

/* The user has typed these bytes at `now_ms` (monotonic). True when they complete the escape. */
bool escape_typed(struct escape *e, const uint8_t *data, size_t n, int64_t now_ms);

#endif
