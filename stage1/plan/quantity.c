/* See quantity.h. */
#include "stage1/plan/quantity.h"

#include <stddef.h>
#include <string.h>

#include "stage1/common/util.h"

typedef unsigned __int128 wide;

enum { PLACES = 18 }; /* of a fraction that are kept; what is behind them only rounds up */

static const char malformed[] = "is not a quantity", negative[] = "is negative", large[] = "is too large";

struct number {
	uint64_t whole, fraction; /* fraction / 10^PLACES */
	bool more;                /* and something behind that */
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static const char *read_number(const char **at, struct number *n)
{
	const char *s = *at;
	bool digits = false;

	for (; is_digit(*s); s++, digits = true)
		if (__builtin_mul_overflow(n->whole, 10, &n->whole) ||
			__builtin_add_overflow(n->whole, (uint64_t)(*s - '0'), &n->whole))
			return large;
	if (*s == '.') {
		int places = 0;

		for (s++; is_digit(*s); s++, digits = true) {
			if (places < PLACES)
				n->fraction = n->fraction * 10 + (uint64_t)(*s - '0');
			else
				n->more = n->more || *s != '0';
			places += places < PLACES;
		}
		for (; places < PLACES; places++)
			n->fraction *= 10;
	}
	*at = s;
	return digits ? NULL : malformed;
}

static const struct {
	const char *text;
	int two, ten;
} suffixes[] = {
	{ "", 0, 0 },
	{ "Ki", 10, 0 }, { "Mi", 20, 0 }, { "Gi", 30, 0 }, { "Ti", 40, 0 }, { "Pi", 50, 0 }, { "Ei", 60, 0 },
	{ "n", 0, -9 }, { "u", 0, -6 }, { "m", 0, -3 },
	{ "k", 0, 3 }, { "M", 0, 6 }, { "G", 0, 9 }, { "T", 0, 12 }, { "P", 0, 15 }, { "E", 0, 18 },
};

bool quantity_suffix(const char *s, int *two_r, int *ten_r)
{
	bool minus;
	int ten = 0;

	for (size_t i = 0; i < COUNT(suffixes); i++)
		if (!strcmp(s, suffixes[i].text)) {
			*two_r = suffixes[i].two;
			*ten_r = suffixes[i].ten;
			return true;
		}
	if (*s != 'e' && *s != 'E')
		return false;
	minus = *++s == '-';
	s += *s == '-' || *s == '+';
	if (!is_digit(*s))
		return false;
	for (; is_digit(*s); s++)
		if (ten < 100)
			ten = ten * 10 + (*s - '0');
	*two_r = 0;
	*ten_r = minus ? -ten : ten;
	return !*s;
}

const char *quantity_suffix_text(int two, int ten)
{
	for (size_t i = 0; i < COUNT(suffixes); i++)
		if (suffixes[i].two == two && suffixes[i].ten == ten)
			return suffixes[i].text;
	return NULL;
}

/* n * 2^two * 10^ten, rounded up. */
static const char *scale(const struct number *n, int two, int ten, uint64_t *amount_r)
{
	wide unit = 1, value, rest;

	for (int i = 0; i < PLACES; i++)
		unit *= 10;
	if (two) {
		value = (wide)n->whole << two;
		rest = (n->fraction + (wide)n->more) << two; /* `more` is under one place: it rounds up */
		for (; ten > 0; ten--)
			if (__builtin_mul_overflow(value, (wide)10, &value) ||
				__builtin_mul_overflow(rest, (wide)10, &rest))
				return large;
		value += rest / unit + (rest % unit != 0);
	} else {
		bool up = n->more;

		value = n->whole * unit + n->fraction; /* below 2^124 */
		for (ten -= PLACES; ten < 0 && value > 0; ten++) {
			up = up || value % 10 != 0;
			value /= 10;
		}
		for (; ten > 0 && value > 0; ten--)
			if (__builtin_mul_overflow(value, (wide)10, &value))
				return large;
		value += up;
	}
	if (value > INT64_MAX)
		return large;
	*amount_r = (uint64_t)value;
	return NULL;
}

const char *quantity_amount(const char *text, enum quantity_unit unit, uint64_t *amount_r)
{
	struct number n = { 0 };
	const char *wrong;
	bool minus = *text == '-';
	int two, ten;

	text += *text == '-' || *text == '+';
	wrong = read_number(&text, &n);
	if (wrong == malformed)
		return wrong;
	if (wrong) { /* skip the rest of it: garbage behind a large number is still garbage */
		text += strspn(text, "0123456789");
		text += *text == '.' ? 1 + strspn(text + 1, "0123456789") : 0;
	}
	if (!quantity_suffix(text, &two, &ten))
		return malformed;
	if (minus && (wrong || n.whole || n.fraction || n.more))
		return negative;
	return wrong ? wrong : scale(&n, two, ten + (unit == QUANTITY_THOUSANDTHS ? 3 : 0), amount_r);
}
