/*
 * Where the files of an OCI image lie: a directory (an OCI layout) or a tar archive (a layout as
 * one, or what `docker save` writes), compressed or not. Gives them by name, hashed as they are
 * read. Knows nothing of what is in them.
 */
#ifndef STAGE0_OCI_STORE_H
#define STAGE0_OCI_STORE_H

#include <archive.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage0/digest.h"
#include "stage1/common/err.h"

struct oci_member {
	char *name;    /* clean */
	char *link;    /* of a symbolic link, its target as it is; of a hard link, the clean name */
	bool symbolic;
	uint64_t size;
	la_int64_t at; /* of its header in the archive */
};

struct oci_store {
	int fd; /* owned; a directory, or a tar that is not compressed */
	bool dir;
	struct oci_member *members; /* of an archive; by name */
	size_t n;
};

#define OCI_STORE_INIT { .fd = -1 }

/*
 * Whether `fd` has an OCI image in it, by what it holds. An archive is read to the first name that
 * tells. Whatever cannot be read is none,
 * and so is what does not tell in its first 20000 names.
 */
bool oci_store_detect(int fd);

/* `fd` stays the caller's. `bytes` bounds what a compressed archive may grow to: that is spooled. */
int oci_store_open(int fd, uint64_t bytes, struct oci_store *store_r, struct err *e);
bool oci_store_has(const struct oci_store *store, const char *name);
void oci_store_dispose(struct oci_store *store);

/* A file of it, read once from its start. */
struct oci_file {
	const struct oci_store *store;
	struct archive *tar; /* NULL in a directory */
	int fd;              /* of a directory's file */
	void *buf;
	uint64_t size, seen;
	struct digest hash;
	char found[DIGEST_MAX + 1]; /* by oci_file_check(): its digest */
};

#define OCI_FILE_INIT { .fd = -1 }

int oci_file_open(const struct oci_store *store, const char *name, enum digest_algo algo,
	struct oci_file *f_r, struct err *e);
/* The next bytes, good until the next call; 0 at the end. -1 with archive_set_error(report). */
la_ssize_t oci_file_read(struct archive *report, void *file, const void **buf_r);
/* Reads what is left of it, and compares what was read in all with `digest` when not NULL. */
int oci_file_check(struct oci_file *f, const char *digest, struct err *e);
void oci_file_dispose(struct oci_file *f);

/* All of a file of at most `max` bytes; *text_r is the caller's, a NUL follows. */
int oci_store_text(const struct oci_store *store, const char *name, const char *digest, size_t max,
	char **text_r, size_t *len_r, struct err *e);

#endif
