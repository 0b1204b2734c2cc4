/*
 * OCI images, honest and hostile: each is built here with libarchive as a layout or as what docker
 * saves, spoilt where a test says so, and unpacked into one half of a scratch directory; the other half
 * is looked at afterwards. What real tools write is in test_oci_tools.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "stage0/names.h"
#include "stage0/oci.h"
#include "stage0/root.h"
#include "stage1/common/util.h"
#include "tests/unit/sandbox.h"

struct ent {
	const char *name;
	char type;       /* f file, d directory (D: of mode 0700), l symbolic link, h hard link, c device, p fifo */
	const char *arg; /* content or target */
};

struct file {
	char *name;
	void *data;
	size_t len;
	const char *link; /* then a symbolic link */
};

struct box {
	struct sandbox s; /* holds the image too */
	struct file files[40]; /* of the archive */
	size_t nfiles;
	char diff_ids[8][DIGEST_MAX + 1], digests[8][DIGEST_MAX + 1];
	size_t sizes[8], nlayers;
	enum digest_algo algo;
	const char *config; /* further members of the configuration, with a comma behind */
};

static const struct aci_limits limits = { .bytes = 1 << 20, .entries = 60, .manifest = 4000 };

static int setup(void **state)
{
	struct box *b = xcalloc(1, sizeof(*b));

	sandbox_open(&b->s);
	*state = b;
	return 0;
}

static void forget(struct box *b)
{
	for (size_t i = 0; i < b->nfiles; i++) {
		free(b->files[i].name);
		free(b->files[i].data);
	}
	b->nfiles = b->nlayers = 0;
	b->config = NULL;
	b->algo = DIGEST_SHA256;
}

static int teardown(void **state)
{
	struct box *b = *state;

	forget(b);
	sandbox_close(&b->s);
	free(b);
	return 0;
}

/* ---- building ---- */

static void add(struct archive *a, const struct ent *t)
{
	static const struct { char c; unsigned type; } types[] = { { 'f', AE_IFREG }, { 'd', AE_IFDIR }, { 'D', AE_IFDIR },
		{ 'l', AE_IFLNK }, { 'h', AE_IFREG }, { 'c', AE_IFCHR }, { 'p', AE_IFIFO } };
	struct archive_entry *ent = archive_entry_new();
	size_t len = t->type == 'f' && t->arg ? strlen(t->arg) : 0;

	archive_entry_copy_pathname(ent, t->name);
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].c == t->type)
			archive_entry_set_filetype(ent, types[i].type);
	archive_entry_set_perm(ent, t->type == 'd' ? 0755 : t->type == 'D' ? 0700 : 0644);
	archive_entry_set_size(ent, (la_int64_t)len);
	archive_entry_set_mtime(ent, 1000000, 0);
	if (t->type == 'l')
		archive_entry_copy_symlink(ent, t->arg);
	if (t->type == 'h')
		archive_entry_copy_hardlink(ent, t->arg);
	if (t->type == 'c')
		archive_entry_set_rdev(ent, makedev(1, 3));
	assert_int_equal(archive_write_header(a, ent), ARCHIVE_OK);
	if (len)
		assert_int_equal(archive_write_data(a, t->arg, len), len);
	archive_entry_free(ent);
}

enum { ROOM = 1 << 20 };

static void *tar_of(const struct ent *ents, int filter, size_t *len_r)
{
	struct archive *a = archive_write_new();
	char *buf = xcalloc(ROOM, 1);

	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_set_bytes_in_last_block(a, 1), ARCHIVE_OK);
	assert_int_equal(archive_write_open_memory(a, buf, ROOM, len_r), ARCHIVE_OK);
	for (; ents->name; ents++)
		add(a, ents);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	return buf;
}

static void digest_of(const void *data, size_t len, enum digest_algo algo, char text_r[DIGEST_MAX + 1])
{
	struct digest d;

	digest_init(&d, algo);
	digest_update(&d, data, len);
	digest_text(&d, text_r);
}

static struct file *put(struct box *b, char *name, void *data, size_t len)
{
	assert_true(b->nfiles < COUNT(b->files));
	b->files[b->nfiles] = (struct file){ .name = name, .data = data, .len = len };
	return &b->files[b->nfiles++];
}

/* Takes the data. The same is there once, as in archives of tools. */
static void put_blob(struct box *b, void *data, size_t len, enum digest_algo algo,
	char digest_r[DIGEST_MAX + 1])
{
	char *name;

	digest_of(data, len, algo, digest_r);
	name = oci_blob_name(digest_r);
	for (size_t i = 0; i < b->nfiles; i++) {
		if (strcmp(b->files[i].name, name) != 0)
			continue;
		free(name);
		free(data);
		return;
	}
	(void)put(b, name, data, len);
}

static void layer(struct box *b, const struct ent *ents, int filter)
{
	size_t plain_len, i = b->nlayers++;
	AUTO_FREE void *plain = tar_of(ents, ARCHIVE_FILTER_NONE, &plain_len);
	void *data = tar_of(ents, filter, &b->sizes[i]);

	digest_of(plain, plain_len, b->algo, b->diff_ids[i]);
	put_blob(b, data, b->sizes[i], b->algo, b->digests[i]);
}

static char *config_text(struct box *b)
{
	AUTO_FREE char *ids = xstrdup("");

	for (size_t i = 0; i < b->nlayers; i++) {
		char *more = xasprintf("%s%s\"%s\"", ids, i ? "," : "", b->diff_ids[i]);

		free(ids);
		ids = more;
	}
	return xasprintf("{%s \"architecture\": \"amd64\", \"os\": \"linux\", "
		"\"rootfs\": {\"type\": \"layers\", \"diff_ids\": [%s]}}", b->config ? b->config : "", ids);
}

#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define INDEX "application/vnd.oci.image.index.v1+json"

/* Ends in a manifest, whose descriptor without its braces is the caller's. */
static char *manifest(struct box *b)
{
	char *config = config_text(b), digest[DIGEST_MAX + 1], *text;
	size_t len = strlen(config);
	AUTO_FREE char *layers = xstrdup("");

	put_blob(b, config, len, b->algo, digest);
	for (size_t i = 0; i < b->nlayers; i++) {
		char *more = xasprintf("%s%s{\"mediaType\": \"application/vnd.oci.image.layer.v1.tar+gzip\", "
			"\"digest\": \"%s\", \"size\": %zu}", layers, i ? "," : "", b->digests[i], b->sizes[i]);

		free(layers);
		layers = more;
	}
	text = xasprintf("{\"schemaVersion\": 2, \"config\": {\"digest\": \"%s\", \"size\": %zu}, "
		"\"layers\": [%s]}", digest, len, layers);
	len = strlen(text);
	put_blob(b, text, len, b->algo, digest);
	return xasprintf("\"mediaType\": \"" MANIFEST "\", \"digest\": \"%s\", \"size\": %zu", digest, len);
}

