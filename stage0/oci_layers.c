/* See oci_layers.h. */
#include "stage0/oci_layers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/names.h"
#include "stage0/place.h"
#include "stage0/root.h"
#include "stage0/stream.h"
#include "stage1/common/util.h"

#define WHITEOUT ".wh."
#define OF_AUFS ".wh..wh." /* and a word: for itself; but: */
#define OPAQUE ".wh..wh..opq"

struct whiteout {
	char *dir;  /* clean, "" is the root */
	char *name; /* in it; NULL: all of it */
};

struct layering {
	const struct aci_limits *limits;
	struct place place;
	uint64_t entries, bytes; /* of all layers */
	struct whiteout *out;    /* of this layer */
	size_t nout, room;
	bool first;              /* the first reading of it */
	char digest[DIGEST_MAX + 1]; /* of its file, when first read */
};

static void forget_whiteouts(struct layering *l)
{
	for (size_t i = 0; i < l->nout; i++) {
		free(l->out[i].dir);
		free(l->out[i].name);
	}
	l->nout = 0;
}

static int note_whiteout(struct layering *l, const char *path, const char *base, struct err *e)
{
	size_t dir = (size_t)(base - path);
	const char *name = base + strlen(WHITEOUT);
	bool opaque = !strcmp(base, OPAQUE);

	if (!opaque && str_has_prefix(base, OF_AUFS))
		return 0;
	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		return err_set(e, ERR_INPUT, "a whiteout of '%s'", name);
	if (l->nout == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->out = xrealloc(l->out, l->room, sizeof(*l->out));
	}
	l->out[l->nout++] = (struct whiteout){
		.dir = xstrndup(path, dir ? dir - 1 : 0), .name = opaque ? NULL : xstrdup(name) };
	return 0;
}

/* Some builders write absolute names: they are meant in the root. */
static int clean(const char *name, char **clean_r, struct err *e)
{
	return name_clean(name + strspn(name, "/"), clean_r, e);
}

static int handle_entry(struct layering *l, struct archive *tar, struct archive_entry *ent,
	const char *name, struct err *e)
{
	const char *link = archive_entry_hardlink(ent), *base;
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *to = NULL;

	if (clean(name, &path, e) < 0)
		return -1;
	base = strrchr(path, '/');
	base = base ? base + 1 : path;
	if (base != path && str_has_prefix(path, OF_AUFS) && !str_has_prefix(path, OPAQUE "/"))
		return 0; /* links and orphans, of old dockers */
	if (str_has_prefix(base, WHITEOUT))
		return l->first ? note_whiteout(l, path, base, e) : 0;
	if (str_has_prefix(path, WHITEOUT) || strstr(path, "/" WHITEOUT))
		return err_set(e, ERR_INPUT, "below a whiteout");
	if (l->first)
		return 0;
	if (link && (clean(link, &to, e) < 0 || !*to))
		return *e->msg ? err_prefix(e, "hard link to '%.100s'", link) :
			err_set(e, ERR_INPUT, "a hard link to the root");
	return place_entry(&l->place, tar, ent, path, to, e);
}

static int read_entries(struct layering *l, struct tar_stream *s, struct err *e)
{
	struct archive_entry *ent;
	uint64_t n = 0;
	int ret;

	while ((ret = tar_stream_next(s, &ent, e)) > 0) {
		const char *name = archive_entry_pathname(ent);

		if (++n > l->limits->entries - l->entries)
			return err_set(e, ERR_INPUT, "more than %" PRIu64 " entries", l->limits->entries);
		if (!name)
			return err_set(e, ERR_INPUT, "entry %" PRIu64 ": a name that is not UTF-8", n);
		if (handle_entry(l, s->tar, ent, name, e) < 0)
			return err_prefix(e, "entry '%.150s'", name);
	}
	if (!l->first)
		l->entries += n;
	return ret;
}

static int check_diff_id(const char *found, const char *diff_id, struct err *e)
{
	if (strcmp(found, diff_id) != 0)
		return err_set(e, ERR_INPUT, "uncompressed its digest is %.23s..., not %.23s...", found, diff_id);
	return 0;
}

/* Old versions of docker save have layers without a byte in them. */
static int check_nothing(const struct oci_layer *layer, enum digest_algo algo, struct err *e)
{
	char found[DIGEST_MAX + 1];
	struct digest hash;

	digest_init(&hash, algo);
	digest_text(&hash, found);
	return check_diff_id(found, layer->diff_id, e);
}

static int read_tar(struct layering *l, const struct oci_layer *layer, struct oci_file *f, struct err *e)
{
	struct tar_stream s = TAR_STREAM_INIT;
	char found[DIGEST_MAX + 1];
	enum digest_algo algo = DIGEST_SHA256;
	int ret;

	(void)digest_parse(layer->diff_id, &algo); /* was parsed before */
	if (f->size == 0)
		return check_nothing(layer, algo, e);
	ret = tar_stream_open_from(&s, oci_file_read, f, l->first ? algo : DIGEST_NONE, l->bytes,
		l->limits->bytes, e);
	if (ret == 0)
		ret = read_entries(l, &s, e);
	if (ret == 0)
		ret = tar_stream_drain(&s, found, e);
	if (ret == 0 && l->first)
		ret = check_diff_id(found, layer->diff_id, e);
	if (ret == 0 && !l->first)
		l->bytes = s.bytes;
	tar_stream_dispose(&s);
	return ret;
}

