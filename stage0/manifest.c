/* Making the pod manifest; see manifest.h. */
#include "stage0/manifest.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "stage0/overrides.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"

#define MUTABLE "coreos.com/rkt/stage1/mutable"

struct app_opts *pod_opts_add(struct pod_opts *opts, const char *image)
{
	opts->apps = xrealloc(opts->apps, opts->napps + 1, sizeof(*opts->apps));
	memset(&opts->apps[opts->napps], 0, sizeof(*opts->apps)); /* padding too: they are compared */
	opts->apps[opts->napps].image = image;
	return &opts->apps[opts->napps++];
}

void pod_opts_dispose(struct pod_opts *opts)
{
	for (size_t i = 0; i < opts->napps; i++) {
		struct app_opts *o = &opts->apps[i];

		cli_list_dispose(&o->gids);
		cli_list_dispose(&o->environment);
		cli_list_dispose(&o->annotations);
		cli_list_dispose(&o->user_annotations);
		cli_list_dispose(&o->user_labels);
		cli_list_dispose(&o->mounts);
		cli_list_dispose(&o->mnt_volumes);
	}
	free(opts->apps);
	cli_list_dispose(&opts->volumes);
	cli_list_dispose(&opts->ports);
	cli_list_dispose(&opts->mounts);
	cli_list_dispose(&opts->inherited);
	cli_list_dispose(&opts->env_file);
	cli_list_dispose(&opts->set_env);
	cli_list_dispose(&opts->annotations);
	cli_list_dispose(&opts->user_annotations);
	cli_list_dispose(&opts->user_labels);
	*opts = (struct pod_opts)POD_OPTS_INIT;
}

/* appc schema/types/app.go: names, order, and what is left out when empty */
static const struct shape shape_handler[] = {
	{ "name", SHAPE_STRING, false, NULL },
	{ "exec", SHAPE_STRINGS, false, NULL },
	{ .key = NULL },
}, shape_mount_point[] = {
	{ "name", SHAPE_STRING, false, NULL },
	{ "path", SHAPE_STRING, false, NULL },
	{ "readOnly", SHAPE_BOOL, true, NULL },
	{ .key = NULL },
}, shape_port[] = {
	{ "name", SHAPE_STRING, false, NULL },
	{ "protocol", SHAPE_STRING, false, NULL },
	{ "port", SHAPE_INT, false, NULL },
	{ "count", SHAPE_COUNT, false, NULL },
	{ "socketActivated", SHAPE_BOOL, false, NULL },
	{ .key = NULL },
}, shape_isolator[] = {
	{ "name", SHAPE_STRING, false, NULL },
	{ "value", SHAPE_RAW, false, NULL },
	{ .key = NULL },
}, shape_app[] = {
	{ "exec", SHAPE_STRINGS, false, NULL },
	{ "eventHandlers", SHAPE_OBJECTS, true, shape_handler },
	{ "user", SHAPE_STRING, false, NULL },
	{ "group", SHAPE_STRING, false, NULL },
	{ "supplementaryGIDs", SHAPE_INTS, true, NULL },
	{ "workingDirectory", SHAPE_STRING, true, NULL },
	{ "environment", SHAPE_OBJECTS, true, shape_pair },
	{ "mountPoints", SHAPE_OBJECTS, true, shape_mount_point },
	{ "ports", SHAPE_OBJECTS, true, shape_port },
	{ "isolators", SHAPE_OBJECTS, true, shape_isolator },
	{ "userAnnotations", SHAPE_MAP, true, NULL },
	{ "userLabels", SHAPE_MAP, true, NULL },
	{ .key = NULL },
};

