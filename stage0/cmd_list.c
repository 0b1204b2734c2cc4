/* stage0 list: rkt's table of pods, a line an app, or the same as JSON. */
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "stage0/podcli.h"
#include "stage0/podjson.h"
#include "stage0/podread.h"
#include "stage0/table.h"
#include "stage0/when.h"
#include "stage1/common/util.h"

struct list_opts {
	struct pod_cli cli;
	bool no_legend, full;
	const char *format_text;
	enum pod_format format;
};

enum { COLUMNS_MAX = 8, SHORT_UUID = 8, SHORT_ID = 19 };

/* The columns that are the pod's, not an app's: in its first line only. */
struct head {
	char uuid[37], created[WHEN_SIZE], started[WHEN_SIZE];
	const char *state;
	char *nets; /* owned */
};

static char *nets_text(const struct pod_nets *nets)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < nets->n; i++) {
		char *longer = xasprintf("%s%s%s:ip4=%s", text, i ? ", " : "", nets->v[i].name, nets->v[i].ip);

		free(text);
		text = longer;
	}
	return text;
}

static int make_head(const struct list_opts *o, const struct known_pod *pod, time_t now, struct head *h,
	struct err *e)
{
	struct pod_nets nets = POD_NETS_INIT;
	struct pod_times times;

	if (pod_read_nets(pod, &nets, e) < 0)
		return -1;
	if (pod_read_times(pod, &times, e) < 0) {
		pod_nets_dispose(&nets);
		return -1;
	}
	(void)snprintf(h->uuid, sizeof(h->uuid), "%.*s", o->full ? 36 : SHORT_UUID, pod->dir.uuid);
	h->state = pod_life_name(pod->life);
	h->nets = nets_text(&nets);
	pod_nets_dispose(&nets);
	h->started[0] = '\0';
	if (o->full)
		when_full(&times.created, h->created);
	else
		when_ago(&times.created, now, h->created);
	if (times.started.tv_sec && o->full)
		when_full(&times.started, h->started);
	else if (times.started.tv_sec)
		when_ago(&times.started, now, h->started);
	return 0;
}

/* `h` NULL: not the pod's first line */
static void add_row(const struct list_opts *o, struct table *t, const struct head *h, const char *app,
	const char *image, const char *id)
{
	const char *cells[COLUMNS_MAX];
	size_t n = 0;

	cells[n++] = h ? h->uuid : "";
	cells[n++] = app;
	cells[n++] = image;
	if (o->full)
		cells[n++] = id;
	cells[n++] = h ? h->state : "";
	cells[n++] = h ? h->created : "";
	cells[n++] = h ? h->started : "";
	cells[n++] = h ? h->nets : "";
	table_row(t, cells);
}

static void add_app(const struct list_opts *o, struct table *t, const struct known_pod *pod,
	const struct head *h, const struct pod_app_ref *app)
{
	AUTO_FREE char *image = NULL;
	struct err why = ERR_INIT;
	char id[SHORT_ID + 1];

	(void)snprintf(id, sizeof(id), "%s", app->image_id);
	if (pod_image_name(pod->dir.fd, app->name, &image, &why) < 0)
		cmd_say("pod %s, app '%s': %s", pod->dir.uuid, app->name, why.msg);
	add_row(o, t, h, app->name, image ? image : "--", id);
}

static int add_pod(const struct list_opts *o, struct table *t, const struct known_pod *pod, time_t now,
	struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	struct head h = { .nets = NULL };

	if (pod_has_manifest(pod->life) && pod_read_meta(pod->dir.fd, &meta, e) < 0)
		return err_prefix(e, "pod %s", pod->dir.uuid);
	if (make_head(o, pod, now, &h, e) < 0) {
		pod_meta_dispose(&meta);
		return -1;
	}
	if (meta.napps == 0)
		add_row(o, t, &h, "-", "-", "-");
	for (size_t i = 0; i < meta.napps; i++)
		add_app(o, t, pod, i ? NULL : &h, &meta.apps[i]);
	free(h.nets);
	pod_meta_dispose(&meta);
	return 0;
}

/* A pod that cannot be read is said and left out, as one is that vanishes while we look. */
static void show_pod(const struct list_opts *o, const char *uuid, struct table *t, json_object *list)
{
	struct known_pod pod = KNOWN_POD_INIT;
	struct err e = ERR_INIT;
	json_object *obj;
	int ret = pods_open(o->cli.dir, uuid, &pod, &e);

	if (ret > 0 && (pod.life == LIFE_EMBRYO || pod.life == LIFE_GARBAGE || pod.life == LIFE_DELETING))
		ret = 0; /* has gone on while we looked */
	else if (ret > 0 && o->format == FORMAT_TEXT)
		ret = add_pod(o, t, &pod, time(NULL), &e);
	else if (ret > 0 && (ret = pod_json(&pod, &obj, &e)) == 0)
		(void)json_object_array_add(list, obj);
	if (ret < 0 && pod.dir.fd >= 0) {
		struct err ignored = ERR_INIT;

		if (pods_refresh(&pod, &ignored) == 0 && pod.life == LIFE_GONE)
			ret = 0;
	}
	if (ret < 0)
		cmd_say("%s", e.msg);
	known_pod_dispose(&pod);
}

static void add_legend(const struct list_opts *o, struct table *t)
{
	static const char *const full[] = { "UUID", "APP", "IMAGE NAME", "IMAGE ID", "STATE", "CREATED", "STARTED",
		"NETWORKS" };
	static const char *const brief[] = { "UUID", "APP", "IMAGE NAME", "STATE", "CREATED", "STARTED",
		"NETWORKS" };

	table_row(t, o->full ? full : brief);
}

static int list(const struct list_opts *o, struct err *e)
{
	struct table t = TABLE_INIT(o->full ? COLUMNS_MAX : COLUMNS_MAX - 1);
	struct pod_names names = { .n = 0 };
	json_object *all = json_object_new_array();

	if (pods_list(o->cli.dir, PODS_MOST, &names, e) < 0) {
		json_object_put(all);
		return -1;
	}
	if (!o->no_legend)
		add_legend(o, &t);
	for (size_t i = 0; i < names.n; i++)
		show_pod(o, names.v[i], &t, all);
	if (o->format == FORMAT_TEXT)
		table_print(&t, stdout);
	else /* Go's list of nothing */
		pod_cli_print_json(json_object_array_length(all) ? all : NULL, o->format);
	table_dispose(&t);
	json_object_put(all);
	pod_names_dispose(&names);
	return 0;
}

int cmd_list(int argc, char **argv)
{
	struct list_opts o = { .cli = POD_CLI_INIT };
	const struct cli_flag flags[] = {
		{ "full", CLI_SWITCH, &o.full, NULL, "whole UUIDs, image IDs and times" },
		{ "no-legend", CLI_SWITCH, &o.no_legend, NULL, "without the line of headings" },
		POD_CLI_FORMAT(&o.format_text),
		POD_CLI_FLAGS(&o.cli),
	};
	struct err e = ERR_INIT;
	int ret = pod_cli_read(&o.cli, "usage: stage0 list [FLAGS]\n\nLists the pods, a line for each app.\n", flags,
		COUNT(flags), argc, argv, &e);

	if (ret == 0)
		ret = pod_cli_format(o.format_text, &o.format, &e);
	if (ret == 0)
		ret = list(&o, &e);
	pod_cli_dispose(&o.cli);
	return ret < 0 ? cmd_fail(&e) : cmd_end(0);
}
