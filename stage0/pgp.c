/* See pgp.h. */
#include "stage0/pgp.h"

#include <stdint.h>
#include <sha1.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"

enum { TAG_SIGNATURE = 2, TAG_PUBLIC_KEY = 6, VERSION_4 = 4 };

struct packet {
	unsigned tag;
	const uint8_t *body;
	size_t len;
};

static int base64_value(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c ? strchr(digits, c) : NULL;

	return p ? (int)(p - digits) : -1;
}

/* Up to the checksum or the end line; blanks between are skipped. */
static int base64_decode(const char *p, const char *end, uint8_t *out, size_t *len_r, struct err *e)
{
	bool line = true, padded = false;
	uint32_t bits = 0;
	unsigned n = 0;
	size_t len = 0;

	for (; p < end; p++) {
		if (line && (*p == '=' || *p == '-'))
			break; /* its checksum is as good as none: what is in it is hashed or signed */
		line = *p == '\n';
		if (strchr(" \t\r\n", *p) && *p)
			continue;
		if (*p == '=') {
			padded = true;
			continue;
		}
		if (padded || base64_value(*p) < 0)
			return err_set(e, ERR_INPUT, "damaged armor");
		bits = bits << 6 | (uint32_t)base64_value(*p);
		if (++n % 4 == 0) {
			out[len++] = (uint8_t)(bits >> 16);
			out[len++] = (uint8_t)(bits >> 8);
			out[len++] = (uint8_t)bits;
		}
	}
	if (n % 4 == 1)
		return err_set(e, ERR_INPUT, "damaged armor");
	if (n % 4 >= 2)
		out[len++] = (uint8_t)(bits >> (n % 4 == 2 ? 4 : 10));
	if (n % 4 == 3)
		out[len++] = (uint8_t)(bits >> 2);
	*len_r = len;
	return 0;
}

int pgp_read(const char *text, size_t len, const char *kind, uint8_t **data_r, size_t *len_r,
	struct err *e)
{
	AUTO_FREE char *head = xasprintf("-----BEGIN PGP %s-----", kind);
	const char *end = text + len, *p;
	AUTO_FREE uint8_t *out = xmalloc(len + 4);

	if (len > 0 && (uint8_t)*text & 0x80) { /* a packet's first byte */
		memcpy(out, text, len);
		*len_r = len;
		*data_r = STEAL(out);
		return 0;
	}
	p = memmem(text, len, head, strlen(head));
	if (!p)
		return err_set(e, ERR_INPUT, "no PGP %s in it", kind);
	/* headers end in an empty line */
	for (p = memchr(p, '\n', (size_t)(end - p)); p && ++p < end; p = memchr(p, '\n', (size_t)(end - p))) {
		while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
			p++;
		if (p == end || *p != '\n')
			continue;
		if (base64_decode(p + 1, end, out, len_r, e) < 0)
			return -1;
		*data_r = STEAL(out);
		return 0;
	}
	return err_set(e, ERR_INPUT, "damaged armor");
}

static uint32_t big_endian(const uint8_t *p, size_t n)
{
	uint32_t v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return v;
}

static unsigned tag_of(uint8_t first)
{
	return first & 0x40 ? first & 0x3f : (first >> 2) & 0x0f;
}

/* The length of old and new headers (RFC 4880, 4.2); partial and unknown ones are not for keys. */
static int read_header(const uint8_t *p, size_t left, struct packet *k, size_t *head_r, struct err *e)
{
	size_t n = 0;

	if (left < 2 || !(p[0] & 0x80))
		return err_set(e, ERR_INPUT, "not OpenPGP");
	k->tag = tag_of(p[0]);
	if (p[0] & 0x40) {
		if (p[1] < 192) {
			k->len = p[1];
			*head_r = 2;
			return 0;
		}
		if (p[1] < 224 && left >= 3) {
			k->len = ((size_t)(p[1] - 192) << 8) + p[2] + 192;
			*head_r = 3;
			return 0;
		}
		n = p[1] == 255 ? 4 : 0;
		*head_r = 2 + n;
	} else {
		n = (p[0] & 3) == 3 ? 0 : (size_t)1 << (p[0] & 3);
		*head_r = 1 + n;
	}
	if (n == 0 || left < *head_r)
		return err_set(e, ERR_INPUT, "not OpenPGP that is known here");
	k->len = big_endian(p + *head_r - n, n);
	return 0;
}

static int next_packet(const uint8_t *data, size_t len, size_t *at, struct packet *k, struct err *e)
{
	size_t head;

	if (read_header(data + *at, len - *at, k, &head, e) < 0)
		return -1;
	if (k->len > len - *at - head)
		return err_set(e, ERR_INPUT, "ends too early");
	k->body = data + *at + head;
	*at += head + k->len;
	return 0;
}

/* RFC 4880, 12.2 */
static void fingerprint(const struct packet *k, char text_r[PGP_FINGERPRINT_LEN + 1])
{
	const uint8_t head[] = { 0x99, (uint8_t)(k->len >> 8), (uint8_t)k->len };
	uint8_t digest[SHA1_DIGEST_LENGTH];
	SHA1_CTX hash;

	SHA1Init(&hash);
	SHA1Update(&hash, head, sizeof(head));
	SHA1Update(&hash, k->body, k->len);
	SHA1Final(digest, &hash);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)sprintf(text_r + 2 * i, "%02x", digest[i]);
}

int pgp_first_key(const uint8_t *data, size_t len, size_t *key_len_r,
	char fingerprint_r[PGP_FINGERPRINT_LEN + 1], struct err *e)
{
	struct packet k;
	size_t at = 0, end;

	if (next_packet(data, len, &at, &k, e) < 0)
		return -1;
	if (k.tag != TAG_PUBLIC_KEY)
		return err_set(e, ERR_INPUT, "not a public key");
	if (k.len < 1 || k.body[0] != VERSION_4 || k.len > UINT16_MAX)
		return err_set(e, ERR_INPUT, "a public key of a version that is not known here");
	fingerprint(&k, fingerprint_r);
	for (end = at; at < len && k.tag; end = at) {
		if (next_packet(data, len, &at, &k, e) < 0)
			return -1;
		if (k.tag == TAG_PUBLIC_KEY)
			break; /* another key */
	}
	*key_len_r = end;
	return 0;
}

int pgp_only_signatures(const uint8_t *data, size_t len, struct err *e)
{
	struct packet k;
	size_t at = 0;

	do {
		if (len > at && tag_of(data[at]) != TAG_SIGNATURE)
			return err_set(e, ERR_INPUT, "not a detached signature");
		if (next_packet(data, len, &at, &k, e) < 0)
			return -1;
	} while (at < len);
	return 0;
}