static int override_exec(json_object *app, const struct app_opts *opts, bool replace, struct err *e)
{
	json_object *exec = opts->exec && *opts->exec ? NULL : jb_get(app, "exec");

	if (!exec) {
		exec = json_object_new_array();
		jb_member(app, "exec", exec);
		if (opts->exec && *opts->exec)
			(void)json_object_array_add(exec, json_object_new_string(opts->exec));
	}
	if (replace && opts->args && json_object_array_length(exec) > 1)
		(void)json_object_array_del_idx(exec, 1, json_object_array_length(exec) - 1);
	for (size_t i = 0; i < opts->nargs; i++)
		(void)json_object_array_add(exec, json_object_new_string(opts->args[i]));
	if (!json_object_array_length(exec))
		return err_set(e, ERR_INPUT, "image manifest.app.exec: empty, and no --exec=PROGRAM given");
	return 0;
}

static int override_gids(json_object *app, const struct cli_list *flags, struct err *e)
{
	json_object *list;

	if (!flags->n)
		return 0;
	list = json_object_new_array();
	jb_member(app, "supplementaryGIDs", list);
	for (size_t i = 0; i < flags->n; i++) {
		AUTO_FREE char *copy = xstrdup(flags->v[i]);
		char *rest = copy;

		for (char *gid = strsep(&rest, ","); gid; gid = strsep(&rest, ",")) {
			if (!*gid || strlen(gid) > 10 || gid[strspn(gid, "0123456789")] ||
				strtoll(gid, NULL, 10) >= UINT32_MAX)
				return flag_err(e, "supplementary-gids", flags->v[i], "'%s' is no number of a group", gid);
			(void)json_object_array_add(list, json_object_new_int64(strtoll(gid, NULL, 10)));
		}
	}
	return 0;
}

/* NAME=VALUE flags to a list of pairs; the last of a name wins. */
static int add_pairs(json_object *list, const char *flag, const struct cli_list *flags, bool identifiers,
	struct err *e)
{
	for (size_t i = 0; i < flags->n; i++) {
		const char *equals = strchr(flags->v[i], '=');
		AUTO_FREE char *name = equals ? xstrndup(flags->v[i], (size_t)(equals - flags->v[i])) : NULL;

		if (!equals || equals == flags->v[i])
			return err_set(e, ERR_USAGE, "--%s: '%s' is not NAME=VALUE", flag, flags->v[i]);
		if (identifiers && !acidentifier_valid(name))
			return err_set(e, ERR_USAGE, "--%s: '%s' is no name (a-z, 0-9 and single - . _ ~ / between)",
				flag, name);
		jb_set_pair(list, name, equals + 1);
	}
	return 0;
}

/* Replaces the image's map whole, as rkt does; sorted, as Go's are. */
static int override_map(json_object *app, const char *key, const char *flag, const struct cli_list *flags,
	struct err *e)
{
	json_object *pairs, *map, *copy = NULL;
	struct jnode at;
	int ret;

	if (!flags->n)
		return 0;
	pairs = json_object_new_array();
	map = json_object_new_object();
	ret = add_pairs(pairs, flag, flags, false, e);
	for (size_t i = 0; ret == 0 && i < json_object_array_length(pairs); i++) {
		json_object *pair = json_object_array_get_idx(pairs, i);

		jb_string(map, jb_text(pair, "name"), jb_text(pair, "value"));
	}
	json_object_put(pairs);
	at = jnode_root(map, key);
	if (ret == 0)
		ret = shape_map(&at, &copy, e);
	json_object_put(map);
	if (ret == 0)
		jb_member(app, key, copy);
	return ret;
}

/* What a flag puts where the image's value was; NULL and "" leave it, as in rkt. */
static void override_string(json_object *app, const char *key, const char *value)
{
	if (value && *value)
		jb_string(app, key, value);
}

