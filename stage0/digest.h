/*
 * Digests as OCI writes them: "sha256:HEX" or "sha512:HEX", lower case (image-spec, descriptor.md).
 * A hash that is fed, and its text.
 */
#ifndef STAGE0_DIGEST_H
#define STAGE0_DIGEST_H

#include <stddef.h>
#include <stdint.h>
/* needs stdint.h before it */
#include <sha2.h>

enum digest_algo { DIGEST_SHA256, DIGEST_SHA512, DIGEST_NONE }; /* none: its text is "" */
enum { DIGEST_MAX = 7 + 2 * SHA512_DIGEST_LENGTH }; /* of the text */

struct digest {
	enum digest_algo algo;
	SHA2_CTX ctx;
};

void digest_init(struct digest *d, enum digest_algo algo);
void digest_update(struct digest *d, const void *data, size_t len);
void digest_text(struct digest *d, char text_r[DIGEST_MAX + 1]); /* ends it */

/* 0, or -1 when it is not a whole digest of an algorithm known here. */
int digest_parse(const char *text, enum digest_algo *algo_r);
/* The digits behind the ':' of one that was parsed. */
const char *digest_hex(const char *text);

#endif
