/* See escape.h. */
#include "stage1/escape.h"

enum { KEY = 0x1d, TIMES = 3, WITHIN_MS = 1000 };

bool escape_typed(struct escape *e, const uint8_t *data, size_t n, int64_t now_ms)
{
	for (size_t i = 0; i < n; i++) {
		if (data[i] != KEY) {
			e->count = 0;
			continue;
		}
		if (e->count == 0 || now_ms - e->first_ms > WITHIN_MS) {
			e->count = 0;
			e->first_ms = now_ms;
		}
		if (++e->count == TIMES)
			return true;
	}
	return false;
}
