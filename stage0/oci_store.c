/* Opening; see oci_store.h. Reading is in oci_file.c. */
#include "stage0/oci_store.h"

#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/names.h"
#include "stage0/root.h"
#include "stage0/spool.h"
#include "stage1/common/util.h"

enum { MEMBERS_MAX = 20000, BLOCK = 1 << 16 };

static struct archive *new_reader(bool filters)
{
	struct archive *a = archive_read_new();

	if (filters) {
		(void)archive_read_support_filter_gzip(a);
		(void)archive_read_support_filter_bzip2(a);
		(void)archive_read_support_filter_xz(a);
		(void)archive_read_support_filter_zstd(a);
	}
	return a;
}

/* 1: an OCI image has such a file; -1: an ACI has; 0: this one tells nothing. */
static int tells(const char *name)
{
	static const char *const oci[] = { "oci-layout", "index.json", "manifest.json", "repositories",
		"blobs" };
	size_t n = strcspn(name, "/");

	if (!strcmp(name, "manifest") || (n == 6 && !strncmp(name, "rootfs", n)))
		return -1;
	for (size_t i = 0; i < COUNT(oci); i++)
		if (strlen(oci[i]) == n && !strncmp(name, oci[i], n))
			return 1;
	/* docker save: ID.json, ID.tar, ID/layer.tar */
	n = strspn(name, "0123456789abcdef");
	return n == 64 && (!name[n] || strchr("./", name[n])) ? 1 : 0;
}

static bool detect_tar(int fd)
{
	struct archive *a = new_reader(true);
	struct archive_entry *ent;
	size_t n = 0;
	int told = 0;

	(void)archive_read_support_format_tar(a);
	if (lseek(fd, 0, SEEK_SET) == 0 && archive_read_open_fd(a, fd, BLOCK) == ARCHIVE_OK)
		while (told == 0 && n++ < MEMBERS_MAX && archive_read_next_header(a, &ent) == ARCHIVE_OK) {
			const char *name = archive_entry_pathname(ent);
			AUTO_FREE char *clean = NULL;
			struct err ignored = ERR_INIT;

			if (name && name_clean(name, &clean, &ignored) == 0)
				told = tells(clean);
		}
	(void)archive_read_free(a);
	return told > 0;
}

bool oci_store_detect(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (S_ISDIR(st.st_mode))
		return fstatat(fd, "oci-layout", &st, 0) == 0;
	return S_ISREG(st.st_mode) && detect_tar(fd);
}

/* What the filters make of the archive, in a file without a name. */
static int spool(struct archive *raw, uint64_t bytes, int *fd_r, struct err *e)
{
	AUTO_CLOSE int fd = spool_open(e);
	struct archive_entry *ent;
	la_int64_t off;
	uint64_t seen = 0;
	const void *buf;
	size_t len;
	int rc;

	if (fd < 0)
		return -1;
	rc = archive_read_next_header(raw, &ent);
	while (rc == ARCHIVE_OK && (rc = archive_read_data_block(raw, &buf, &len, &off)) == ARCHIVE_OK) {
		seen += len;
		if (seen > bytes)
			return err_set(e, ERR_INPUT, "more than %" PRIu64 " bytes when uncompressed", bytes);
		if (write_all(fd, buf, len) < 0)
			return err_sys(e, "write a temporary file");
	}
	if (rc != ARCHIVE_EOF)
		return err_set(e, ERR_INPUT, "read: %s", archive_error_string(raw));
	*fd_r = STEAL_FD(fd);
	return 0;
}

/* *fd_r is the archive without compression: a new descriptor. */
static int open_plain(int fd, uint64_t bytes, int *fd_r, struct err *e)
{
	struct archive *raw = new_reader(true);
	int ret;

	(void)archive_read_support_format_raw(raw);
	if (lseek(fd, 0, SEEK_SET) < 0)
		ret = err_sys(e, "read from the start");
	else if (archive_read_open_fd(raw, fd, BLOCK) != ARCHIVE_OK)
		ret = err_set(e, ERR_INPUT, "read: %s", archive_error_string(raw));
	else if (archive_filter_count(raw) > 1)
		ret = spool(raw, bytes, fd_r, e);
	else if (*fd_r = fcntl(fd, F_DUPFD_CLOEXEC, 3), *fd_r < 0)
		ret = err_sys(e, "duplicate a descriptor");
	else
		ret = 0;
	(void)archive_read_free(raw);
	return ret;
}

