/* Reading image manifests; see manifest.h. */
#include <json-c/json.h>
#include <string.h>

#include "stage0/manifest.h"
#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"
#include "stage1/pod/pod.h"

static struct jnode image_root(const struct image *image)
{
	return jnode_root(image->doc, "image manifest");
}

/* appc: words of a-z and 0-9 with one of - . _ ~ / between them */
bool acidentifier_valid(const char *s)
{
	bool word = false;

	for (; *s; s++) {
		if ((*s >= 'a' && *s <= 'z') || (*s >= '0' && *s <= '9'))
			word = true;
		else if (word && strchr("-._~/", *s))
			word = false;
		else
			return false;
	}
	return word;
}

/* MAJOR.MINOR.PATCH and whatever follows */
static bool semver_valid(const char *s)
{
	for (int i = 0; i < 3; i++) {
		size_t n = strspn(s, "0123456789");

		if (n == 0 || (i < 2 && s[n] != '.'))
			return false;
		s += n + (i < 2);
	}
	return !*s || strchr("-+", *s);
}

static int check_head(const struct jnode *root, const char **name_r, struct err *e)
{
	struct jnode at = { .up = root };
	const char *kind, *version;

	if (jnode_expect(root, json_type_object, e) < 0)
		return -1;
	if (jnode_str(root, "acKind", &kind, e) < 0 || jnode_str(root, "acVersion", &version, e) < 0 ||
		jnode_str(root, "name", name_r, e) < 0)
		return -1;
	at.key = "acKind";
	if (strcmp(kind, "ImageManifest") != 0)
		return jnode_err(e, &at, "'%s' is not 'ImageManifest'", kind);
	at.key = "acVersion";
	if (!semver_valid(version))
		return jnode_err(e, &at, "'%s' is not a version", version);
	at.key = "name";
	if (!acidentifier_valid(*name_r))
		return jnode_err(e, &at, "'%s' is not a name for an image", *name_r);
	return 0;
}

int image_parse(const char *text, size_t len, struct image *image_r, struct err *e)
{
	struct image image = IMAGE_INIT;
	struct jnode root;

	if (json_parse(text, len, "image manifest", &image.doc, e) < 0)
		return -1;
	root = image_root(&image);
	if (check_head(&root, &image.name, e) < 0) {
		image_dispose(&image);
		return -1;
	}
	*image_r = image;
	return 0;
}

int image_check_whole(const struct image *image, struct err *e)
{
	static const struct { const char *key, *why; } rows[] = {
		{ "dependencies", "it is made on top of other images, which are not fetched here" },
		{ "pathWhitelist", "is not supported: more files than these would be there" },
	};
	struct jnode root = image_root(image), list;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int ret = jnode_opt(&root, rows[i].key, json_type_array, &list, e);

		if (ret < 0)
			return -1;
		if (ret > 0 && jnode_len(&list) > 0)
			return jnode_err(e, &list, "%s", rows[i].why);
	}
	return 0;
}

/* The value of the last {name, value} of that name; NULL when there is none. */
static int find_pair(const struct jnode *root, const char *key, const char *name,
	const char **value_r, struct err *e)
{
	struct jnode list, item;
	int ret = jnode_opt(root, key, json_type_array, &list, e);

	*value_r = NULL;
	for (size_t i = 0; ret > 0 && i < jnode_len(&list); i++) {
		const char *n, *v;

		if (jnode_item(&list, i, json_type_object, &item, e) < 0 ||
			jnode_str(&item, "name", &n, e) < 0 || jnode_str(&item, "value", &v, e) < 0)
			return -1;
		if (!strcmp(n, name))
			*value_r = v;
	}
	return ret < 0 ? -1 : 0;
}

static int check_label(const struct jnode *root, const char *name, const char *const *good,
	struct err *e)
{
	struct jnode labels = { .up = root, .key = "labels" };
	const char *value;

