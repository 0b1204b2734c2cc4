/* See runline.h. */
#include "stage0/runline.h"

#include <stdio.h>
#include <string.h>

#include "stage0/cmds.h"
#include "stage1/common/util.h"

static int read_command_line(int argc, char **argv, struct run_line *r, struct err *e)
{
	const struct cli_flag flags[] = {
		{ "stage1-path", CLI_STRING, &r->stage1_path, "ACI",
			"stage1 image (" STAGE1_PATH_DEFAULT ")" },
		{ "dir", CLI_STRING, &r->dir, "DIR", "data directory (" DATA_DIR_DEFAULT ")" },
		{ "debug", CLI_SWITCH, &r->opts.debug, NULL, "let stage1 say more" },
		{ "interactive", CLI_SWITCH, &r->opts.interactive, NULL, "connect the app to this terminal" },
		{ "net", CLI_STRING, &r->opts.net, "LIST", "networks (none: others are to come)" },
		{ "hostname", CLI_STRING, &r->opts.hostname, "NAME", "host name of the pod (rkt-UUID)" },
		{ "ipc", CLI_STRING, &r->opts.ipc, "MODE", "auto, private or parent" },
		{ "uuid-file-save", CLI_STRING, &r->uuid_file, "FILE", "write the pod's UUID there" },
		{ "name", CLI_STRING, &r->app.name, "NAME", "name of the app" },
		{ "exec", CLI_STRING, &r->app.exec, "PROGRAM", "run this instead of the image's program" },
		{ "user", CLI_STRING, &r->app.user, "USER", "name, number or path whose owner is meant" },
		{ "group", CLI_STRING, &r->app.group, "GROUP", "likewise" },
		{ "working-dir", CLI_STRING, &r->app.working_dir, "DIR", "directory the app starts in" },
		{ "environment", CLI_LIST, &r->app.environment, "NAME=VALUE", "set a variable; repeatable" },
		{ "local-config", CLI_STRING, &r->opts.local_config, "DIR", "configuration (/etc/rkt)" },
		{ "insecure-options", CLI_STRING, &r->insecure, "LIST",
			"paths, capabilities, seccomp, all-run; image is accepted" },
		{ "no-overlay", CLI_SWITCH, &r->no_overlay, NULL, "accepted: it is always so" },
		{ "help", CLI_SWITCH, &r->help, NULL, "print this" },
	};

	if (cli_parse(flags, COUNT(flags), argc, argv, &r->rest, e) < 0)
		return -1;
	if (r->help) {
		(void)puts("usage: stage0 run|plan [FLAGS] IMAGE [-- ARGS]\n\n"
			"Runs the image file IMAGE (an ACI) as a pod; ARGS follow its program's own.\n"
			"plan shows what run would do, and does nothing.\n"
			"Signatures of images are not checked.\n");
		cli_help(flags, COUNT(flags), stdout);
	}
	return 0;
}

int run_line_read(int argc, char **argv, struct run_line *r, struct err *e)
{
	if (read_command_line(argc, argv, r, e) < 0)
		return -1;
	if (r->help)
		return 0;
	if (r->rest.words.n == 0)
		return err_set(e, ERR_USAGE, "no image given");
	if (r->rest.words.n > 1)
		return err_set(e, ERR_USAGE, "one image only, '%s' is too much", r->rest.words.v[1]);
	r->image = r->rest.words.v[0];
	r->app.args = r->rest.args;
	r->app.nargs = r->rest.nargs;
	for (size_t i = 0; i < r->app.nargs; i++)
		if (!strcmp(r->app.args[i], "---"))
			return err_set(e, ERR_USAGE, "one image only: '---' is not supported");
	if (!*r->opts.net)
		return err_set(e, ERR_USAGE, "--net: empty");
	return insecure_options(r->insecure, &r->opts, e);
}

void run_line_dispose(struct run_line *r)
{
	cli_rest_dispose(&r->rest);
	cli_list_dispose(&r->app.environment);
}
