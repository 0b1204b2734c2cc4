/* See when.h. */
#include "stage0/when.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"

enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR, WEEK = 7 * DAY, MONTH = 30 * DAY, YEAR = 12 * MONTH };

/* In rows up to `below` seconds; `unit` 0 has no number. */
static const struct {
	int64_t below, unit;
	const char *what;
} spans[] = {
	{ 1, 0, "now" }, { 2, 0, "1 second" }, { MINUTE, 1, "seconds" },
	{ 2 * MINUTE, 0, "1 minute" }, { HOUR, MINUTE, "minutes" },
	{ 2 * HOUR, 0, "1 hour" }, { DAY, HOUR, "hours" },
	{ 2 * DAY, 0, "1 day" }, { WEEK, DAY, "days" },
	{ 2 * WEEK, 0, "1 week" }, { MONTH, WEEK, "weeks" },
	{ 2 * MONTH, 0, "1 month" }, { YEAR, MONTH, "months" },
	{ 18 * MONTH, 0, "1 year" }, { 2 * YEAR, 0, "2 years" },
	{ 37LL * YEAR, YEAR, "years" }, { INT64_MAX, 0, "a long while" },
};

void when_ago(const struct timespec *t, time_t now, char text_r[WHEN_SIZE])
{
	int64_t past = (int64_t)now - t->tv_sec, span = past < 0 ? -past : past;
	const char *side = past < 0 ? "from now" : "ago";
	size_t i = 0;

	while (spans[i].below <= span)
		i++;
	if (i == 0)
		(void)snprintf(text_r, WHEN_SIZE, "now");
	else if (spans[i].unit)
		(void)snprintf(text_r, WHEN_SIZE, "%" PRId64 " %s %s", span / spans[i].unit, spans[i].what, side);
	else
		(void)snprintf(text_r, WHEN_SIZE, "%s %s", spans[i].what, side);
}

/* Milliseconds without zeros at the end, and no point when there is nothing behind it. */
static void fraction(long ns, char text_r[8])
{
	size_t len = (size_t)snprintf(text_r, 8, ".%03d", (int)(ns / 1000000 % 1000));

	while (len > 0 && text_r[len - 1] == '0')
		text_r[--len] = '\0';
	if (len == 1)
		text_r[0] = '\0';
}

void when_full(const struct timespec *t, char text_r[WHEN_SIZE])
{
	char day[32], zone[24], part[8];
	struct tm tm;

	if (!t->tv_sec || !localtime_r(&t->tv_sec, &tm)) {
		(void)snprintf(text_r, WHEN_SIZE, "0001-01-01 00:00:00 +0000 UTC");
		return;
	}
	(void)strftime(day, sizeof(day), "%Y-%m-%d %H:%M:%S", &tm);
	(void)strftime(zone, sizeof(zone), "%z %Z", &tm);
	fraction(t->tv_nsec, part);
	(void)snprintf(text_r, WHEN_SIZE, "%s%s %s", day, part, zone);
}

static const struct {
	const char *name;
	int64_t ns;
} units[] = { /* longer names before their beginnings */
	{ "ns", 1 }, { "us", 1000 }, { "\u00b5s", 1000 }, { "\u03bcs", 1000 }, { "ms", 1000000 },
	{ "s", WHEN_NS }, { "m", MINUTE * WHEN_NS }, { "h", HOUR * WHEN_NS },
};

/* One "1.5h" at *p. */
static bool read_span(const char **p, int64_t *ns_r)
{
	size_t whole = strspn(*p, "0123456789"), part = 0, i = 0;
	const char *number = *p, *unit = number + whole;
	int64_t n = 0, fine = 0, scale;

	if (*unit == '.') {
		part = strspn(unit + 1, "0123456789");
		unit += 1 + part;
	}
	if (whole + part == 0)
		return false;
	while (i < COUNT(units) && !str_has_prefix(unit, units[i].name))
		i++;
	if (i == COUNT(units))
		return false;
	for (size_t k = 0; k < whole; k++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, number[k] - '0', &n))
			return false;
	scale = units[i].ns;
	for (size_t k = 0; k < part && scale >= 10; k++) {
		scale /= 10;
		fine += scale * (number[whole + 1 + k] - '0');
	}
	*p = unit + strlen(units[i].name);
	return !__builtin_mul_overflow(n, units[i].ns, &n) && !__builtin_add_overflow(n, fine, ns_r);
}

int duration_parse(const char *flag, const char *text, int64_t *ns_r, struct err *e)
{
	const char *p = text + (*text == '-' || *text == '+');
	int64_t sum = 0, span;
	bool good = *p;

	if (!strcmp(p, "0")) {
		*ns_r = 0;
		return 0;
	}
	while (good && *p)
		good = read_span(&p, &span) && !__builtin_add_overflow(sum, span, &sum);
	if (!good)
		return err_set(e, ERR_USAGE, "--%s: '%s' is not a duration such as 90s or 1h30m", flag, text);
	*ns_r = *text == '-' ? -sum : sum;
	return 0;
}

int patience_parse(const char *flag, const char *text, int64_t *ns_r, struct err *e)
{
	static const char *const words[2][7] = {
		{ "0", "f", "F", "false", "FALSE", "False", "0" },
		{ "", "1", "t", "T", "true", "TRUE", "True" },
	};

	for (size_t i = 0; i < 2 * COUNT(words[0]); i++) {
		if (!strcmp(text, words[i % 2][i / 2])) {
			*ns_r = i % 2 ? -1 : 0;
			return 0;
		}
	}
	return duration_parse(flag, text, ns_r, e);
}
