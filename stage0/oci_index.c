/* Indexes, and which of their images is meant; see oci_image.h. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "stage0/oci_image.h"
#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"

void oci_choices_add(struct oci_choices *list, const struct oci_choice *c)
{
	list->v = xrealloc(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = *c;
}

void oci_choices_dispose(struct oci_choices *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->v[i].ref);
		free(list->v[i].other);
		free(list->v[i].digest);
	}
	free(list->v);
	*list = (struct oci_choices){ .n = 0 };
}

/* "v1" of "docker.io/foo/bar:v1"; all of what is only a tag */
static const char *tag_of(const char *ref)
{
	const char *colon = strrchr(ref, ':');

	return colon && !strchr(colon, '/') ? colon + 1 : ref;
}

/* As docker shows "docker.io/library/foo:v1": "foo:v1" */
static const char *familiar(const char *ref)
{
	if (str_has_prefix(ref, "docker.io/"))
		ref += strlen("docker.io/");
	return str_has_prefix(ref, "library/") ? ref + strlen("library/") : ref;
}

static bool goes_by(const struct oci_choice *c, const char *tag)
{
	return (c->ref && (!strcmp(c->ref, tag) || !strcmp(familiar(c->ref), familiar(tag)) ||
		!strcmp(tag_of(c->ref), tag))) || (c->other && !strcmp(c->other, tag));
}

static bool same(const struct oci_choice *a, const struct oci_choice *b)
{
	return a->digest && b->digest ? !strcmp(a->digest, b->digest) : !a->digest && a->at == b->at;
}

/* Each once, as far as an error line holds them. */
static int say_which(const struct oci_choices *list, const char *tag, struct err *e)
{
	char names[240] = "";
	size_t len = 0;

	for (size_t i = 0; i < list->n; i++) {
		const char *ref = list->v[i].ref;
		bool seen = !ref;

		for (size_t j = 0; j < i && !seen; j++)
			seen = list->v[j].ref && !strcmp(list->v[j].ref, ref);
		if (seen)
			continue;
		if (len + strlen(ref) + 8 > sizeof(names)) {
			(void)snprintf(names + len, sizeof(names) - len, ", ...");
			break;
		}
		len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len ? ", " : "", ref);
	}
	if (tag)
		return err_set(e, ERR_INPUT, "no image '%.100s' in it, which has %s", tag,
			*names ? names : "no tags");
	return err_set(e, ERR_INPUT, "several images in it: say which, as FILE:TAG; it has %s",
		*names ? names : "no tags");
}

int oci_choices_pick(const struct oci_choices *list, const char *tag,
	const struct oci_choice **choice_r, struct err *e)
{
	const struct oci_choice *best = NULL;
	bool tagged = false, several = false;

	for (size_t i = 0; i < list->n; i++) {
		const struct oci_choice *c = &list->v[i];

		if (tag && !goes_by(c, tag))
			continue;
		tagged = true;
		if (c->rank == 0)
			continue;
		if (!best || c->rank > best->rank) {
			best = c;
			several = false;
		} else if (c->rank == best->rank && !same(c, best)) {
			several = true;
		}
	}
	if (!list->n)
		return err_set(e, ERR_INPUT, "no image in it");
	if (!tagged || several)
		return say_which(list, several ? NULL : tag, e);
	if (!best)
		return err_set(e, ERR_INPUT, "no image for linux/amd64 in it");
	*choice_r = best;
	return 0;
}

int oci_descriptor(const struct jnode *at, char **digest_r, uint64_t *size_r, struct err *e)
{
	struct jnode size, where = { .up = at, .key = "digest" };
	const char *digest;
	enum digest_algo algo;
	int64_t n;

	if (jnode_str(at, "digest", &digest, e) < 0 ||
		jnode_get(at, "size", json_type_int, &size, e) < 0 ||
		jnode_int(&size, 0, INT64_MAX - 1, &n, e) < 0)
		return -1;
	if (digest_parse(digest, &algo) < 0)
		return jnode_err(e, &where, "'%.150s' is not a sha256 or sha512 digest", digest);
	*size_r = (uint64_t)n;
	*digest_r = xstrdup(digest);
	return 0;
}

char *oci_blob_name(const char *digest)
{
	const char *hex = digest_hex(digest);

	return xasprintf("blobs/%.*s/%s", (int)(hex - digest - 1), digest, hex);
}

int oci_blob_json(const struct oci_store *store, const char *digest, uint64_t size, size_t max,
	const char *what, json_object **doc_r, struct err *e)
{
	AUTO_FREE char *file = oci_blob_name(digest);
	AUTO_FREE char *text = NULL;
	json_object *doc;
	size_t len;

	if (oci_store_text(store, file, digest, max, &text, &len, e) < 0)
		return -1;
	if (len != size)
		return err_set(e, ERR_INPUT, "file '%s': has %zu bytes, not %" PRIu64, file, len, size);
	if (json_parse(text, len, what, &doc, e) < 0)
		return -1;
	if (!json_object_is_type(doc, json_type_object)) {
		json_object_put(doc);
		return err_set(e, ERR_INPUT, "%s: expected object", what);
	}
	*doc_r = doc;
	return 0;
}

