/* The command line of `run`, which `plan` shares: what to run, and how. */
#ifndef STAGE0_RUNLINE_H
#define STAGE0_RUNLINE_H

#include <stdbool.h>

#include "stage0/cmds.h"
#include "stage0/manifest.h"
#include "stage0/runargs.h"

struct run_line {
	struct run_flags opts;
	struct app_opts app;
	const char *image, *stage1_path, *dir, *uuid_file, *insecure;
	bool help, no_overlay;
	struct cli_rest rest;
};

#define RUN_LINE_INIT { .stage1_path = STAGE1_PATH_DEFAULT, .dir = DATA_DIR_DEFAULT, .insecure = "", \
	.opts = { .net = "none", .local_config = "/etc/rkt" } }

/* With --help the help is printed, r->help is set, and nothing else is. */
int run_line_read(int argc, char **argv, struct run_line *r, struct err *e);
void run_line_dispose(struct run_line *r);

#endif
