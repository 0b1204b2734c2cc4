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

enum cli_type { CLI_SWITCH, CLI_STRING, CLI_LIST };

struct cli_flag {
	const char *name;
	enum cli_type type;
	void *to;          /* bool, const char *, struct cli_list */
	const char *value; /* its name in the help; NULL for a switch */
	const char *help;
};

struct cli_rest {
	struct cli_list words;
	char **args; /* behind "--", argv's own, NULL-terminated; NULL when there was no "--" */
	size_t nargs;
};

#define CLI_REST_INIT { .args = NULL }

/* argv[0] is not looked at. Of a string given twice the last counts. */
int cli_parse(const struct cli_flag *flags, size_t nflags, int argc, char **argv,
	struct cli_rest *rest_r, struct err *e);
void cli_help(const struct cli_flag *flags, size_t nflags, FILE *out);

void cli_list_add(struct cli_list *list, const char *s);
void cli_list_dispose(struct cli_list *list);
void cli_rest_dispose(struct cli_rest *rest);

#endif
