/* Making the pod manifest; see manifest.h. */
#include "stage0/manifest.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"

/* Keys match without regard to case (jnode.h): a new member must leave no other spelling. */
static void set_member(json_object *obj, const char *key, json_object *value)
{
	json_object_object_foreach(obj, name, old) {
		(void)old;
		if (!strcasecmp(name, key))
			json_object_object_del(obj, name);
	}
	(void)json_object_object_add(obj, key, value);
}

/* A copy of the member, or NULL. Images were checked: the type is right. */
static json_object *copy_member(json_object *obj, const char *key, enum json_type type)
{
	struct jnode at = jnode_root(obj, ""), child;
	struct err ignored = ERR_INIT;
	json_object *copy = NULL;

	if (jnode_opt(&at, key, type, &child, &ignored) > 0)
		(void)json_object_deep_copy(child.obj, &copy, NULL);
	return copy;
}

static void set_string(json_object *obj, const char *key, const char *value)
{
	if (value)
		set_member(obj, key, json_object_new_string(value));
}

static json_object *new_pair(const char *name, const char *value)
{
	json_object *pair = json_object_new_object();

	set_string(pair, "name", name);
	set_string(pair, "value", value);
	return pair;
}

static json_object *make_exec(json_object *app, const struct app_opts *opts)
{
	json_object *exec = opts->exec ? NULL : copy_member(app, "exec", json_type_array);

	if (!exec)
		exec = json_object_new_array();
	if (opts->exec)
		(void)json_object_array_add(exec, json_object_new_string(opts->exec));
	for (size_t i = 0; i < opts->nargs; i++)
		(void)json_object_array_add(exec, json_object_new_string(opts->args[i]));
	return exec;
}

/* Replaces a variable where it stands, or adds it. */
static void set_env(json_object *env, const char *name, const char *value)
{
	for (size_t i = 0; i < json_object_array_length(env); i++) {
		json_object *pair = json_object_array_get_idx(env, i);
		struct jnode at = jnode_root(pair, "");
		struct err ignored = ERR_INIT;
		const char *old = "";

		if (jnode_opt_str(&at, "name", &old, &ignored) == 0 && !strcmp(old, name)) {
			set_string(pair, "value", value);
			return;
		}
	}
	(void)json_object_array_add(env, new_pair(name, value));
}

static int merge_env(json_object *app, const struct cli_list *vars, struct err *e)
{
	json_object *env;

	if (!vars->n)
		return 0;
	env = copy_member(app, "environment", json_type_array);
	if (!env)
		env = json_object_new_array();
	set_member(app, "environment", env);
	for (size_t i = 0; i < vars->n; i++) {
		const char *equals = strchr(vars->v[i], '=');
		AUTO_FREE char *name = equals ? xstrndup(vars->v[i], (size_t)(equals - vars->v[i])) : NULL;

		if (!equals || equals == vars->v[i])
			return err_set(e, ERR_USAGE, "--environment: '%s' is not NAME=VALUE", vars->v[i]);
		set_env(env, name, equals + 1);
	}
	return 0;
}

static int make_app(json_object *app, const struct app_opts *opts, struct err *e)
{
	json_object *exec = make_exec(app, opts);

	set_member(app, "exec", exec);
	if (!json_object_array_length(exec))
		return err_set(e, ERR_INPUT, "image manifest.app.exec: empty, and no --exec=PROGRAM given");
	set_string(app, "user", opts->user);
	set_string(app, "group", opts->group);
	set_string(app, "workingDirectory", opts->working_dir);
	if (opts->working_dir && *opts->working_dir && *opts->working_dir != '/')
		return err_set(e, ERR_USAGE, "--working-dir: '%s' is not an absolute path",
			opts->working_dir);
	if ((opts->user && !*opts->user) || (opts->group && !*opts->group))
		return err_set(e, ERR_USAGE, "--user and --group cannot be empty");
	return merge_env(app, &opts->environment, e);
}

/* rkt runs what has no app section as itself, which is root */
static json_object *default_app(void)
{
	json_object *app = json_object_new_object();

	set_string(app, "user", "0");
	set_string(app, "group", "0");
	return app;
}

static json_object *make_image(const struct image *image, const char *id)
{
	json_object *obj = json_object_new_object();

	set_string(obj, "name", image->name);
	set_string(obj, "id", id);
	set_member(obj, "labels", copy_member(image->doc, "labels", json_type_array));
	return obj;
}

/* Filled before it can fail: whoever owns `pod` frees all. */
static int fill_pod(json_object *pod, const struct image *image, const char *id, const char *name,
	const struct app_opts *opts, struct err *e)
{
	json_object *apps = json_object_new_array(), *item = json_object_new_object();
	json_object *app = copy_member(image->doc, "app", json_type_object);
	json_object *notes = copy_member(image->doc, "annotations", json_type_array);
	json_object *marks = json_object_new_array();

	set_string(pod, "acVersion", "1.30.0");
	set_string(pod, "acKind", "PodManifest");
	set_member(pod, "apps", apps);
	(void)json_object_array_add(apps, item);
	set_string(item, "name", name);
	set_member(item, "image", make_image(image, id));
	if (!app)
		app = default_app();
	set_member(item, "app", app);
	set_member(item, "mounts", NULL);
	if (notes)
		set_member(item, "annotations", notes);
	set_member(pod, "volumes", NULL);
	set_member(pod, "isolators", NULL);
	set_member(pod, "annotations", marks);
	(void)json_object_array_add(marks, new_pair("coreos.com/rkt/stage1/mutable", "false"));
	set_member(pod, "ports", json_object_new_array());
	return make_app(app, opts, e);
}

int pod_manifest(const struct image *image, const char *id, const struct app_opts *opts,
	char **text_r, struct err *e)
{
	AUTO_FREE char *name = NULL;
	json_object *pod;
	int ret;

	if (app_name(image, opts, &name, e) < 0)
		return -1;
	pod = json_object_new_object();
	ret = fill_pod(pod, image, id, name, opts, e);
	if (ret == 0)
		*text_r = xstrdup(json_object_to_json_string_ext(pod,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(pod);
	return ret;
}
