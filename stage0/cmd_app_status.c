/* stage0 app status: one app, as lines KEY=VALUE or JSON (rkt rkt/app_status.go). */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "stage0/appcli.h"
#include "stage0/appstate.h"
#include "stage0/podjson.h"
#include "stage0/when.h"
#include "stage1/common/util.h"

static void print_time(const char *key, const struct timespec *t)
{
	char text[WHEN_SIZE];

	when_full(t, text);
	if (t->tv_sec)
		(void)printf("%s=%s\n", key, text);
}

static json_object *member(json_object *obj, const char *key)
{
	json_object *value = NULL;

	return json_object_object_get_ex(obj, key, &value) ? value : NULL;
}

static void print_harmless(const char *text)
{
	AUTO_FREE char *copy = xstrdup(text);

	text_make_harmless(copy);
	(void)fputs(copy, stdout);
}

static void print_mounts(json_object *app)
{
	json_object *list = member(app, "mounts");

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *m = json_object_array_get_idx(list, i);
		AUTO_FREE char *text = xasprintf("%s%s:%s:(read_only:%s)", i ? "," : "mounts=",
			json_object_get_string(member(m, "host_path")), json_object_get_string(member(m, "container_path")),
			json_object_get_boolean(member(m, "read_only")) ? "true" : "false");

		print_harmless(text);
	}
	if (list)
		(void)putchar('\n');
}

static void print_map(json_object *app, const char *key)
{
	json_object *map = member(app, key);
	bool first = true;

	if (!map)
		return;
	json_object_object_foreach(map, name, value)
	{
		AUTO_FREE char *text = xasprintf("%s%s%s:%s", first ? key : ",", first ? "=" : "", name,
			json_object_get_string(value));

		print_harmless(text);
		first = false;
	}
	(void)putchar('\n');
}

static void print_text(json_object *app, const struct app_state *state)
{
	(void)printf("name=%s\nstate=%s\nimage_id=", json_object_get_string(member(app, "name")), state->name);
	print_harmless(json_object_get_string(member(app, "image_id")));
	(void)putchar('\n');
	print_time("created_at", &state->created);
	print_time("started_at", &state->started);
	print_time("finished_at", &state->finished);
	if (state->has_code)
		(void)printf("exit_code=%d\n", state->code);
	print_mounts(app);
	print_map(app, "user_annotations");
	print_map(app, "user_labels");
}

static int print(const struct known_pod *pod, const char *name, enum pod_format format, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	const struct pod_app_ref *ref;
	struct app_state state;
	json_object *app;
	int ret = pod_read_meta(pod->dir.fd, &meta, e);

	if (ret == 0)
		ret = pod_choose_app(&meta, name, &ref, e);
	if (ret == 0)
		ret = app_state_read(pod, name, &state, e);
	if (ret == 0) {
		app = app_json(meta.doc, ref, &state);
		if (format == FORMAT_TEXT)
			print_text(app, &state);
		else
			pod_cli_print_json(app, format);
		json_object_put(app);
	}
	pod_meta_dispose(&meta);
	return ret;
}

int cmd_app_status(int argc, char **argv)
{
	struct app_cli c = APP_CLI_INIT;
	const char *format_text = NULL;
	const struct cli_flag flags[] = { POD_CLI_FORMAT(&format_text), APP_CLI_FLAGS(&c) };
	struct known_pod pod = KNOWN_POD_INIT;
	enum pod_format format;
	struct err e = ERR_INIT;
	int ret = app_cli_read(&c, "usage: stage0 app status UUID --app=NAME\n\nSays what is known of an app of a mutable pod.\n",
		flags, COUNT(flags), argc, argv, &e);

	if (ret == 0 && !c.app)
		ret = err_set(&e, ERR_USAGE, "must provide the app: --app=NAME");
	if (ret == 0)
		ret = pod_cli_format(format_text, &format, &e);
	if (ret == 0 && (pods_find(c.cli.dir, c.cli.rest.words.v[0], &pod, &e) < 0 || print(&pod, c.app, format, &e) < 0))
		ret = err_prefix(&e, "error getting app status");
	known_pod_dispose(&pod);
	pod_cli_dispose(&c.cli);
	if (ret < 0)
		(void)cmd_fail(&e);
	return ret < 0 ? 1 : cmd_end(0); /* rkt's */
}
