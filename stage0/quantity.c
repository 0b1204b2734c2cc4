/* See quantity.h. */
#include "stage0/quantity.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/quantity.h"

typedef unsigned __int128 u128;

enum form { DECIMAL, EXPONENT, BINARY };

/* n * 10^scale; of a binary form the power of two is in n already */
struct quantity {
	enum form form;
	bool negative;
	char digits[20]; /* as written, without leading zeros of the whole part */
	size_t ndigits, nfraction;
	int power; /* of ten or, for BINARY, of two: what the suffix says */
	u128 n;
	int scale;
};

enum { SCALE_MIN = -9 }; /* nano: smaller parts are rounded up */

static bool read_suffix(const char *s, struct quantity *q)
{
	int two, ten;

	if (!quantity_suffix(s, &two, &ten))
		return false;
	q->form = two ? BINARY : *s && s[1] ? EXPONENT : DECIMAL; /* E alone is a suffix */
	q->power = two ? two : ten;
	return true;
}

static bool add_digits(const char **p, struct quantity *q)
{
	for (; **p >= '0' && **p <= '9'; (*p)++) {
		if (q->ndigits == 18)
			return false;
		q->digits[q->ndigits++] = **p;
		q->n = q->n * 10 + (unsigned)(**p - '0');
	}
	return true;
}

static bool read_text(const char *text, struct quantity *q)
{
	const char *p = text, *whole;

	q->negative = *p == '-';
	p += *p == '-' || *p == '+';
	whole = p;
	p += strspn(p, "0");
	if (!add_digits(&p, q))
		return false;
	if (*p == '.') {
		size_t before;

		if (!q->ndigits)
			q->digits[q->ndigits++] = '0';
		before = q->ndigits;
		p++;
		if (!add_digits(&p, q))
			return false;
		q->nfraction = q->ndigits - before;
	}
	return p > whole && (p > whole + 1 || *whole != '.') && read_suffix(p, q);
}

/* To a whole n with the smallest scale that shows it, no part below nano; false when it is too large. */
static bool normalize(struct quantity *q)
{
	u128 value;

	q->scale = -(int)q->nfraction + (q->form == BINARY ? 0 : q->power);
	if (q->form == BINARY)
		q->n <<= q->power; /* below 2^60 * 2^60 */
	for (; q->scale < SCALE_MIN && q->n > 1; q->scale++)
		q->n = (q->n + 9) / 10;
	if (q->n && q->scale < SCALE_MIN)
		q->scale = SCALE_MIN;
	while (q->n && q->n % 10 == 0) {
		q->n /= 10;
		q->scale++;
	}
	value = q->n;
	for (int i = 0; i < q->scale && value <= INT64_MAX; i++)
		value *= 10;
	for (int i = 0; i > q->scale; i--)
		value = (value + 9) / 10;
	return value <= INT64_MAX;
}

static int64_t whole_value(const struct quantity *q)
{
	u128 value = q->n;

	for (int i = 0; q->n && i < q->scale; i++)
		value *= 10;
	if (q->negative) /* up is towards zero */
		for (int i = 0; i > q->scale; i--)
			value /= 10;
	else
		for (int i = 0; i > q->scale; i--)
			value = (value + 9) / 10;
	return q->negative ? -(int64_t)value : (int64_t)value;
}

/* Go keeps the text when it looks canonical; the tests are its own, exactness is not their aim. */
static bool text_is_kept(const struct quantity *q)
{
	int scale = q->power - (int)q->nfraction;

	if (q->form == BINARY) {
		int precision = 15 - (int)q->ndigits - (int)((float)q->power * 3 / 10) - 1;

		return precision >= 0 && q->nfraction == 0 && strtoull(q->digits, NULL, 10) & 7;
	}
	return scale >= SCALE_MIN && scale % 3 == 0 && q->ndigits && q->digits[0] != '0' &&
		!(q->ndigits >= 3 && !strcmp(q->digits + q->ndigits - 3, "000"));
}

static char *number(bool negative, u128 n, const char *suffix)
{
	char digits[48];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do
		digits[--at] = (char)('0' + (unsigned)(n % 10));
	while (n /= 10);
	return xasprintf("%s%s%s", negative ? "-" : "", digits + at, suffix);
}

static char *decimal_text(const struct quantity *q)
{
	char exponent[16] = "";
	int scale = q->scale;
	u128 n = q->n;

	for (; scale % 3; scale--)
		n *= 10;
	if (q->form != EXPONENT && quantity_suffix_text(0, scale))
		return number(q->negative, n, quantity_suffix_text(0, scale));
	if (scale)
		(void)snprintf(exponent, sizeof(exponent), "e%d", scale);
	return number(q->negative, n, exponent);
}

static char *canonical(const char *text, const struct quantity *q)
{
	int64_t value = whole_value(q);
	int two = 0;
	uint64_t n;

	if (q->n == 0)
		return xstrdup("0");
	if (text_is_kept(q))
		return xstrdup(text);
	if (q->form != BINARY || q->scale < 0 || (value > -1024 && value < 1024))
		return decimal_text(q);
	n = (uint64_t)(value < 0 ? -value : value);
	for (; n % 1024 == 0 && quantity_suffix_text(two + 10, 0); two += 10)
		n /= 1024;
	return number(value < 0, n, quantity_suffix_text(two, 0));
}

int quantity_read(const char *text, char **canonical_r, int64_t *value_r, struct err *e)
{
	struct quantity q = { .n = 0 };

	if (!read_text(text, &q))
		return err_set(e, ERR_USAGE, "'%s' is no quantity (500m, 16Mi, 1.5G; at most 18 digits)", text);
	if (!normalize(&q))
		return err_set(e, ERR_USAGE, "'%s' is no quantity: too large", text);
	*canonical_r = canonical(text, &q);
	*value_r = whole_value(&q);
	return 0;
}
