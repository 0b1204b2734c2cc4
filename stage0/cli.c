/* See cli.h. */
#include "stage0/cli.h"

#include <string.h>

#include "stage1/common/util.h"

void cli_list_add(struct cli_list *list, const char *s)
{
	list->v = xrealloc(list->v, list->n + 1, sizeof(*list->v));
	list->v[list->n++] = s;
}

void cli_list_dispose(struct cli_list *list)
{
	free(list->v);
	*list = (struct cli_list){ .v = NULL };
}

void cli_rest_dispose(struct cli_rest *rest)
{
	cli_list_dispose(&rest->words);
	*rest = (struct cli_rest)CLI_REST_INIT;
}

static const struct cli_flag *find_flag(const struct cli_flag *flags, size_t n, const char *name,
	size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(flags[i].name) == len && !strncmp(flags[i].name, name, len))
			return &flags[i];
	return NULL;
}

/* As Go's strconv.ParseBool. */
static int set_switch(const struct cli_flag *f, const char *value, struct err *e)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < COUNT(yes); i++) {
		if (!value || !strcmp(value, yes[i])) {
			*(bool *)f->to = true;
			return 0;
		}
		if (!strcmp(value, no[i])) {
			*(bool *)f->to = false;
			return 0;
		}
	}
	return err_set(e, ERR_USAGE, "--%s: '%s' is neither true nor false", f->name, value);
}

/* Eats one flag, and the word behind it when that is its value. */
static int read_flag(const struct cli_flag *flags, size_t nflags, char **argv, int *i, struct err *e)
{
	const char *name = argv[*i] + (argv[*i][1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '='), *value = equals ? equals + 1 : NULL;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct cli_flag *f = find_flag(flags, nflags, name, len);

	if (!f)
		return err_set(e, ERR_USAGE, "unknown flag --%.*s", (int)len, name);
	if (f->type == CLI_SWITCH)
		return set_switch(f, value, e);
	if (!value)
		value = argv[++*i];
	if (!value)
		return err_set(e, ERR_USAGE, "--%s needs a value", f->name);
	if (f->type == CLI_LIST)
		cli_list_add(f->to, value);
	else
		*(const char **)f->to = value;
	return 0;
}

int cli_parse(const struct cli_flag *flags, size_t nflags, int argc, char **argv,
	struct cli_rest *rest_r, struct err *e)
{
	struct cli_rest rest = CLI_REST_INIT;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			rest.args = argv + i + 1;
			rest.nargs = (size_t)(argc - i - 1);
			break;
		}
		if (argv[i][0] != '-' || !argv[i][1]) {
			cli_list_add(&rest.words, argv[i]);
		} else if (read_flag(flags, nflags, argv, &i, e) < 0) {
			cli_rest_dispose(&rest);
			return -1;
		}
	}
	*rest_r = rest;
	return 0;
}

void cli_help(const struct cli_flag *flags, size_t nflags, FILE *out)
{
	for (size_t i = 0; i < nflags; i++) {
		AUTO_FREE char *left = flags[i].value ?
			xasprintf("--%s=%s", flags[i].name, flags[i].value) :
			xasprintf("--%s", flags[i].name);

		(void)fprintf(out, "  %-26s %s\n", left, flags[i].help);
	}
}
