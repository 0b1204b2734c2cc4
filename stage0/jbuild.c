/* See jbuild.h. */
#include "stage0/jbuild.h"

#include <json-c/json.h>
#include <string.h>

#include "stage1/common/util.h"

const struct shape shape_pair[] = {
	{ "name", SHAPE_STRING, false, NULL },
	{ "value", SHAPE_STRING, false, NULL },
	{ .key = NULL },
};

void jb_member(json_object *obj, const char *key, json_object *value)
{
	(void)json_object_object_add(obj, key, value);
}

void jb_string(json_object *obj, const char *key, const char *value)
{
	if (value)
		jb_member(obj, key, json_object_new_string(value));
}

json_object *jb_pair(const char *name, const char *value)
{
	json_object *pair = json_object_new_object();

	jb_string(pair, "name", name);
	jb_string(pair, "value", value);
	return pair;
}

json_object *jb_get(json_object *obj, const char *key)
{
	json_object *value = NULL;

	return json_object_object_get_ex(obj, key, &value) ? value : NULL;
}

const char *jb_text(json_object *obj, const char *key)
{
	json_object *value = jb_get(obj, key);

	return value ? json_object_get_string(value) : "";
}

json_object *jb_list(json_object *obj, const char *key)
{
	json_object *list = jb_get(obj, key);

	if (!list) {
		list = json_object_new_array();
		jb_member(obj, key, list);
	}
	return list;
}

static json_object *find_pair(json_object *list, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *pair = json_object_array_get_idx(list, i);

		if (!strcmp(jb_text(pair, "name"), name))
			return pair;
	}
	return NULL;
}

void jb_set_pair(json_object *list, const char *name, const char *value)
{
	json_object *pair = find_pair(list, name);

	if (pair)
		jb_string(pair, "value", value);
	else
		(void)json_object_array_add(list, jb_pair(name, value));
}

bool jb_has_pair(json_object *list, const char *name)
{
	return find_pair(list, name) != NULL;
}

/* A list of strings or ints. */
static int copy_scalars(const struct jnode *list, enum json_type type, json_object **copy_r, struct err *e)
{
	json_object *copy = json_object_new_array();
	struct jnode item;
	const char *s;

	for (size_t i = 0; i < jnode_len(list); i++) {
		json_object *one = NULL;

		if (jnode_item(list, i, type, &item, e) < 0 ||
			(type == json_type_string && jnode_string(&item, &s, e) < 0)) {
			json_object_put(copy);
			return -1;
		}
		(void)json_object_deep_copy(item.obj, &one, NULL);
		(void)json_object_array_add(copy, one);
	}
	*copy_r = copy;
	return 0;
}

static int copy_objects(const struct jnode *list, const struct shape *item_shape, json_object **copy_r,
	struct err *e)
{
	json_object *copy = json_object_new_array(), *one;
	struct jnode item;

