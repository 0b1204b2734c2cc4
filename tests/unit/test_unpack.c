/*
 * Hostile and honest images: each is built here with libarchive, unpacked into one half of a
 * scratch directory, and the other half is looked at afterwards.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "stage0/root.h"
#include "stage0/unpack.h"
#include "stage1/common/util.h"
#include "tests/unit/no_openat2.h"
#include "tests/unit/sandbox.h"

struct ent {
	const char *name;
	char type; /* f file, d directory, l symbolic link, h hard link, c/b device, p fifo */
	const char *arg; /* content or target */
	unsigned mode;
};

#define M { "manifest", 'f', "{}", 0644 }
#define R { "rootfs/", 'd', NULL, 0755 }

static const struct aci_limits limits = { .bytes = 1 << 20, .entries = 50, .manifest = 1000 };

static int setup(void **state)
{
	*state = xcalloc(1, sizeof(struct sandbox));
	sandbox_open(*state);
	return 0;
}

static int teardown(void **state)
{
	sandbox_close(*state);
	free(*state);
	return 0;
}

static void add(struct archive *a, const struct ent *t)
{
	struct archive_entry *ent = archive_entry_new();
	size_t len = t->type == 'f' && t->arg ? strlen(t->arg) : 0;
	static const struct { char c; unsigned type; } types[] = { { 'f', AE_IFREG }, { 'd', AE_IFDIR },
		{ 'l', AE_IFLNK }, { 'h', AE_IFREG }, { 'c', AE_IFCHR }, { 'b', AE_IFBLK }, { 'p', AE_IFIFO } };

	archive_entry_copy_pathname(ent, t->name);
	for (size_t i = 0; i < COUNT(types); i++)
		if (types[i].c == t->type)
			archive_entry_set_filetype(ent, types[i].type);
	archive_entry_set_perm(ent, (mode_t)t->mode);
	archive_entry_set_size(ent, (la_int64_t)len);
	archive_entry_set_mtime(ent, 1000000, 0);
	if (t->type == 'l')
		archive_entry_copy_symlink(ent, t->arg);
	if (t->type == 'h')
		archive_entry_copy_hardlink(ent, t->arg);
	if (t->type == 'c' || t->type == 'b')
		archive_entry_set_rdev(ent, makedev(1, 3));
	assert_int_equal(archive_write_header(a, ent), ARCHIVE_OK);
	if (len)
		assert_int_equal(archive_write_data(a, t->arg, len), len);
	archive_entry_free(ent);
}

