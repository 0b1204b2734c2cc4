/* See prefix.h. */
#include "stage1/prefix.h"

#include <stdio.h>
#include <string.h>

size_t prefix_line(const uint8_t *data, size_t n, bool last, size_t *text_r)
{
	size_t look = n < PREFIX_LINE_MAX + 1 ? n : PREFIX_LINE_MAX + 1; /* a full line and its newline */
	const uint8_t *end = look ? memchr(data, '\n', look) : NULL;

	if (end) {
		*text_r = (size_t)(end - data);
		return *text_r + 1;
	}
	if (n <= PREFIX_LINE_MAX && !(last && n > 0))
		return 0;
	*text_r = n < PREFIX_LINE_MAX ? n : PREFIX_LINE_MAX;
	return *text_r;
}

size_t prefix_head(char head[PREFIX_HEAD_MAX], uint64_t usec, const char *app, uint32_t pid)
{
	int len = snprintf(head, PREFIX_HEAD_MAX, "[%5llu.%06llu] %.255s[%u]: ",
		(unsigned long long)(usec / 1000000), (unsigned long long)(usec % 1000000), app, pid);

	return (size_t)len;
}
