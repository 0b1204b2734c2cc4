/* See oci_convert.h. */
#include "stage0/oci_convert.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"

enum { ENVIRONMENT_MAX = 10000, VOLUMES_MAX = 1000 };

struct reference {
	char *registry, *repository, *tag; /* the first is NULL when only a file name is known */
};

static void reference_dispose(struct reference *r)
{
	free(r->registry);
	free(r->repository);
	free(r->tag);
}

/* docker's full form of "foo", "foo:tag", "host:5000/foo/bar", "docker.io/foo" */
static void split_reference(const char *text, struct reference *r_r)
{
	const char *colon = strrchr(text, ':'), *slash, *at = strchr(text, '@');
	size_t len = at ? (size_t)(at - text) : strlen(text);
	AUTO_FREE char *name = NULL;
	size_t host;

	if (!at && colon && !strchr(colon, '/'))
		len = (size_t)(colon - text);
	else
		colon = NULL;
	name = xstrndup(text, len);
	r_r->tag = xstrdup(colon ? colon + 1 : at ? "" : "latest");
	slash = strchr(name, '/');
	host = slash ? (size_t)(slash - name) : 0;
	if (!slash || (strcspn(name, ".:") >= host && !(host == 9 && !strncmp(name, "localhost", host)))) {
		r_r->registry = xstrdup("registry-1.docker.io");
		r_r->repository = xasprintf("%s%s", slash ? "" : "library/", name);
	} else if (!strncmp(name, "docker.io/", 10) || !strncmp(name, "index.docker.io/", 16)) {
		r_r->registry = xstrdup("registry-1.docker.io");
		r_r->repository = xasprintf("%s%s", strchr(slash + 1, '/') ? "" : "library/", slash + 1);
	} else {
		r_r->registry = xstrndup(name, host);
		r_r->repository = xstrdup(slash + 1);
	}
}

/* What is only a tag, as umoci's are, names no image: the file does. */
static void find_reference(const struct oci_image *image, const char *file, struct reference *r_r)
{
	if (image->ref && strpbrk(image->ref, "/:")) {
		split_reference(image->ref, r_r);
		return;
	}
	r_r->repository = xstrndup(file, strcspn(file, "."));
	r_r->tag = xstrdup(image->ref ? image->ref : "latest");
}

/*
 * Other characters become `sub`, of which no two '-' follow one another; what is in `edges` cannot begin or
 * end it. NULL: nothing is left.
 */
static char *sanitize(const char *text, const char *good, char sub, const char *edges)
{
	AUTO_FREE char *out = xcalloc(strlen(text) + 1, 1);
	size_t len = 0, lead;

	for (; *text; text++) {
		char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
		bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

		if (((unsigned char)c & 0xc0) == 0x80)
			continue; /* one for each character of UTF-8, not for each of its bytes */
		if (!word && !strchr(good, c))
			c = sub;
		if (c != '-' || sub != '-' || !len || out[len - 1] != '-')
			out[len++] = c;
	}
	while (len && strchr(edges, out[len - 1]))
		out[--len] = '\0';
	lead = strspn(out, edges);
	return out[lead] ? xstrdup(out + lead) : NULL;
}

static char *image_name(const struct reference *r)
{
	AUTO_FREE char *full = xasprintf("%s/%s", r->registry ? r->registry : "", r->repository);
	AUTO_FREE char *name = sanitize(full, "-._~/", '_', "-._~/");
	size_t len = 0;

	/* an appc name has one of these at a time, which docker2aci does not see to: "foo__bar" */
	for (const char *p = name; p && *p; p++) {
		size_t n = strspn(p, "-._~/");

		name[len++] = n && memchr(p, '/', n) ? '/' : *p;
		p += n ? n - 1 : 0;
	}
	if (name)
		name[len] = '\0';
	return STEAL(name);
}

static void put(json_object *obj, const char *key, const char *value)
{
	(void)json_object_object_add(obj, key, json_object_new_string(value));
}

/* As docker2aci: what is empty is not set. */
static void add_pair(json_object *list, const char *name, const char *value)
{
	json_object *pair;

	if (!value || !*value)
		return;
	pair = json_object_new_object();
	put(pair, "name", name);
	put(pair, "value", value);
	(void)json_object_array_add(list, pair);
}

static json_object *add_list(json_object *obj, const char *key)
{
	json_object *list = json_object_new_array();

	(void)json_object_object_add(obj, key, list);
	return list;
}

/* The strings of a list go behind those of `exec`; *text_r is the list as JSON, or NULL when empty. */
static int add_words(const struct jnode *config, const char *key, json_object *exec, char **text_r,
	struct err *e)
{
	struct jnode list, item;
	const char *s;
	int ret = jnode_opt(config, key, json_type_array, &list, e);