/* The image as a descriptor; `filter` an ARCHIVE_FILTER_ number. */
static int image(struct sandbox *s, const struct ent *ents, size_t max, int filter)
{
	struct archive *a = archive_write_new();
	int fd = openat(s->dir, "image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(archive_write_set_format_pax_restricted(a), ARCHIVE_OK);
	assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	for (size_t i = 0; i < max && ents[i].name; i++)
		add(a, &ents[i]);
	assert_int_equal(archive_write_free(a), ARCHIVE_OK);
	return fd;
}

static void clean_in(struct sandbox *s)
{
	struct err e = ERR_INIT;

	assert_int_equal(tree_remove(s->in, "rootfs", &e), 0);
}

static void unpack_fails(struct sandbox *s, int fd, const struct aci_limits *lim, const char *msg)
{
	struct aci aci = ACI_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(aci_unpack(fd, s->in, lim, &aci, &e), -1);
	assert_string_equal(e.msg, msg);
	assert_null(aci.manifest);
	sandbox_check(s);
	clean_in(s);
	(void)close(fd);
}

#define LONG100 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void refuses_what_leads_out(void **state)
{
	static const struct { struct ent ents[6]; const char *msg; } rows[] = {
		{ { M, R, { "rootfs/../new", 'f', "x", 0644 } }, "entry 'rootfs/../new': '..' in a name" },
		{ { M, R, { "../outside/new", 'f', "x", 0644 } }, "entry '../outside/new': '..' in a name" },
		{ { M, R, { "rootfs/a/..", 'd', NULL, 0755 } }, "entry 'rootfs/a/../': '..' in a name" },
		{ { M, R, { "/new-from-a-test", 'f', "x", 0644 } },
			"entry '/new-from-a-test': an absolute name" },
		{ { M, R, { "new", 'f', "x", 0644 } }, "entry 'new': neither 'manifest' nor below 'rootfs'" },
		{ { M, R, { "rootfsx/new", 'f', "x", 0644 } },
			"entry 'rootfsx/new': neither 'manifest' nor below 'rootfs'" },
		{ { M, R, { "manifest/x", 'f', "x", 0644 } },
			"entry 'manifest/x': neither 'manifest' nor below 'rootfs'" },
		/* links: followed inside the root only, where the target does not exist */
		{ { M, R, { "rootfs/l", 'l', "../../outside", 0777 }, { "rootfs/l/new", 'f', "x", 0644 } },
			"entry 'rootfs/l/new': its directory: No such file or directory" },
		{ { M, R, { "rootfs/l", 'l', "../../outside/new", 0777 }, { "rootfs/l", 'f', "x", 0644 } },
			"entry 'rootfs/l': create: File exists" },
		{ { M, R, { "rootfs/l", 'l', "../../outside", 0777 }, { "rootfs/l/", 'd', NULL, 0700 } },
			"entry 'rootfs/l/': is there already: Not a directory" },
		{ { M, R, { "rootfs/a", 'l', "b", 0777 }, { "rootfs/b", 'l', "../../outside", 0777 },
			{ "rootfs/a/new", 'f', "x", 0644 } },
			"entry 'rootfs/a/new': its directory: No such file or directory" },
		{ { M, R, { "rootfs/a", 'l', "b", 0777 }, { "rootfs/b", 'l', "a", 0777 },
			{ "rootfs/a/new", 'f', "x", 0644 } },
			"entry 'rootfs/a/new': its directory: Too many levels of symbolic links" },
		{ { M, R, { "rootfs/p", 'l', "/proc/self/cwd", 0777 }, { "rootfs/p/new", 'f', "x", 0644 } },
			"entry 'rootfs/p/new': its directory: No such file or directory" },
		{ { M, { "rootfs", 'l', "../outside", 0777 }, { "rootfs/new", 'f', "x", 0644 } },
			"entry 'rootfs': must be a directory" },
		{ { M, { "rootfs", 'f', "x", 0777 } }, "entry 'rootfs': must be a directory" },
		/* hard links */
		{ { M, R, { "rootfs/h", 'h', "../outside/victim", 0644 } },
			"entry 'rootfs/h': hard link to '../outside/victim': '..' in a name" },
		{ { M, R, { "rootfs/h", 'h', "/etc/passwd", 0644 } },
			"entry 'rootfs/h': hard link to '/etc/passwd': an absolute name" },
		{ { M, R, { "rootfs/h", 'h', "manifest", 0644 } },
			"entry 'rootfs/h': hard link to 'manifest': not below 'rootfs'" },
		{ { M, R, { "rootfs/l", 'l', "../../outside", 0777 }, { "rootfs/h", 'h', "rootfs/l/victim", 0644 } },
			"entry 'rootfs/h': hard link to 'l/victim': No such file or directory" },
		{ { M, R, { "rootfs/h", 'h', "rootfs/none/x", 0644 } },
			"entry 'rootfs/h': hard link to 'none/x': No such file or directory" },
		{ { M, R, { "rootfs/h", 'h', "rootfs", 0644 } },
			"entry 'rootfs/h': hard link to 'rootfs': not below 'rootfs'" },
		{ { M, R, { "rootfs/l", 'l', "../../outside/victim", 0777 }, { "rootfs/h", 'h', "rootfs/l", 0 },
			{ "rootfs/h", 'f', "x", 0600 } }, "entry 'rootfs/h': create: File exists" },
		/* a path twice: which one counts would depend on the reader */
		{ { M, R, { "rootfs/f", 'f', "1", 0644 }, { "rootfs/f", 'f', "2", 0644 } },
			"entry 'rootfs/f': create: File exists" },
		{ { M, R, { "rootfs/f", 'f', "1", 0644 }, { "rootfs/./f", 'l', "x", 0777 } },
			"entry 'rootfs/./f': create symbolic link: File exists" },
		{ { M, R, { "rootfs/f", 'f', "1", 0644 }, { "rootfs/f/", 'd', NULL, 0755 } },
			"entry 'rootfs/f/': is there already: Not a directory" },
		{ { M, R, { "rootfs/f", 'f', "1", 0644 }, { "rootfs/f/x", 'f', "2", 0644 } },
			"entry 'rootfs/f/x': its directory: Not a directory" },
		{ { M, R, { "rootfs/" LONG100 LONG100 LONG100, 'f', "1", 0644 } },
			"entry 'rootfs/" LONG100 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
			"': create: File name too long" },
		/* the manifest */
		{ { R }, "no 'manifest' in it" },
		{ { M }, "no 'rootfs' in it" },
		{ { { NULL, 0, NULL, 0 } }, "an empty archive" },
		{ { M, R, { "./manifest", 'f', "{}", 0644 } }, "entry './manifest': a second one" },
		{ { { "manifest", 'l', "/etc/passwd", 0777 }, R },
			"entry 'manifest': must be a regular file" },
		{ { { "rootfs/f", 'f', "1", 0644 }, { "manifest", 'h', "rootfs/f", 0644 } },
			"entry 'manifest': must be a regular file" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		unpack_fails(*state, image(*state, rows[i].ents, COUNT(rows[i].ents), ARCHIVE_FILTER_NONE),
			&limits, rows[i].msg);
}

static void refuses_very_long_names(void **state)
{
	struct ent ents[] = { M, R, { NULL, 'f', "x", 0644 } };
	char name[5100] = "rootfs", msg[400];

	while (strlen(name) < 5000)
		strcat(name, "/0123456789abcdef");
	ents[2].name = name;
	(void)snprintf(msg, sizeof(msg), "entry '%.150s': its directory: File name too long", name);
	unpack_fails(*state, image(*state, ents, COUNT(ents), ARCHIVE_FILTER_NONE), &limits, msg);
}

static void bounds_what_it_writes(void **state)
{
	static const struct ent big[] = { M, R, { "rootfs/a", 'f', "0123456789", 0644 },
		{ "rootfs/b", 'f', "0123456789", 0644 } };
	static const struct { struct aci_limits lim; const char *msg; } rows[] = {
		{ { .bytes = 2000, .entries = 50, .manifest = 100 },
			"read: more than 2000 bytes when uncompressed" },
		{ { .bytes = 1 << 20, .entries = 3, .manifest = 100 }, "more than 3 entries" },
		{ { .bytes = 1 << 20, .entries = 50, .manifest = 1 },
			"entry 'manifest': larger than 1 bytes" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		unpack_fails(*state, image(*state, big, COUNT(big), ARCHIVE_FILTER_GZIP), &rows[i].lim,
			rows[i].msg);
}

/* 8 MiB of one letter are 8 kB when compressed. */
static void bounds_a_bomb(void **state)
{
	static char text[8 << 20];
	static struct ent ents[] = { M, R, { "rootfs/bomb", 'f', text, 0644 } };
	struct sandbox *s = *state;

	memset(text, 'z', sizeof(text) - 1);
	unpack_fails(s, image(s, ents, COUNT(ents), ARCHIVE_FILTER_GZIP), &limits,
		"entry 'rootfs/bomb': too large: files of the image exceed the limit");
}

static void add_hole(struct archive *a, const char *name, la_int64_t size)
{
	struct archive_entry *ent = archive_entry_new();
	static const char data[512] = "data";

	archive_entry_copy_pathname(ent, name);
	archive_entry_set_mode(ent, AE_IFREG | 0644);
	archive_entry_set_size(ent, size);
	archive_entry_sparse_add_entry(ent, 0, sizeof(data));
	assert_int_equal(archive_write_header(a, ent), ARCHIVE_OK);
	assert_int_equal(archive_write_data(a, data, sizeof(data)), sizeof(data));
	archive_entry_free(ent);
}

/* A hole costs nothing in the archive: sizes count one by one and together. */
static void bounds_holes(void **state)
{
	static const struct { la_int64_t size; const char *msg; } rows[] = {
		{ 1LL << 40, "entry 'rootfs/one': too large: files of the image exceed the limit" },
		{ 600 << 10, "entry 'rootfs/two': too large: files of the image exceed the limit" },
	};
	static const struct ent manifest = M;
	struct sandbox *s = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = openat(s->dir, "image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct archive *a = archive_write_new();

		assert_int_equal(archive_write_set_format_pax(a), ARCHIVE_OK);
		assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
		add(a, &manifest);
		add_hole(a, "rootfs/one", rows[i].size);
		add_hole(a, "rootfs/two", rows[i].size);
		assert_int_equal(archive_write_free(a), ARCHIVE_OK);
		unpack_fails(s, fd, &limits, rows[i].msg);
	}
}

static void bounds_what_follows_the_end(void **state)
{
	static const struct ent ents[] = { M, R };
	struct sandbox *s = *state;
	int fd = image(s, ents, COUNT(ents), ARCHIVE_FILTER_NONE);

	assert_int_equal(ftruncate(fd, 2 << 20), 0);
	unpack_fails(s, fd, &limits, "read: more than 1048576 bytes when uncompressed");
}

static void notices_a_truncated_archive(void **state)
{
	static const char text[] = "some content that is not all zeros";
	static const struct ent ents[] = { M, R, { "rootfs/a", 'f', text, 0644 },
		{ "rootfs/b", 'f', text, 0644 } };
	static const struct { off_t len; const char *msg; } rows[] = {
		{ 0, "read: Unrecognized archive format" },
		{ 100, "not a tar archive" },
		{ 512, "entry 'manifest': read: Truncated tar archive" },
		{ 1024, "no 'rootfs' in it" },
		{ 1536 + 512 + 10, "entry 'rootfs/a': read: Truncated tar archive" },
		{ 1536 + 1024, "truncated: no end mark" }, /* between two entries */
	};
	struct sandbox *s = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = image(s, ents, COUNT(ents), ARCHIVE_FILTER_NONE);

		assert_int_equal(ftruncate(fd, rows[i].len), 0);
		unpack_fails(s, fd, &limits, rows[i].msg);
	}
}

/* The end mark may lie across the blocks that the file is read in. */
static void finds_the_end_mark_anywhere(void **state)
{
	static char text[65024 - 2048 + 1]; /* of the 64 kB of one read two headers and more are gone */
	static const struct ent ents[] = { M, R, { "rootfs/a", 'f', text, 0644 } };
	struct sandbox *s = *state;
	int fd;
	struct aci aci = ACI_INIT;
	struct err e = ERR_INIT;

	memset(text, 'z', sizeof(text) - 1);
	fd = image(s, ents, COUNT(ents), ARCHIVE_FILTER_NONE);
	assert_int_equal(ftruncate(fd, 65024 + 1024), 0);
	assert_int_equal(aci_unpack(fd, s->in, &limits, &aci, &e), 0);
	aci_dispose(&aci);
	clean_in(s);
	assert_int_equal(ftruncate(fd, 65024 + 1023), 0);
	unpack_fails(s, fd, &limits, "truncated: no end mark");
}

static void notices_truncated_compression(void **state)
{
	static const struct ent ents[] = { M, R, { "rootfs/a", 'f', "content", 0644 } };
	static const int filters[] = { ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD,
		ARCHIVE_FILTER_BZIP2 };
	struct sandbox *s = *state;

	for (size_t i = 0; i < COUNT(filters); i++) {
		int fd = image(s, ents, COUNT(ents), filters[i]);
		off_t len = lseek(fd, 0, SEEK_END);
		struct aci aci = ACI_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(ftruncate(fd, len - 20), 0);
		assert_int_equal(aci_unpack(fd, s->in, &limits, &aci, &e), -1);
		assert_int_equal(e.kind, ERR_INPUT);
		clean_in(s);
		(void)close(fd);
	}
}

static void refuses_what_is_no_archive(void **state)
{
	struct sandbox *s = *state;
	int fd = openat(s->dir, "image", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char junk[2048];

	memset(junk, 'j', sizeof(junk));
	assert_int_equal(write_all(fd, junk, sizeof(junk)), 0);
	unpack_fails(s, fd, &limits, "not a tar archive");
}

static void check_stat(struct sandbox *s, const char *path, mode_t mode, off_t size)
{
	AUTO_FREE char *full = xasprintf("rootfs/%s", path);
	struct stat st;

	assert_int_equal(fstatat(s->in, full, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode, mode);
	assert_int_equal(st.st_mtim.tv_sec, 1000000);
	if (size >= 0)
		assert_int_equal(st.st_size, size);
}

static void unpacks_with_each_compression(void **state)
{
	static const struct ent ents[] = { { "./", 'd', NULL, 0755 }, { "./manifest", 'f', "{}", 0644 },
		{ "./rootfs/", 'd', NULL, 0711 }, { "rootfs/ro/", 'd', NULL, 0555 },
		{ "rootfs/ro/file", 'f', "hello", 04755 }, { "rootfs/bin", 'l', "ro", 0777 },
		{ "rootfs/bin/more", 'f', "!", 0600 }, { "rootfs/abs", 'l', "/ro", 0777 },
		{ "rootfs/abs/also", 'f', "!", 0640 }, { "rootfs/up", 'l', "../../../ro", 0777 },
		{ "rootfs/up/clamped", 'f', "!", 0640 }, { "rootfs/hard", 'h', "rootfs/ro/file", 0755 },
		{ "rootfs/fifo", 'p', NULL, 0622 }, { "rootfs/made/for/it", 'f', NULL, 0644 },
		{ "rootfs/n\xc3\xa4me", 'f', "u", 0644 } };
	static const int filters[] = { ARCHIVE_FILTER_NONE, ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2,
		ARCHIVE_FILTER_XZ, ARCHIVE_FILTER_ZSTD };
	char first[IMAGE_ID_LEN + 1] = "";
	struct sandbox *s = *state;

	for (size_t i = 0; i < COUNT(filters); i++) {
		struct aci aci = ACI_INIT, peek = ACI_INIT;
		int fd = image(s, ents, COUNT(ents), filters[i]);
		struct err e = ERR_INIT;

		assert_int_equal(aci_peek(fd, &limits, &peek, &e), 0);
		assert_string_equal(peek.manifest, "{}");
		assert_int_equal(aci_unpack(fd, s->in, &limits, &aci, &e), 0);
		assert_string_equal(aci.manifest, "{}");
		assert_int_equal(aci.manifest_len, 2);
		if (i == 0)
			(void)strcpy(first, aci.id); /* of the bytes inside, however compressed */
		assert_string_equal(aci.id, first);
		assert_int_equal(strlen(aci.id), 135);
		check_stat(s, ".", S_IFDIR | 0711, -1);
		check_stat(s, "ro", S_IFDIR | 0555, -1);
		check_stat(s, "ro/file", S_IFREG | 04755, 5);
		check_stat(s, "ro/more", S_IFREG | 0600, 1);
		check_stat(s, "ro/also", S_IFREG | 0640, 1);
		check_stat(s, "ro/clamped", S_IFREG | 0640, 1);
		check_stat(s, "hard", S_IFREG | 04755, 5);
		check_stat(s, "bin", S_IFLNK | 0777, 2);
		check_stat(s, "fifo", S_IFIFO | 0622, 0);
		check_stat(s, "made/for/it", S_IFREG | 0644, 0);
		check_stat(s, "n\xc3\xa4me", S_IFREG | 0644, 1);
		sandbox_check(s);
		aci_dispose(&aci);
		aci_dispose(&peek);
		if (geteuid() != 0) /* or it could not be removed */
			assert_int_equal(fchmodat(s->in, "rootfs/ro", 0755, 0), 0);
		clean_in(s);
		(void)close(fd);
	}
}

/* The id is what sha512sum says of the uncompressed file. */
static void id_is_the_hash_of_the_tar(void **state)
{
	static const struct ent ents[] = { M, R };
	struct sandbox *s = *state;
	int fd = image(s, ents, COUNT(ents), ARCHIVE_FILTER_NONE);
	AUTO_FREE char *cmd = xasprintf("sha512sum < %s/image", s->path);
	struct aci aci = ACI_INIT;
	struct err e = ERR_INIT;
	char hex[129] = "";
	FILE *p;

	assert_int_equal(aci_unpack(fd, s->in, &limits, &aci, &e), 0);
	p = popen(cmd, "re");
	assert_non_null(p);
	assert_int_equal(fread(hex, 1, 128, p), 128);
	(void)pclose(p);
	assert_string_equal(aci.id + 7, hex);
	aci_dispose(&aci);
	(void)close(fd);
}

static void makes_devices_only_as_root(void **state)
{
	static const struct ent ents[] = { M, R, { "rootfs/null", 'c', NULL, 0666 },
		{ "rootfs/block", 'b', NULL, 0660 } };
	struct sandbox *s = *state;
	int fd = image(s, ents, COUNT(ents), ARCHIVE_FILTER_NONE);
	struct aci aci = ACI_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	if (aci_unpack(fd, s->in, &limits, &aci, &e) < 0) { /* also root in a container */
		assert_string_equal(e.msg,
			"entry 'rootfs/null': create device: Operation not permitted");
		return;
	}
	check_stat(s, "null", S_IFCHR | 0666, -1);
	check_stat(s, "block", S_IFBLK | 0660, -1);
	assert_int_equal(fstatat(s->in, "rootfs/null", &st, 0), 0);
	assert_int_equal(st.st_rdev, makedev(1, 3));
	aci_dispose(&aci);
	(void)close(fd);
}

static void refuses_a_root_that_is_there(void **state)
{
	static const struct ent ents[] = { M, R };
	struct sandbox *s = *state;

	assert_int_equal(mkdirat(s->in, "rootfs", 0755), 0);
	unpack_fails(s, image(s, ents, COUNT(ents), ARCHIVE_FILTER_NONE), &limits,
		"create directory 'rootfs': File exists");
}

/* Not even what an honest image says is placed where the kernel cannot say where that is. */
static int try_without(void *arg)
{
	static const struct ent ents[] = { M, R, { "rootfs/a", 'd', NULL, 0755 }, { "rootfs/a/b", 'f', "x", 0644 } };
	struct sandbox *s = arg;
	AUTO_CLOSE int fd = image(s, ents, COUNT(ents), ARCHIVE_FILTER_NONE);
	struct aci aci = ACI_INIT;
	struct err e = ERR_INIT;
	struct stat st;

	if (aci_unpack(fd, s->in, &limits, &aci, &e) == 0)
		return 1;
	if (!strstr(e.msg, "Function not implemented"))
		return 2;
	return fstatat(s->in, "rootfs/a", &st, AT_SYMLINK_NOFOLLOW) == 0 ? 3 : 0;
}

static void fails_closed_without_openat2(void **state)
{
	assert_int_equal(without_openat2(try_without, *state), 0);
	sandbox_check(*state);
	assert_true(unlinkat(((struct sandbox *)*state)->in, "rootfs", AT_REMOVEDIR) == 0 || errno == ENOENT);
}

/* --- tree_remove() */

static void removes_deep_trees_and_follows_nothing(void **state)
{
	struct sandbox *s = *state;
	int at = dup(s->in), next;
	struct err e = ERR_INIT;

	for (int i = 0; i < 3000; i++) { /* deeper than PATH_MAX, and than descriptors go */
		assert_int_equal(mkdirat(at, "d", 0755), 0);
		assert_int_equal(symlinkat(s->path, at, "link"), 0);
		assert_int_equal(mkdirat(at, ".removed-0", 0755), 0); /* a name of its own */
		assert_int_equal(mkdirat(at, ".removed-0/x", 0755), 0);
		next = openat(at, "d", O_PATH | O_DIRECTORY);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	assert_int_equal(tree_remove(s->in, "d", &e), 0);
	assert_int_equal(faccessat(s->in, "d", F_OK, 0), -1);
	sandbox_check(s);
	assert_int_equal(tree_remove(s->in, "link", &e), 0); /* the link, not its target */
	assert_int_equal(tree_remove(s->in, "nothing", &e), 0);
	assert_int_equal(tree_remove(s->in, ".removed-0", &e), 0);
	sandbox_check(s);
}

/* What is moved up to be removed must not land on something that waits there. */
static void removes_trees_with_names_like_its_own(void **state)
{
	struct sandbox *s = *state;
	struct err e = ERR_INIT;

	assert_int_equal(mkdirat(s->in, "t", 0755), 0);
	for (int i = 0; i < 20; i++) {
		AUTO_FREE char *path = xasprintf(i < 10 ? "t/.removed-%d" : "t/dir-%d", i);
		AUTO_FREE char *sub = xasprintf("%s/sub", path);
		AUTO_FREE char *below = xasprintf("%s/below", sub);

		assert_int_equal(mkdirat(s->in, path, 0755), 0);
		assert_int_equal(mkdirat(s->in, sub, 0755), 0);
		assert_int_equal(mkdirat(s->in, below, 0755), 0);
	}
	assert_int_equal(tree_remove(s->in, "t", &e), 0);
	assert_int_equal(faccessat(s->in, "t", F_OK, 0), -1);
}

static void does_not_remove_through_mounts(void **state)
{
	struct sandbox *s = *state;
	AUTO_FREE char *from = xasprintf("%s/outside", s->path);
	AUTO_FREE char *to = xasprintf("%s/in/a/b/c", s->path);
	struct err e = ERR_INIT;

	assert_int_equal(mkdirat(s->in, "a", 0755), 0);
	assert_int_equal(mkdirat(s->in, "a/b", 0755), 0);
	assert_int_equal(mkdirat(s->in, "a/b/c", 0755), 0);
	if (mount(from, to, NULL, MS_BIND, NULL) < 0)
		skip(); /* needs root; the same file system: only NO_XDEV tells */
	assert_int_equal(tree_remove(s->in, "a", &e), -1);
	sandbox_check(s);
	assert_int_equal(umount(to) < 0 && errno == EINVAL, 0);
	assert_string_equal(e.msg, "remove 'c': Device or resource busy");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(refuses_what_leads_out),
		T(refuses_very_long_names),
		T(bounds_what_it_writes),
		T(bounds_a_bomb),
		T(bounds_holes),
		T(bounds_what_follows_the_end),
		T(notices_a_truncated_archive),
		T(finds_the_end_mark_anywhere),
		T(notices_truncated_compression),
		T(refuses_what_is_no_archive),
		T(unpacks_with_each_compression),
		T(id_is_the_hash_of_the_tar),
		T(makes_devices_only_as_root),
		T(refuses_a_root_that_is_there),
		T(fails_closed_without_openat2),
		T(removes_deep_trees_and_follows_nothing),
		T(removes_trees_with_names_like_its_own),
		T(does_not_remove_through_mounts),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
