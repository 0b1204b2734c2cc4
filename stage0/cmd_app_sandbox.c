/* stage0 app sandbox: a pod without apps, which becomes stage1 as a pod of `run` does. */
#include "stage0/appcli.h"
#include "stage0/make.h"

int cmd_app_sandbox(int argc, char **argv)
{
	struct run_line line = RUN_LINE_INIT;
	struct err e = ERR_INIT;
	int status = 0;

	if (run_line_read(argc, argv, LINE_SANDBOX | LINE_LAUNCH, &line, &e) < 0 ||
		(!line.help && pod_make(&line, LINE_LAUNCH, &e) < 0)) {
		(void)cmd_fail(&e);
		status = 1; /* rkt's */
	}
	run_line_dispose(&line);
	return status ? status : cmd_end(0);
}
