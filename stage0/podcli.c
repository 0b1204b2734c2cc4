/* See podcli.h. */
#include "stage0/podcli.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stage0/gojson.h"
#include "stage1/common/util.h"

enum { UUID_FILE_MAX = 4096 };

int pod_cli_read(struct pod_cli *c, const char *usage, const struct cli_flag *flags, size_t nflags, int argc,
	char **argv, struct err *e)
{
	if (cli_parse(flags, nflags, argc, argv, &c->rest, e) < 0)
		return -1;
	if (!c->help)
		return 0;
	(void)fputs(usage, stdout);
	(void)fputc('\n', stdout);
	cli_help(flags, nflags, stdout);
	return 1;
}

static bool takes_a_word(const struct cli_flag *flags, size_t nflags, const char *arg)
{
	const char *name = arg + (arg[1] == '-' ? 2 : 1);

	for (size_t i = 0; i < nflags; i++)
		if (!strcmp(flags[i].name, name))
			return flags[i].type != CLI_SWITCH;
	return false;
}

int pod_cli_first_word(const struct cli_flag *flags, size_t nflags, int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		if (!strcmp(argv[i], "--"))
			return i + 1 < argc ? i + 1 : argc;
		if (takes_a_word(flags, nflags, argv[i]))
			i++;
	}
	return i < argc ? i : argc;
}

int pod_cli_uuids(struct pod_cli *c, size_t max, struct cli_list *uuids_r, struct err *e)
{
	size_t len, start = 0;

	if (c->rest.args && c->rest.nargs)
		return err_set(e, ERR_USAGE, "'%s' behind '--' is too much", c->rest.args[0]);
	if (!c->uuid_file) {
		if (c->rest.words.n == 0)
			return err_set(e, ERR_USAGE, "no pod given: a UUID, or its beginning, or --uuid-file=FILE");
		if (c->rest.words.n > max)
			return err_set(e, ERR_USAGE, "one pod only, '%s' is too much", c->rest.words.v[max]);
		*uuids_r = c->rest.words;
		return 0;
	}
	if (c->rest.words.n)
		return err_set(e, ERR_USAGE, "either a UUID or --uuid-file, not both");
	if (read_file_at(AT_FDCWD, c->uuid_file, UUID_FILE_MAX, &c->uuid_text, &len, e) < 0)
		return -1;
	while (len > 0 && isspace((unsigned char)c->uuid_text[len - 1]))
		c->uuid_text[--len] = '\0';
	while (isspace((unsigned char)c->uuid_text[start]))
		start++;
	cli_list_add(&c->rest.words, c->uuid_text + start);
	*uuids_r = c->rest.words;
	return 0;
}

void pod_cli_dispose(struct pod_cli *c)
{
	cli_rest_dispose(&c->rest);
	free(c->uuid_text);
	c->uuid_text = NULL;
}

int pod_cli_format(const char *text, enum pod_format *format_r, struct err *e)
{
	if (!text || !*text)
		*format_r = FORMAT_TEXT;
	else if (!strcmp(text, "json"))
		*format_r = FORMAT_JSON;
	else if (!strcmp(text, "json-pretty"))
		*format_r = FORMAT_JSON_PRETTY;
	else
		return err_set(e, ERR_USAGE, "--format: '%s' is neither json nor json-pretty", text);
	return 0;
}

void pod_cli_print_json(json_object *obj, enum pod_format format)
{
	gojson_print(obj, format == FORMAT_JSON_PRETTY, stdout);
	(void)fputc('\n', stdout);
}

void cmd_say(const char *fmt, ...)
{
	char text[640];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_make_harmless(text);
	(void)fprintf(stderr, "stage0: %s\n", text);
}

bool cmd_is_root(const char *what)
{
	if (geteuid() == 0)
		return true;
	cmd_say("%s: only root can", what);
	return false;
}

int cmd_end(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	cmd_say("cannot write the output");
	return EXIT_STAGE0;
}
