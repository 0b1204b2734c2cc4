/* Reading one file; see oci_store.h. */
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/names.h"
#include "stage0/oci_store.h"
#include "stage0/root.h"
#include "stage1/common/util.h"

enum { LINKS_MAX = 8, BLOCK = 1 << 16 };

static int compare(const void *name, const void *member)
{
	return strcmp(name, ((const struct oci_member *)member)->name);
}

static const struct oci_member *member(const struct oci_store *s, const char *name)
{
	return s->n ? bsearch(name, s->members, s->n, sizeof(*s->members), compare) : NULL;
}

/* Of an archive; through links. */
static const struct oci_member *find(const struct oci_store *s, const char *name)
{
	const struct oci_member *m = member(s, name);

	for (int i = 0; m && m->link && i < LINKS_MAX; i++) {
		AUTO_FREE char *to = m->symbolic ? name_follow(m->name, m->link) : xstrdup(m->link);

		m = to ? member(s, to) : NULL;
	}
	return m && m->link ? NULL : m;
}

bool oci_store_has(const struct oci_store *s, const char *name)
{
	if (!s->dir)
		return find(s, name) != NULL;

	AUTO_CLOSE int fd = root_open(s->fd, name, O_PATH);

	return fd >= 0;
}

static int open_member(struct oci_file *f, const char *name, struct err *e)
{
	AUTO_FREE char *clean = NULL;
	struct archive_entry *ent;
	const struct oci_member *m;

	if (name_clean(name, &clean, e) < 0)
		return -1;
	m = find(f->store, clean);
	if (!m)
		return err_set(e, ERR_INPUT, "not in the archive");
	f->size = m->size;
	f->tar = archive_read_new();
	(void)archive_read_support_format_tar(f->tar);
	if (lseek(f->store->fd, m->at, SEEK_SET) < 0)
		return err_sys(e, "seek");
	if (archive_read_open_fd(f->tar, f->store->fd, BLOCK) != ARCHIVE_OK ||
		archive_read_next_header(f->tar, &ent) != ARCHIVE_OK)
		return err_set(e, ERR_INPUT, "read: %s", archive_error_string(f->tar));
	if (archive_entry_size(ent) < 0 || (uint64_t)archive_entry_size(ent) != m->size)
		return err_set(e, ERR_INPUT, "changed while it was read");
	return 0;
}

static int open_in_dir(struct oci_file *f, const char *name, struct err *e)
{
	struct stat st;

	f->fd = root_open(f->store->fd, name, O_RDONLY | O_NONBLOCK); /* it might be a fifo */
	if (f->fd < 0 || fstat(f->fd, &st) < 0)
		return err_sys(e, "open");
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "not a regular file");
	f->size = (uint64_t)st.st_size;
	f->buf = xmalloc(BLOCK);
	return 0;
}

int oci_file_open(const struct oci_store *store, const char *name, enum digest_algo algo,
	struct oci_file *f_r, struct err *e)
{
	struct oci_file f = OCI_FILE_INIT;

	f.store = store;
	digest_init(&f.hash, algo);
	if ((store->dir ? open_in_dir(&f, name, e) : open_member(&f, name, e)) < 0) {
		oci_file_dispose(&f);
		return err_prefix(e, "file '%.150s'", name);
	}
	*f_r = f;
	return 0;
}

static la_ssize_t read_member(struct archive *report, struct oci_file *f, const void **buf_r)
{
	la_int64_t off;
	size_t len = 0;
	int rc;

	do
		rc = archive_read_data_block(f->tar, buf_r, &len, &off);
	while (rc == ARCHIVE_OK && len == 0);
	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK) {
		archive_set_error(report, EIO, "%s", archive_error_string(f->tar));
		return -1;
	}
	if ((uint64_t)off != f->seen) { /* no tool writes one with holes */
		archive_set_error(report, EIO, "a sparse file");
		return -1;
	}
	return (la_ssize_t)len;
}

la_ssize_t oci_file_read(struct archive *report, void *file, const void **buf_r)
{
	struct oci_file *f = file;
	la_ssize_t n;

	if (f->tar) {
		n = read_member(report, f, buf_r);
	} else {
		do
			n = read(f->fd, f->buf, BLOCK);
		while (n < 0 && errno == EINTR);
		if (n < 0)
			archive_set_error(report, errno, "%s", strerror(errno));
		*buf_r = f->buf;
	}
	if (n > 0) {
		digest_update(&f->hash, *buf_r, (size_t)n);
		f->seen += (uint64_t)n;
	}
	if (f->seen > f->size) {
		archive_set_error(report, EIO, "it grows while it is read");
		return -1;
	}
	return n;
}

static int read_err(struct archive *report, struct err *e)
{
	return err_set(e, ERR_INPUT, "read: %s", archive_error_string(report));
}

int oci_file_check(struct oci_file *f, const char *digest, struct err *e)
{
	struct archive *report = archive_read_new();
	const void *buf;
	la_ssize_t n;
	int ret = 0;

	while ((n = oci_file_read(report, f, &buf)) > 0)
		;
	if (n < 0)
		ret = read_err(report, e);
	(void)archive_read_free(report);
	if (ret < 0)
		return ret;
	digest_text(&f->hash, f->found);
	if (digest && strcmp(f->found, digest) != 0)
		return err_set(e, ERR_INPUT, "its digest is %.23s..., not %.23s...", f->found, digest);
	return 0;
}

void oci_file_dispose(struct oci_file *f)
{
	(void)archive_read_free(f->tar);
	if (f->fd >= 0)
		(void)close(f->fd);
	free(f->buf);
	*f = (struct oci_file)OCI_FILE_INIT;
}

static int read_text(struct oci_file *f, char *text, struct err *e)
{
	struct archive *report = archive_read_new();
	const void *buf;
	size_t len = 0;
	la_ssize_t n;
	int ret = 0;

	while ((n = oci_file_read(report, f, &buf)) > 0) {
		memcpy(text + len, buf, (size_t)n); /* within f->size: oci_file_read sees to it */
		len += (size_t)n;
	}
	if (n < 0)
		ret = read_err(report, e);
	else if (len < f->size)
		ret = err_set(e, ERR_INPUT, "ends too early");
	(void)archive_read_free(report);
	return ret;
}

int oci_store_text(const struct oci_store *store, const char *name, const char *digest, size_t max,
	char **text_r, size_t *len_r, struct err *e)
{
	struct oci_file f = OCI_FILE_INIT;
	enum digest_algo algo = DIGEST_SHA256;
	AUTO_FREE char *text = NULL;
	int ret;

	if (digest && digest_parse(digest, &algo) < 0)
		return err_set(e, ERR_INPUT, "'%.150s' is not a sha256 or sha512 digest", digest);
	if (oci_file_open(store, name, algo, &f, e) < 0)
		return -1;
	if (f.size > max) {
		ret = err_set(e, ERR_INPUT, "larger than %zu bytes", max);
	} else {
		text = xcalloc(f.size + 1, 1);
		ret = read_text(&f, text, e);
	}
	if (ret == 0)
		ret = oci_file_check(&f, digest, e);
	if (ret < 0)
		ret = err_prefix(e, "file '%.150s'", name);
	else {
		*len_r = f.size;
		*text_r = STEAL(text);
	}
	oci_file_dispose(&f);
	return ret;
}