static int override_app(json_object *app, const struct app_opts *opts, const struct pod_opts *pod, struct err *e)
{
	if (override_exec(app, opts, pod->added, e) < 0)
		return -1;
	if (opts->working_dir && *opts->working_dir && *opts->working_dir != '/')
		return err_set(e, ERR_USAGE, "--working-dir: '%s' is not an absolute path", opts->working_dir);
	override_string(app, "user", opts->user);
	override_string(app, "group", opts->group);
	override_string(app, "workingDirectory", opts->working_dir);
	if (override_gids(app, &opts->gids, e) < 0 || override_isolators(app, opts, e) < 0 ||
		override_map(app, "userAnnotations", "user-annotation", &opts->user_annotations, e) < 0 ||
		override_map(app, "userLabels", "user-label", &opts->user_labels, e) < 0)
		return -1;
	return override_environment(app, opts, pod, e);
}

static int mode_note(json_object *notes, const char *stream, const char *mode, const char *const *modes,
	struct err *e)
{
	AUTO_FREE char *name = xasprintf("coreos.com/rkt/stage2/%s", stream);

	if (!mode)
		return 0;
	while (*modes && strcmp(mode, *modes) != 0)
		modes++;
	if (!*modes)
		return flag_err(e, stream, mode, strcmp(stream, "stdin") ?
			"neither log, null, stream nor tty" : "neither null, stream nor tty");
	jb_set_pair(notes, name, mode);
	return 0;
}

/* The app's annotations are the command line's alone: an image's stay in its own manifest. */
static int make_notes(json_object *item, const struct app_opts *opts, struct err *e)
{
	static const char *const in[] = { "null", "stream", "tty", NULL };
	static const char *const out[] = { "log", "null", "stream", "tty", NULL };
	json_object *notes;

	if (!opts->annotations.n && !opts->stdin_mode && !opts->stdout_mode && !opts->stderr_mode)
		return 0;
	notes = jb_list(item, "annotations");
	if (add_pairs(notes, "annotation", &opts->annotations, true, e) < 0 ||
		mode_note(notes, "stdin", opts->stdin_mode, in, e) < 0 ||
		mode_note(notes, "stdout", opts->stdout_mode, out, e) < 0)
		return -1;
	return mode_note(notes, "stderr", opts->stderr_mode, out, e);
}

/* rkt runs what has no app section as itself, which is root */
static int copy_app(const struct jnode *root, json_object **app_r, struct err *e)
{
	struct jnode app;
	int ret = jnode_opt(root, "app", json_type_object, &app, e);

	if (ret > 0)
		return shape_copy(&app, shape_app, app_r, e);
	if (ret == 0) {
		*app_r = json_object_new_object();
		jb_member(*app_r, "exec", NULL);
		jb_string(*app_r, "user", "0");
		jb_string(*app_r, "group", "0");
	}
	return ret;
}

static int make_image(json_object *item, const struct jnode *root, const struct app_image *image, struct err *e)
{
	json_object *obj = json_object_new_object(), *labels;

	jb_member(item, "image", obj);
	jb_string(obj, "name", image->image->name);
	jb_string(obj, "id", image->id);
	if (shape_list(root, "labels", shape_pair, &labels, e) < 0)
		return -1;
	if (labels)
		jb_member(obj, "labels", labels);
	return 0;
}

/* Filled before it can fail: whoever owns `item` frees all. */
static int fill_app(json_object *item, const struct app_image *image, const struct app_opts *opts,
	const struct pod_opts *pod, json_object *volumes, struct err *e)
{
	struct jnode root = jnode_root(image->image->doc, "image manifest");
	AUTO_FREE char *name = NULL;
	json_object *app, *mounts;
	struct jnode at;

	if (app_name(image->image, opts, &name, e) < 0)
		return -1;
	jb_string(item, "name", name);
	if (make_image(item, &root, image, e) < 0 || copy_app(&root, &app, e) < 0)
		return -1;
	jb_member(item, "app", app);
	if (override_app(app, opts, pod, e) < 0)
		return -1;
	at = jnode_root(app, "app");
	if (shape_copy(&at, shape_app, &app, e) < 0) /* what was added takes its place */
		return -1;
	jb_member(item, "app", app);
	if (make_mounts(&opts->mounts, &pod->mounts, volumes, &mounts, e) < 0)
		return -1;
	if (add_app_volumes(&opts->mnt_volumes, &mounts, e) < 0) {
		json_object_put(mounts);
		return -1;
	}
	if (opts->read_only_root)
		jb_member(item, "readOnlyRootFS", json_object_new_boolean(true));
	if (mounts)
		jb_member(item, "mounts", mounts);
	return make_notes(item, opts, e);
}

