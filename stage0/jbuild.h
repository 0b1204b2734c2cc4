/*
 * Making JSON: small helpers on json-c, and copies in the shape Go's encoder gives (known members
 * only, in the order of its structs, defaults left out where it leaves them out). For stage0's
 * manifests only.
 */
#ifndef STAGE0_JBUILD_H
#define STAGE0_JBUILD_H

#include <json-c/json_object.h>
#include <stdbool.h>

#include "stage1/common/err.h"
#include "stage1/pod/jnode.h"

enum shape_type {
	SHAPE_STRING,
	SHAPE_BOOL,
	SHAPE_INT,
	SHAPE_COUNT,   /* an int that is 1 when absent or 0 */
	SHAPE_STRINGS,
	SHAPE_INTS,
	SHAPE_OBJECTS, /* a list of `item` */
	SHAPE_MAP,     /* strings by name; Go sorts them */
	SHAPE_RAW,
};

struct shape {
	const char *key; /* NULL ends the table */
	enum shape_type type;
	bool omit; /* left out when empty, as Go's "omitempty" */
	const struct shape *item;
};

/* name and value, both strings: annotations, labels, variables */
extern const struct shape shape_pair[];

/* *copy_r is the caller's. Wrong types are errors that lead with the place. */
int shape_copy(const struct jnode *at, const struct shape *shape, json_object **copy_r, struct err *e);
/* The list `key` of `at`; *copy_r is NULL when it is absent. */
int shape_list(const struct jnode *at, const char *key, const struct shape *item, json_object **copy_r,
	struct err *e);
/* An object of strings, sorted by name. */
int shape_map(const struct jnode *map, json_object **copy_r, struct err *e);

/* NULL as value: no member is made. */
void jb_string(json_object *obj, const char *key, const char *value);
void jb_member(json_object *obj, const char *key, json_object *value);
json_object *jb_pair(const char *name, const char *value);
/* A member that is there, or NULL; borrowed. Keys must match exactly: what we made ourselves. */
json_object *jb_get(json_object *obj, const char *key);
const char *jb_text(json_object *obj, const char *key); /* "" when absent */
/* The member, made as an empty list when it is not there. */
json_object *jb_list(json_object *obj, const char *key);
/* Gives the item of a list of pairs a value: where it stands, or at the end. */
void jb_set_pair(json_object *list, const char *name, const char *value);
bool jb_has_pair(json_object *list, const char *name);

#endif
