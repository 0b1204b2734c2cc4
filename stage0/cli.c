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
		if (flags[i].name && strlen(flags[i].name) == len && !strncmp(flags[i].name, name, len))
			return &flags[i];
	return NULL;
}

bool cli_bool(const char *text, bool *on_r)
{
	static const char *const yes[] = { "1", "t", "T", "true", "TRUE", "True" };
	static const char *const no[] = { "0", "f", "F", "false", "FALSE", "False" };

	for (size_t i = 0; i < COUNT(yes); i++)
		if (!strcmp(text, yes[i]) || !strcmp(text, no[i])) {
			*on_r = !strcmp(text, yes[i]);
			return true;
		}
	return false;
}

static int set_switch(const struct cli_flag *f, const char *value, struct err *e)
{
	if (!cli_bool(value ? value : "true", f->to))
		return err_set(e, ERR_USAGE, "--%s: '%s' is neither true nor false", f->name, value);
	return 0;
}

bool cli_is_flag(const char *word)
{
	return word[0] == '-' && word[1];
}

/* The value of a flag that has one: behind '=', or the next word. */
static const char *flag_value(const struct cli_flag *f, const char *value, char **argv, int *i)
{
	if (f->type == CLI_NET)
		return value ? value : "default";
	return value ? value : argv[++*i];
}

int cli_read_flag(const struct cli_flag *flags, size_t nflags, char **argv, int *i, struct err *e)
{
	const char *name = argv[*i] + (argv[*i][1] == '-' ? 2 : 1);
	const char *equals = strchr(name, '='), *value = equals ? equals + 1 : NULL;
	size_t len = equals ? (size_t)(equals - name) : strlen(name);
	const struct cli_flag *f = find_flag(flags, nflags, name, len);

	if (!f)
		return err_set(e, ERR_USAGE, "unknown flag --%.*s", (int)len, name);
	if (f->type == CLI_REFUSED)
		return err_set(e, ERR_USAGE, "--%s: %s", f->name, f->help);
	if (!f->to)
		return err_set(e, ERR_USAGE, "--%s must follow an image", f->name);
	if (f->type == CLI_SWITCH)
		return set_switch(f, value, e);
	value = flag_value(f, value, argv, i);
	if (!value)
		return err_set(e, ERR_USAGE, "--%s needs a value", f->name);
	if (f->type == CLI_ONCE && *(const char **)f->to)
		return err_set(e, ERR_USAGE, "--%s is given twice for one image", f->name);
	if (f->type == CLI_LIST || f->type == CLI_NET)
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
		if (!cli_is_flag(argv[i])) {
			cli_list_add(&rest.words, argv[i]);
		} else if (cli_read_flag(flags, nflags, argv, &i, e) < 0) {
			cli_rest_dispose(&rest);
			return -1;
		}
	}
	*rest_r = rest;
	return 0;
}

enum { HELP_COLUMN = 32, HELP_WIDTH = 100 };

/* From column HELP_COLUMN on, where we are; words are separated by one blank. */
static void print_wrapped(const char *text, FILE *out)
{
	size_t column = HELP_COLUMN;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > HELP_COLUMN && column + 1 + len > HELP_WIDTH) {
			(void)fprintf(out, "\n%*s", HELP_COLUMN, "");
			column = HELP_COLUMN;
		} else if (column > HELP_COLUMN) {
			(void)fputc(' ', out);
			column++;
		}
		(void)fprintf(out, "%.*s", (int)len, text);
		column += len;
		text += len + strspn(text + len, " ");
	}
	(void)fputc('\n', out);
}

void cli_help(const struct cli_flag *flags, size_t nflags, FILE *out)
{
	for (size_t i = 0; i < nflags; i++) {
		const struct cli_flag *f = &flags[i];
		AUTO_FREE char *left = NULL;

		if (f->type == CLI_GROUP)
			(void)fprintf(out, "%s%s:\n", i ? "\n" : "", f->help);
		if (f->type == CLI_GROUP || f->type == CLI_REFUSED)
			continue;
		left = !f->value ? xasprintf("--%s", f->name) :
			xasprintf(f->type == CLI_NET ? "--%s[=%s]" : "--%s=%s", f->name, f->value);
		if (strlen(left) + 3 > HELP_COLUMN) /* too long for its column: a line of its own */
			(void)fprintf(out, "  %s\n%*s", left, HELP_COLUMN, "");
		else
			(void)fprintf(out, "  %-*s", HELP_COLUMN - 2, left);
		print_wrapped(f->help, out);
	}
}