	if (find_pair(root, "labels", name, &value, e) < 0)
		return -1;
	if (!value)
		return jnode_err(e, &labels, "no label '%s'", name);
	for (; *good; good++)
		if (!strcmp(value, *good))
			return 0;
	return jnode_err(e, &labels, "%s '%s' does not run here", name, value);
}

static int check_strings(const struct jnode *at, const char *key, struct err *e)
{
	struct jnode list, item;
	int ret = jnode_opt(at, key, json_type_array, &list, e);
	const char *s;

	for (size_t i = 0; ret > 0 && i < jnode_len(&list); i++)
		if (jnode_item(&list, i, json_type_string, &item, e) < 0 ||
			jnode_string(&item, &s, e) < 0)
			return -1;
	return ret < 0 ? -1 : 0;
}

static int check_section(const struct jnode *app, struct err *e)
{
	struct jnode at = { .up = app };
	const char *user, *group, *cwd = NULL, *none;

	if (jnode_str(app, "user", &user, e) < 0 || jnode_str(app, "group", &group, e) < 0 ||
		jnode_opt_str(app, "workingDirectory", &cwd, e) < 0 || check_strings(app, "exec", e) < 0 ||
		find_pair(app, "environment", "", &none, e) < 0)
		return -1;
	at.key = *user ? "group" : "user";
	if (!*user || !*group)
		return jnode_err(e, &at, "empty");
	at.key = "workingDirectory";
	if (cwd && *cwd && *cwd != '/')
		return jnode_err(e, &at, "'%s' is not an absolute path", cwd);
	return 0;
}

int image_check_app(const struct image *image, const struct app_opts *opts, struct err *e)
{
	static const char *const os[] = { "linux", NULL };
	static const char *const arch[] = { "amd64", "i386", NULL };
	struct jnode root = image_root(image), app, list;
	int ret;

	if (check_label(&root, "os", os, e) < 0 || check_label(&root, "arch", arch, e) < 0)
		return -1;
	ret = jnode_opt(&root, "annotations", json_type_array, &list, e);
	if (ret >= 0)
		ret = jnode_opt(&root, "app", json_type_object, &app, e);
	if (ret < 0)
		return -1;
	if (ret == 0 && !(opts->exec && *opts->exec))
		return err_set(e, ERR_INPUT, "image manifest.app: missing, and no --exec=PROGRAM given");
	return ret > 0 ? check_section(&app, e) : 0;
}

static const char *lookup(const struct image *image, const char *list, const char *name)
{
	struct jnode root = image_root(image);
	struct err ignored = ERR_INIT;
	const char *value;

	return find_pair(&root, list, name, &value, &ignored) < 0 ? NULL : value;
}

const char *image_annotation(const struct image *image, const char *name)
{
	return lookup(image, "annotations", name);
}

const char *image_label(const struct image *image, const char *name)
{
	return lookup(image, "labels", name);
}

void image_dispose(struct image *image)
{
	json_object_put(image->doc);
	*image = (struct image)IMAGE_INIT;
}

/*
 * As rkt: other characters (upper case cannot be) become dashes, none at the ends; runs of dashes,
 * where rkt gives up, become one.
 */
int app_name(const struct image *image, const struct app_opts *opts, char **name_r, struct err *e)
{
	const char *slash = strrchr(image->name, '/');
	AUTO_FREE char *name = xstrdup(opts->name ? opts->name : slash ? slash + 1 : image->name);
	size_t len = 0;

	for (const char *p = name; !opts->name && *p; p++) {
		bool word = (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9');

		if (word)
			name[len++] = *p;
		else if (len && name[len - 1] != '-')
			name[len++] = '-';
	}
	if (!opts->name) {
		while (len && name[len - 1] == '-')
			len--;
		name[len] = '\0';
	}
	if (!acname_valid(name))
		return err_set(e, ERR_USAGE, "'%s' is not an app name (a-z, 0-9 and single dashes): "
			"use --name=NAME", name);
	*name_r = STEAL(name);
	return 0;
}
