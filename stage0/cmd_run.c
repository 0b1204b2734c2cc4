/*
 * stage0 run and prepare: what rkt's do. `run` ends in becoming stage1, `prepare` in a pod for
 * run-prepared. Whatever was made is removed again when a step before that fails.
 */
#include "stage0/cmds.h"
#include "stage0/make.h"
#include "stage0/podcli.h"

static int command(int argc, char **argv, int which)
{
	struct run_line line = RUN_LINE_INIT;
	struct err e = ERR_INIT;
	int status = 0;

	if (run_line_read(argc, argv, which, &line, &e) < 0 || (!line.help && pod_make(&line, which, &e) < 0))
		status = cmd_fail(&e);
	run_line_dispose(&line);
	return cmd_end(status);
}

int cmd_run(int argc, char **argv)
{
	return command(argc, argv, LINE_PREPARE | LINE_LAUNCH);
}

int cmd_prepare(int argc, char **argv)
{
	return command(argc, argv, LINE_PREPARE);
}