static int add_member(struct oci_store *s, struct archive *a, struct archive_entry *ent,
	size_t *room, struct err *e)
{
	const char *name = archive_entry_pathname(ent), *hard = archive_entry_hardlink(ent);
	struct oci_member m = { .at = archive_read_header_position(a) };

	if (!name)
		return err_set(e, ERR_INPUT, "a name that is not UTF-8");
	if (!hard && archive_entry_filetype(ent) != AE_IFREG && archive_entry_filetype(ent) != AE_IFLNK)
		return 0; /* directories */
	if (s->n == MEMBERS_MAX)
		return err_set(e, ERR_INPUT, "more than %d files in it", MEMBERS_MAX);
	if (name_clean(name, &m.name, e) < 0)
		return err_prefix(e, "file '%.150s'", name);
	m.symbolic = !hard && archive_entry_filetype(ent) == AE_IFLNK;
	if (hard && name_clean(hard, &m.link, e) < 0) {
		free(m.name);
		return err_prefix(e, "file '%.150s': hard link", name);
	}
	if (m.symbolic)
		m.link = xstrdup(archive_entry_symlink(ent) ? archive_entry_symlink(ent) : "");
	m.size = archive_entry_size(ent) > 0 ? (uint64_t)archive_entry_size(ent) : 0;
	if (s->n == *room) {
		*room = *room ? 2 * *room : 64;
		s->members = xrealloc(s->members, *room, sizeof(*s->members));
	}
	s->members[s->n++] = m;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct oci_member *)a)->name, ((const struct oci_member *)b)->name);
}

static int list_members(struct oci_store *s, struct err *e)
{
	struct archive *a = new_reader(false);
	struct archive_entry *ent;
	size_t room = 0;
	int rc, ret = 0;

	(void)archive_read_support_format_tar(a);
	rc = lseek(s->fd, 0, SEEK_SET) == 0 ? archive_read_open_fd(a, s->fd, BLOCK) : ARCHIVE_FATAL;
	while (rc == ARCHIVE_OK && ret == 0) {
		rc = archive_read_next_header(a, &ent);
		if (rc == ARCHIVE_OK)
			ret = add_member(s, a, ent, &room, e);
	}
	if (ret == 0 && rc != ARCHIVE_EOF)
		ret = err_set(e, ERR_INPUT, "read: %s", archive_error_string(a));
	(void)archive_read_free(a);
	if (ret < 0)
		return ret;
	if (s->n > 1)
		qsort(s->members, s->n, sizeof(*s->members), by_name);
	for (size_t i = 1; i < s->n; i++) /* which one counts depends on who reads: nobody's guess here */
		if (!by_name(&s->members[i - 1], &s->members[i]))
			return err_set(e, ERR_INPUT, "two files '%.150s' in it", s->members[i].name);
	return 0;
}

int oci_store_open(int fd, uint64_t bytes, struct oci_store *store_r, struct err *e)
{
	struct oci_store s = OCI_STORE_INIT;
	struct stat st;
	int ret;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "open");
	s.dir = S_ISDIR(st.st_mode);
	if (s.dir) {
		s.fd = openat(fd, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
		ret = s.fd < 0 ? err_sys(e, "open") : 0;
	} else {
		ret = open_plain(fd, bytes, &s.fd, e);
		if (ret == 0)
			ret = list_members(&s, e);
	}
	if (ret < 0)
		oci_store_dispose(&s);
	else
		*store_r = s;
	return ret;
}

void oci_store_dispose(struct oci_store *s)
{
	for (size_t i = 0; i < s->n; i++) {
		free(s->members[i].name);
		free(s->members[i].link);
	}
	free(s->members);
	if (s->fd >= 0)
		(void)close(s->fd);
	*s = (struct oci_store)OCI_STORE_INIT;
}
