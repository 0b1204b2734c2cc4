/*
 * An error is a value on the caller's stack: a kind and one line for the user. Never allocated;
 * the first message stays, so that clean-up code cannot cover the cause.
 *
 * Functions that can fail take `struct err *e` last and return 0 or -1.
 */
#ifndef STAGE1_COMMON_ERR_H
#define STAGE1_COMMON_ERR_H

#include <stdarg.h>

enum err_kind {
	ERR_NONE,
	ERR_USAGE,  /* wrong command line */
	ERR_INPUT,  /* a manifest, an image, a peer's bytes */
	ERR_HOST,   /* this host cannot do it: no Xen, no memory, a missing program */
	ERR_SYSTEM, /* a system call failed */
};

struct err {
	enum err_kind kind;
	char msg[480]; /* one line, no newline at the end; control characters are replaced */
};

#define ERR_INIT { .kind = ERR_NONE }

/* Each evaluates to -1. err_sys adds strerror(errno). err_prefix puts "TEXT: " before what is there. */
#define err_set(e, kind, ...) (err_set_((e), (kind), __VA_ARGS__), -1)
#define err_sys(e, ...) (err_sys_((e), __VA_ARGS__), -1)
#define err_prefix(e, ...) (err_prefix_((e), __VA_ARGS__), -1)

void err_set_(struct err *e, enum err_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void err_sys_(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Adds to a message that is there. */
void err_append(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void err_prefix_(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
