/* stage0 stats: ours; what running pods use of the host, a line a pod, or the same as JSON. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "stage0/jbuild.h"
#include "stage0/machine.h"
#include "stage0/podcli.h"
#include "stage0/pods.h"
#include "stage0/table.h"
#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"

static const char usage[] =
	"usage: stage0 stats [FLAGS] [UUID...]\n\n"
	"Says what running pods have used since they started, all of them or those named: processor time,\n"
	"memory, network, and files with what the process that serves them takes itself.\n";

enum { COLUMNS = 11, SHORT_UUID = 8, CELL_SIZE = 32 };

struct stats_opts {
	struct pod_cli cli;
	bool no_legend, full, json;
	const char *format_text;
	enum pod_format format;
	struct table table;
	json_object *list;
};

/* What the table shows of stage1's answer. */
struct numbers {
	const char *state; /* borrowed from the answer */
	int64_t vcpus, cpu_ns, memory, received, sent, read, written, files_ns, files_memory;
};

static int get_number(const struct jnode *at, const char *key, int64_t *n_r, struct err *e)
{
	struct jnode child;

	return jnode_get(at, key, json_type_int, &child, e) < 0 ? -1 : jnode_int(&child, 0, INT64_MAX, n_r, e);
}

static int add_networks(const struct jnode *root, struct numbers *n, struct err *e)
{
	struct jnode list, item;

	if (jnode_get(root, "networks", json_type_array, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < jnode_len(&list); i++) {
		int64_t received, sent;

		if (jnode_item(&list, i, json_type_object, &item, e) < 0 ||
			get_number(&item, "received_bytes", &received, e) < 0 ||
			get_number(&item, "sent_bytes", &sent, e) < 0)
			return -1;
		n->received += received;
		n->sent += sent;
	}
	return 0;
}

static int read_numbers(const struct jnode *root, struct numbers *n, struct err *e)
{
	struct jnode cpu, vcpus, memory, files;

	if (jnode_expect(root, json_type_object, e) < 0 || jnode_str(root, "state", &n->state, e) < 0 ||
		jnode_get(root, "cpu", json_type_object, &cpu, e) < 0 ||
		get_number(&cpu, "total_ns", &n->cpu_ns, e) < 0 ||
		jnode_get(&cpu, "vcpus_ns", json_type_array, &vcpus, e) < 0 ||
		jnode_get(root, "memory", json_type_object, &memory, e) < 0 ||
		get_number(&memory, "bytes", &n->memory, e) < 0 ||
		jnode_get(root, "files", json_type_object, &files, e) < 0 ||
		get_number(&files, "cpu_ns", &n->files_ns, e) < 0 ||
		get_number(&files, "memory_bytes", &n->files_memory, e) < 0 ||
		get_number(&files, "read_bytes", &n->read, e) < 0 ||
		get_number(&files, "written_bytes", &n->written, e) < 0)
		return -1;
	n->vcpus = (int64_t)jnode_len(&vcpus);
	return add_networks(root, n, e);
}

static void seconds(int64_t ns, char text[static CELL_SIZE])
{
	(void)snprintf(text, CELL_SIZE, "%.3fs", (double)ns / 1e9);
}

/* 1536 is "1.5KiB" */
static void size(int64_t bytes, char text[static CELL_SIZE])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB" };
	double n = (double)bytes;
	size_t unit = 0;

	for (; n >= 1024 && unit + 1 < COUNT(units); unit++)
		n /= 1024;
	(void)snprintf(text, CELL_SIZE, unit ? "%.1f%s" : "%.0f%s", n, units[unit]);
}

static void add_row(struct stats_opts *o, const char *uuid, const struct numbers *n)
{
	char text[COLUMNS][CELL_SIZE];
	const char *cells[COLUMNS];
	AUTO_FREE char *name = xasprintf("%.*s", o->full ? 36 : SHORT_UUID, uuid);

	(void)snprintf(text[2], CELL_SIZE, "%" PRId64, n->vcpus);
	seconds(n->cpu_ns, text[3]);
	size(n->memory, text[4]);
	size(n->received, text[5]);
	size(n->sent, text[6]);
	size(n->read, text[7]);
	size(n->written, text[8]);
	seconds(n->files_ns, text[9]);
	size(n->files_memory, text[10]);
	cells[0] = name;
	cells[1] = n->state;
	for (size_t i = 2; i < COLUMNS; i++)
		cells[i] = text[i];
	table_row(&o->table, cells);
}

/* The answer, with the pod's name first. */
static json_object *named(json_object *answer, const char *uuid)
{
	json_object *obj = json_object_new_object();

	jb_string(obj, "uuid", uuid);
	json_object_object_foreach(answer, key, value)
		jb_member(obj, key, json_object_get(value));
	return obj;
}

