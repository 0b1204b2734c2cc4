/* One image's parts; see oci_image.h. Indexes are in oci_index.c. */
#include "stage0/oci_image.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"

static bool is_layer(const char *media)
{
	static const char *const known[] = {
		"application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip",
		"application/vnd.oci.image.layer.v1.tar+zstd",
		"application/vnd.oci.image.layer.nondistributable.v1.tar",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
		"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
		"application/vnd.docker.image.rootfs.diff.tar",
		"application/vnd.docker.image.rootfs.diff.tar.gzip",
		"application/vnd.docker.image.rootfs.diff.tar.zstd",
		"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (!strcmp(media, known[i]))
			return true;
	return false;
}

/* An array of objects or strings that is to become the layers. */
static int get_layers(const struct jnode *root, const char *key, struct oci_image *image,
	struct jnode *list_r, struct err *e)
{
	if (jnode_get(root, key, json_type_array, list_r, e) < 0)
		return -1;
	if (jnode_len(list_r) > OCI_LAYERS_MAX)
		return jnode_err(e, list_r, "more than %d layers", OCI_LAYERS_MAX);
	image->layers = xcalloc(jnode_len(list_r) + 1, sizeof(*image->layers));
	return 0;
}

static int read_layer(const struct jnode *at, struct oci_layer *layer, struct err *e)
{
	struct jnode where = { .up = at, .key = "mediaType" };
	const char *media;

	if (jnode_str(at, "mediaType", &media, e) < 0)
		return -1;
	if (!is_layer(media))
		return jnode_err(e, &where, "'%.150s' is not a layer that can be unpacked", media);
	if (oci_descriptor(at, &layer->digest, &layer->size, e) < 0)
		return -1;
	layer->file = oci_blob_name(layer->digest);
	return 0;
}

/* The configuration's bytes, which are those of `digest` unless that is NULL. */
static int read_config(const struct oci_store *store, const char *file, const char *digest, size_t max,
	struct oci_image *image, struct err *e)
{
	struct digest hash;
	struct jnode root;

	if (oci_store_text(store, file, digest, max, &image->text, &image->len, e) < 0 ||
		json_parse(image->text, image->len, "configuration", &image->config, e) < 0)
		return -1;
	root = jnode_root(image->config, "configuration");
	if (!json_object_is_type(image->config, json_type_object))
		return jnode_err(e, &root, "expected object");
	digest_init(&hash, DIGEST_SHA256);
	digest_update(&hash, image->text, image->len);
	digest_text(&hash, image->id);
	return 0;
}

/* An image of OCI: its manifest, and what that names. */
static int read_manifest(const struct oci_store *store, const struct jnode *root, size_t max,
	struct oci_image *image, struct err *e)
{
	AUTO_FREE char *digest = NULL;
	AUTO_FREE char *file = NULL;
	struct jnode config, layers, item;
	uint64_t size;

	if (jnode_get(root, "config", json_type_object, &config, e) < 0 ||
		oci_descriptor(&config, &digest, &size, e) < 0 ||
		get_layers(root, "layers", image, &layers, e) < 0)
		return -1;
	for (size_t i = 0; i < jnode_len(&layers); i++, image->n++)
		if (jnode_item(&layers, i, json_type_object, &item, e) < 0 ||
			read_layer(&item, &image->layers[i], e) < 0)
			return -1;
	file = oci_blob_name(digest);
	if (read_config(store, file, digest, max, image, e) < 0)
		return -1;
	if (image->len != size)
		return err_set(e, ERR_INPUT, "file '%s': has %zu bytes, not %" PRIu64, file, image->len, size);
	return 0;
}

static int read_oci(const struct oci_store *store, const char *tag, size_t max, struct oci_image *image,
	struct err *e)
{
	struct oci_choices list = { .n = 0 };
	const struct oci_choice *c;
	json_object *doc = NULL;
	struct jnode root;
	int ret;

	if (oci_index_read(store, max, &list, image->index, e) < 0)
		return -1;
	ret = oci_choices_pick(&list, tag, &c, e);
	if (ret == 0)
		ret = oci_blob_json(store, c->digest, c->size, max, "manifest", &doc, e);
	if (ret == 0) {
		image->ref = c->ref ? xstrdup(c->ref) : NULL;
		(void)snprintf(image->manifest, sizeof(image->manifest), "%s", c->digest);
		root = jnode_root(doc, "manifest");
		ret = read_manifest(store, &root, max, image, e);
	}
	json_object_put(doc);
	oci_choices_dispose(&list);
	return ret;
}

/*
 * Docker names a configuration by its digest: HEX.json, or blobs/sha256/HEX. Other builders may not;
 * then it has no digest to be checked against, and its own is the image's.
 */
static char *config_digest(const char *file)
{
	const char *slash = strrchr(file, '/'), *base = slash ? slash + 1 : file;
	size_t n;

	if (str_has_prefix(base, "sha256:"))
		base += strlen("sha256:");
	n = strspn(base, "0123456789abcdef");
	return n == 64 && (!base[n] || !strcmp(base + n, ".json")) ? xasprintf("sha256:%.64s", base) : NULL;
}

static int add_docker_image(const struct jnode *at, size_t i, struct oci_choices *list, struct err *e)
{
	struct jnode tags, tag;
	const char *name;
	int ret = jnode_opt(at, "RepoTags", json_type_array, &tags, e);

	if (ret < 0)
		return -1;
	if (list->n >= OCI_REFS_MAX)
		return jnode_err(e, at, "more than %d images", OCI_REFS_MAX);
	if (ret == 0 || jnode_len(&tags) == 0) {
		oci_choices_add(list, &(struct oci_choice){ .rank = 1, .at = i });
		return 0;
	}
	for (size_t t = 0; t < jnode_len(&tags); t++) {
		if (jnode_item(&tags, t, json_type_string, &tag, e) < 0 || jnode_string(&tag, &name, e) < 0)
			return -1;
		if (list->n >= OCI_REFS_MAX)
			return jnode_err(e, &tags, "more than %d images", OCI_REFS_MAX);
		oci_choices_add(list, &(struct oci_choice){ .ref = xstrdup(name), .rank = 1, .at = i });
	}
	return 0;
}

static int read_docker_parts(const struct oci_store *store, const struct jnode *at, size_t max,
	struct oci_image *image, struct err *e)
{
	AUTO_FREE char *digest = NULL;
	struct jnode layers, item;
	const char *config, *file;

	if (jnode_str(at, "Config", &config, e) < 0 || get_layers(at, "Layers", image, &layers, e) < 0)
		return -1;
	for (size_t i = 0; i < jnode_len(&layers); i++, image->n++) {
		if (jnode_item(&layers, i, json_type_string, &item, e) < 0 ||
			jnode_string(&item, &file, e) < 0)
			return -1;
		image->layers[i].file = xstrdup(file);
		image->layers[i].size = UINT64_MAX;
	}
	digest = config_digest(config);
	return read_config(store, config, digest, max, image, e);
}

static int read_docker_list(const struct oci_store *store, const struct jnode *root, const char *tag,
	size_t max, struct oci_image *image, struct err *e)
{
	struct oci_choices list = { .n = 0 };
	const struct oci_choice *c;
	struct jnode item;
	int ret = 0;

	if (!json_object_is_type(root->obj, json_type_array))
		return jnode_err(e, root, "expected array");
	for (size_t i = 0; ret == 0 && i < jnode_len(root); i++) {
		ret = jnode_item(root, i, json_type_object, &item, e);
		if (ret == 0)
			ret = add_docker_image(&item, i, &list, e);
	}
	if (ret == 0)
		ret = oci_choices_pick(&list, tag, &c, e);
	if (ret == 0)
		ret = jnode_item(root, c->at, json_type_object, &item, e);
	if (ret == 0) {
		image->ref = c->ref ? xstrdup(c->ref) : NULL;
		ret = read_docker_parts(store, &item, max, image, e);
	}
	oci_choices_dispose(&list);
	return ret;
}

static int read_docker(const struct oci_store *store, const char *tag, size_t max,
	struct oci_image *image, struct err *e)
{
	AUTO_FREE char *text = NULL;
	json_object *doc;
	struct jnode root;
	size_t len;
	int ret;

	if (oci_store_text(store, "manifest.json", NULL, max, &text, &len, e) < 0 ||
		json_parse(text, len, "manifest.json", &doc, e) < 0)
		return -1;
	root = jnode_root(doc, "manifest.json");
	ret = read_docker_list(store, &root, tag, max, image, e);
	json_object_put(doc);
	return ret;
}

static int read_diff_ids(struct oci_image *image, struct err *e)
{
	struct jnode root = jnode_root(image->config, "configuration"), rootfs, ids, item;
	enum digest_algo algo;

	if (jnode_get(&root, "rootfs", json_type_object, &rootfs, e) < 0 ||
		jnode_get(&rootfs, "diff_ids", json_type_array, &ids, e) < 0)
		return -1;
	if (jnode_len(&ids) != image->n)
		return jnode_err(e, &ids, "%zu of them, for %zu layers", jnode_len(&ids), image->n);
	for (size_t i = 0; i < image->n; i++) {
		if (jnode_item(&ids, i, json_type_string, &item, e) < 0 ||
			jnode_string(&item, &image->layers[i].diff_id, e) < 0)
			return -1;
		if (digest_parse(image->layers[i].diff_id, &algo) < 0)
			return jnode_err(e, &item, "'%.150s' is not a sha256 or sha512 digest",
				image->layers[i].diff_id);
	}
	if (image->n == 0)
		return err_set(e, ERR_INPUT, "the image has no layers: its root would be empty");
	return 0;
}

/* OCI's own way in comes first: there all that follows has a digest. Docker writes both since 25. */
static int read_any(const struct oci_store *store, const char *tag, size_t max, struct oci_image *image,
	struct err *e)
{
	int ret;

	if (oci_store_has(store, "index.json"))
		ret = read_oci(store, tag, max, image, e);
	else if (oci_store_has(store, "manifest.json"))
		ret = read_docker(store, tag, max, image, e);
	else if (oci_store_has(store, "repositories"))
		ret = err_set(e, ERR_INPUT, "saved by a docker before 1.10, which is not supported");
	else
		ret = err_set(e, ERR_INPUT, "neither 'index.json' nor 'manifest.json' in it");
	return ret < 0 ? ret : read_diff_ids(image, e);
}

int oci_image_read(const struct oci_store *store, const char *tag, size_t max,
	struct oci_image *image_r, struct err *e)
{
	struct oci_image image = OCI_IMAGE_INIT;

	if (read_any(store, tag, max, &image, e) < 0) {
		oci_image_dispose(&image);
		return -1;
	}
	*image_r = image;
	return 0;
}

void oci_image_dispose(struct oci_image *image)
{
	for (size_t i = 0; image->layers && (i < image->n || image->layers[i].digest); i++) {
		free(image->layers[i].file);
		free(image->layers[i].digest);
	}
	free(image->layers);
	free(image->ref);
	free(image->text);
	json_object_put(image->config);
	*image = (struct oci_image)OCI_IMAGE_INIT;
}