/* 0 for what cannot run here. Nothing said: the configuration will say. */
static int rank_platform(const struct jnode *at, int *rank_r, struct err *e)
{
	const char *os = "linux", *arch = "amd64", *variant = "";
	struct jnode platform;
	int ret = jnode_opt(at, "platform", json_type_object, &platform, e);

	*rank_r = 3;
	if (ret <= 0)
		return ret;
	if (jnode_opt_str(&platform, "os", &os, e) < 0 ||
		jnode_opt_str(&platform, "architecture", &arch, e) < 0 ||
		jnode_opt_str(&platform, "variant", &variant, e) < 0)
		return -1;
	if (strcmp(os, "linux") != 0)
		*rank_r = 0;
	else if (!strcmp(arch, "amd64"))
		*rank_r = *variant && strcmp(variant, "v1") != 0 ? 2 : 3;
	else
		*rank_r = strcmp(arch, "386") ? 0 : 1;
	return 0;
}

static int read_names(const struct jnode *at, struct oci_choice *c, struct err *e)
{
	const char *tag = NULL, *name = NULL;
	struct jnode notes;
	int ret = jnode_opt(at, "annotations", json_type_object, &notes, e);

	if (ret <= 0)
		return ret;
	if (jnode_opt_str(&notes, "org.opencontainers.image.ref.name", &tag, e) < 0 ||
		jnode_opt_str(&notes, "io.containerd.image.name", &name, e) < 0)
		return -1;
	if (tag || name) { /* else those of the index around it */
		free(c->ref);
		free(c->other);
		c->ref = xstrdup(name ? name : tag);
		c->other = tag ? xstrdup(tag) : NULL;
	}
	return 0;
}

static bool is_index(const char *media)
{
	return !strcmp(media, "application/vnd.oci.image.index.v1+json") ||
		!strcmp(media, "application/vnd.docker.distribution.manifest.list.v2+json");
}

static int add_all(const struct oci_store *store, const struct jnode *root,
	const struct oci_choice *around, int depth, size_t max, struct oci_choices *list, struct err *e);

static int add_nested(const struct oci_store *store, const struct oci_choice *c, int depth, size_t max,
	struct oci_choices *list, struct err *e)
{
	json_object *doc;
	struct jnode root;
	int ret;

	if (depth == OCI_DEPTH_MAX)
		return err_set(e, ERR_INPUT, "indexes in each other, more than %d deep", OCI_DEPTH_MAX);
	if (++list->nested > OCI_INDEXES_MAX)
		return err_set(e, ERR_INPUT, "more than %d indexes", OCI_INDEXES_MAX);
	if (oci_blob_json(store, c->digest, c->size, max, "index", &doc, e) < 0)
		return -1;
	root = jnode_root(doc, "index");
	ret = add_all(store, &root, c, depth + 1, max, list, e);
	json_object_put(doc);
	return ret;
}

static void choice_dispose(struct oci_choice *c)
{
	free(c->ref);
	free(c->other);
	free(c->digest);
}

/* Takes `c`, whose names are those of the index around it. */
static int add_one(const struct oci_store *store, const struct jnode *at, struct oci_choice *c, int depth,
	size_t max, struct oci_choices *list, struct err *e)
{
	const char *media = "";
	int ret = jnode_opt_str(at, "mediaType", &media, e);

	if (ret == 0)
		ret = read_names(at, c, e);
	if (ret == 0)
		ret = rank_platform(at, &c->rank, e);
	if (ret == 0)
		ret = oci_descriptor(at, &c->digest, &c->size, e);
	if (ret == 0 && list->n >= OCI_REFS_MAX)
		ret = err_set(e, ERR_INPUT, "more than %d images", OCI_REFS_MAX);
	if (ret == 0 && !is_index(media)) {
		oci_choices_add(list, c);
		return 0;
	}
	if (ret == 0)
		ret = add_nested(store, c, depth, max, list, e);
	choice_dispose(c);
	return ret;
}

static int add_all(const struct oci_store *store, const struct jnode *root,
	const struct oci_choice *around, int depth, size_t max, struct oci_choices *list, struct err *e)
{
	struct jnode manifests, item;

	if (jnode_get(root, "manifests", json_type_array, &manifests, e) < 0)
		return -1;
	for (size_t i = 0; i < jnode_len(&manifests); i++) {
		struct oci_choice c = {
			.ref = around && around->ref ? xstrdup(around->ref) : NULL,
			.other = around && around->other ? xstrdup(around->other) : NULL,
		};

		if (jnode_item(&manifests, i, json_type_object, &item, e) < 0) {
			choice_dispose(&c);
			return -1;
		}
		if (add_one(store, &item, &c, depth, max, list, e) < 0)
			return -1;
	}
	return 0;
}

int oci_index_read(const struct oci_store *store, size_t max, struct oci_choices *list_r,
	char digest_r[DIGEST_MAX + 1], struct err *e)
{
	struct oci_choices list = { .n = 0 };
	AUTO_FREE char *text = NULL;
	struct digest hash;
	json_object *doc;
	struct jnode root;
	size_t len;
	int ret;

	if (oci_store_text(store, "index.json", NULL, max, &text, &len, e) < 0 ||
		json_parse(text, len, "index.json", &doc, e) < 0)
		return -1;
	digest_init(&hash, DIGEST_SHA256);
	digest_update(&hash, text, len);
	digest_text(&hash, digest_r);
	root = jnode_root(doc, "index.json");
	if (json_object_is_type(doc, json_type_object))
		ret = add_all(store, &root, NULL, 0, max, &list, e);
	else
		ret = jnode_err(e, &root, "expected object");
	json_object_put(doc);
	if (ret < 0)
		oci_choices_dispose(&list);
	else
		*list_r = list;
	return ret;
}
