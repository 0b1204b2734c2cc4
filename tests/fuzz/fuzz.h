/* What fuzz targets share. A broken invariant aborts: libFuzzer and the replay both notice. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): NDEBUG must not take it away. */
#define MUST(cond) \
	do { \
		if (!(cond)) { \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #cond); \
			abort(); \
		} \
	} while (0)

/* One line that drives no terminal: no control character, not even one written in UTF-8. */
static inline void must_be_harmless(const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		MUST(*p >= 0x20 && *p != 0x7f);
		MUST(!(*p == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0));
	}
}

#endif
