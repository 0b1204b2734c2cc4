/*
 * What fuzz targets of archives share: a scratch directory of two halves, of which what is unpacked
 * in one must not touch the other, and checksums of tar headers set right, or no change would get past
 * them.
 */
#ifndef TESTS_FUZZ_TAR_H
#define TESTS_FUZZ_TAR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct sandbox {
	char path[64]; /* holds in/ and outside/victim; XXXXXX at its end until it is made */
	int top, in;
	struct stat before;
};

#define SANDBOX_INIT(template) { .path = template, .top = -1, .in = -1 }

/* Makes it at the first call; it goes at the program's end. One in a program. */
void sandbox_ready(struct sandbox *box);
/* Aborts if anything outside has changed; removes in/rootfs. */
void sandbox_check_and_clean(struct sandbox *box);
/* How many entries; `name` relative to the top, "." is it. */
int sandbox_entries(const struct sandbox *box, const char *name);

void tar_set_checksums(uint8_t *tar, size_t size);

#endif
