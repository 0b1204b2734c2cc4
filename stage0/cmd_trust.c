/* stage0 trust: a public key is trusted to sign images, as by `rkt trust`. */
#include <stdio.h>
#include <string.h>

#include "stage0/cli.h"
#include "stage0/cmds.h"
#include "stage0/keystore.h"
#include "stage0/manifest.h"
#include "stage1/common/util.h"

struct trust_line {
	const char *prefix, *local;
	bool root, help;
	struct cli_rest rest;
};

static int read_line(int argc, char **argv, struct trust_line *t, struct err *e)
{
	const struct cli_flag flags[] = {
		{ "prefix", CLI_STRING, &t->prefix, "NAME", "for images NAME and NAME/..." },
		{ "root", CLI_SWITCH, &t->root, NULL, "for all images" },
		{ "local-config", CLI_STRING, &t->local, "DIR", "configuration (/etc/rkt)" },
		{ "help", CLI_SWITCH, &t->help, NULL, "print this" },
	};

	if (cli_parse(flags, COUNT(flags), argc, argv, &t->rest, e) < 0)
		return -1;
	if (t->help) {
		(void)puts("usage: stage0 trust --prefix=NAME|--root KEY...\n\n"
			"Trusts the armored public keys in the files KEY to sign images.\n");
		cli_help(flags, COUNT(flags), stdout);
		return 0;
	}
	if (!t->prefix == !t->root)
		return err_set(e, ERR_USAGE, "trust: for which images: --prefix=NAME or --root?");
	if (t->prefix && !acidentifier_valid(t->prefix))
		return err_set(e, ERR_USAGE, "--prefix: '%s' is not a name for an image", t->prefix);
	if (t->rest.words.n == 0)
		return err_set(e, ERR_USAGE, "trust: no key given");
	return 0;
}

static int add_keys(const struct trust_line *t, struct err *e)
{
	for (size_t i = 0; i < t->rest.words.n; i++) {
		AUTO_FREE char *path = NULL;

		if (keystore_add(t->local, t->prefix, t->rest.words.v[i], &path, e) < 0)
			return -1;
		(void)puts(path);
	}
	return 0;
}

int cmd_trust(int argc, char **argv)
{
	struct trust_line t = { .local = "/etc/rkt", .rest = CLI_REST_INIT };
	struct err e = ERR_INIT;
	int status = 0;

	if (read_line(argc, argv, &t, &e) < 0 || (!t.help && add_keys(&t, &e) < 0))
		status = cmd_fail(&e);
	cli_rest_dispose(&t.rest);
	return status;
}
