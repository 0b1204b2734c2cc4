/*
 * The command line that says what a pod is of and how it runs: `run` and `plan` take all of it,
 * `prepare` and `run-prepared` a part each. It is rkt's (rkt rkt/cli_apps.go, parseApps): flags of a
 * pod stand anywhere, those of an image behind it, and "-- ARGS" up to "---" or the end are its program's.
 */
#ifndef STAGE0_RUNLINE_H
#define STAGE0_RUNLINE_H

#include <stdbool.h>

#include "stage0/cmds.h"
#include "stage0/dns.h"
#include "stage0/manifest.h"
#include "stage0/runargs.h"

/* Which flags a command takes. */
enum {
	LINE_PREPARE = 1, /* what the pod is of: images and their flags, volumes, ports, stage1 */
	LINE_LAUNCH = 2,  /* how it runs: networks, names, terminal */
	LINE_SANDBOX = 4, /* what a pod is of that has no apps yet; with LINE_LAUNCH */
	LINE_ADD = 8,     /* an app that is added to one: the first word is the pod, the second the image */
};

struct run_line {
	struct run_flags opts; /* net and dns_conf_mode are filled in by run_line_read() */
	struct pod_opts pod;
	struct dns_flags dns_flags;
	struct dns_plan dns;
	struct cli_list nets, env_files, insecure;
	const char *stage1_path, *dir, *uuid_file, *system_config;
	const char *pod_manifest; /* NULL, or the file to use as it is */
	const char *pod_uuid; /* LINE_ADD: as given */
	bool help, quiet, no_overlay, private_users, mds_register, inherit_env;
	char *net;                /* owned */
	char **env_texts;         /* owned: what env_file and inherited point into */
	size_t nenv_texts;
};

#define RUN_LINE_INIT { .stage1_path = STAGE1_PATH_DEFAULT, .dir = DATA_DIR_DEFAULT, \
	.system_config = SYSTEM_CONFIG_DEFAULT, \
	.no_overlay = true, .opts = { .local_config = "/etc/rkt" } }

/*
 * argv[0] is the command. Checks what can be checked without looking at images. Reads the files of
 * --set-env-file, and our environment for --inherit-env. With --help the help is printed and
 * r->help is set, nothing else. Dispose after errors too.
 *
 * Without LINE_PREPARE the words that are no flags are not looked at: they are in r->pod.apps as if they
 * were images, for `run-prepared` to take its UUID from.
 */
int run_line_read(int argc, char **argv, int which, struct run_line *r, struct err *e);
void run_line_dispose(struct run_line *r);

#endif
