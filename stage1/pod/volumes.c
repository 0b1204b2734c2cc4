/* Volumes, what an app mounts of them, and where its image wants something mounted. See pod.h. */
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/read.h"

static int read_tristate(const struct jnode *at, const char *key, enum pod_tristate *t_r, struct err *e)
{
	struct jnode child;
	int ret = jnode_opt(at, key, json_type_boolean, &child, e);

	if (ret > 0)
		*t_r = json_object_get_boolean(child.obj) ? POD_TRUE : POD_FALSE;
	return ret < 0 ? -1 : 0;
}

/* appc schema/types/volume.go: the mode is text, octal as a rule */
static int read_mode(const struct jnode *at, uint32_t *mode_r, struct err *e)
{
	struct jnode where = { .up = at, .key = "mode" };
	const char *text = NULL;

	if (jnode_opt_str(at, "mode", &text, e) < 0)
		return -1;
	if (!text)
		return 0;
	if (!*text || strlen(text) > 5 || text[strspn(text, "01234567")] || strtoul(text, NULL, 8) > 07777)
		return jnode_err(e, &where, "'%s' is not an octal mode", text);
	*mode_r = (uint32_t)strtoul(text, NULL, 8);
	return 0;
}

static int check_volume(const struct jnode *at, const struct pod_volume *v, const char *kind, struct err *e)
{
	if (!acname_valid(v->name))
		return jnode_err(e, at, "'%s' is not a volume name (a-z, 0-9 and single dashes)", v->name);
	if (strcmp(kind, "host") != 0 && strcmp(kind, "empty") != 0)
		return jnode_err(e, at, "volume '%s': kind '%s' is neither host nor empty", v->name, kind);
	if (v->kind == POD_VOLUME_HOST && (!v->source || *v->source != '/'))
		return jnode_err(e, at, "volume '%s': source '%s' is not an absolute path", v->name,
			v->source ? v->source : "");
	return 0;
}

static int read_volume(const struct jnode *at, struct pod_volume *v, struct err *e)
{
	const char *kind;

	*v = (struct pod_volume){ .read_only = POD_UNSET, .recursive = true, .mode = 0755 };
	v->name = xstrdup("");
	if (read_string(at, "name", &v->name, e) < 0 || jnode_str(at, "kind", &kind, e) < 0 ||
		read_string(at, "source", &v->source, e) < 0 ||
		read_tristate(at, "readOnly", &v->read_only, e) < 0 ||
		jnode_opt_bool(at, "recursive", &v->recursive, e) < 0 || read_mode(at, &v->mode, e) < 0 ||
		read_number(at, "uid", UINT32_MAX - 1, &v->uid, e) < 0 ||
		read_number(at, "gid", UINT32_MAX - 1, &v->gid, e) < 0)
		return -1;
	v->kind = strcmp(kind, "host") == 0 ? POD_VOLUME_HOST : POD_VOLUME_EMPTY;
	return check_volume(at, v, kind, e);
}

int read_volumes(const struct jnode *root, struct pod *pod, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(root, "volumes", &list, e);

	if (ret <= 0)
		return ret;
	if (jnode_len(&list) > POD_VOLUMES_MAX)
		return jnode_err(e, &list, "more than %d volumes", POD_VOLUMES_MAX);
	pod->volumes = xcalloc(jnode_len(&list), sizeof(*pod->volumes));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		if (jnode_item(&list, i, json_type_object, &item, e) < 0)
			return -1;
		pod->nvolumes++;
		if (read_volume(&item, &pod->volumes[i], e) < 0)
			return -1;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(pod->volumes[k].name, pod->volumes[i].name))
				return jnode_err(e, &item, "a second volume '%s'", pod->volumes[i].name);
	}
	return 0;
}

static int read_mount(const struct jnode *at, struct pod_mount *m, struct err *e)
{
	struct jnode volume;
	int ret;

	m->volume = xstrdup("");
	m->path = xstrdup("");
	if (read_string(at, "volume", &m->volume, e) < 0 || read_string(at, "path", &m->path, e) < 0)
		return -1;
	ret = jnode_opt(at, "appVolume", json_type_object, &volume, e);
	if (ret <= 0)
		return ret;
	m->app_volume = xcalloc(1, sizeof(*m->app_volume));
	return read_volume(&volume, m->app_volume, e);
}

int read_mounts(const struct jnode *at, struct pod_app *app, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(at, "mounts", &list, e);

	if (ret <= 0)
		return ret;
	app->mounts = xcalloc(jnode_len(&list), sizeof(*app->mounts));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		if (jnode_item(&list, i, json_type_object, &item, e) < 0)
			return -1;
		app->nmounts++;
		if (read_mount(&item, &app->mounts[i], e) < 0)
			return -1;
	}
	return 0;
}

int read_mount_points(const struct jnode *at, struct pod_app *app, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(at, "mountPoints", &list, e);

	if (ret <= 0)
		return ret;
	app->mount_points = xcalloc(jnode_len(&list), sizeof(*app->mount_points));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		struct pod_mount_point *p = &app->mount_points[i];
		const char *name = "", *path;

		if (jnode_item(&list, i, json_type_object, &item, e) < 0 ||
			jnode_opt_str(&item, "name", &name, e) < 0 || jnode_str(&item, "path", &path, e) < 0)
			return -1;
		app->nmount_points++;
		p->name = xstrdup(name);
		p->path = xstrdup(path);
		if (jnode_opt_bool(&item, "readOnly", &p->read_only, e) < 0)
			return -1;
		if (!acname_valid(name))
			return jnode_err(e, &item, "'%s' is not a mount point's name (a-z, 0-9 and single dashes)",
				name);
	}
	return 0;
}

static void free_volume(struct pod_volume *v)
{
	free(v->name);
	free(v->source);
}

void free_volumes(struct pod *pod)
{
	for (size_t i = 0; i < pod->nvolumes; i++)
		free_volume(&pod->volumes[i]);
	free(pod->volumes);
}

void free_mounts(struct pod_app *app)
{
	for (size_t i = 0; i < app->nmounts; i++) {
		free(app->mounts[i].volume);
		free(app->mounts[i].path);
		if (app->mounts[i].app_volume)
			free_volume(app->mounts[i].app_volume);
		free(app->mounts[i].app_volume);
	}
	free(app->mounts);
	for (size_t i = 0; i < app->nmount_points; i++) {
		free(app->mount_points[i].name);
		free(app->mount_points[i].path);
	}
	free(app->mount_points);
}
