/* See stream.h. */
#include "stage0/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"

enum { BLOCK = 512 };

/* Counts zeros at the end: a whole archive ends in two empty blocks. */
static void count_zeros(struct tar_stream *s, const unsigned char *p, size_t len)
{
	size_t n = 0;

	while (n < len && p[len - 1 - n] == 0)
		n++;
	s->zeros = n == len ? s->zeros + n : n;
}

static la_ssize_t feed(struct archive *tar, void *arg, const void **buf_r)
{
	struct tar_stream *s = arg;
	la_int64_t off;
	size_t len = 0;
	int rc;

	do
		rc = archive_read_data_block(s->raw, buf_r, &len, &off);
	while (rc == ARCHIVE_OK && len == 0);
	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK) {
		s->broken = true;
		archive_set_error(tar, EIO, "%s", archive_error_string(s->raw));
		return -1;
	}
	s->bytes += len;
	if (s->bytes > s->limit) {
		archive_set_error(tar, EFBIG, "more than %" PRIu64 " bytes when uncompressed", s->limit);
		return -1;
	}
	digest_update(&s->hash, *buf_r, len);
	count_zeros(s, *buf_r, len);
	return (la_ssize_t)len;
}

static int new_raw(struct tar_stream *s, struct err *e)
{
	int rc;

	s->raw = archive_read_new();
	rc = archive_read_support_filter_gzip(s->raw);
	if (rc == ARCHIVE_OK)
		rc = archive_read_support_filter_bzip2(s->raw);
	if (rc == ARCHIVE_OK)
		rc = archive_read_support_filter_xz(s->raw);
	if (rc == ARCHIVE_OK)
		rc = archive_read_support_filter_zstd(s->raw);
	if (rc != ARCHIVE_OK) /* a warning: it would run a program for it */
		return err_set(e, ERR_SYSTEM, "this libarchive lacks one of gzip, bzip2, xz, zstd");
	(void)archive_read_support_format_raw(s->raw);
	return 0;
}

/* `rc` is of the opening of raw. */
static int open_tar(struct tar_stream *s, int rc, struct err *e)
{
	struct archive_entry *ent;

	if (rc != ARCHIVE_OK || archive_read_next_header(s->raw, &ent) != ARCHIVE_OK)
		return err_set(e, ERR_INPUT, "read: %s", archive_error_string(s->raw));
	s->tar = archive_read_new();
	(void)archive_read_support_format_tar(s->tar);
	if (archive_read_open(s->tar, s, NULL, feed, NULL) != ARCHIVE_OK)
		return tar_stream_err(s, e);
	return 0;
}

int tar_stream_open(struct tar_stream *s, int fd, uint64_t limit, struct err *e)
{
	*s = (struct tar_stream){ .limit = limit };
	digest_init(&s->hash, DIGEST_SHA512);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read from the start");
	if (new_raw(s, e) < 0)
		return -1;
	return open_tar(s, archive_read_open_fd(s->raw, fd, 1 << 16), e);
}

int tar_stream_open_from(struct tar_stream *s, archive_read_callback *read, void *arg,
	enum digest_algo algo, uint64_t used, uint64_t limit, struct err *e)
{
	*s = (struct tar_stream){ .bytes = used, .limit = limit };
	digest_init(&s->hash, algo);
	if (new_raw(s, e) < 0)
		return -1;
	return open_tar(s, archive_read_open(s->raw, arg, NULL, read, NULL), e);
}

int tar_stream_err(struct tar_stream *s, struct err *e)
{
	const char *why = archive_error_string(s->broken ? s->raw : s->tar);

	if (s->bytes > s->limit) /* skipping, tar forgets why it got no more */
		return err_set(e, ERR_INPUT, "read: more than %" PRIu64 " bytes when uncompressed", s->limit);
	if (why && !strcmp(why, "Unrecognized archive format"))
		return err_set(e, ERR_INPUT, "not a tar archive");
	return err_set(e, ERR_INPUT, "read: %s", why ? why : "unknown error");
}

int tar_stream_next(struct tar_stream *s, struct archive_entry **ent_r, struct err *e)
{
	int rc = archive_read_next_header(s->tar, ent_r);

	if (rc == ARCHIVE_EOF)
		return 0;
	if (rc != ARCHIVE_OK) /* warnings too: they say that a name or number is not what it was */
		return tar_stream_err(s, e);
	return 1;
}

int tar_stream_drain(struct tar_stream *s, char digest_r[DIGEST_MAX + 1], struct err *e)
{
	const void *buf;
	la_ssize_t n;

	while ((n = feed(s->tar, s, &buf)) > 0)
		;
	if (n < 0)
		return tar_stream_err(s, e);
	digest_text(&s->hash, digest_r);
	return 0;
}

int tar_stream_finish(struct tar_stream *s, char id_r[IMAGE_ID_LEN + 1], struct err *e)
{
	char digest[DIGEST_MAX + 1];

	if (tar_stream_drain(s, digest, e) < 0)
		return -1;
	if (s->zeros < 2 * (uint64_t)BLOCK)
		return err_set(e, ERR_INPUT, "truncated: no end mark");
	(void)snprintf(id_r, IMAGE_ID_LEN + 1, "sha512-%s", digest_hex(digest));
	return 0;
}

void tar_stream_dispose(struct tar_stream *s)
{
	(void)archive_read_free(s->tar); /* first: it reads from raw */
	(void)archive_read_free(s->raw);
	s->tar = s->raw = NULL;
}
