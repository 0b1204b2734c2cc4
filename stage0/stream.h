/*
 * A tar archive as a stream of entries: decompressed on the way (gzip, bzip2, xz, zstd or none) and
 * hashed, in one pass. The hash is over the whole uncompressed stream, as rkt's image IDs and OCI's
 * diff_ids are; it is known once the stream has been drained.
 */
#ifndef STAGE0_STREAM_H
#define STAGE0_STREAM_H

#include <archive.h>
#include <archive_entry.h>
#include <stdbool.h>
#include <stdint.h>

#include "stage0/digest.h"
#include "stage1/common/err.h"

enum { IMAGE_ID_LEN = 7 + 128 }; /* "sha512-" + hex */

struct tar_stream {
	struct archive *raw, *tar; /* raw feeds tar */
	struct digest hash;
	uint64_t bytes, limit; /* of the uncompressed stream */
	uint64_t zeros;        /* how many there are at its end so far */
	bool broken;           /* raw has failed */
};

#define TAR_STREAM_INIT { .raw = NULL }

/* Reads `fd` from its start; the stream keeps no copy of it, and the caller closes both. */
int tar_stream_open(struct tar_stream *s, int fd, uint64_t limit, struct err *e);

/*
 * The same of what `read` gives, until it gives 0; its failures are told by archive_set_error(). Of the
 * limit `used` is spent already, and s->bytes begins there.
 */
int tar_stream_open_from(struct tar_stream *s, archive_read_callback *read, void *arg,
	enum digest_algo algo, uint64_t used, uint64_t limit, struct err *e);

/* 1 and an entry that is good until the next call; 0 at the end. */
int tar_stream_next(struct tar_stream *s, struct archive_entry **ent_r, struct err *e);

/* Reads what is behind the last entry. */
int tar_stream_drain(struct tar_stream *s, char digest_r[DIGEST_MAX + 1], struct err *e);

/* The same, checks that the archive ends as one does, and names it. */
int tar_stream_finish(struct tar_stream *s, char id_r[IMAGE_ID_LEN + 1], struct err *e);

/* Of the last failed read from s->tar: sets "read: why". Evaluates to -1. */
int tar_stream_err(struct tar_stream *s, struct err *e);

void tar_stream_dispose(struct tar_stream *s);

#endif
