/* See content.h. */
#include "stage0/content.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"
#include "stage1/pod/pod.h"

#define ID_UNKNOWN "sha512-0"
enum { KEY_LEN = 7 + 64 }; /* of an id as rkt's store and manifests know it */

static int open_sources(const struct pod_opts *opts, bool kept, struct content *c, struct err *e)
{
	c->sources = xcalloc(opts->napps + 1, sizeof(*c->sources));
	for (size_t i = 0; i < opts->napps; i++) {
		if (source_open(opts->apps[i].image, kept, &c->sources[i], e) < 0)
			return -1;
		c->nsources++;
	}
	return 0;
}

static void add_app(struct content *c, const char *name, struct source *source, const char *id)
{
	c->apps = xrealloc(c->apps, c->napps + 1, sizeof(*c->apps));
	c->apps[c->napps++] = (struct content_app){ .name = xstrdup(name), .source = source, .id = id };
}

/* An app of each image. The manifest is made once to see that it can be. */
static int check_images(struct content *c, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	for (size_t i = 0; i < c->nsources; i++) {
		AUTO_FREE char *name = NULL;

		if (image_check_app(&c->sources[i].image, &c->opts->apps[i], e) < 0 ||
			app_name(&c->sources[i].image, &c->opts->apps[i], &name, e) < 0)
			return err_prefix(e, "image %s", c->sources[i].path);
		add_app(c, name, &c->sources[i], NULL);
	}
	return content_manifest(c, &text, &len, e);
}

/* By id, of which the beginning is enough as in rkt's store; without one by name. */
static int find_source(struct content *c, const char *app, const struct jnode *image, struct source **found_r,
	const char **id_r, struct err *e)
{
	const char *id = NULL, *name = NULL;

	if (jnode_opt_str(image, "id", &id, e) < 0 || jnode_opt_str(image, "name", &name, e) < 0)
		return -1;
	if ((!id || !*id) && (!name || !*name))
		return jnode_err(e, image, "neither an id nor a name");
	for (size_t i = 0; i < c->nsources; i++) {
		struct source *s = &c->sources[i];

		if (id && *id && source_identify(s, e) < 0)
			return -1;
		if (id && *id ? str_has_prefix(s->aci.id, id) && strlen(id) > strlen("sha512-") :
			!strcmp(s->image.name, name)) {
			*found_r = s;
			*id_r = id && *id ? id : NULL;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "app '%s': none of the images given has the %s '%s'", app,
		id && *id ? "id" : "name", id && *id ? id : name);
}

static int match_app(struct content *c, const struct jnode *item, const struct pod_app *app, struct err *e)
{
	/* what to run is the manifest's to say, or the image's */
	const struct app_opts says = { .exec = app->has_app ? "this" : NULL };
	struct source *source;
	struct jnode image;
	const char *id;

	if (jnode_get(item, "image", json_type_object, &image, e) < 0 ||
		find_source(c, app->name, &image, &source, &id, e) < 0)
		return -1;
	if (image_check_app(&source->image, &says, e) < 0)
		return err_prefix(e, "image %s", source->path);
	add_app(c, app->name, source, id);
	return 0;
}

static int check_all_used(const struct content *c, struct err *e)
{
	for (size_t i = 0; i < c->nsources; i++) {
		size_t k = 0;

		while (k < c->napps && c->apps[k].source != &c->sources[i])
			k++;
		if (k == c->napps)
			return err_set(e, ERR_USAGE, "image %s: no app of the manifest is of it", c->sources[i].path);
	}
	return 0;
}

static int match_apps(struct content *c, const struct pod *pod, struct err *e)
{
	struct jnode root = jnode_root(c->file_doc, "pod"), list, item;

	if (jnode_get(&root, "apps", json_type_array, &list, e) < 0)
		return -1;
	for (size_t i = 0; i < pod->napps; i++)
		if (jnode_item(&list, i, json_type_object, &item, e) < 0 ||
			match_app(c, &item, &pod->apps[i], e) < 0)
			return -1;
	return check_all_used(c, e);
}

static int read_manifest(struct content *c, const char *path, struct err *e)
{
	struct pod pod = POD_INIT;
	int ret;

	if (read_file_at(AT_FDCWD, path, POD_MANIFEST_MAX, &c->file, &c->file_len, e) < 0)
		return err_prefix(e, "--pod-manifest");
	if (json_parse(c->file, c->file_len, "pod", &c->file_doc, e) < 0 ||
		pod_parse(c->file, c->file_len, &pod, e) < 0)
		return err_prefix(e, "--pod-manifest=%s", path);
	ret = match_apps(c, &pod, e);
	if (ret == 0 && pod.napps == 0)
		ret = err_set(e, ERR_INPUT, "pod.apps: empty");
	pod_dispose(&pod);
	return ret < 0 ? err_prefix(e, "--pod-manifest=%s", path) : 0;
}

int content_open(const struct pod_opts *opts, const char *manifest, bool kept, struct content *c, struct err *e)
{
	*c = (struct content)CONTENT_INIT;
	c->opts = opts;
	if (open_sources(opts, kept, c, e) < 0)
		return -1;
	return manifest ? read_manifest(c, manifest, e) : check_images(c, e);
}

int content_manifest(const struct content *c, char **text_r, size_t *len_r, struct err *e)
{
	AUTO_FREE struct app_image *images = xcalloc(c->nsources + 1, sizeof(*images));
	AUTO_FREE char *keys = xcalloc(c->nsources + 1, KEY_LEN + 1);

	if (c->file) {
		*text_r = xcalloc(c->file_len + 1, 1);
		*len_r = c->file_len;
		(void)memcpy(*text_r, c->file, c->file_len);
		return 0;
	}
	for (size_t i = 0; i < c->nsources; i++) {
		const char *id = *c->sources[i].aci.id ? c->sources[i].aci.id : ID_UNKNOWN;
		char *key = keys + i * (KEY_LEN + 1);

		(void)snprintf(key, KEY_LEN + 1, "%.*s", KEY_LEN, id);
		images[i] = (struct app_image){ .image = &c->sources[i].image, .id = key };
	}
	if (pod_manifest(c->opts, images, text_r, e) < 0)
		return -1;
	*len_r = strlen(*text_r);
	return 0;
}

void content_dispose(struct content *c)
{
	for (size_t i = 0; i < c->nsources; i++)
		source_dispose(&c->sources[i]);
	for (size_t i = 0; i < c->napps; i++)
		free(c->apps[i].name);
	free(c->sources);
	free(c->apps);
	free(c->file);
	json_object_put(c->file_doc);
	*c = (struct content)CONTENT_INIT;
}
