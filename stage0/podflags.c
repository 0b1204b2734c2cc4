/*
 * Volumes and mounts from flags. Sources of facts: appc schema/types/volume.go (VolumeFromString),
 * rkt rkt/cli_apps.go (appMount), stage0/run.go (MergeMounts). See overrides.h.
 *
 * Unlike rkt's, targets of --mount are taken literally: rkt decodes %XX and '+' there, in --volume not.
 */
#include <stdio.h>
#include <string.h>

#include "stage0/overrides.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"

struct param {
	const char *key;
	const char *value; /* NULL: not given; points into the text that was cut up */
};

/* KEY=VALUE,KEY=VALUE... of known keys, each once. `text` is cut up. */
static int read_params(const char *flag, const char *whole, char *text, struct param *known, size_t n,
	struct err *e)
{
	for (char *key = strsep(&text, ","); key; key = strsep(&text, ",")) {
		char *value = strchr(key, '=');
		size_t i = 0;

		if (!value)
			return flag_err(e, flag, whole, "'%s' has no value", key);
		*value++ = '\0';
		while (i < n && strcmp(key, known[i].key) != 0)
			i++;
		if (i == n)
			return flag_err(e, flag, whole, "unknown '%s='", key);
		if (known[i].value)
			return flag_err(e, flag, whole, "'%s=' is given twice", key);
		known[i].value = value;
	}
	return 0;
}

enum { KIND, SOURCE, READ_ONLY, RECURSIVE, MODE, UID, GID, VOLUME_PARAMS };

static int add_switch(json_object *volume, const char *whole, const struct param *p, struct err *e)
{
	bool on;

	if (!p->value)
		return 0;
	if (!cli_bool(p->value, &on))
		return flag_err(e, "volume", whole, "%s '%s' is neither true nor false", p->key, p->value);
	jb_member(volume, p->key, json_object_new_boolean(on));
	return 0;
}

static int add_owner(json_object *volume, const char *whole, const struct param *p, struct err *e)
{
	const char *text = p->value ? p->value : "0";

	if (!*text || strlen(text) > 10 || text[strspn(text, "0123456789")] || strtoll(text, NULL, 10) >= UINT32_MAX)
		return flag_err(e, "volume", whole, "%s '%s' is no number of a user or group", p->key, text);
	jb_member(volume, p->key, json_object_new_int64(strtoll(text, NULL, 10)));
	return 0;
}

static int add_empty(json_object *volume, const char *whole, const struct param *p, struct err *e)
{
	const char *mode = p[MODE].value ? p[MODE].value : "0755";

	if (p[SOURCE].value && *p[SOURCE].value)
		return flag_err(e, "volume", whole, "an empty volume has no source");
	if (!*mode || strlen(mode) > 5 || mode[strspn(mode, "01234567")] || strtoul(mode, NULL, 8) > 07777)
		return flag_err(e, "volume", whole, "mode '%s' is not octal", mode);
	jb_string(volume, "mode", mode);
	return add_owner(volume, whole, &p[UID], e) < 0 ? -1 : add_owner(volume, whole, &p[GID], e);
}

static int fill_volume(json_object *volume, const char *whole, const struct param *p, struct err *e)
{
	const char *kind = p[KIND].value ? p[KIND].value : "", *source = p[SOURCE].value;
	bool host = !strcmp(kind, "host");

	if (!host && strcmp(kind, "empty") != 0)
		return flag_err(e, "volume", whole, "kind '%s' is neither host nor empty", kind);
	jb_string(volume, "kind", kind);
	if (host && (!source || *source != '/'))
		return flag_err(e, "volume", whole, "source '%s' is not an absolute path", source ? source : "");
	if (host)
		jb_string(volume, "source", source);
	if (add_switch(volume, whole, &p[READ_ONLY], e) < 0 || add_switch(volume, whole, &p[RECURSIVE], e) < 0)
		return -1;
	if (!host)
		return add_empty(volume, whole, p, e);
	for (size_t i = MODE; i <= GID; i++)
		if (p[i].value)
			return flag_err(e, "volume", whole, "a host volume has no %s", p[i].key);
	return 0;
}

static json_object *find_volume(json_object *volumes, const char *name)
{
	for (size_t i = 0; volumes && i < json_object_array_length(volumes); i++) {
		json_object *volume = json_object_array_get_idx(volumes, i);

		if (!strcmp(jb_text(volume, "name"), name))
			return volume;
	}
	return NULL;
}

static int add_volume(json_object *volumes, const char *whole, struct err *e)
{
	struct param params[VOLUME_PARAMS] = { [KIND] = { "kind", NULL }, [SOURCE] = { "source", NULL },
		[READ_ONLY] = { "readOnly", NULL }, [RECURSIVE] = { "recursive", NULL },
		[MODE] = { "mode", NULL }, [UID] = { "uid", NULL }, [GID] = { "gid", NULL } };
	AUTO_FREE char *copy = xstrdup(whole);
	char *rest = copy, *name = strsep(&rest, ",");
	json_object *volume;

	if (!acname_valid(name))
		return flag_err(e, "volume", whole, "'%s' is no name (a-z, 0-9 and single dashes)", name);
	if (find_volume(volumes, name))
		return flag_err(e, "volume", whole, "there is a volume '%s' already", name);
	if (rest && read_params("volume", whole, rest, params, COUNT(params), e) < 0)
		return -1;
	volume = json_object_new_object();
	jb_string(volume, "name", name);
	(void)json_object_array_add(volumes, volume);
	return fill_volume(volume, whole, params, e);
}

