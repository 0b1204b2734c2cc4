/* See read.h. */
#include "stage1/pod/read.h"

#include <string.h>

#include "stage1/common/util.h"

int read_list(const struct jnode *at, const char *key, struct jnode *list_r, struct err *e)
{
	int ret = jnode_opt(at, key, json_type_array, list_r, e);

	if (ret > 0 && jnode_len(list_r) > POD_LIST_MAX)
		return jnode_err(e, list_r, "more than %d items", POD_LIST_MAX);
	return ret;
}

int read_string(const struct jnode *at, const char *key, char **s_r, struct err *e)
{
	const char *s = NULL;

	if (jnode_opt_str(at, key, &s, e) < 0)
		return -1;
	if (s) {
		free(*s_r);
		*s_r = xstrdup(s);
	}
	return 0;
}

int read_strings(const struct jnode *at, const char *key, char ***list_r, size_t *n_r, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(at, key, &list, e);

	if (ret <= 0)
		return ret;
	*list_r = xcalloc(jnode_len(&list), sizeof(**list_r));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		const char *s;

		if (jnode_item(&list, i, json_type_string, &item, e) < 0 || jnode_string(&item, &s, e) < 0)
			return -1;
		(*list_r)[(*n_r)++] = xstrdup(s);
	}
	return 0;
}

int read_number(const struct jnode *at, const char *key, uint32_t max, uint32_t *n_r, struct err *e)
{
	struct jnode child;
	int64_t n;
	int ret = jnode_opt(at, key, json_type_int, &child, e);

	if (ret <= 0)
		return ret;
	if (jnode_int(&child, 0, max, &n, e) < 0)
		return -1;
	*n_r = (uint32_t)n;
	return 0;
}

void free_strings(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

int read_pairs(const struct jnode *at, const char *key, struct pod_pair **pairs_r, size_t *n_r, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(at, key, &list, e);

	if (ret <= 0)
		return ret;
	*pairs_r = xcalloc(jnode_len(&list), sizeof(**pairs_r));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		const char *name, *value = "";

		if (jnode_item(&list, i, json_type_object, &item, e) < 0 ||
			jnode_str(&item, "name", &name, e) < 0 ||
			jnode_opt_str(&item, "value", &value, e) < 0)
			return -1;
		(*pairs_r)[*n_r] = (struct pod_pair){ .name = xstrdup(name), .value = xstrdup(value) };
		(*n_r)++;
	}
	return 0;
}

void free_pairs(struct pod_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(pairs[i].name);
		free(pairs[i].value);
	}
	free(pairs);
}

/* Of the image: its user's name when that is its group's too, else NULL; borrowed from the document. */
static int read_lone_user(const struct jnode *root, const char **user_r, struct err *e)
{
	const char *user = "", *group = NULL;
	struct jnode section;
	int ret = jnode_opt(root, "app", json_type_object, &section, e);

	*user_r = NULL;
	if (ret <= 0)
		return ret;
	if (jnode_opt_str(&section, "user", &user, e) < 0 || jnode_opt_str(&section, "group", &group, e) < 0)
		return -1;
	if (group && !strcmp(user, group))
		*user_r = user;
	return 0;
}

/* As Go's strconv.ParseBool reads it; what is no truth value is false. */
static bool is_true(const char *s)
{
	static const char *const words[] = { "1", "t", "T", "true", "TRUE", "True" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (!strcmp(s, words[i]))
			return true;
	return false;
}

int pod_app_know_image(struct pod_app *app, const char *text, size_t len, struct err *e)
{
	json_object *doc = NULL;
	struct pod_pair *notes = NULL;
	struct jnode root;
	const char *lone = NULL, *notify;
	size_t n = 0;
	int ret;

	if (json_parse(text, len, "manifest", &doc, e) < 0)
		return -1;
	root = jnode_root(doc, "manifest");
	if (!json_object_is_type(doc, json_type_object))
		ret = err_set(e, ERR_INPUT, "manifest: expected object");
	else
		ret = read_pairs(&root, "annotations", &notes, &n, e);
	if (ret == 0)
		ret = read_lone_user(&root, &lone, e);
	if (ret == 0 && pod_note(notes, n, DOCKER_NOTE)) {
		app->docker_image = true;
		app->docker_group = lone && app->group && !strcmp(app->group, lone);
	}
	notify = pod_note(notes, n, NOTIFY_NOTE);
	app->says_ready = ret == 0 && notify && is_true(notify);
	free_pairs(notes, n);
	json_object_put(doc);
	return ret;
}