static void index_of(struct box *b, char *text)
{
	char *layout = xstrdup("{\"imageLayoutVersion\": \"1.0.0\"}");

	(void)put(b, xstrdup("oci-layout"), layout, strlen(layout));
	(void)put(b, xstrdup("index.json"), text, strlen(text));
}

static void layout(struct box *b)
{
	AUTO_FREE char *desc = manifest(b);

	index_of(b, xasprintf("{\"manifests\": [{%s}]}", desc));
}

static struct file *find(struct box *b, const char *name)
{
	for (size_t i = 0; i < b->nfiles; i++)
		if (!strcmp(b->files[i].name, name))
			return &b->files[i];
	fail_msg("no file %s", name);
	return NULL;
}

static struct file *find_blob(struct box *b, const char *digest)
{
	AUTO_FREE char *name = oci_blob_name(digest);

	return find(b, name);
}

/* What docker save writes: names of its own, links between layers, no digests but diff_ids. */
static void docker_archive(struct box *b, const char *tags)
{
	char digest[DIGEST_MAX + 1], *config = config_text(b);
	struct file *f;

	digest_of(config, strlen(config), DIGEST_SHA256, digest);
	(void)put(b, xasprintf("%s.json", digest_hex(digest)), config, strlen(config));
	f = put(b, xstrdup("0123/layer.tar"), NULL, 0);
	free(b->files[0].name);
	b->files[0].name = xstrdup("first.tar");
	f->link = "../first.tar";
	config = xasprintf("[{\"Config\": \"%s.json\", \"RepoTags\": %s, \"Layers\": [\"0123/layer.tar\"]}]",
		digest_hex(digest), tags);
	(void)put(b, xstrdup("manifest.json"), config, strlen(config));
}

/* ---- opening ---- */

