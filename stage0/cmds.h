/*
 * The commands. Each gets its own argv (argv[0] is its name) and returns the exit status; it prints
 * its own errors, as one line that begins with "stage0: ".
 */
#ifndef STAGE0_CMDS_H
#define STAGE0_CMDS_H

#include <stdbool.h>
#include <stddef.h>

#include "stage1/common/err.h"

#ifndef STAGE1_PATH_DEFAULT
#define STAGE1_PATH_DEFAULT "/usr/lib/stage1-xen/stage1-xen.aci"
#endif
#define DATA_DIR_DEFAULT "/var/lib/rkt"
#define SYSTEM_CONFIG_DEFAULT "/usr/lib/rkt"

struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
};

/* A line for each of them. */
void commands_print(const struct command *list, size_t n);
/* Runs the one that argv[0] names, *status_r is its exit status; false when there is none. */
bool commands_run(const struct command *list, size_t n, int argc, char **argv, int *status_r);

enum { EXIT_STAGE0 = 254 }; /* our own failures, as rkt's: apps use the others */

int cmd_run(int argc, char **argv);
int cmd_prepare(int argc, char **argv);
int cmd_run_prepared(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_trust(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_status(int argc, char **argv);
int cmd_enter(int argc, char **argv);
int cmd_attach(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_pause(int argc, char **argv);
int cmd_resume(int argc, char **argv);
int cmd_stats(int argc, char **argv);
int cmd_gc(int argc, char **argv);
int cmd_rm(int argc, char **argv);
int cmd_cat_manifest(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_app(int argc, char **argv);

/* Puts the first word that is no global flag at argv[1]; false when there is none. */
bool cmd_word_first(int argc, char **argv);

/* Prints; evaluates to EXIT_STAGE0. */
int cmd_fail(const struct err *e);

#endif
