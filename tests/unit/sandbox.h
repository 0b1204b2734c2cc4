/*
 * A scratch directory for tests that unpack: one half is unpacked into, the other half must stay as it is,
 * whatever an image says. For cmocka: what is wrong fails the test.
 */
#ifndef TESTS_UNIT_SANDBOX_H
#define TESTS_UNIT_SANDBOX_H

struct sandbox {
	char path[64]; /* holds `in`, `outside/victim`, and what the test puts there */
	int dir, in;   /* descriptors of it and of `in` */
};

void sandbox_open(struct sandbox *s);
/* Nothing was written, made, linked or moved to anywhere but below `in`; nor is `new` or `manifest` in it itself. */
void sandbox_check(const struct sandbox *s);
void sandbox_close(struct sandbox *s); /* and nothing of it is left */

#endif