static int archive_of(struct box *b, int filter)
{
	struct archive *a = archive_write_new();
	int fd = openat(b->s.dir, "image.tar", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	for (size_t i = 0; i < b->nfiles; i++) {
		struct archive_entry *ent = archive_entry_new();

		archive_entry_copy_pathname(ent, b->files[i].name);
		archive_entry_set_filetype(ent, b->files[i].link ? AE_IFLNK : AE_IFREG);
		archive_entry_set_perm(ent, 0644);
		if (b->files[i].link)
			archive_entry_copy_symlink(ent, b->files[i].link);
		else
			archive_entry_set_size(ent, (la_int64_t)b->files[i].len);
		assert_int_equal(archive_write_header(a, ent), ARCHIVE_OK);
		if (!b->files[i].link && b->files[i].len)
			assert_int_equal(archive_write_data(a, b->files[i].data, b->files[i].len), b->files[i].len);
		archive_entry_free(ent);
	}
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	return fd;
}

static int unpack_fd(struct box *b, int fd, const char *tag, struct aci *aci_r, struct err *e)
{
	struct oci oci = OCI_INIT;
	struct aci aci = ACI_INIT;
	int ret = oci_open(fd, "/nowhere/image.tar", tag, &limits, &oci, &aci, e);

	if (ret == 0)
		ret = oci_unpack(&oci, b->s.in, &limits, e);
	oci_dispose(&oci);
	sandbox_check(&b->s);
	if (ret < 0 || !aci_r)
		aci_dispose(&aci);
	else
		*aci_r = aci;
	return ret;
}

static void clean_in(struct box *b)
{
	struct err e = ERR_INIT;

	assert_int_equal(tree_remove(b->s.in, "rootfs", &e), 0);
	forget(b);
}

static void must_unpack(struct box *b, int filter)
{
	AUTO_CLOSE int fd = archive_of(b, filter);
	struct err e = ERR_INIT;

	assert_true(oci_store_detect(fd));
	if (unpack_fd(b, fd, NULL, NULL, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Digests in a message are cut off behind their first digits; here they become DIGEST. */
static void must_fail(struct box *b, const char *msg)
{
	AUTO_CLOSE int fd = archive_of(b, ARCHIVE_FILTER_NONE);
	struct err e = ERR_INIT;
	char *p;

	assert_int_equal(unpack_fd(b, fd, NULL, NULL, &e), -1);
	for (p = e.msg; (p = strstr(p, "sha256")); ) {
		size_t n = strspn(p + 7, "0123456789abcdef");

		if (p[6] != ':' && p[6] != '/') {
			p++;
			continue;
		}
		memcpy(p, "DIGEST", 6);
		memmove(p + 6, p + 7 + n, strlen(p + 7 + n) + 1);
	}
	assert_string_equal(e.msg, msg);
	clean_in(b);
}

static void assert_file(struct box *b, const char *path, const char *text)
{
	AUTO_CLOSE int root = openat(b->s.in, "rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	AUTO_CLOSE int fd = root_open(root, path, O_RDONLY);
	char buf[100] = "";

	if (!text) {
		AUTO_CLOSE int any = root_open(root, path, O_PATH | O_NOFOLLOW);

		if (any >= 0)
			fail_msg("%s is there", path);
		return;
	}
	if (fd < 0)
		fail_msg("%s is not there", path);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	assert_string_equal(buf, text);
}

#define END { NULL, 0, NULL }

static const struct ent base[] = { { "etc/", 'd', NULL }, { "etc/a", 'f', "a" }, { "etc/b", 'f', "b" },
	{ "lib", 'l', "usr/lib" }, { "usr/lib/", 'd', NULL }, { "usr/lib/x", 'f', "x" }, END };

/* ---- tests ---- */

static void reads_layers_however_they_are_compressed(void **state)
{
	static const int filters[] = { ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_ZSTD,
		ARCHIVE_FILTER_XZ };

	for (size_t i = 0; i < COUNT(filters); i++) {
		for (size_t outer = 0; outer < COUNT(filters); outer++) {
			layer(*state, base, filters[i]);
			layout(*state);
			must_unpack(*state, filters[outer]);
			assert_file(*state, "lib/x", "x");
			clean_in(*state);
		}
	}
}

static void knows_both_digests(void **state)
{
	struct box *b = *state;

	b->algo = DIGEST_SHA512;
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	must_unpack(b, ARCHIVE_FILTER_NONE);
	assert_file(b, "etc/a", "a");
}

static void puts_layers_on_each_other(void **state)
{
	static const struct {
		struct ent upper[6];
		const char *path, *text;
	} rows[] = {
		{ { { "etc/a", 'f', "new" }, END }, "etc/a", "new" },
		{ { { "etc/a", 'f', "new" }, END }, "etc/b", "b" },
		{ { { "etc/.wh.a", 'f', "" }, END }, "etc/a", NULL },
		{ { { "etc/.wh.a", 'f', "" }, END }, "etc/.wh.a", NULL },
		{ { { "etc/.wh.a", 'f', "" }, END }, "etc/b", "b" },
		{ { { ".wh.etc", 'f', "" }, END }, "etc", NULL },
		{ { { "./.wh.etc", 'f', "" }, END }, "etc", NULL },
		{ { { ".wh.nothing", 'f', "" }, { "none/.wh.x", 'f', "" }, END }, "etc/a", "a" },
		{ { { "etc/a/.wh.x", 'f', "" }, END }, "etc/a", "a" },
		{ { { "etc/.wh..wh..opq", 'f', "" }, END }, "etc/b", NULL },
		{ { { "etc/.wh..wh.plnk", 'f', "" }, END }, "etc/b", "b" },
		{ { { ".wh..wh.plnk/", 'd', NULL }, { ".wh..wh.plnk/12.34", 'f', "x" }, { "etc/a", 'f', "new" }, END },
			"etc/a", "new" },
		{ { { "./.wh..wh.orph/x/y", 'f', "x" }, END }, ".wh..wh.orph", NULL },
		{ { { ".wh..wh.orph/etc/.wh.a", 'f', "" }, { ".wh..wh.aufs", 'f', "" }, END }, "etc/a", "a" },
		/* of the lower layers only, wherever the marks stand in their layer */
		{ { { "etc/c", 'f', "c" }, { "etc/.wh..wh..opq", 'f', "" }, END }, "etc/c", "c" },
		{ { { "etc/.wh..wh..opq", 'f', "" }, { "etc/c", 'f', "c" }, END }, "etc/a", NULL },
		{ { { "etc/a", 'f', "new" }, { "etc/.wh.a", 'f', "" }, END }, "etc/a", "new" },
		{ { { ".wh..wh..opq", 'f', "" }, { "only", 'f', "1" }, END }, "etc", NULL },
		/* a whiteout takes away a link, not what it leads to */
		{ { { ".wh.lib", 'f', "" }, END }, "usr/lib/x", "x" },
		{ { { ".wh.lib", 'f', "" }, END }, "lib", NULL },
		/* of another kind than before */
		{ { { "etc", 'f', "file" }, END }, "etc", "file" },
		{ { { "etc/a/", 'd', NULL }, { "etc/a/b", 'f', "deep" }, END }, "etc/a/b", "deep" },
		{ { { "lib/", 'd', NULL }, { "lib/y", 'f', "y" }, END }, "lib/y", "y" },
		{ { { "lib/", 'd', NULL }, { "lib/y", 'f', "y" }, END }, "usr/lib/y", NULL },
		{ { { "lib/", 'd', NULL }, { "lib/.wh..wh..opq", 'f', "" }, { "lib/y", 'f', "y" }, END }, "lib/y", "y" },
		{ { { "lib/", 'd', NULL }, { "lib/.wh..wh..opq", 'f', "" }, { "lib/y", 'f', "y" }, END }, "usr/lib/x", "x" },
		{ { { "lib/", 'd', NULL }, { "lib/.wh..wh..opq", 'f', "" }, { "lib/y", 'f', "y" }, END }, "lib/x", NULL },
		{ { { "etc/a", 'l', "b" }, END }, "etc/a", "b" },
		{ { { "etc/", 'd', NULL }, END }, "etc/a", "a" },
		/* through a link of the layer below, as at run time */
		{ { { "lib/y", 'f', "y" }, END }, "usr/lib/y", "y" },
		{ { { "lib/.wh.x", 'f', "" }, END }, "usr/lib/x", NULL },
		{ { { "lib/.wh.x", 'f', "" }, { "lib/x", 'f', "new" }, END }, "usr/lib/x", "new" },
		/* links between layers */
		{ { { "hard", 'h', "etc/a" }, END }, "hard", "a" },
		{ { { "hard", 'h', "/etc/a" }, END }, "hard", "a" },
		/* twice: the later */
		{ { { "twice", 'f', "1" }, { "twice", 'f', "2" }, END }, "twice", "2" },
		{ { { "twice/", 'd', NULL }, { "twice", 'f', "2" }, END }, "twice", "2" },
		{ { { "twice/", 'd', NULL }, { "twice", 'l', "etc" }, END }, "twice/a", "a" },
		{ { { "/absolute", 'f', "in the root" }, END }, "absolute", "in the root" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		layer(*state, base, ARCHIVE_FILTER_GZIP);
		layer(*state, rows[i].upper, ARCHIVE_FILTER_GZIP);
		layout(*state);
		print_message("# row %zu\n", i);
		must_unpack(*state, ARCHIVE_FILTER_NONE);
		assert_file(*state, rows[i].path, rows[i].text);
		clean_in(*state);
	}
}

static void keeps_what_directories_have(void **state)
{
	/* was a directory, is a link: what it was to be is not done to where it leads */
	static const struct ent upper[] = { { "etc/c", 'f', "c" }, { "twice/", 'D', NULL },
		{ "twice", 'l', "etc" }, { "gone/", 'D', NULL }, { "gone", 'f', NULL }, END };
	struct box *b = *state;
	struct stat st;

	layer(b, base, ARCHIVE_FILTER_NONE);
	layer(b, base, ARCHIVE_FILTER_NONE);
	layer(b, upper, ARCHIVE_FILTER_NONE);
	layout(b);
	must_unpack(b, ARCHIVE_FILTER_NONE);
	assert_int_equal(fstatat(b->s.in, "rootfs/etc", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(fstatat(b->s.in, "rootfs/usr/lib", &st, 0), 0);
	assert_int_equal(st.st_mtime, 1000000);
}

static void stays_within_the_root(void **state)
{
	static const struct {
		struct ent upper[4];
		const char *msg; /* NULL: harmless */
	} rows[] = {
		{ { { "../new", 'f', "" }, END }, "layer 2 of 2: entry '../new': '..' in a name" },
		{ { { "etc/../../new", 'f', "" }, END }, "layer 2 of 2: entry 'etc/../../new': '..' in a name" },
		{ { { "/new-from-a-test", 'f', "" }, END }, NULL },
		{ { { "out", 'l', "../../outside" }, { "out/new", 'f', "" }, END },
			"layer 2 of 2: entry 'out/new': its directory: No such file or directory" },
		{ { { "out", 'l', "/" }, { "out/new-from-a-test", 'f', "" }, END }, NULL },
		{ { { "out", 'h', "../../outside/victim" }, END },
			"layer 2 of 2: entry 'out': hard link to '../../outside/victim': '..' in a name" },
		{ { { "out", 'h', "/" }, END }, "layer 2 of 2: entry 'out': a hard link to the root" },
		{ { { "out", 'h', "out" }, END }, "layer 2 of 2: entry 'out': a hard link to itself" },
		{ { { "out", 'h', "dom0/victim" }, END },
			"layer 2 of 2: entry 'out': hard link to 'dom0/victim': No such file or directory" },
		{ { { ".wh...", 'f', "" }, END }, "layer 2 of 2: entry '.wh...': a whiteout of '..'" },
		{ { { ".wh..", 'f', "" }, END }, "layer 2 of 2: entry '.wh..': a whiteout of '.'" },
		{ { { "etc/.wh.", 'f', "" }, END }, "layer 2 of 2: entry 'etc/.wh.': a whiteout of ''" },
		{ { { "../.wh.outside", 'f', "" }, END }, "layer 2 of 2: entry '../.wh.outside': '..' in a name" },
		{ { { ".wh.x/y", 'f', "" }, END }, "layer 2 of 2: entry '.wh.x/y': below a whiteout" },
		{ { { ".wh..wh..opq/y", 'f', "" }, END }, "layer 2 of 2: entry '.wh..wh..opq/y': below a whiteout" },
		{ { { "etc/.wh..wh.plnk/y", 'f', "" }, END },
			"layer 2 of 2: entry 'etc/.wh..wh.plnk/y': below a whiteout" },
		{ { { "etc/.wh.x/y", 'f', "" }, END }, "layer 2 of 2: entry 'etc/.wh.x/y': below a whiteout" },
		/* links of the layer below lead to dom0's files */
		{ { { "dom0/.wh.victim", 'f', "" }, END }, NULL },
		{ { { "dom0/.wh..wh..opq", 'f', "" }, END }, NULL },
		{ { { "up/.wh.victim", 'f', "" }, END }, NULL },
		{ { { "up/.wh..wh..opq", 'f', "" }, END }, NULL },
		{ { { "loop/.wh.x", 'f', "" }, END },
			"layer 2 of 2: whiteout in 'loop': Too many levels of symbolic links" },
		{ { { "dom0/new", 'f', "" }, END },
			"layer 2 of 2: entry 'dom0/new': its directory: No such file or directory" },
		{ { { "", 'f', "" }, END }, "layer 2 of 2: entry '': must be a directory" },
		{ { { "dev", 'l', "/outside" }, END }, "its '/dev' is not a directory" },
		{ { { "null", 'c', NULL }, { "fifo", 'p', NULL }, END }, NULL },
		{ { { "null/x", 'f', "" }, { "null", 'c', NULL }, { "null", 'f', "plain" }, END }, NULL },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct box *b = *state;
		AUTO_FREE char *outside = xasprintf("%s/outside", b->s.path);
		const struct ent lower[] = { { "etc/", 'd', NULL }, { "dom0", 'l', outside },
			{ "up", 'l', "../../outside" }, { "loop", 'l', "loop" }, END };

		layer(b, lower, ARCHIVE_FILTER_NONE);
		layer(b, rows[i].upper, ARCHIVE_FILTER_NONE);
		layout(b);
		print_message("# row %zu\n", i);
		if (rows[i].msg) {
			must_fail(b, rows[i].msg);
		} else {
			must_unpack(b, ARCHIVE_FILTER_NONE);
			clean_in(b);
		}
	}
}

static void an_empty_root_is_an_error(void **state)
{
	static const struct ent nothing[] = { END }, gone[] = { { ".wh..wh..opq", 'f', "" }, END };
	static const struct ent root[] = { { "./", 'd', NULL }, END };
	struct box *b = *state;

	layer(b, nothing, ARCHIVE_FILTER_GZIP);
	layout(b);
	must_fail(b, "its layers make an empty root");
	layer(b, root, ARCHIVE_FILTER_GZIP);
	layer(b, nothing, ARCHIVE_FILTER_GZIP);
	layout(b);
	must_fail(b, "its layers make an empty root");
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layer(b, gone, ARCHIVE_FILTER_GZIP);
	layout(b);
	must_fail(b, "its layers make an empty root");
	layout(b);
	must_fail(b, "the image has no layers: its root would be empty");
	/* as old dockers saved it: without a byte */
	layer(b, nothing, ARCHIVE_FILTER_NONE);
	find_blob(b, b->digests[0])->len = b->sizes[0] = 0;
	digest_of("", 0, DIGEST_SHA256, b->diff_ids[0]);
	strcpy(b->digests[0], b->diff_ids[0]);
	free(b->files[0].name);
	b->files[0].name = oci_blob_name(b->digests[0]);
	layout(b);
	must_fail(b, "its layers make an empty root");
}

static void checks_digests_and_sizes(void **state)
{
	AUTO_FREE char *msg = NULL;
	struct box *b = *state;
	struct file *f;

	/* a layer */
	layer(b, base, ARCHIVE_FILTER_NONE);
	layout(b);
	((char *)b->files[0].data)[1024]++; /* content of etc/a: the tar is sound */
	must_fail(b, "layer 1 of 1: uncompressed its digest is DIGEST..., not DIGEST...");
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	f = &b->files[0];
	f->data = xrealloc(f->data, f->len + 1, 1);
	((char *)f->data)[9]++; /* gzip's byte for the system */
	must_fail(b, "layer 1 of 1: file 'blobs/DIGEST': its digest is DIGEST..., not DIGEST...");
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	b->files[0].len--;
	msg = xasprintf("layer 1 of 1: file 'blobs/DIGEST': has %zu bytes, not %zu", b->files[0].len,
		b->sizes[0]);
	must_fail(b, msg);
	layer(b, base, ARCHIVE_FILTER_GZIP);
	b->files[0].len /= 2; /* cut off, and described so */
	b->sizes[0] = b->files[0].len;
	digest_of(b->files[0].data, b->files[0].len, DIGEST_SHA256, b->digests[0]);
	free(b->files[0].name);
	b->files[0].name = oci_blob_name(b->digests[0]);
	layout(b);
	must_fail(b, "layer 1 of 1: read: truncated gzip input");
	layer(b, base, ARCHIVE_FILTER_GZIP);
	b->diff_ids[0][10] ^= 1;
	layout(b);
	must_fail(b, "layer 1 of 1: uncompressed its digest is DIGEST..., not DIGEST...");

	/* the configuration, the manifest */
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	((char *)b->files[1].data)[1] ^= 1;
	must_fail(b, "file 'blobs/DIGEST': its digest is DIGEST..., not DIGEST...");
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	((char *)b->files[2].data)[1] ^= 1;
	must_fail(b, "file 'blobs/DIGEST': its digest is DIGEST..., not DIGEST...");
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	f = find(b, "index.json");
	strcpy(strstr(f->data, "\"size\": "), "\"size\": 1}]}");
	f->len = strlen(f->data);
	free(msg);
	msg = xasprintf("file 'blobs/DIGEST': has %zu bytes, not 1", b->files[2].len);
	must_fail(b, msg);
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	strcpy(b->files[2].name, "elsewhere");
	must_fail(b, "file 'blobs/DIGEST': not in the archive");
}

static void misses_a_layer(void **state)
{
	struct box *b = *state;

	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	strcpy(b->files[0].name, "elsewhere");
	must_fail(b, "layer 1 of 1: file 'blobs/DIGEST': not in the archive");
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	must_unpack(b, ARCHIVE_FILTER_NONE);
	clean_in(b);
	layer(b, base, ARCHIVE_FILTER_NONE);
	layer(b, base, ARCHIVE_FILTER_NONE);
	docker_archive(b, "null"); /* of which the manifest names one */
	must_fail(b, "configuration.rootfs.diff_ids: 2 of them, for 1 layers");
}

static void bounds_everything(void **state)
{
	struct box *b = *state;
	AUTO_FREE char *zeros = xcalloc(900001, 1);
	AUTO_FREE char *many = NULL;
	struct ent ents[70] = { END }, big[] = { { "big", 'f', memset(zeros, '0', 900000) }, END };
	char names[61][8];

	/* two layers of 0.9 MB, where 1 MiB is the limit */
	layer(b, big, ARCHIVE_FILTER_GZIP);
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layer(b, big, ARCHIVE_FILTER_GZIP);
	layout(b);
	must_fail(b, "layer 3 of 3: read: more than 1048576 bytes when uncompressed");
	for (size_t i = 0; i < 61; i++) {
		(void)sprintf(names[i], "f%zu", i);
		ents[i] = (struct ent){ names[i], 'f', "" };
	}
	layer(b, ents, ARCHIVE_FILTER_GZIP);
	layout(b);
	must_fail(b, "layer 1 of 1: more than 60 entries");
	many = xasprintf("\"author\": \"%.*s\",", 4000, zeros);
	b->config = many;
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	must_fail(b, "file 'blobs/DIGEST': larger than 4000 bytes");
}

static void index_json(struct box *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void index_json(struct box *b, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	assert_true(vasprintf(&text, fmt, ap) > 0);
	va_end(ap);
	index_of(b, text);
}

static void says_where_documents_are_wrong(void **state)
{
	static const char desc[] = "\"mediaType\": \"" MANIFEST "\", \"digest\": "
		"\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";
	static const struct { const char *index, *msg; } rows[] = {
		{ "[]", "index.json: expected object" },
		{ "{}", "index.json.manifests: missing" },
		{ "{\"manifests\": [7]}", "index.json.manifests[0]: expected object, found int" },
		{ "{\"manifests\": []}", "no image in it" },
		{ "{\"manifests\": [{}]}", "index.json.manifests[0].digest: missing" },
		{ "{\"manifests\": [{\"digest\": \"sha256:12\", \"size\": 1}]}",
			"index.json.manifests[0].digest: 'DIGEST' is not a sha256 or sha512 digest" },
		{ "{\"manifests\": [{\"digest\": \"md5:d41d8cd98f00b204e9800998ecf8427e\", \"size\": 1}]}",
			"index.json.manifests[0].digest: 'md5:d41d8cd98f00b204e9800998ecf8427e' "
			"is not a sha256 or sha512 digest" },
		{ "{\"manifests\": [{%s}]}", "index.json.manifests[0].size: missing" },
		{ "{\"manifests\": [{%s, \"size\": -1}]}",
			"index.json.manifests[0].size: -1 is not within 0 to 9223372036854775806" },
		{ "{\"manifests\": [{%s, \"size\": 1, \"platform\": {\"os\": \"linux\", "
			"\"architecture\": \"arm64\"}}]}", "no image for linux/amd64 in it" },
		{ "{\"manifests\": [{%s, \"size\": 0}]}",
			"file 'blobs/DIGEST': not in the archive" },
		{ "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
			"index.json: not JSON: nesting too deep at byte 64" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		if (strstr(rows[i].index, "%s"))
			index_json(*state, "{\"manifests\": [{%s%s", desc, strstr(rows[i].index, "%s") + 2);
		else
			index_json(*state, "%s", rows[i].index);
		must_fail(*state, rows[i].msg);
	}
}

static void says_where_manifests_are_wrong(void **state)
{
	static const struct { const char *text, *msg; } rows[] = {
		{ "{}", "manifest.config: missing" },
		{ "[]", "manifest: expected object" },
		{ "{\"config\": {%s, \"size\": 0}}", "manifest.layers: missing" },
		{ "{\"config\": {%s, \"size\": 0}, \"layers\": [{%s, \"size\": 1}]}",
			"manifest.layers[0].mediaType: missing" },
		{ "{\"config\": {%s, \"size\": 0}, \"layers\": [{\"mediaType\": \"x+encrypted\", %s, \"size\": 1}]}",
			"manifest.layers[0].mediaType: 'x+encrypted' is not a layer that can be unpacked" },
	};
	static const char zero[] = "\"digest\": "
		"\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"";

	for (size_t i = 0; i < COUNT(rows); i++) {
		char digest[DIGEST_MAX + 1], *text = xcalloc(1000, 1);
		const char *p = rows[i].text, *s;

		for (; (s = strstr(p, "%s")); p = s + 2)
			(void)snprintf(text + strlen(text), 1000 - strlen(text), "%.*s%s", (int)(s - p), p, zero);
		(void)strcat(text, p);
		put_blob(*state, text, strlen(text), DIGEST_SHA256, digest);
		index_json(*state, "{\"manifests\": [{\"digest\": \"%s\", \"size\": %zu}]}", digest,
			strlen(text));
		must_fail(*state, rows[i].msg);
	}
}

static void checks_the_size_of_a_configuration(void **state)
{
	char digest[DIGEST_MAX + 1], *text = xstrdup("{}");

	put_blob(*state, text, 2, DIGEST_SHA256, digest);
	text = xasprintf("{\"config\": {\"digest\": \"%s\", \"size\": 3}, \"layers\": []}", digest);
	put_blob(*state, text, strlen(text), DIGEST_SHA256, digest);
	index_json(*state, "{\"manifests\": [{\"digest\": \"%s\", \"size\": %zu}]}", digest, strlen(text));
	must_fail(*state, "file 'blobs/DIGEST': has 2 bytes, not 3");
}

/* An index in an index in ...; a digest makes a true loop impossible, not a deep one. */
static void bounds_indexes(void **state)
{
	struct box *b = *state;
	AUTO_FREE char *desc = NULL;
	char digest[DIGEST_MAX + 1], *more;
	size_t len;

	for (size_t depth = 3; depth <= 5; depth++) {
		layer(b, base, ARCHIVE_FILTER_GZIP);
		free(desc);
		desc = manifest(b);
		for (size_t i = 0; i < depth; i++) {
			char *text = xasprintf("{\"manifests\": [{%s}]}", desc);

			len = strlen(text);
			put_blob(b, text, len, DIGEST_SHA256, digest);
			free(desc);
			desc = xasprintf("\"mediaType\": \"" INDEX "\", \"digest\": \"%s\", \"size\": %zu",
				digest, len);
		}
		index_json(b, "{\"manifests\": [{%s}]}", desc);
		if (depth <= 4) {
			must_unpack(b, ARCHIVE_FILTER_NONE);
			clean_in(b);
		} else {
			must_fail(b, "indexes in each other, more than 4 deep");
		}
	}
	/* the same one over and over */
	more = xstrdup("{\"manifests\": []}");
	put_blob(b, more, strlen(more), DIGEST_SHA256, digest);
	more = xcalloc(30000, 1);
	for (size_t i = 0; i < 20; i++)
		(void)sprintf(more + strlen(more), "%s{\"mediaType\": \"" INDEX "\", \"digest\": \"%s\", "
			"\"size\": 17}", i ? "," : "{\"manifests\": [", digest);
	(void)strcat(more, "]}");
	len = strlen(more);
	put_blob(b, more, len, DIGEST_SHA256, digest);
	more = xcalloc(30000, 1);
	for (size_t i = 0; i < 6; i++)
		(void)sprintf(more + strlen(more), "%s{\"mediaType\": \"" INDEX "\", \"digest\": \"%s\", "
			"\"size\": %zu}", i ? "," : "{\"manifests\": [", digest, len);
	(void)strcat(more, "]}");
	index_of(b, more);
	must_fail(b, "more than 100 indexes");
}

/* ---- choosing ---- */

static void choose(struct box *b, const char *tag, const char *text)
{
	AUTO_CLOSE int fd = archive_of(b, ARCHIVE_FILTER_NONE);
	struct err e = ERR_INIT;
	int ret = unpack_fd(b, fd, tag, NULL, &e);

	if (ret == 0)
		assert_file(b, "which", text);
	else
		assert_string_equal(e.msg, text);
	e = (struct err)ERR_INIT;
	assert_int_equal(tree_remove(b->s.in, "rootfs", &e), 0);
}

static char *one(struct box *b, const char *which)
{
	const struct ent ents[] = { { "which", 'f', which }, END };

	b->nlayers = 0;
	layer(b, ents, ARCHIVE_FILTER_GZIP);
	return manifest(b);
}

static void chooses_by_tag_and_platform(void **state)
{
	struct box *b = *state;
	AUTO_FREE char *a = one(b, "a"), *arm = one(b, "arm"), *i386 = one(b, "i386"), *v3 = one(b, "v3"),
		*c = one(b, "c");

	index_json(b, "{\"manifests\": [{%s, \"annotations\": {\"org.opencontainers.image.ref.name\": \"a\"}}, "
		"{%s, \"platform\": {\"os\": \"linux\", \"architecture\": \"arm64\"}}, "
		"{%s, \"platform\": {\"os\": \"linux\", \"architecture\": \"386\"}, "
		"\"annotations\": {\"org.opencontainers.image.ref.name\": \"many\"}}, "
		"{%s, \"platform\": {\"os\": \"linux\", \"architecture\": \"amd64\", \"variant\": \"v3\"}, "
		"\"annotations\": {\"org.opencontainers.image.ref.name\": \"many\"}}, "
		"{%s, \"annotations\": {\"org.opencontainers.image.ref.name\": \"v1\", "
		"\"io.containerd.image.name\": \"docker.io/library/c:v1\"}}, "
		"{%s, \"platform\": {\"os\": \"unknown\"}, "
		"\"annotations\": {\"org.opencontainers.image.ref.name\": \"bsd\"}}]}", a, arm, i386, v3, c, arm);
	choose(b, "a", "a");
	choose(b, "many", "v3");
	choose(b, "v1", "c");
	choose(b, "c:v1", "c");
	choose(b, "docker.io/library/c:v1", "c");
	choose(b, "bsd", "no image for linux/amd64 in it");
	choose(b, "b", "no image 'b' in it, which has a, many, docker.io/library/c:v1, bsd");
	choose(b, NULL, "several images in it: say which, as FILE:TAG; it has "
		"a, many, docker.io/library/c:v1, bsd");
}

static void reads_what_docker_saves(void **state)
{
	struct box *b = *state;
	AUTO_FREE char *name = NULL;
	struct file *f;

	layer(b, base, ARCHIVE_FILTER_NONE);
	docker_archive(b, "[\"foo:1\", \"foo:2\"]");
	must_unpack(b, ARCHIVE_FILTER_NONE);
	assert_file(b, "etc/a", "a");
	clean_in(b);
	layer(b, base, ARCHIVE_FILTER_GZIP);
	docker_archive(b, "null");
	must_unpack(b, ARCHIVE_FILTER_GZIP);
	clean_in(b);
	/* since 25 also as a layout, whose parts all have digests */
	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	(void)put(b, xstrdup("manifest.json"), xstrdup("[]"), 2);
	must_unpack(b, ARCHIVE_FILTER_NONE);
	assert_file(b, "etc/a", "a");
	clean_in(b);
	/* spoilt: its layer, its configuration, a link that leads out or in circles */
	layer(b, base, ARCHIVE_FILTER_NONE);
	docker_archive(b, "null");
	((char *)b->files[0].data)[1024]++;
	must_fail(b, "layer 1 of 1: uncompressed its digest is DIGEST..., not DIGEST...");
	layer(b, base, ARCHIVE_FILTER_NONE);
	docker_archive(b, "null");
	((char *)b->files[1].data)[1] = '\t';
	name = xasprintf("file '%s': its digest is DIGEST..., not DIGEST...", b->files[1].name);
	must_fail(b, name);
	layer(b, base, ARCHIVE_FILTER_NONE);
	docker_archive(b, "null");
	b->files[2].link = "../../first.tar";
	must_fail(b, "layer 1 of 1: file '0123/layer.tar': not in the archive");
	layer(b, base, ARCHIVE_FILTER_NONE);
	docker_archive(b, "null");
	b->files[2].link = "layer.tar";
	must_fail(b, "layer 1 of 1: file '0123/layer.tar': not in the archive");
	layer(b, base, ARCHIVE_FILTER_NONE);
	docker_archive(b, "null");
	f = put(b, xstrdup("./manifest.json"), xstrdup("[]"), 2);
	must_fail(b, "two files 'manifest.json' in it");
	(void)f;
	(void)put(b, xstrdup("repositories"), xstrdup("{}"), 2);
	must_fail(b, "saved by a docker before 1.10, which is not supported");
}

/* An archive that tells its kind by the name behind n others. */
static int many_names(struct box *b, size_t n)
{
	struct archive *a = archive_write_new();
	int fd = openat(b->s.dir, "many.tar.gz", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(a, ARCHIVE_FILTER_GZIP), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	for (size_t i = 0; i <= n; i++)
		add(a, &(struct ent){ i < n ? "x" : "oci-layout", 'f', "" });
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	return fd; /* closed at the program's end */
}

static void tells_kinds_apart(void **state)
{
	static const struct { const char *name; bool oci; } rows[] = {
		{ "manifest", false }, { "rootfs/blobs", false }, { "other", false }, { "oci-layout", true },
		{ "./oci-layout", true }, { "blobs/sha256/x", true }, { "manifest.json", true },
		{ "0123456789012345678901234567890123456789012345678901234567890123.json", true },
		{ "0123456789012345678901234567890123456789012345678901234567890123/layer.tar", true },
	};
	struct box *b = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_CLOSE int fd = -1;

		(void)put(b, xstrdup(rows[i].name), xstrdup("x"), 1);
		fd = archive_of(b, i % 2 ? ARCHIVE_FILTER_GZIP : ARCHIVE_FILTER_NONE);
		assert_int_equal(oci_store_detect(fd), rows[i].oci);
		forget(b);
	}
	assert_true(oci_store_detect(many_names(b, 19999)));
	assert_false(oci_store_detect(many_names(b, 20000)));
	assert_false(oci_store_detect(b->s.in));
	assert_int_equal(mkdirat(b->s.in, "oci-layout", 0755), 0);
	assert_true(oci_store_detect(b->s.in));
	assert_int_equal(unlinkat(b->s.in, "oci-layout", AT_REMOVEDIR), 0);
}

/* A directory: links in it stay in it. */
static void reads_a_directory(void **state)
{
	struct box *b = *state;
	struct err e = ERR_INIT;
	AUTO_CLOSE int dir = -1;

	layer(b, base, ARCHIVE_FILTER_GZIP);
	layout(b);
	assert_int_equal(mkdirat(b->s.dir, "layout", 0755), 0);
	dir = openat(b->s.dir, "layout", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(dir, "blobs", 0755), 0);
	assert_int_equal(mkdirat(dir, "blobs/sha256", 0755), 0);
	for (size_t i = 0; i < b->nfiles; i++)
		assert_int_equal(write_file_atomic(dir, b->files[i].name, b->files[i].data, b->files[i].len,
			0644, &e), 0);
	assert_true(oci_store_detect(dir));
	assert_int_equal(unpack_fd(b, dir, NULL, NULL, &e), 0);
	assert_file(b, "etc/a", "a");
	assert_int_equal(tree_remove(b->s.in, "rootfs", &e), 0);
	assert_int_equal(unlinkat(dir, b->files[0].name, 0), 0);
	assert_int_equal(symlinkat("/dev/zero", dir, b->files[0].name), 0);
	assert_int_equal(unpack_fd(b, dir, NULL, NULL, &e), -1);
	assert_non_null(strstr(e.msg, ": open: No such file or directory"));
	e = (struct err)ERR_INIT;
	assert_int_equal(tree_remove(b->s.in, "rootfs", &e), 0);
	assert_int_equal(unlinkat(dir, b->files[0].name, 0), 0);
	assert_int_equal(mkfifoat(dir, b->files[0].name, 0644), 0);
	assert_int_equal(unpack_fd(b, dir, NULL, NULL, &e), -1);
	assert_non_null(strstr(e.msg, ": not a regular file"));
}

/* ---- conversion ---- */

static void convert(struct box *b, const char *config, const char *ref, const char *want)
{
	AUTO_CLOSE int fd = -1;
	struct oci oci = OCI_INIT;
	struct aci aci = ACI_INIT;
	struct err e = ERR_INIT;

	layer(b, base, ARCHIVE_FILTER_NONE);
	b->config = config;
	docker_archive(b, ref);
	fd = archive_of(b, ARCHIVE_FILTER_NONE);
	if (oci_open(fd, "/x/Some_App.tar.gz", NULL, &limits, &oci, &aci, &e) < 0) {
		assert_string_equal(e.msg, want);
	} else {
		char *id = strstr(aci.manifest, "{\"name\":\"appc.io/docker/imageid\"");
		char *end = id ? strchr(id, '}') : NULL;

		if (!end) {
			fail_msg("no image id in %s", aci.manifest);
			return;
		}
		assert_int_equal(strlen(aci.id), IMAGE_ID_LEN);
		memmove(id, end + 1 + (end[1] == ','), strlen(end + 1 + (end[1] == ',')) + 1);
		assert_string_equal(aci.manifest, want);
	}
	aci_dispose(&aci);
	oci_dispose(&oci);
	forget(b);
}

#define HEAD(name) "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"" name "\",\"labels\":" \
	"[{\"name\":\"arch\",\"value\":\"amd64\"},{\"name\":\"os\",\"value\":\"linux\"},"
#define APP(user, group) "\"app\":{\"exec\":[],\"user\":\"" user "\",\"group\":\"" group "\"," \
	"\"environment\":[],\"mountPoints\":[],\"ports\":[]},"

static void converts_as_docker2aci(void **state)
{
	convert(*state, "\"author\": \"me\", \"created\": \"2020-01-01T00:00:00Z\", \"config\": "
		"{\"Entrypoint\": [\"/bin/a b\", \"-x\"], \"Cmd\": [\"y\\\"z\"], \"User\": \"u:g\", "
		"\"Env\": [\"A=1\", \"B\", \"C=x=y\", \"A=2\", \"=z\"], \"WorkingDir\": \"/w\", "
		"\"Volumes\": {\"/var/log\": {}, \"/data\": {}, \"/var-log\": {}, "
		"\"/home/g/.g\": {}, \"/home/g/g\": {}, \"/.x-/\": {}}, "
		"\"ExposedPorts\": {\"80/tcp\": {}, \"53/udp\": {}, \"99\": {}}},",
		"[\"quay.io/Foo__bar/app:v1\"]",
		HEAD("quay.io/foo_bar/app") "{\"name\":\"version\",\"value\":\"v1\"}],"
		"\"app\":{\"exec\":[\"/bin/a b\",\"-x\",\"y\\\"z\"],\"user\":\"u\",\"group\":\"g\","
		"\"environment\":[{\"name\":\"A\",\"value\":\"2\"},{\"name\":\"C\",\"value\":\"x=y\"}],"
		"\"mountPoints\":[{\"name\":\"volume-x\",\"path\":\"/.x-/\"},"
		"{\"name\":\"volume-data\",\"path\":\"/data\"},"
		"{\"name\":\"volume-home-g-g\",\"path\":\"/home/g/.g\"},"
		"{\"name\":\"volume-home-g-g-1\",\"path\":\"/home/g/g\"},"
		"{\"name\":\"volume-var-log\",\"path\":\"/var-log\"},"
		"{\"name\":\"volume-var-log-1\",\"path\":\"/var/log\"}],"
		"\"ports\":[{\"name\":\"53-udp\",\"protocol\":\"udp\",\"port\":53},"
		"{\"name\":\"80-tcp\",\"protocol\":\"tcp\",\"port\":80},"
		"{\"name\":\"99\",\"protocol\":\"tcp\",\"port\":99}],\"workingDirectory\":\"/w\"},"
		"\"annotations\":[{\"name\":\"author\",\"value\":\"me\"},"
		"{\"name\":\"created\",\"value\":\"2020-01-01T00:00:00Z\"},"
		"{\"name\":\"appc.io/docker/originalname\",\"value\":\"quay.io/Foo__bar/app:v1\"},"
		"{\"name\":\"appc.io/docker/registryurl\",\"value\":\"quay.io\"},"
		"{\"name\":\"appc.io/docker/repository\",\"value\":\"Foo__bar/app\"},"
		"{\"name\":\"appc.io/docker/tag\",\"value\":\"v1\"},"
		"{\"name\":\"appc.io/docker/entrypoint\",\"value\":\"[\\\"/bin/a b\\\",\\\"-x\\\"]\"},"
		"{\"name\":\"appc.io/docker/cmd\",\"value\":\"[\\\"y\\\\\\\"z\\\"]\"}]}");
}

static void names_users_and_groups(void **state)
{
	static const struct { const char *user, *doc; } rows[] = {
		{ "", APP("0", "0") }, { "1000", APP("1000", "1000") }, { "1000:20", APP("1000", "20") },
		{ "web", APP("web", "web") }, { "web:0", APP("web", "0") },
		{ ":5", "configuration.config.User: ':5' is neither USER nor USER:GROUP" },
		{ "5:", "configuration.config.User: '5:' is neither USER nor USER:GROUP" },
		{ "a:b:c", "configuration.config.User: 'a:b:c' is neither USER nor USER:GROUP" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *config = xasprintf("\"config\": {\"User\": \"%s\"},", rows[i].user);
		AUTO_FREE char *want = *rows[i].doc != '"' ? xstrdup(rows[i].doc) : xasprintf(
			HEAD("some_app") "{\"name\":\"version\",\"value\":\"latest\"}],%s\"annotations\":["
			"{\"name\":\"appc.io/docker/repository\",\"value\":\"Some_App\"},"
			"{\"name\":\"appc.io/docker/tag\",\"value\":\"latest\"},]}", rows[i].doc);

		convert(*state, config, "null", want);
	}
}

static void names_images(void **state)
{
	static const struct { const char *ref, *registry, *repository, *tag, *name; } rows[] = {
		{ "busybox", "registry-1.docker.io", "library/busybox", "latest",
			"registry-1.docker.io/library/busybox" },
		{ "a/b", "registry-1.docker.io", "a/b", "latest", "registry-1.docker.io/a/b" },
		{ "docker.io/library/c:v2", "registry-1.docker.io", "library/c", "v2",
			"registry-1.docker.io/library/c" },
		{ "docker.io/c:v2", "registry-1.docker.io", "library/c", "v2",
			"registry-1.docker.io/library/c" },
		{ "localhost/c:v2", "localhost", "c", "v2", "localhost/c" },
		{ "host:5000/x/y", "host:5000", "x/y", "latest", "host_5000/x/y" },
		{ "q.io/-x-/y:1", "q.io", "-x-/y", "1", "q.io/x/y" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		/* docker saves no name without a tag */
		AUTO_FREE char *ref = xasprintf("[\"%s%s\"]", rows[i].ref,
			!strcmp(rows[i].ref, "busybox") || !strcmp(rows[i].ref, "a/b") ? ":latest" : "");
		AUTO_FREE char *full = xstrndup(ref + 2, strlen(ref) - 4);
		AUTO_FREE char *want = xasprintf("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\","
			"\"name\":\"%s\",\"labels\":[{\"name\":\"arch\",\"value\":\"amd64\"},"
			"{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"version\",\"value\":\"%s\"}],"
			"\"annotations\":[{\"name\":\"appc.io/docker/originalname\",\"value\":\"%s\"},"
			"{\"name\":\"appc.io/docker/registryurl\",\"value\":\"%s\"},"
			"{\"name\":\"appc.io/docker/repository\",\"value\":\"%s\"},"
			"{\"name\":\"appc.io/docker/tag\",\"value\":\"%s\"},]}", rows[i].name, rows[i].tag, full,
			rows[i].registry, rows[i].repository, rows[i].tag);

		convert(*state, NULL, ref, want);
	}
}

static void refuses_what_cannot_be_converted(void **state)
{
	convert(*state, "\"config\": {\"ExposedPorts\": {\"80-90/tcp\": {}}},", "null",
		"configuration.config.ExposedPorts: '80-90/tcp' is not a port");
	convert(*state, "\"config\": {\"ExposedPorts\": {\"65536\": {}}},", "null",
		"configuration.config.ExposedPorts: '65536' is not a port");
	convert(*state, "\"config\": {\"Cmd\": \"sh\"},", "null",
		"configuration.config.Cmd: expected array, found string");
	convert(*state, "\"config\": {\"Env\": [7]},", "null",
		"configuration.config.Env[0]: expected string, found int");
	convert(*state, "\"config\": 7,", "null", "configuration.config: expected object, found int");
}

static void follows_links_in_archives(void **state)
{
	static const struct { const char *name, *target, *want; } rows[] = {
		{ "a", "b", "b" }, { "a/b", "c", "a/c" }, { "a/b", "../c", "c" }, { "a/b", "../../c", NULL },
		{ "a/b/c", "../../d/./e", "d/e" }, { "a", "/b", NULL }, { "a/bb/c", "..", "a" }, { "a", "..", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *got = name_follow(rows[i].name, rows[i].target);

		if (rows[i].want)
			assert_string_equal(got, rows[i].want);
		else
			assert_null(got);
	}
}

static void splits_tags_off(void **state)
{
	static const struct { const char *path, *file, *tag; } rows[] = {
		{ "x.tar", "x.tar", NULL }, { "x.tar:v1", "x.tar", "v1" }, { "x.tar:foo:v1", "x.tar", "foo:v1" },
		{ "colon:x", "colon:x", NULL }, { "colon:x:v1", "colon:x", "v1" }, { "none:v1", "none:v1", NULL },
		{ "x.tar:", "x.tar:", NULL }, { ":v1", ":v1", NULL },
	};
	struct box *b = *state;
	AUTO_CLOSE int home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	assert_int_equal(fchdir(b->s.dir), 0);
	assert_int_equal(write_file_atomic(b->s.dir, "x.tar", "", 0, 0644, &e), 0);
	assert_int_equal(write_file_atomic(b->s.dir, "colon:x", "", 0, 0644, &e), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *file = NULL;
		const char *tag;

		oci_split_path(rows[i].path, &file, &tag);
		assert_string_equal(file, rows[i].file);
		if (rows[i].tag)
			assert_string_equal(tag, rows[i].tag);
		else
			assert_null(tag);
	}
	assert_int_equal(fchdir(home), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(reads_layers_however_they_are_compressed),
		T(knows_both_digests),
		T(puts_layers_on_each_other),
		T(keeps_what_directories_have),
		T(stays_within_the_root),
		T(an_empty_root_is_an_error),
		T(checks_digests_and_sizes),
		T(misses_a_layer),
		T(bounds_everything),
		T(says_where_documents_are_wrong),
		T(says_where_manifests_are_wrong),
		T(checks_the_size_of_a_configuration),
		T(bounds_indexes),
		T(chooses_by_tag_and_platform),
		T(reads_what_docker_saves),
		T(tells_kinds_apart),
		T(reads_a_directory),
		T(converts_as_docker2aci),
		T(names_users_and_groups),
		T(names_images),
		T(refuses_what_cannot_be_converted),
		T(follows_links_in_archives),
		T(splits_tags_off),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
