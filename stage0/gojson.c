/* See gojson.h. */
#include "stage0/gojson.h"

#include <json-c/json.h>
#include <string.h>

/* Bytes of the UTF-8 character at p, and its number; 0 when there is none. */
static size_t decode(const unsigned char *p, size_t left, unsigned *c_r)
{
	size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	unsigned c;

	if (p[0] < 0xc2 || p[0] > 0xf4 || len > left)
		return 0;
	c = p[0] & (0xffU >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if ((len == 3 && c < 0x800) || (len == 4 && (c < 0x10000 || c > 0x10ffff)) || (c >= 0xd800 && c < 0xe000))
		return 0;
	*c_r = c;
	return len;
}

static void print_ascii(unsigned char c, FILE *out)
{
	const char *names = "\"\"\\\\\nn\rr\tt"; /* pairs */

	for (; *names; names += 2) {
		if (*names == (char)c) {
			(void)fprintf(out, "\\%c", names[1]);
			return;
		}
	}
	if (c < 0x20 || c == '<' || c == '>' || c == '&')
		(void)fprintf(out, "\\u%04x", c);
	else
		(void)fputc(c, out);
}

static void print_string(const char *s, size_t len, FILE *out)
{
	const unsigned char *p = (const unsigned char *)s, *end = p + len;
	unsigned c = 0;

	(void)fputc('"', out);
	while (p < end) {
		size_t n = *p < 0x80 ? 1 : decode(p, (size_t)(end - p), &c);

		if (*p < 0x80)
			print_ascii(*p, out);
		else if (n == 0)
			(void)fputs("\\ufffd", out);
		else if (c == 0x2028 || c == 0x2029)
			(void)fprintf(out, "\\u%04x", c);
		else
			(void)fwrite(p, 1, n, out);
		p += n ? n : 1;
	}
	(void)fputc('"', out);
}

static void new_line(int depth, FILE *out)
{
	(void)fputc('\n', out);
	while (depth-- > 0)
		(void)fputc('\t', out);
}

/* Depth is what the parser let through. `depth` is -1 on one line. */
static void print_value(json_object *obj, int depth, FILE *out) /* NOLINT(misc-no-recursion) */
{
	int inner = depth < 0 ? -1 : depth + 1;
	bool first = true;

	if (json_object_is_type(obj, json_type_object)) {
		(void)fputc('{', out);
		json_object_object_foreach(obj, key, value) {
			(void)fputs(first ? "" : ",", out);
			first = false;
			if (inner > 0)
				new_line(inner, out);
			print_string(key, strlen(key), out);
			(void)fputs(inner > 0 ? ": " : ":", out);
			print_value(value, inner, out);
		}
		if (inner > 0 && !first)
			new_line(depth, out);
		(void)fputc('}', out);
	} else if (json_object_is_type(obj, json_type_array)) {
		(void)fputc('[', out);
		for (size_t i = 0; i < json_object_array_length(obj); i++) {
			(void)fputs(i ? "," : "", out);
			if (inner > 0)
				new_line(inner, out);
			print_value(json_object_array_get_idx(obj, i), inner, out);
		}
		if (inner > 0 && json_object_array_length(obj))
			new_line(depth, out);
		(void)fputc(']', out);
	} else if (json_object_is_type(obj, json_type_string)) {
		print_string(json_object_get_string(obj), (size_t)json_object_get_string_len(obj), out);
	} else {
		(void)fputs(obj ? json_object_to_json_string(obj) : "null", out);
	}
}

void gojson_print(json_object *obj, bool pretty, FILE *out)
{
	print_value(obj, pretty ? 0 : -1, out);
}