static int read_layer(struct layering *l, const struct oci_store *store, const struct oci_layer *layer,
	struct err *e)
{
	struct oci_file f = OCI_FILE_INIT;
	enum digest_algo algo = DIGEST_SHA256;
	int ret;

	if (layer->digest)
		(void)digest_parse(layer->digest, &algo);
	if (oci_file_open(store, layer->file, algo, &f, e) < 0)
		return -1;
	if (layer->size != UINT64_MAX && f.size != layer->size)
		ret = err_set(e, ERR_INPUT, "file '%.150s': has %" PRIu64 " bytes, not %" PRIu64, layer->file,
			f.size, layer->size);
	else
		ret = read_tar(l, layer, &f, e);
	if (ret == 0 && oci_file_check(&f, l->first ? layer->digest : l->digest, e) < 0)
		ret = err_prefix(e, "file '%.150s'", layer->file);
	if (l->first)
		(void)memcpy(l->digest, f.found, sizeof(l->digest));
	oci_file_dispose(&f);
	return ret;
}

/* All that is in a directory of ours, found without a link. */
static int empty_dir(int fd, struct err *e)
{
	DIR *dir = dir_read(fd);
	struct dirent *d;
	bool again = true;
	int ret = 0;

	if (!dir)
		return err_sys(e, "open");
	while (ret == 0 && again) { /* until nothing is seen: removing disturbs the reading */
		again = false;
		rewinddir(dir);
		while (ret == 0 && (errno = 0, d = readdir(dir))) {
			if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
				continue;
			again = true;
			ret = tree_remove(fd, d->d_name, e);
		}
		if (ret == 0 && errno)
			ret = err_sys(e, "read");
	}
	(void)closedir(dir);
	return ret;
}

/*
 * A name is taken out of where entries of that name would go, through links within the root. What hides all
 * of a directory follows none: where there is a link still, this layer puts a directory in its place.
 */
static int apply_whiteout(int root, const struct whiteout *out, struct err *e)
{
	AUTO_CLOSE int fd = (out->name ? root_open : root_open_plain)(root, out->dir, O_PATH | O_DIRECTORY);

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || (errno == ELOOP && !out->name)))
		return 0; /* nothing there to take away */
	if (fd < 0)
		return err_sys(e, "whiteout in '%.150s'", out->dir);
	if ((out->name ? tree_remove(fd, out->name, e) : empty_dir(fd, e)) < 0)
		return err_prefix(e, "whiteout in '%.150s'", out->dir);
	return 0;
}

static int apply_layer(struct layering *l, const struct oci_store *store, const struct oci_layer *layer,
	struct err *e)
{
	int ret;

	l->first = true;
	ret = read_layer(l, store, layer, e);
	for (size_t i = 0; ret == 0 && i < l->nout; i++)
		ret = apply_whiteout(l->place.root, &l->out[i], e);
	forget_whiteouts(l);
	l->first = false;
	if (ret == 0)
		ret = read_layer(l, store, layer, e);
	return ret < 0 ? ret : place_finish(&l->place, e);
}

/* What an image has to have, whatever its layers say. */
static int check_root(int root, struct err *e)
{
	DIR *dir = dir_read(root);
	struct stat st;
	size_t n = 0;

	if (!dir)
		return err_sys(e, "open 'rootfs'");
	while (readdir(dir))
		n++;
	(void)closedir(dir);
	if (n <= 2)
		return err_set(e, ERR_INPUT, "its layers make an empty root");
	if (fstatat(root, "dev", &st, AT_SYMLINK_NOFOLLOW) == 0 && !S_ISDIR(st.st_mode))
		return err_set(e, ERR_INPUT, "its '/dev' is not a directory"); /* as docker2aci */
	return 0;
}

int oci_layers_unpack(const struct oci_store *store, const struct oci_image *image, int dir,
	const struct aci_limits *limits, struct err *e)
{
	struct layering l = { .limits = limits, .place = { .layered = true, .bytes_left = limits->bytes } };
	AUTO_CLOSE int root = -1;
	int ret = 0;

	if (mkdirat(dir, "rootfs", 0755) < 0)
		return err_sys(e, "create directory 'rootfs'");
	root = openat(dir, "rootfs", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open directory 'rootfs'");
	l.place.root = root;
	for (size_t i = 0; ret == 0 && i < image->n; i++)
		if (apply_layer(&l, store, &image->layers[i], e) < 0)
			ret = err_prefix(e, "layer %zu of %zu", i + 1, image->n);
	place_dispose(&l.place);
	free(l.out);
	return ret < 0 ? ret : check_root(root, e);
}
