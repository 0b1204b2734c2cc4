/* Isolators: the table of names and what their values look like (appc spec, schema/types/isolator*.go). */
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/read.h"

static const struct {
	const char *name;
	enum pod_isolator_kind kind;
} known[] = {
	{ "resource/memory", POD_ISOLATOR_QUANTITY },
	{ "resource/cpu", POD_ISOLATOR_QUANTITY },
	{ "os/linux/capabilities-retain-set", POD_ISOLATOR_SET },
	{ "os/linux/capabilities-remove-set", POD_ISOLATOR_SET },
	{ "os/linux/seccomp-retain-set", POD_ISOLATOR_SET },
	{ "os/linux/seccomp-remove-set", POD_ISOLATOR_SET },
	{ "os/linux/cpu-shares", POD_ISOLATOR_NUMBER },
	{ "os/linux/oom-score-adj", POD_ISOLATOR_NUMBER },
	{ "os/linux/no-new-privileges", POD_ISOLATOR_SWITCH },
};

static enum pod_isolator_kind kind_of(const char *name)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (!strcmp(known[i].name, name))
			return known[i].kind;
	return POD_ISOLATOR_OTHER;
}

/* A quantity is a string or a bare number (Kubernetes resource.Quantity, UnmarshalJSON). */
static int read_quantity(const struct jnode *value, const char *key, char **text_r, struct err *e)
{
	struct err ignored = ERR_INIT;
	struct jnode child;

	if (jnode_opt(value, key, json_type_int, &child, &ignored) > 0) {
		*text_r = xstrdup(json_object_to_json_string(child.obj));
		return 0;
	}
	ignored = (struct err)ERR_INIT;
	if (jnode_opt(value, key, json_type_double, &child, &ignored) > 0) {
		*text_r = xstrdup(json_object_to_json_string(child.obj));
		return 0;
	}
	return read_string(value, key, text_r, e);
}

static int read_value(const struct jnode *at, struct pod_isolator *i, struct err *e)
{
	static const enum json_type types[] = {
		[POD_ISOLATOR_QUANTITY] = json_type_object,
		[POD_ISOLATOR_SET] = json_type_object,
		[POD_ISOLATOR_NUMBER] = json_type_int,
		[POD_ISOLATOR_SWITCH] = json_type_boolean,
	};
	struct jnode value;

	if (i->kind == POD_ISOLATOR_OTHER)
		return 0;
	if (jnode_get(at, "value", types[i->kind], &value, e) < 0)
		return -1;
	switch (i->kind) {
	case POD_ISOLATOR_QUANTITY:
		return read_quantity(&value, "limit", &i->limit, e) < 0 ||
			read_quantity(&value, "request", &i->request, e) < 0 ? -1 : 0;
	case POD_ISOLATOR_SET:
		return read_strings(&value, "set", &i->set, &i->nset, e) < 0 ||
			read_string(&value, "errno", &i->errno_name, e) < 0 ? -1 : 0;
	case POD_ISOLATOR_NUMBER:
		return jnode_int(&value, INT32_MIN, INT32_MAX, &i->number, e);
	default:
		i->on = json_object_get_boolean(value.obj);
		return 0;
	}
}

int read_isolators(const struct jnode *at, struct pod_app *app, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(at, "isolators", &list, e);

	if (ret <= 0)
		return ret;
	app->isolators = xcalloc(jnode_len(&list), sizeof(*app->isolators));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		struct pod_isolator *iso = &app->isolators[i];
		const char *name;

		if (jnode_item(&list, i, json_type_object, &item, e) < 0 || jnode_str(&item, "name", &name, e) < 0)
			return -1;
		app->nisolators++;
		iso->name = xstrdup(name);
		iso->kind = kind_of(name);
		if (read_value(&item, iso, e) < 0)
			return -1;
	}
	return 0;
}

void free_isolators(struct pod_app *app)
{
	for (size_t i = 0; i < app->nisolators; i++) {
		struct pod_isolator *iso = &app->isolators[i];

		free(iso->name);
		free(iso->limit);
		free(iso->request);
		free(iso->errno_name);
		free_strings(iso->set, iso->nset);
	}
	free(app->isolators);
}
