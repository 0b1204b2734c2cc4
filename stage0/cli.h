/*
 * Go-style flags from a table: --x=v, --x v, -x=v, -x v; a switch is --x or --x=BOOL. Flags may stand
 * before and behind the positional arguments; "--" ends them, and what follows is kept apart.
 */
#ifndef STAGE0_CLI_H
#define STAGE0_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "stage1/common/err.h"

struct cli_list {
	const char **v; /* owned; the strings are argv's */
	size_t n;
};

enum cli_type {
	CLI_SWITCH,  /* bool */
	CLI_STRING,  /* const char *: the last counts */
	CLI_ONCE,    /* const char *: a second one is an error */
	CLI_LIST,    /* struct cli_list */
	CLI_NET,     /* likewise, but a value only follows '='; alone it means "default" */
	CLI_REFUSED, /* a flag of rkt's that means nothing here: `help` says why, and is not in the help */
	CLI_GROUP,   /* no flag: `help` is a heading in the help */
};

struct cli_flag {
	const char *name;
	enum cli_type type;
	void *to;          /* NULL: the flag is an image's, and there is no image yet */
	const char *value; /* its name in the help; NULL for a switch */
	const char *help;
};

struct cli_rest {
	struct cli_list words;
	char **args; /* behind "--", argv's own, NULL-terminated; NULL when there was no "--" */
	size_t nargs;
};

#define CLI_REST_INIT { .args = NULL }

/* As Go's strconv.ParseBool; false when it is neither. */
bool cli_bool(const char *text, bool *on_r);
bool cli_is_flag(const char *word);
/* Eats the flag argv[*i], and the word behind it when that is its value: *i is the last one eaten. */
int cli_read_flag(const struct cli_flag *flags, size_t nflags, char **argv, int *i, struct err *e);
/* argv[0] is not looked at. Of a string given twice the last counts. */
int cli_parse(const struct cli_flag *flags, size_t nflags, int argc, char **argv,
	struct cli_rest *rest_r, struct err *e);
/* In 100 columns. */
void cli_help(const struct cli_flag *flags, size_t nflags, FILE *out);

void cli_list_add(struct cli_list *list, const char *s);
void cli_list_dispose(struct cli_list *list);
void cli_rest_dispose(struct cli_rest *rest);

#endif
