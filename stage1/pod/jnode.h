/*
 * Typed reading of JSON by hand. A node lives on the stack and knows where it is, so that an error
 * can say `pod.apps[1].name: expected string, found int`; the place costs nothing until printed.
 *
 * Lenient where Go's encoding/json is (rkt writes and reads manifests with it): keys match without
 * regard to case, the last of two keys wins, null counts as absent, unknown keys are ignored.
 */
#ifndef STAGE1_POD_JNODE_H
#define STAGE1_POD_JNODE_H

#include <json-c/json_object.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"

struct jnode {
	json_object *obj;       /* borrowed from the document */
	const struct jnode *up; /* NULL at the root; must outlive this node */
	const char *key;        /* NULL for an array's item; the document's name at the root */
	size_t idx;
};

/*
 * Parses one JSON value with nothing but blanks behind it. `name` leads the messages ("pod").
 * *root_r is the caller's: json_object_put().
 */
int json_parse(const char *text, size_t len, const char *name, json_object **root_r, struct err *e);

struct jnode jnode_root(json_object *obj, const char *name);

/* Sets "PLACE: text" with the node's place. Evaluates to -1. */
#define jnode_err(e, at, ...) (jnode_err_((e), (at), __VA_ARGS__), -1)
void jnode_err_(struct err *e, const struct jnode *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The node itself is of the type: for a document's root. */
int jnode_expect(const struct jnode *at, enum json_type type, struct err *e);
/* A member of the type, or an error that says missing, or what was found instead. */
int jnode_get(const struct jnode *at, const char *key, enum json_type type, struct jnode *child_r,
	struct err *e);
/* As jnode_get, but 1 when it is there, 0 when not (or null). */
int jnode_opt(const struct jnode *at, const char *key, enum json_type type, struct jnode *child_r,
	struct err *e);
size_t jnode_len(const struct jnode *array);
int jnode_item(const struct jnode *array, size_t i, enum json_type type, struct jnode *child_r,
	struct err *e);

/* Strings are borrowed from the document, hold no NUL, and are "" at least where required. */
int jnode_string(const struct jnode *at, const char **s_r, struct err *e);
int jnode_str(const struct jnode *at, const char *key, const char **s_r, struct err *e);
/* *s_r stays as it is when the member is absent. The same holds for the two below. */
int jnode_opt_str(const struct jnode *at, const char *key, const char **s_r, struct err *e);
int jnode_opt_bool(const struct jnode *at, const char *key, bool *b_r, struct err *e);
int jnode_int(const struct jnode *at, int64_t min, int64_t max, int64_t *n_r, struct err *e);

#endif