static int check_name(json_object *apps, const char *name, struct err *e)
{
	int n = 0;

	for (size_t i = 0; i < json_object_array_length(apps); i++)
		n += !strcmp(jb_text(json_object_array_get_idx(apps, i), "name"), name);
	return n < 2 ? 0 : err_set(e, ERR_USAGE, "an app is named '%s' already: use --name=NAME", name);
}

static int make_pod_notes(json_object *pod, const struct pod_opts *opts, struct err *e)
{
	const struct cli_list *flags = &opts->annotations;
	const char *flag = opts->mutable_pod ? "annotation" : "pod-annotation";
	json_object *notes = jb_list(pod, "annotations");

	for (size_t i = 0; i < flags->n; i++)
		if (str_has_prefix(flags->v[i], MUTABLE "="))
			return err_set(e, ERR_USAGE, "--%s: '%s' is not for you to set", flag, MUTABLE);
	jb_set_pair(notes, MUTABLE, opts->mutable_pod ? "true" : "false");
	return add_pairs(notes, flag, flags, true, e);
}

static int fill_pod(json_object *pod, const struct pod_opts *opts, const struct app_image *images, struct err *e)
{
	json_object *apps = json_object_new_array(), *volumes, *ports;

	jb_string(pod, "acVersion", "1.30.0");
	jb_string(pod, "acKind", "PodManifest");
	jb_member(pod, "apps", apps);
	if (check_set_env(&opts->set_env, e) < 0 || make_volumes(&opts->volumes, &volumes, e) < 0)
		return -1;
	jb_member(pod, "volumes", volumes);
	jb_member(pod, "isolators", NULL);
	for (size_t i = 0; i < opts->napps; i++) {
		json_object *item = json_object_new_object();

		(void)json_object_array_add(apps, item);
		if (fill_app(item, &images[i], &opts->apps[i], opts, volumes, e) < 0 ||
			check_name(apps, jb_text(item, "name"), e) < 0)
			return err_prefix(e, "image %s", opts->apps[i].image);
	}
	if (make_pod_notes(pod, opts, e) < 0 || (opts->mutable_pod ? make_pod_ports(&opts->ports, &ports, e)
								   : make_ports(&opts->ports, apps, &ports, e)) < 0)
		return -1;
	jb_member(pod, "ports", ports);
	if (override_map(pod, "userAnnotations", "user-annotation", &opts->user_annotations, e) < 0)
		return -1;
	return override_map(pod, "userLabels", "user-label", &opts->user_labels, e);
}

/* What no flag is to blame for, an image is: stage1's reader finds it now rather than later. */
static int check_text(const char *text, struct err *e)
{
	struct pod pod = POD_INIT;

	if (pod_parse(text, strlen(text), &pod, e) < 0)
		return err_prefix(e, "the manifest these images and flags make");
	pod_dispose(&pod);
	return 0;
}

int pod_manifest(const struct pod_opts *opts, const struct app_image *images, char **text_r,
	struct err *e)
{
	json_object *pod = json_object_new_object();
	AUTO_FREE char *text = NULL;
	int ret = fill_pod(pod, opts, images, e);

	if (ret == 0) {
		text = xstrdup(json_object_to_json_string_ext(pod,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
		ret = check_text(text, e);
	}
	json_object_put(pod);
	if (ret == 0)
		*text_r = STEAL(text);
	return ret;
}
