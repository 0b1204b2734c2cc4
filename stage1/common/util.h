/*
 * Ownership by scope, and the few helpers every program here needs. Nothing that knows of pods.
 */
#ifndef STAGE1_COMMON_UTIL_H
#define STAGE1_COMMON_UTIL_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

#include "stage1/common/err.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static inline void auto_free_(void *p)
{
	free(*(void **)p);
}

static inline void auto_close_(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

#define AUTO_FREE __attribute__((cleanup(auto_free_)))
#define AUTO_CLOSE __attribute__((cleanup(auto_close_))) /* an int, -1 when empty */

/* Hands an owned pointer (fd) on: the variable is empty afterwards. */
#define STEAL(p) ({ __typeof__(p) steal_ = (p); (p) = NULL; steal_; })
#define STEAL_FD(fd) ({ int steal_ = (fd); (fd) = -1; steal_; })

/* Abort on exhausted memory: for dom0 programs before anything exists, and for small sizes. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * Reads a whole file of at most `max` bytes, relative to the directory `dirfd` (or AT_FDCWD).
 * *data_r is malloc'ed, the caller's, NUL-terminated behind *len_r. Larger: an error.
 */
int read_file_at(int dirfd, const char *path, size_t max, char **data_r, size_t *len_r,
	struct err *e);
/* The same of an open file, which stays the caller's; `name` is for messages. */
int read_file_fd(int fd, const char *name, size_t max, char **data_r, size_t *len_r, struct err *e);

/* A reader of the directory `fd`, from its start: closedir(); `fd` stays the caller's. NULL with errno. */
DIR *dir_read(int fd);

/* Writes all of it, restarting after signals; the descriptor must be blocking. */
int write_all(int fd, const void *data, size_t len);

/* Makes or replaces a file in one step (temporary name + rename), mode 0644 or as given. Errors leave errno. */
int write_file_atomic(int dirfd, const char *path, const void *data, size_t len, mode_t mode,
	struct err *e);

/*
 * Text of a manifest, an image or a guest goes to an operator's terminal: what is neither printable
 * ASCII nor UTF-8 (of which the control characters U+0080 to U+009F are no part) becomes '?'.
 */
void text_make_harmless(char *text);

bool str_has_prefix(const char *s, const char *prefix);

/* Of a clock that nobody sets, for deadlines. */
int64_t monotonic_ms(void);

#endif
