/* See podjson.h. Members are in rkt's order, and left out when empty where rkt does. */
#include "stage0/podjson.h"

#include <json-c/json.h>
#include <string.h>

#include "stage0/podread.h"
#include "stage0/when.h"
#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"

static void add(json_object *obj, const char *key, json_object *value)
{
	(void)json_object_object_add(obj, key, value);
}

static void add_string(json_object *obj, const char *key, const char *value)
{
	add(obj, key, json_object_new_string(value));
}

/* What is of another type than it should be counts as absent from here on: pods are shown, not judged. */
static json_object *get(json_object *obj, const char *key, enum json_type type)
{
	struct jnode at = jnode_root(obj, ""), child;
	struct err ignored = ERR_INIT;

	return obj && jnode_opt(&at, key, type, &child, &ignored) > 0 ? child.obj : NULL;
}

static const char *get_string(json_object *obj, const char *key)
{
	json_object *s = get(obj, key, json_type_string);

	return s ? json_object_get_string(s) : "";
}

static bool get_bool(json_object *obj, const char *key)
{
	json_object *b = get(obj, key, json_type_boolean);

	return b && json_object_get_boolean(b);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Go sorts the keys of maps. */
static void add_strings(json_object *to, const char *name, json_object *from, const char *key)
{
	json_object *map = get(from, key, json_type_object), *out;
	AUTO_FREE const char **keys = NULL;
	size_t n = 0;

	if (!map || json_object_object_length(map) == 0)
		return;
	keys = xcalloc((size_t)json_object_object_length(map), sizeof(*keys));
	json_object_object_foreach(map, k, v)
	{
		if (json_object_is_type(v, json_type_string))
			keys[n++] = k;
	}
	qsort(keys, n, sizeof(*keys), by_key);
	out = json_object_new_object();
	for (size_t i = 0; i < n; i++)
		add(out, keys[i], json_object_get(json_object_object_get(map, keys[i])));
	add(to, name, out);
}

static json_object *net_json(json_object *net)
{
	static const char *const keys[] = { "netName", "netConf", "pluginPath", "ifName", "ip", "args", "mask" };
	json_object *out = json_object_new_object();

	for (size_t i = 0; i < COUNT(keys); i++)
		add_string(out, keys[i], get_string(net, keys[i]));
	return out;
}

static int add_nets(json_object *out, const struct known_pod *pod, struct err *e)
{
	struct pod_nets nets = POD_NETS_INIT;
	json_object *list;

	if (pod_read_nets(pod, &nets, e) < 0)
		return -1;
	if (nets.n) {
		list = json_object_new_array();
		for (size_t i = 0; i < nets.n; i++)
			(void)json_object_array_add(list, net_json(json_object_array_get_idx(nets.doc, i)));
		add(out, "networks", list);
	}
	pod_nets_dispose(&nets);
	return 0;
}

static json_object *find_volume(json_object *pod, const char *name)
{
	json_object *list = get(pod, "volumes", json_type_array), *found = NULL;

	for (size_t i = 0; list && i < json_object_array_length(list); i++) {
		json_object *volume = json_object_array_get_idx(list, i);

		if (json_object_is_type(volume, json_type_object) && !strcmp(get_string(volume, "name"), name))
			found = volume;
	}
	return found;
}

static json_object *mount_json(json_object *pod, json_object *mount)
{
	json_object *out = json_object_new_object(), *volume = get(mount, "appVolume", json_type_object);

	if (!volume)
		volume = find_volume(pod, get_string(mount, "volume"));
	add_string(out, "name", get_string(mount, "volume"));
	add_string(out, "container_path", get_string(mount, "path"));
	add_string(out, "host_path", get_string(volume, "source"));
	add(out, "read_only", json_object_new_boolean(get_bool(volume, "readOnly")));
	return out;
}

static void add_mounts(json_object *out, json_object *pod, json_object *app)
{
	json_object *list = get(app, "mounts", json_type_array), *mounts;

	if (!list || json_object_array_length(list) == 0)
		return;
	mounts = json_object_new_array();
	for (size_t i = 0; i < json_object_array_length(list); i++)
		(void)json_object_array_add(mounts, mount_json(pod, json_object_array_get_idx(list, i)));
	add(out, "mounts", mounts);
}

static void add_time(json_object *out, const char *key, const struct timespec *t)
{
	if (t->tv_sec)
		add(out, key, json_object_new_int64(t->tv_sec * WHEN_NS + t->tv_nsec));
}

static const char *app_state(enum pod_life life)
{
	if (life == LIFE_PREPARED)
		return "created";
	if (life == LIFE_RUNNING)
		return "running";
	return pod_after_run(life) ? "exited" : "unknown";
}

/* Of a pod whose apps live and end with it. */
static struct app_state state_in(const struct known_pod *pod, const struct pod_times *times, const char *app)
{
	struct app_state state = { .name = app_state(pod->life), .created = times->created, .started = times->started,
		.finished = times->marked };

	state.has_code = pod_exit_code(pod->dir.fd, app, &state.code);
	if (state.has_code)
		state.name = "exited";
	return state;
}

json_object *app_json(json_object *doc, const struct pod_app_ref *app, const struct app_state *state)
{
	json_object *out = json_object_new_object(), *section = get(app->obj, "app", json_type_object);

	add_string(out, "name", app->name);
	add_string(out, "state", state->name);
	add_time(out, "created_at", &state->created);
	add_time(out, "started_at", &state->started);
	add_time(out, "finished_at", &state->finished);
	if (state->has_code)
		add(out, "exit_code", json_object_new_int(state->code));
	add_string(out, "image_id", app->image_id);
	add_mounts(out, doc, app->obj);
	add_strings(out, "user_annotations", section, "userAnnotations");
	add_strings(out, "user_labels", section, "userLabels");
	return out;
}

static void add_apps(json_object *out, const struct known_pod *pod, const struct pod_times *times,
	const struct pod_meta *meta)
{
	json_object *names = json_object_new_array(), *apps = json_object_new_array();

	for (size_t i = 0; i < meta->napps; i++) {
		const struct app_state state = state_in(pod, times, meta->apps[i].name);

		(void)json_object_array_add(names, json_object_new_string(meta->apps[i].name));
		(void)json_object_array_add(apps, app_json(meta->doc, &meta->apps[i], &state));
	}
	add(out, "app_names", names);
	add(out, "apps", apps);
}

static int fill(json_object *out, const struct known_pod *pod, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	struct pod_times times;

	add_string(out, "name", pod->dir.uuid);
	add_string(out, "state", pod_life_name(pod->life));
	if (add_nets(out, pod, e) < 0 || pod_read_times(pod, &times, e) < 0)
		return -1;
	if (times.created.tv_sec <= 0)
		return err_set(e, ERR_INPUT, "pod %s: when it was created is not known", pod->dir.uuid);
	if (pod_has_manifest(pod->life)) {
		if (pod_read_meta(pod->dir.fd, &meta, e) < 0)
			return err_prefix(e, "pod %s", pod->dir.uuid);
		if (meta.napps)
			add_apps(out, pod, &times, &meta);
	}
	add(out, "created_at", json_object_new_int64(times.created.tv_sec));
	if (times.started.tv_sec)
		add(out, "started_at", json_object_new_int64(times.started.tv_sec));
	if (meta.doc) {
		add_strings(out, "user_annotations", meta.doc, "userAnnotations");
		add_strings(out, "user_labels", meta.doc, "userLabels");
	}
	pod_meta_dispose(&meta);
	return 0;
}

int pod_json(const struct known_pod *pod, json_object **obj_r, struct err *e)
{
	json_object *out = json_object_new_object();

	if (fill(out, pod, e) < 0) {
		json_object_put(out);
		return -1;
	}
	*obj_r = out;
	return 0;
}
