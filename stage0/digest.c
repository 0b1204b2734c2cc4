/* See digest.h. */
#include "stage0/digest.h"

#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"

static const struct { const char *prefix; size_t bytes; } algos[] = {
	[DIGEST_NONE] = { "", 0 },
	[DIGEST_SHA256] = { "sha256:", SHA256_DIGEST_LENGTH },
	[DIGEST_SHA512] = { "sha512:", SHA512_DIGEST_LENGTH },
};

void digest_init(struct digest *d, enum digest_algo algo)
{
	d->algo = algo;
	if (algo == DIGEST_SHA256)
		SHA256Init(&d->ctx);
	else if (algo == DIGEST_SHA512)
		SHA512Init(&d->ctx);
}

void digest_update(struct digest *d, const void *data, size_t len)
{
	if (d->algo == DIGEST_SHA256)
		SHA256Update(&d->ctx, data, len);
	else if (d->algo == DIGEST_SHA512)
		SHA512Update(&d->ctx, data, len);
}

void digest_text(struct digest *d, char text_r[DIGEST_MAX + 1])
{
	unsigned char bytes[SHA512_DIGEST_LENGTH] = { 0 };
	char *p = text_r + sprintf(text_r, "%s", algos[d->algo].prefix);

	if (d->algo == DIGEST_SHA256)
		SHA256Final(bytes, &d->ctx);
	else if (d->algo == DIGEST_SHA512)
		SHA512Final(bytes, &d->ctx);
	for (size_t i = 0; i < algos[d->algo].bytes; i++)
		p += sprintf(p, "%02x", bytes[i]);
}

int digest_parse(const char *text, enum digest_algo *algo_r)
{
	for (size_t i = 0; i < DIGEST_NONE; i++) {
		size_t digits = 2 * algos[i].bytes;
		const char *hex = text + strlen(algos[i].prefix);

		if (!str_has_prefix(text, algos[i].prefix))
			continue;
		if (strlen(hex) != digits || strspn(hex, "0123456789abcdef") != digits)
			return -1;
		*algo_r = (enum digest_algo)i;
		return 0;
	}
	return -1;
}

const char *digest_hex(const char *text)
{
	return strchr(text, ':') + 1;
}
