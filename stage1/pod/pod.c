/* Pod manifest bytes -> struct pod. See pod.h. */
#include "stage1/pod/pod.h"

#include <json-c/json.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/read.h"

bool acname_valid(const char *s)
{
	const char *p;

	if (!*s || *s == '-')
		return false;
	for (p = s; *p; p++) {
		bool word = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');

		if (!word && (*p != '-' || p[1] == '-' || !p[1]))
			return false;
	}
	return p - s <= 200; /* its status file and markers are NAME-created at most */
}

/* appc spec, schema/types/environment.go */
static bool env_name_valid(const char *s)
{
	size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");

	return *s && !s[n] && !strchr("0123456789.-", *s);
}

static int compare_names(const void *a, const void *b)
{
	const struct pod_pair *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	return order ? order : (*x > *y) - (*x < *y);
}

/* The first that repeats an earlier one, or app->nenv. Lists are long: not each with each. */
static size_t repeated_env(const struct pod_app *app)
{
	AUTO_FREE const struct pod_pair **sorted = xcalloc(app->nenv, sizeof(*sorted));
	size_t first = app->nenv;

	for (size_t i = 0; i < app->nenv; i++)
		sorted[i] = &app->env[i];
	qsort(sorted, app->nenv, sizeof(*sorted), compare_names);
	for (size_t i = 1; i < app->nenv; i++)
		if (!strcmp(sorted[i - 1]->name, sorted[i]->name) && (size_t)(sorted[i] - app->env) < first)
			first = (size_t)(sorted[i] - app->env);
	return first;
}

static int read_env(const struct jnode *at, struct pod_app *app, struct err *e)
{
	const struct jnode list = { .up = at, .key = "environment" };
	struct jnode item = { .up = &list };
	size_t again;

	if (read_pairs(at, list.key, &app->env, &app->nenv, e) < 0)
		return -1;
	for (item.idx = 0; item.idx < app->nenv; item.idx++)
		if (!env_name_valid(app->env[item.idx].name))
			return jnode_err(e, &item, "'%s' is not a name for a variable", app->env[item.idx].name);
	again = repeated_env(app);
	if (again == app->nenv)
		return 0;
	item.idx = again;
	return jnode_err(e, &item, "'%s' is set twice", app->env[again].name);
}

static int read_gids(const struct jnode *at, struct pod_app *app, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(at, "supplementaryGIDs", &list, e);

	if (ret <= 0)
		return ret;
	app->gids = xcalloc(jnode_len(&list), sizeof(*app->gids));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		int64_t gid;

		if (jnode_item(&list, i, json_type_int, &item, e) < 0 ||
			jnode_int(&item, 0, UINT32_MAX - 1, &gid, e) < 0)
			return -1;
		app->gids[app->ngids++] = (uint32_t)gid;
	}
	return 0;
}

static int read_handlers(const struct jnode *at, struct pod_app *app, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(at, "eventHandlers", &list, e);

	if (ret <= 0)
		return ret;
	app->handlers = xcalloc(jnode_len(&list), sizeof(*app->handlers));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		struct pod_handler *h = &app->handlers[i];
		const char *name;

		if (jnode_item(&list, i, json_type_object, &item, e) < 0 || jnode_str(&item, "name", &name, e) < 0)
			return -1;
		if (strcmp(name, "pre-start") != 0 && strcmp(name, "post-stop") != 0)
			return jnode_err(e, &item, "'%s' is neither pre-start nor post-stop", name);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(app->handlers[k].name, name))
				return jnode_err(e, &item, "a second handler '%s'", name);
		app->nhandlers++;
		h->name = xstrdup(name);
		if (read_strings(&item, "exec", &h->exec, &h->nexec, e) < 0)
			return -1;
		if (h->nexec == 0 || !*h->exec[0])
			return jnode_err(e, &item, "'%s' has nothing to execute", name);
	}
	return 0;
}

/* The section `app`, of a pod manifest's app or of an image manifest (appc schema/types/app.go). */
static int read_app_section(const struct jnode *at, struct pod_app *app, struct err *e)
{
	struct jnode user, group, cwd;

	app->has_app = true;
	if (jnode_get(at, "user", json_type_string, &user, e) < 0 ||
		jnode_get(at, "group", json_type_string, &group, e) < 0 ||
		read_string(at, "user", &app->user, e) < 0 ||
		read_string(at, "group", &app->group, e) < 0 ||
		read_string(at, "workingDirectory", &app->cwd, e) < 0 ||
		read_strings(at, "exec", &app->exec, &app->nexec, e) < 0 ||
		read_handlers(at, app, e) < 0 || read_mount_points(at, app, e) < 0 ||
		read_isolators(at, app, e) < 0 || read_app_ports(at, app, e) < 0 ||
		read_gids(at, app, e) < 0 || read_env(at, app, e) < 0)
		return -1;
	if (!*app->user)
		return jnode_err(e, &user, "empty");
	if (!*app->group)
		return jnode_err(e, &group, "empty");
	if (!app->cwd || !*app->cwd) {
		free(app->cwd);
		app->cwd = xstrdup("/");
	} else if (*app->cwd != '/') {
		cwd = (struct jnode){ .up = at, .key = "workingDirectory" };
		return jnode_err(e, &cwd, "'%s' is not an absolute path", app->cwd);
	}
	return 0;
}

