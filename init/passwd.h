/*
 * Users and groups of an image: /etc/passwd and /etc/group as the app's author wrote them. The
 * rules are rkt's (pkg/user, contract 4.5), not the C library's: no NSS, no shadow, a line with too
 * few fields is an error.
 */
#ifndef INIT_PASSWD_H
#define INIT_PASSWD_H

#include <stdint.h>

#include "stage1/common/err.h"

enum passwd_kind { PASSWD_USER, PASSWD_GROUP };

/*
 * The number of `spec`: "root" is 0; digits are themselves; "/path" is that file's owner (group);
 * else a name of the image's file. Paths are those of the current root directory, so call it after
 * pivot_root. Errors: `"NAME" user not found`.
 */
int passwd_lookup(enum passwd_kind kind, const char *spec, uint32_t *id_r, struct err *e);

/* The same search in an open file; 1 found, 0 not. Reads it once, in constant memory. */
int passwd_search(int fd, const char *file, enum passwd_kind kind, const char *name,
	uint32_t *id_r, struct err *e);

#endif