/* 0 when there is nothing to be measured: the pod has no domain. */
static int measure(struct stats_opts *o, const struct known_pod *pod, struct err *e)
{
	AUTO_FREE char *said = NULL;
	struct numbers n = { .state = "" };
	json_object *answer;
	struct jnode root;
	int ret;

	if (machine_call(pod, "stats", &said, e) < 0)
		return -1;
	if (!*said)
		return 0;
	if (json_parse(said, strlen(said), "stats", &answer, e) < 0)
		return -1;
	root = jnode_root(answer, "stats");
	ret = read_numbers(&root, &n, e);
	if (ret == 0 && o->format == FORMAT_TEXT)
		add_row(o, pod->dir.uuid, &n);
	else if (ret == 0)
		(void)json_object_array_add(o->list, named(answer, pod->dir.uuid));
	json_object_put(answer);
	return ret < 0 ? -1 : 1;
}

static int measure_running(struct stats_opts *o, struct known_pod *pod, bool all, struct err *e)
{
	struct err ignored = ERR_INIT;
	int ret = measure(o, pod, e);

	if (ret > 0 || (all && (ret == 0 || (pods_refresh(pod, &ignored) == 0 && pod->life != LIFE_RUNNING))))
		return 0;
	if (ret == 0)
		(void)err_set(e, ERR_HOST, "it has no domain: it is starting or ending");
	return err_prefix(e, "pod %s", pod->dir.uuid);
}

/* Of all pods, those that do not run are left out, also those that begin or end while we look. */
static int stats_of(struct stats_opts *o, const char *uuid, bool all, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	int ret = all ? pods_open(o->cli.dir, uuid, &pod, e) : pods_find(o->cli.dir, uuid, &pod, e);

	if (ret < 0 || (all && (ret == 0 || pod.life != LIFE_RUNNING))) {
		known_pod_dispose(&pod);
		return ret < 0 ? -1 : 0;
	}
	if (pod.life != LIFE_RUNNING)
		ret = err_set(e, ERR_HOST, "pod \"%s\" is not running", pod.dir.uuid);
	else
		ret = measure_running(o, &pod, all, e);
	known_pod_dispose(&pod);
	return ret;
}

static void print(const struct stats_opts *o)
{
	if (o->format == FORMAT_TEXT)
		table_print(&o->table, stdout);
	else /* Go's list of nothing, as list has it */
		pod_cli_print_json(json_object_array_length(o->list) ? o->list : NULL, o->format);
}

static int stats(struct stats_opts *o, struct err *e)
{
	static const char *const legend[] = { "UUID", "STATE", "VCPUS", "CPU", "MEMORY", "NET IN", "NET OUT",
		"9P READ", "9P WRITTEN", "9P CPU", "9P MEMORY" };
	struct pod_names names = { .n = 0 };
	struct cli_list uuids = o->cli.rest.words;
	bool all = uuids.n == 0;
	int status = 0;

	if (all && pods_list(o->cli.dir, 1 << PODS_RUN, &names, e) < 0)
		return -1;
	if (!o->no_legend)
		table_row(&o->table, legend);
	for (size_t i = 0; i < (all ? names.n : uuids.n); i++) {
		struct err why = ERR_INIT;

		if (stats_of(o, all ? names.v[i] : uuids.v[i], all, &why) < 0)
			status = cmd_fail(&why);
	}
	pod_names_dispose(&names);
	print(o);
	return status;
}

int cmd_stats(int argc, char **argv)
{
	struct stats_opts o = { .cli = POD_CLI_INIT, .table = TABLE_INIT(COLUMNS) };
	const struct cli_flag flags[] = {
		{ "full", CLI_SWITCH, &o.full, NULL, "whole UUIDs" },
		{ "no-legend", CLI_SWITCH, &o.no_legend, NULL, "without the line of headings" },
		{ "json", CLI_SWITCH, &o.json, NULL, "as --format=json" },
		POD_CLI_FORMAT(&o.format_text),
		POD_CLI_FLAGS(&o.cli),
	};
	struct err e = ERR_INIT;
	int ret = pod_cli_read(&o.cli, usage, flags, COUNT(flags), argc, argv, &e), status = 0;

	if (ret == 0 && o.json && !o.format_text)
		o.format_text = "json";
	if (ret == 0)
		ret = pod_cli_format(o.format_text, &o.format, &e);
	if (ret == 0) {
		o.list = json_object_new_array();
		status = ret = stats(&o, &e);
		json_object_put(o.list);
	}
	table_dispose(&o.table);
	pod_cli_dispose(&o.cli);
	return ret < 0 ? cmd_fail(&e) : cmd_end(status > 0 ? status : 0);
}
