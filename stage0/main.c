/*
 * stage0: pods on a host without rkt, or next to it. A table of commands, nothing else.
 */
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "stage0/cmds.h"
#include "stage1/common/util.h"

#ifndef VERSION
#define VERSION "0.1.0"
#endif

static const struct command commands[] = {
	{ "run", cmd_run, "run an image as a pod" },
	{ "prepare", cmd_prepare, "make a pod of images, for run-prepared" },
	{ "run-prepared", cmd_run_prepared, "run a prepared pod" },
	{ "list", cmd_list, "list the pods" },
	{ "status", cmd_status, "say what is known of a pod, or wait for it" },
	{ "enter", cmd_enter, "run a command in an app of a running pod" },
	{ "attach", cmd_attach, "attach to an app whose streams wait for it" },
	{ "stop", cmd_stop, "ask pods to end" },
	{ "pause", cmd_pause, "hold pods: their apps stop where they are" },
	{ "resume", cmd_resume, "let pods run on that were paused" },
	{ "stats", cmd_stats, "say what pods use: processor, memory, network, files" },
	{ "rm", cmd_rm, "remove pods that are not running" },
	{ "gc", cmd_gc, "remove all pods that have ended" },
	{ "cat-manifest", cmd_cat_manifest, "print a pod's manifest" },
	{ "export", cmd_export, "make an image of an app of a pod that has ended" },
	{ "app", cmd_app, "change the apps of a pod while it runs (an experiment of rkt's)" },
	{ "plan", cmd_plan, "show what run would do, without doing anything" },
	{ "trust", cmd_trust, "trust a key to sign images" },
	{ "check", cmd_check, "say whether this host is ready to" },
};

int cmd_fail(const struct err *e)
{
	(void)fprintf(stderr, "stage0: %s\n", e->msg);
	return EXIT_STAGE0;
}

void commands_print(const struct command *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		(void)printf("  %-13s %s\n", list[i].name, list[i].help);
}

bool commands_run(const struct command *list, size_t n, int argc, char **argv, int *status_r)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(argv[0], list[i].name)) {
			*status_r = list[i].run(argc, argv);
			return true;
		}
	return false;
}

static int help(void)
{
	(void)puts("usage: stage0 COMMAND [FLAGS] [ARGS]\n");
	commands_print(commands, COUNT(commands));
	(void)puts("  help          print this; COMMAND --help says more\n"
		"  --version     print the version");
	return 0;
}

/*
 * rkt takes its global flags (--dir=DIR, --dir DIR, --debug) before the command too: puts the command
 * first. False when there is none.
 */
bool cmd_word_first(int argc, char **argv)
{
	static const char *const valued[] = { "dir", "local-config", "system-config", "user-config",
		"insecure-options" };
	char *name;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		size_t k = 0;

		while (k < COUNT(valued) && strcmp(argv[i] + (argv[i][1] == '-' ? 2 : 1), valued[k]) != 0)
			k++;
		i += k < COUNT(valued);
	}
	if (i >= argc)
		return false;
	name = argv[i];
	memmove(argv + 2, argv + 1, (size_t)(i - 1) * sizeof(*argv));
	argv[1] = name;
	return true;
}

static int run_command(int argc, char **argv)
{
	struct err e = ERR_INIT;
	int status;

	if (commands_run(commands, COUNT(commands), argc, argv, &status))
		return status;
	(void)err_set(&e, ERR_USAGE, "unknown command '%s': see stage0 help", argv[0]);
	return cmd_fail(&e);
}

/* "help COMMAND" is "COMMAND --help" */
static int help_on(char *name)
{
	char *argv[] = { name, (char *)"--help", NULL }; /* never written to */

	return run_command(2, argv);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	bool found;

	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* see unpack.h */
	if (argc > 1 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "version"))) {
		(void)puts("stage0 " VERSION);
		return 0;
	}
	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
		return help();
	found = cmd_word_first(argc, argv);
	if (found && !strcmp(argv[1], "help"))
		return argc > 2 && argv[argc - 1][0] != '-' ? help_on(argv[argc - 1]) : help();
	if (found)
		return run_command(argc - 1, argv + 1);
	(void)err_set(&e, ERR_USAGE, "no command given: see stage0 help");
	return cmd_fail(&e);
}
