/*
 * Packs a tree into a stage1 image (tar) or an initramfs (cpio newc), the same bytes each time:
 * sorted, one fixed time, root's, no extended attributes. A build tool; it knows nothing of pods.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "scripts/pack_tree.h"

struct pack_opts {
	bool aci, gzip;
	const char *out;
	time_t mtime;
};

static const char usage[] =
	"usage: pack --format=aci|initramfs [--gzip] OUT ENTRY...\n"
	"ENTRY: DEST=SRC[:MODE] a file or a directory with all below it; DEST/[:MODE] an empty\n"
	"directory; 'DEST->TARGET' a symbolic link. SOURCE_DATE_EPOCH sets the time of all (0).\n";

static int check_aci(struct tree *t, struct err *e)
{
	if (!tree_find(t, "manifest") || !tree_find(t, "rootfs"))
		return err_set(e, ERR_USAGE, "an image needs 'manifest' and 'rootfs'");
	for (size_t i = 0; i < t->n; i++) {
		const char *d = t->items[i].dest;

		if (strcmp(d, "manifest") != 0 && strcmp(d, "rootfs") != 0 && !str_has_prefix(d, "rootfs/"))
			return err_set(e, ERR_USAGE, "'%s': an image has only 'manifest' and 'rootfs/'", d);
	}
	return 0;
}

static int copy_data(struct archive *a, const struct item *it, int fd, int64_t size, struct err *e)
{
	static char buf[1 << 16];

	while (size > 0) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read %s", it->src);
		if (n == 0 || n > size)
			return err_set(e, ERR_SYSTEM, "%s: changed while it was read", it->src);
		if (archive_write_data(a, buf, (size_t)n) != n)
			return err_set(e, ERR_SYSTEM, "'%s': %s", it->dest, archive_error_string(a));
		size -= n;
	}
	return 0;
}

/* Each entry has an inode number of its own: a reader of cpio would take equal ones for hard links. */
static int write_item(struct archive *a, const struct item *it, int64_t ino, time_t mtime,
	struct err *e)
{
	struct archive_entry *ent = archive_entry_new();
	AUTO_CLOSE int fd = -1;
	struct stat st = { 0 };
	int ret = 0;

	if (it->src) {
		fd = open(it->src, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) < 0)
			ret = err_sys(e, "open %s", it->src);
	}
	archive_entry_copy_pathname(ent, it->dest);
	archive_entry_set_mode(ent, it->mode);
	archive_entry_set_mtime(ent, mtime, 0);
	archive_entry_set_ino64(ent, ino);
	archive_entry_set_nlink(ent, S_ISDIR(it->mode) ? 2 : 1);
	archive_entry_set_size(ent, it->src ? st.st_size : 0);
	if (it->target)
		archive_entry_copy_symlink(ent, it->target);
	if (ret == 0 && archive_write_header(a, ent) != ARCHIVE_OK)
		ret = err_set(e, ERR_SYSTEM, "'%s': %s", it->dest, archive_error_string(a));
	if (ret == 0 && it->src)
		ret = copy_data(a, it, fd, st.st_size, e);
	archive_entry_free(ent);
	return ret;
}

static int write_archive(const struct pack_opts *o, const struct tree *t, int fd, struct err *e)
{
	struct archive *a = archive_write_new();
	int rc, ret = 0;

	rc = o->aci ? archive_write_set_format_pax_restricted(a) : archive_write_set_format_cpio_newc(a);
	if (rc == ARCHIVE_OK && o->gzip)
		rc = archive_write_add_filter_gzip(a);
	if (rc == ARCHIVE_OK && o->gzip)
		rc = archive_write_set_filter_option(a, "gzip", "timestamp", NULL);
	if (rc == ARCHIVE_OK)
		rc = archive_write_set_bytes_in_last_block(a, 1);
	if (rc == ARCHIVE_OK)
		rc = archive_write_open_fd(a, fd);
	for (size_t i = 0; rc == ARCHIVE_OK && ret == 0 && i < t->n; i++)
		ret = write_item(a, &t->items[i], (int64_t)i + 1, o->mtime, e);
	if (rc == ARCHIVE_OK && ret == 0)
		rc = archive_write_close(a);
	if (rc != ARCHIVE_OK)
		ret = err_set(e, ERR_SYSTEM, "write %s: %s", o->out, archive_error_string(a));
	(void)archive_write_free(a);
	return ret;
}

static int write_out(const struct pack_opts *o, const struct tree *t, struct err *e)
{
	AUTO_FREE char *tmp = xasprintf("%s.new", o->out);
	AUTO_CLOSE int fd = -1;
	int ret;

	(void)unlink(tmp);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(e, "create %s", tmp);
	ret = write_archive(o, t, fd, e);
	if (ret == 0 && rename(tmp, o->out) < 0)
		ret = err_sys(e, "create %s", o->out);
	if (ret < 0)
		(void)unlink(tmp);
	return ret;
}

static int read_epoch(time_t *t_r, struct err *e)
{
	const char *s = getenv("SOURCE_DATE_EPOCH");

	if (!s || !*s) {
		*t_r = 0;
		return 0;
	}
	if (strlen(s) > 10 || strspn(s, "0123456789") != strlen(s))
		return err_set(e, ERR_USAGE, "SOURCE_DATE_EPOCH: '%s' is not a time", s);
	*t_r = (time_t)strtoll(s, NULL, 10);
	return 0;
}

static int read_args(int argc, char **argv, struct pack_opts *o, struct tree *t, struct err *e)
{
	int i = 1;

	for (; i < argc && str_has_prefix(argv[i], "--"); i++) {
		if (!strcmp(argv[i], "--format=aci"))
			o->aci = true;
		else if (!strcmp(argv[i], "--gzip"))
			o->gzip = true;
		else if (strcmp(argv[i], "--format=initramfs") != 0)
			return err_set(e, ERR_USAGE, "unknown option '%s'", argv[i]);
	}
	if (argc - i < 2 || i == 1)
		return err_set(e, ERR_USAGE, "needs --format=, OUT and at least one ENTRY");
	if (o->gzip && !o->aci)
		return err_set(e, ERR_USAGE, "--gzip is for --format=aci");
	o->out = argv[i++];
	for (; i < argc; i++)
		if (tree_add(t, argv[i], e) < 0)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct pack_opts opts = { .aci = false };
	struct tree tree = TREE_INIT;
	struct err e = ERR_INIT;
	int ret;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		(void)fputs(usage, stdout);
		return 0;
	}
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive converts names for pax headers */
	ret = read_epoch(&opts.mtime, &e);
	if (ret == 0)
		ret = read_args(argc, argv, &opts, &tree, &e);
	if (ret == 0)
		ret = tree_finish(&tree, &e);
	if (ret == 0 && opts.aci)
		ret = check_aci(&tree, &e);
	if (ret == 0)
		ret = write_out(&opts, &tree, &e);
	if (ret < 0)
		(void)fprintf(stderr, "pack: %s\n", e.msg);
	tree_dispose(&tree);
	return ret < 0 ? 1 : 0;
}