	for (size_t i = 0; ret > 0 && i < jnode_len(&list); i++) {
		if (jnode_item(&list, i, json_type_string, &item, e) < 0 || jnode_string(&item, &s, e) < 0)
			return -1;
		(void)json_object_array_add(exec, json_object_new_string(s));
	}
	if (ret > 0 && jnode_len(&list) > 0)
		*text_r = xstrdup(json_object_to_json_string_ext(list.obj,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	return ret < 0 ? -1 : 0;
}

static int add_exec(const struct jnode *config, json_object *app, json_object *notes, struct err *e)
{
	json_object *exec = add_list(app, "exec");
	AUTO_FREE char *entrypoint = NULL;
	AUTO_FREE char *cmd = NULL;

	if (add_words(config, "Entrypoint", exec, &entrypoint, e) < 0 ||
		add_words(config, "Cmd", exec, &cmd, e) < 0)
		return -1;
	add_pair(notes, "appc.io/docker/entrypoint", entrypoint);
	add_pair(notes, "appc.io/docker/cmd", cmd);
	return 0;
}

/* Nothing is root's; of a user alone the group is of the same name, which stage1 knows how to read. */
static int add_user(const struct jnode *config, json_object *app, struct err *e)
{
	struct jnode where = { .up = config, .key = "User" };
	const char *text = "";
	AUTO_FREE char *user = NULL;
	const char *colon;

	if (jnode_opt_str(config, "User", &text, e) < 0)
		return -1;
	colon = strchr(text, ':');
	user = xstrndup(text, colon ? (size_t)(colon - text) : strlen(text));
	if (*text && (!*user || (colon && (!colon[1] || strchr(colon + 1, ':')))))
		return jnode_err(e, &where, "'%.100s' is neither USER nor USER:GROUP", text);
	put(app, "user", *text ? user : "0");
	put(app, "group", !*text ? "0" : colon ? colon + 1 : user);
	return 0;
}

/* Of a variable set twice the later counts, where the first stands; what has no '=' is left out. */
static int add_environment(const struct jnode *config, json_object *app, struct err *e)
{
	json_object *env = add_list(app, "environment");
	struct jnode list, item;
	const char *s;
	int ret = jnode_opt(config, "Env", json_type_array, &list, e);

	if (ret > 0 && jnode_len(&list) > ENVIRONMENT_MAX)
		return jnode_err(e, &list, "more than %d", ENVIRONMENT_MAX);
	for (size_t i = 0; ret > 0 && i < jnode_len(&list); i++) {
		json_object *pair = NULL;
		AUTO_FREE char *name = NULL;

		if (jnode_item(&list, i, json_type_string, &item, e) < 0 || jnode_string(&item, &s, e) < 0)
			return -1;
		if (!strchr(s, '=') || *s == '=')
			continue;
		name = xstrndup(s, strcspn(s, "="));
		for (size_t k = 0; k < json_object_array_length(env) && !pair; k++) {
			pair = json_object_array_get_idx(env, k);
			if (strcmp(json_object_get_string(json_object_object_get(pair, "name")), name) != 0)
				pair = NULL;
		}
		if (!pair) {
			pair = json_object_new_object();
			put(pair, "name", name);
			(void)json_object_array_add(env, pair);
		}
		put(pair, "value", strchr(s, '=') + 1);
	}
	return ret < 0 ? -1 : 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of an object, sorted. *keys_r is the caller's, its strings are borrowed. */
static int sorted_keys(const struct jnode *config, const char *key, const char ***keys_r, size_t *n_r,
	struct err *e)
{
	struct jnode set;
	const char **keys;
	size_t n = 0;
	int ret = jnode_opt(config, key, json_type_object, &set, e);

	*keys_r = NULL;
	*n_r = 0;
	if (ret <= 0)
		return ret;
	keys = xcalloc((size_t)json_object_object_length(set.obj) + 1, sizeof(*keys));
	json_object_object_foreach(set.obj, name, value) {
		(void)value;
		keys[n++] = name;
	}
	qsort(keys, n, sizeof(*keys), by_text);
	*keys_r = keys;
	*n_r = n;
	return 0;
}

static int add_ports(const struct jnode *config, json_object *app, struct err *e)
{
	struct jnode where = { .up = config, .key = "ExposedPorts" };
	json_object *list = add_list(app, "ports");
	AUTO_FREE const char **keys = NULL;
	size_t n;

	if (sorted_keys(config, "ExposedPorts", &keys, &n, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		size_t digits = strspn(keys[i], "0123456789");
		const char *proto = keys[i][digits] == '/' ? keys[i] + digits + 1 : "tcp";
		unsigned long port = digits && digits < 6 ? strtoul(keys[i], NULL, 10) : 0;
		AUTO_FREE char *name = sanitize(keys[i], "-", '-', "-");
		json_object *obj;

		if (port < 1 || port > 65535 || (keys[i][digits] && keys[i][digits] != '/') || !*proto ||
			strchr(proto, '/'))
			return jnode_err(e, &where, "'%.100s' is not a port", keys[i]);
		obj = json_object_new_object();
		put(obj, "name", name);
		put(obj, "protocol", proto);
		(void)json_object_object_add(obj, "port", json_object_new_int((int)port));
		(void)json_object_array_add(list, obj);
	}
	return 0;
}

static bool has_name(json_object *list, const char *name)
{
	for (size_t i = 0; i < json_object_array_length(list); i++)
		if (!strcmp(json_object_get_string(json_object_object_get(
			json_object_array_get_idx(list, i), "name")), name))
			return true;
	return false;
}

/* "/var/log" is the mount point volume-var-log; the next one of that name is volume-var-log-1 */
static int add_volumes(const struct jnode *config, json_object *app, struct err *e)
{
	json_object *list = add_list(app, "mountPoints");
	AUTO_FREE const char **keys = NULL;
	size_t n;

	if (sorted_keys(config, "Volumes", &keys, &n, e) < 0)
		return -1;
	if (n > VOLUMES_MAX)
		return err_set(e, ERR_INPUT, "configuration.config.Volumes: more than %d", VOLUMES_MAX);
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *path = xasprintf("volume/%s", keys[i] + strspn(keys[i], "/"));
		AUTO_FREE char *base = sanitize(path, "-", '-', "-");
		AUTO_FREE char *name = xstrdup(base);
		json_object *obj = json_object_new_object();

		for (unsigned k = 1; has_name(list, name); k++) {
			free(name);
			name = xasprintf("%s-%u", base, k);
		}
		put(obj, "name", name);
		put(obj, "path", keys[i]);
		(void)json_object_array_add(list, obj);
	}
	return 0;
}

static int add_app(const struct jnode *config, json_object *doc, json_object *notes, struct err *e)
{
	json_object *app = json_object_new_object();
	const char *dir = "";

	(void)json_object_object_add(doc, "app", app);
	if (add_exec(config, app, notes, e) < 0 || add_user(config, app, e) < 0 ||
		jnode_opt_str(config, "WorkingDir", &dir, e) < 0 || add_environment(config, app, e) < 0 ||
		add_volumes(config, app, e) < 0 || add_ports(config, app, e) < 0)
		return -1;
	if (*dir)
		put(app, "workingDirectory", dir);
	return 0;
}

static const char *appc_arch(const char *arch)
{
	static const struct { const char *go, *appc; } names[] = { { "386", "i386" },
		{ "arm64", "aarch64" }, { "", "amd64" } };

	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcmp(arch, names[i].go))
			return names[i].appc;
	return arch;
}

/* In the order of docker2aci. */
static int add_notes(const struct jnode *root, const struct oci_image *image, const struct reference *ref,
	json_object *notes, struct err *e)
{
	const char *author = "", *created = "";

	if (jnode_opt_str(root, "author", &author, e) < 0 || jnode_opt_str(root, "created", &created, e) < 0)
		return -1;
	add_pair(notes, "author", author);
	add_pair(notes, "created", created);
	add_pair(notes, "appc.io/docker/originalname", image->ref);
	add_pair(notes, "appc.io/docker/registryurl", ref->registry);
	add_pair(notes, "appc.io/docker/repository", ref->repository);
	add_pair(notes, "appc.io/docker/tag", ref->tag);
	add_pair(notes, "appc.io/docker/imageid", image->id);
	add_pair(notes, "appc.io/docker/manifesthash", image->manifest);
	return 0;
}

static int fill(json_object *doc, const struct oci_image *image, const struct reference *ref, struct err *e)
{
	struct jnode root = jnode_root(image->config, "configuration"), config;
	AUTO_FREE char *name = image_name(ref);
	const char *os = "linux", *arch = "amd64";
	json_object *labels, *notes;
	int ret;

	if (!name)
		return err_set(e, ERR_INPUT, "'%.100s' has no letter or digit to name the image by",
			ref->repository);
	if (jnode_opt_str(&root, "os", &os, e) < 0 || jnode_opt_str(&root, "architecture", &arch, e) < 0)
		return -1;
	put(doc, "acKind", "ImageManifest");
	put(doc, "acVersion", "0.8.11");
	put(doc, "name", name);
	labels = add_list(doc, "labels");
	add_pair(labels, "arch", appc_arch(arch));
	add_pair(labels, "os", *os ? os : "linux");
	add_pair(labels, "version", ref->tag);
	notes = json_object_new_array();
	ret = add_notes(&root, image, ref, notes, e);
	if (ret == 0)
		ret = jnode_opt(&root, "config", json_type_object, &config, e);
	if (ret > 0)
		ret = add_app(&config, doc, notes, e);
	(void)json_object_object_add(doc, "annotations", notes);
	return ret < 0 ? -1 : 0;
}

int oci_convert(const struct oci_image *image, const char *file, char **text_r, struct err *e)
{
	struct reference ref = { .tag = NULL };
	json_object *doc = json_object_new_object();
	int ret;

	find_reference(image, file, &ref);
	ret = fill(doc, image, &ref, e);
	if (ret == 0)
		*text_r = xstrdup(json_object_to_json_string_ext(doc,
			JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
	reference_dispose(&ref);
	return ret;
}