int make_volumes(const struct cli_list *flags, json_object **list_r, struct err *e)
{
	json_object *list = flags->n ? json_object_new_array() : NULL;

	for (size_t i = 0; i < flags->n; i++)
		if (add_volume(list, flags->v[i], e) < 0) {
			json_object_put(list);
			return -1;
		}
	*list_r = list;
	return 0;
}

/* Go's path.Clean: without '.', '..' and double slashes, as far as text can tell. */
static char *clean_path(const char *path)
{
	bool rooted = *path == '/';
	char *out = xcalloc(strlen(path) + 2, 1);
	size_t len = rooted, floor = rooted; /* nothing before `floor` is taken back by '..' */

	if (rooted)
		out[0] = '/';
	for (const char *p = path; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n == 2 && !strncmp(p, "..", 2) && len > floor) {
			while (len > floor && out[--len] != '/')
				;
		} else if (n == 2 && !strncmp(p, "..", 2)) {
			if (!rooted) {
				len += (size_t)sprintf(out + len, len ? "/.." : "..");
				floor = len;
			}
		} else if (n > 1 || (n == 1 && *p != '.')) {
			if (len > (size_t)rooted)
				out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n;
	}
	if (!len)
		out[len++] = '.';
	out[len] = '\0';
	return out;
}

static bool has_target(json_object *mounts, const char *clean)
{
	for (size_t i = 0; i < json_object_array_length(mounts); i++) {
		AUTO_FREE char *other = clean_path(jb_text(json_object_array_get_idx(mounts, i), "path"));

		if (!strcmp(other, clean))
			return true;
	}
	return false;
}

static int add_mount(json_object *mounts, const char *whole, json_object *volumes, struct err *e)
{
	struct param params[] = { { "volume", NULL }, { "target", NULL } };
	AUTO_FREE char *copy = xstrdup(whole);
	AUTO_FREE char *clean = NULL;
	json_object *mount;

	if (read_params("mount", whole, copy, params, COUNT(params), e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(params); i++)
		if (!params[i].value || !*params[i].value)
			return flag_err(e, "mount", whole, "no %s=", params[i].key);
	if (!find_volume(volumes, params[0].value))
		return flag_err(e, "mount", whole, "no --volume is named '%s'", params[0].value);
	clean = clean_path(params[1].value);
	if (has_target(mounts, clean))
		return 0;
	mount = json_object_new_object();
	jb_string(mount, "volume", params[0].value);
	jb_string(mount, "path", params[1].value);
	(void)json_object_array_add(mounts, mount);
	return 0;
}

int make_mounts(const struct cli_list *own, const struct cli_list *pod, json_object *volumes,
	json_object **list_r, struct err *e)
{
	json_object *list = own->n || pod->n ? json_object_new_array() : NULL;

	for (size_t i = 0; i < own->n + pod->n; i++)
		if (add_mount(list, i < own->n ? own->v[i] : pod->v[i - own->n], volumes, e) < 0) {
			json_object_put(list);
			return -1;
		}
	*list_r = list;
	return 0;
}

static int add_app_volume(json_object *mounts, const char *whole, struct err *e)
{
	struct param params[VOLUME_PARAMS + 2] = { [KIND] = { "kind", NULL }, [SOURCE] = { "source", NULL },
		[READ_ONLY] = { "readOnly", NULL }, [RECURSIVE] = { "recursive", NULL },
		[MODE] = { "mode", NULL }, [UID] = { "uid", NULL }, [GID] = { "gid", NULL },
		[VOLUME_PARAMS] = { "name", NULL }, [VOLUME_PARAMS + 1] = { "target", NULL } };
	const struct param *name = &params[VOLUME_PARAMS], *target = &params[VOLUME_PARAMS + 1];
	AUTO_FREE char *copy = xstrdup(whole);
	json_object *mount, *volume;

	if (read_params("mnt-volume", whole, copy, params, COUNT(params), e) < 0)
		return -1;
	if (!name->value || !acname_valid(name->value))
		return flag_err(e, "mnt-volume", whole, "name '%s' is no name (a-z, 0-9 and single dashes)",
			name->value ? name->value : "");
	if (!target->value || *target->value != '/')
		return flag_err(e, "mnt-volume", whole, "target '%s' is not an absolute path", target->value ? target->value : "");
	mount = json_object_new_object();
	volume = json_object_new_object();
	(void)json_object_array_add(mounts, mount);
	jb_string(mount, "volume", name->value);
	jb_string(mount, "path", target->value);
	jb_member(mount, "appVolume", volume);
	jb_string(volume, "name", name->value);
	return fill_volume(volume, whole, params, e);
}

int add_app_volumes(const struct cli_list *flags, json_object **mounts, struct err *e)
{
	if (flags->n && !*mounts)
		*mounts = json_object_new_array();
	for (size_t i = 0; i < flags->n; i++)
		if (add_app_volume(*mounts, flags->v[i], e) < 0)
			return -1;
	return 0;
}