	for (size_t i = 0; i < jnode_len(list); i++) {
		if (jnode_item(list, i, json_type_object, &item, e) < 0 ||
			shape_copy(&item, item_shape, &one, e) < 0) {
			json_object_put(copy);
			return -1;
		}
		(void)json_object_array_add(copy, one);
	}
	*copy_r = copy;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int shape_map(const struct jnode *map, json_object **copy_r, struct err *e)
{
	size_t n = (size_t)json_object_object_length(map->obj), i = 0;
	AUTO_FREE const char **names = xcalloc(n + 1, sizeof(*names));
	json_object *copy;

	json_object_object_foreach(map->obj, name, value) {
		struct jnode at = { .obj = value, .up = map, .key = name };

		if (!json_object_is_type(value, json_type_string))
			return jnode_err(e, &at, "expected string, found %s",
				json_type_to_name(json_object_get_type(value)));
		names[i++] = name;
	}
	qsort(names, n, sizeof(*names), by_name);
	copy = json_object_new_object();
	for (i = 0; i < n; i++)
		jb_string(copy, names[i], json_object_get_string(jb_get(map->obj, names[i])));
	*copy_r = copy;
	return 0;
}

static const enum json_type types[] = {
	[SHAPE_STRING] = json_type_string,
	[SHAPE_BOOL] = json_type_boolean,
	[SHAPE_INT] = json_type_int,
	[SHAPE_COUNT] = json_type_int,
	[SHAPE_STRINGS] = json_type_array,
	[SHAPE_INTS] = json_type_array,
	[SHAPE_OBJECTS] = json_type_array,
	[SHAPE_MAP] = json_type_object,
};

static json_object *zero(enum shape_type type)
{
	switch (type) {
	case SHAPE_STRING:
		return json_object_new_string("");
	case SHAPE_BOOL:
		return json_object_new_boolean(false);
	case SHAPE_INT:
	case SHAPE_COUNT:
		return json_object_new_int(type == SHAPE_COUNT);
	default:
		return NULL;
	}
}

static bool is_empty(json_object *value, enum shape_type type)
{
	switch (type) {
	case SHAPE_STRING:
		return json_object_get_string_len(value) == 0;
	case SHAPE_BOOL:
		return !json_object_get_boolean(value);
	case SHAPE_INT:
	case SHAPE_COUNT:
		return json_object_get_int64(value) == 0;
	case SHAPE_MAP:
		return json_object_object_length(value) == 0;
	case SHAPE_RAW:
		return value == NULL;
	default:
		return json_object_array_length(value) == 0;
	}
}

static int copy_value(const struct jnode *at, const struct shape *s, json_object **copy_r, struct err *e)
{
	const char *text;

	switch (s->type) {
	case SHAPE_STRINGS:
		return copy_scalars(at, json_type_string, copy_r, e);
	case SHAPE_INTS:
		return copy_scalars(at, json_type_int, copy_r, e);
	case SHAPE_OBJECTS:
		return copy_objects(at, s->item, copy_r, e);
	case SHAPE_MAP:
		return shape_map(at, copy_r, e);
	case SHAPE_STRING:
		if (jnode_string(at, &text, e) < 0)
			return -1;
		break;
	default:
		break;
	}
	(void)json_object_deep_copy(at->obj, copy_r, NULL);
	return 0;
}

/* Any type; 0 when there is none. */
static int find_raw(const struct jnode *at, const char *key, struct jnode *child_r)
{
	static const enum json_type any[] = { json_type_object, json_type_array, json_type_string,
		json_type_boolean, json_type_int, json_type_double };

	for (size_t i = 0; i < COUNT(any); i++) {
		struct err ignored = ERR_INIT;

		if (jnode_opt(at, key, any[i], child_r, &ignored) > 0)
			return 1;
	}
	return 0;
}

static int copy_member(const struct jnode *at, const struct shape *s, json_object *into, struct err *e)
{
	json_object *copy = NULL;
	struct jnode child;
	int ret = s->type == SHAPE_RAW ? find_raw(at, s->key, &child) :
		jnode_opt(at, s->key, types[s->type], &child, e);

	if (ret < 0 || (ret > 0 && copy_value(&child, s, &copy, e) < 0))
		return -1;
	if (ret > 0 && is_empty(copy, s->type)) {
		ret = s->omit || s->type == SHAPE_COUNT ? 0 : ret;
		if (ret == 0)
			json_object_put(copy);
	}
	if (ret > 0)
		jb_member(into, s->key, copy);
	else if (!s->omit)
		jb_member(into, s->key, zero(s->type));
	return 0;
}

int shape_copy(const struct jnode *at, const struct shape *shape, json_object **copy_r, struct err *e)
{
	json_object *copy = json_object_new_object();

	for (; shape->key; shape++)
		if (copy_member(at, shape, copy, e) < 0) {
			json_object_put(copy);
			return -1;
		}
	*copy_r = copy;
	return 0;
}

int shape_list(const struct jnode *at, const char *key, const struct shape *item, json_object **copy_r,
	struct err *e)
{
	struct jnode list;
	int ret = jnode_opt(at, key, json_type_array, &list, e);

	*copy_r = NULL;
	return ret <= 0 ? ret : copy_objects(&list, item, copy_r, e);
}
