/* Error values. Knows nothing of who prints them. */
#include "stage1/common/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"

void err_set_(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	if (e->kind != ERR_NONE)
		return;
	e->kind = kind;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	text_make_harmless(e->msg);
}

void err_sys_(struct err *e, const char *fmt, ...)
{
	const char *why = strerror(errno);
	size_t len;
	va_list ap;

	if (e->kind != ERR_NONE)
		return;
	e->kind = ERR_SYSTEM;
	va_start(ap, fmt);
	(void)vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	len = strlen(e->msg);
	(void)snprintf(e->msg + len, sizeof(e->msg) - len, ": %s", why);
	text_make_harmless(e->msg);
}

void err_prefix_(struct err *e, const char *fmt, ...)
{
	char place[200], cause[sizeof(e->msg)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(place, sizeof(place), fmt, ap);
	va_end(ap);
	memcpy(cause, e->msg, sizeof(cause));
	(void)snprintf(e->msg, sizeof(e->msg), "%s: %.270s", place, cause);
	text_make_harmless(e->msg);
}

void err_append(struct err *e, const char *fmt, ...)
{
	size_t len = strlen(e->msg);
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(e->msg + len, sizeof(e->msg) - len, fmt, ap);
	va_end(ap);
	text_make_harmless(e->msg);
}