static int read_app(const struct jnode *at, struct pod_app *app, struct err *e)
{
	struct jnode name, image, section;
	const char *s;
	int ret;

	if (jnode_get(at, "name", json_type_string, &name, e) < 0 || jnode_string(&name, &s, e) < 0)
		return -1;
	if (!acname_valid(s))
		return jnode_err(e, &name, "'%s' is not an app name (a-z, 0-9 and single dashes)", s);
	app->name = xstrdup(s);
	ret = jnode_opt(at, "image", json_type_object, &image, e);
	if (ret < 0 || (ret > 0 && read_string(&image, "name", &app->image_name, e) < 0))
		return -1;
	ret = jnode_opt(at, "app", json_type_object, &section, e);
	if (ret < 0 || (ret > 0 && read_app_section(&section, app, e) < 0))
		return -1;
	if (jnode_opt_bool(at, "readOnlyRootFS", &app->read_only_root, e) < 0)
		return -1;
	if (read_pairs(at, "annotations", &app->notes, &app->nnotes, e) < 0)
		return -1;
	app->docker_image = pod_note(app->notes, app->nnotes, DOCKER_NOTE) != NULL;
	return read_mounts(at, app, e);
}

static int read_apps(const struct jnode *root, struct pod *pod, struct err *e)
{
	struct jnode list, item;

	if (jnode_get(root, "apps", json_type_array, &list, e) < 0)
		return -1;
	if (jnode_len(&list) > POD_APPS_MAX)
		return jnode_err(e, &list, "more than %d apps", POD_APPS_MAX);
	pod->apps = xcalloc(jnode_len(&list), sizeof(*pod->apps));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		if (jnode_item(&list, i, json_type_object, &item, e) < 0)
			return -1;
		pod->napps++;
		if (read_app(&item, &pod->apps[i], e) < 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(pod->apps[k].name, pod->apps[i].name))
				return jnode_err(e, &item, "a second app '%s'", pod->apps[i].name);
	}
	return 0;
}

static int read_pod(const struct jnode *root, struct pod *pod, struct err *e)
{
	if (jnode_expect(root, json_type_object, e) < 0)
		return -1;
	if (read_apps(root, pod, e) < 0 || read_volumes(root, pod, e) < 0 ||
		read_pairs(root, "annotations", &pod->notes, &pod->nnotes, e) < 0)
		return -1;
	return read_host_ports(root, pod, e);
}

int pod_parse(const char *text, size_t len, struct pod *pod_r, struct err *e)
{
	struct pod pod = POD_INIT;
	json_object *doc = NULL;
	struct jnode root;
	int ret;

	if (json_parse(text, len, "pod", &doc, e) < 0)
		return -1;
	root = jnode_root(doc, "pod");
	ret = read_pod(&root, &pod, e);
	json_object_put(doc);
	if (ret < 0)
		pod_dispose(&pod);
	else
		*pod_r = pod;
	return ret;
}

int pod_app_from_image(struct pod_app *app, const char *text, size_t len, struct err *e)
{
	json_object *doc = NULL;
	struct jnode root, section;
	int ret;

	if (json_parse(text, len, "manifest", &doc, e) < 0)
		return err_prefix(e, "image of app '%s'", app->name);
	root = jnode_root(doc, "manifest");
	if (!json_object_is_type(doc, json_type_object))
		ret = err_set(e, ERR_INPUT, "manifest: expected object");
	else if (jnode_get(&root, "app", json_type_object, &section, e) < 0)
		ret = -1;
	else
		ret = read_app_section(&section, app, e);
	json_object_put(doc);
	return ret < 0 ? err_prefix(e, "image of app '%s'", app->name) : 0;
}

const char *pod_note(const struct pod_pair *notes, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(notes[i].name, name))
			return notes[i].value;
	return NULL;
}

static void app_dispose(struct pod_app *app)
{
	free(app->name);
	free(app->image_name);
	free(app->user);
	free(app->group);
	free(app->gids);
	free(app->cwd);
	free_strings(app->exec, app->nexec);
	for (size_t i = 0; i < app->nhandlers; i++) {
		free(app->handlers[i].name);
		free_strings(app->handlers[i].exec, app->handlers[i].nexec);
	}
	free(app->handlers);
	free_pairs(app->env, app->nenv);
	free_mounts(app);
	free_isolators(app);
	free_pairs(app->notes, app->nnotes);
	free_app_ports(app);
}

void pod_dispose(struct pod *pod)
{
	for (size_t i = 0; i < pod->napps; i++)
		app_dispose(&pod->apps[i]);
	free(pod->apps);
	free_volumes(pod);
	free_pairs(pod->notes, pod->nnotes);
	free_host_ports(pod);
	*pod = (struct pod)POD_INIT;
}
