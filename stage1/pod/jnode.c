/* See jnode.h. */
#include "stage1/pod/jnode.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stage1/common/util.h"

enum { DEPTH_MAX = 64 };

static size_t skip_blanks(const char *text, size_t at, size_t len)
{
	static const char blanks[] = { ' ', '\t', '\r', '\n' };

	while (at < len && memchr(blanks, text[at], sizeof(blanks)))
		at++;
	return at;
}

static enum json_tokener_error read_value(const char *text, size_t len, int flags, json_object **root_r, size_t *used_r)
{
	struct json_tokener *tok = json_tokener_new_ex(DEPTH_MAX);
	enum json_tokener_error ret;

	if (!tok)
		abort(); /* as others without memory */
	json_tokener_set_flags(tok, flags | JSON_TOKENER_ALLOW_TRAILING_CHARS);
	*root_r = json_tokener_parse_ex(tok, text, (int)len);
	*used_r = json_tokener_get_parse_end(tok);
	ret = json_tokener_get_error(tok);
	json_tokener_free(tok);
	return ret;
}

/* With another byte for each that is not ASCII; NULL when all are. malloc'ed. */
static char *without_high_bytes(const char *text, size_t len)
{
	char *plain = NULL;

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x80)
			continue;
		if (!plain) {
			plain = xcalloc(len, 1);
			memcpy(plain, text, len);
		}
		plain[i] = 0x7f;
	}
	return plain;
}

/*
 * Bytes over 0x7f are right in strings and wrong elsewhere, like 0x7f. A strict json-c 0.18 (Debian 13) takes them for
 * control characters: so it judges the text without them, and then reads it as it is, when strictness is not needed.
 */
int json_parse(const char *text, size_t len, const char *name, json_object **root_r, struct err *e)
{
	AUTO_FREE char *plain = NULL;
	enum json_tokener_error error;
	json_object *root;
	size_t used = 0, again;

	if (len > INT_MAX)
		return err_set(e, ERR_INPUT, "%s: too large", name);
	plain = without_high_bytes(text, len);
	error = read_value(plain ? plain : text, len, JSON_TOKENER_STRICT, &root, &used);
	if (error == json_tokener_success && plain) {
		json_object_put(root);
		error = read_value(text, len, 0, &root, &again);
	}
	if (error == json_tokener_success && skip_blanks(text, used, len) == len) {
		*root_r = root;
		return 0;
	}
	json_object_put(root);
	if (error == json_tokener_continue)
		return err_set(e, ERR_INPUT, "%s: not JSON: ends too early", name);
	if (error != json_tokener_success)
		return err_set(e, ERR_INPUT, "%s: not JSON: %s at byte %zu", name, json_tokener_error_desc(error), used);
	return err_set(e, ERR_INPUT, "%s: not JSON: more after the value, at byte %zu", name, skip_blanks(text, used, len));
}

struct jnode jnode_root(json_object *obj, const char *name)
{
	return (struct jnode){ .obj = obj, .key = name };
}

static size_t place(const struct jnode *at, char *buf, size_t size)
{
	size_t len = at->up ? place(at->up, buf, size) : 0;
	int n;

	if (!at->up)
		n = snprintf(buf, size, "%s", at->key);
	else if (at->key)
		n = snprintf(buf + len, size - len, ".%s", at->key);
	else
		n = snprintf(buf + len, size - len, "[%zu]", at->idx);
	len += n > 0 ? (size_t)n : 0;
	return len < size ? len : size - 1;
}

void jnode_err_(struct err *e, const struct jnode *at, const char *fmt, ...)
{
	char where[200], what[240];
	va_list ap;

	(void)place(at, where, sizeof(where));
	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	err_set_(e, ERR_INPUT, "%s: %s", where, what);
}

int jnode_expect(const struct jnode *at, enum json_type type, struct err *e)
{
	if (json_object_is_type(at->obj, type))
		return 0;
	return jnode_err(e, at, "expected %s, found %s", json_type_to_name(type),
		json_type_to_name(json_object_get_type(at->obj)));
}

static json_object *member(json_object *obj, const char *key)
{
	struct json_object_iterator it = json_object_iter_begin(obj);
	struct json_object_iterator end = json_object_iter_end(obj);
	json_object *found = NULL;

	for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
		if (!strcasecmp(json_object_iter_peek_name(&it), key))
			found = json_object_iter_peek_value(&it);
	return found;
}

int jnode_opt(const struct jnode *at, const char *key, enum json_type type, struct jnode *child_r,
	struct err *e)
{
	struct jnode child = { .obj = member(at->obj, key), .up = at, .key = key };

	if (!child.obj)
		return 0;
	if (jnode_expect(&child, type, e) < 0)
		return -1;
	*child_r = child;
	return 1;
}

int jnode_get(const struct jnode *at, const char *key, enum json_type type, struct jnode *child_r,
	struct err *e)
{
	struct jnode missing = { .up = at, .key = key };
	int ret = jnode_opt(at, key, type, child_r, e);

	if (ret == 0)
		return jnode_err(e, &missing, "missing");
	return ret < 0 ? -1 : 0;
}

size_t jnode_len(const struct jnode *array)
{
	return json_object_array_length(array->obj);
}

int jnode_item(const struct jnode *array, size_t i, enum json_type type, struct jnode *child_r,
	struct err *e)
{
	struct jnode child = {
		.obj = json_object_array_get_idx(array->obj, i), .up = array, .idx = i
	};

	if (jnode_expect(&child, type, e) < 0)
		return -1;
	*child_r = child;
	return 0;
}

int jnode_string(const struct jnode *at, const char **s_r, struct err *e)
{
	const char *s;

	if (jnode_expect(at, json_type_string, e) < 0)
		return -1;
	s = json_object_get_string(at->obj);
	if (strlen(s) != (size_t)json_object_get_string_len(at->obj))
		return jnode_err(e, at, "contains a NUL");
	*s_r = s;
	return 0;
}

int jnode_str(const struct jnode *at, const char *key, const char **s_r, struct err *e)
{
	struct jnode child;

	if (jnode_get(at, key, json_type_string, &child, e) < 0)
		return -1;
	return jnode_string(&child, s_r, e);
}

int jnode_opt_str(const struct jnode *at, const char *key, const char **s_r, struct err *e)
{
	struct jnode child;
	int ret = jnode_opt(at, key, json_type_string, &child, e);

	return ret > 0 ? jnode_string(&child, s_r, e) : ret;
}

int jnode_opt_bool(const struct jnode *at, const char *key, bool *b_r, struct err *e)
{
	struct jnode child;
	int ret = jnode_opt(at, key, json_type_boolean, &child, e);

	if (ret > 0)
		*b_r = json_object_get_boolean(child.obj);
	return ret < 0 ? -1 : 0;
}

int jnode_int(const struct jnode *at, int64_t min, int64_t max, int64_t *n_r, struct err *e)
{
	int64_t n;

	if (jnode_expect(at, json_type_int, e) < 0)
		return -1;
	n = json_object_get_int64(at->obj); /* saturates: beyond every range used here */
	if (n < min || n > max)
		return jnode_err(e, at, "%lld is not within %lld to %lld", (long long)n, (long long)min,
			(long long)max);
	*n_r = n;
	return 0;
}
