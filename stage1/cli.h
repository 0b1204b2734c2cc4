/*
 * Command lines as stage0 writes them (contract 2.1 and 2.3, rkt stage0/run.go and stage0/gc.go).
 * Go's flag syntax: -x and --x are the same, a value follows '=' or as the next word, a switch may
 * say =true or =false. Pure; strings are borrowed from argv.
 */
#ifndef STAGE1_CLI_H
#define STAGE1_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"

/* On disk owners begin at `first`: that many are a pod's 0 and up. */
struct id_shift {
	uint32_t first, count; /* count 0: they are what they are */
};

struct run_opts {
	bool debug, interactive, mutable_pod;
	bool disable_capabilities, disable_paths, disable_seccomp;
	const char *net;           /* never NULL; "default" when not given, as rkt's own stage1 */
	const char *private_users; /* NULL, or SHIFT:COUNT, */
	struct id_shift shift;     /* which is this */
	const char *mds_token, *local_config, *hostname, *dns_conf_mode, *ipc; /* NULL when absent */
	const char *uuid;          /* valid, lower case */
};

int cli_run(int argc, char **argv, struct run_opts *opts_r, struct err *e);

struct gc_opts {
	bool debug;
	const char *local_config;
	const char *uuid;
};

int cli_gc(int argc, char **argv, struct gc_opts *opts_r, struct err *e);

struct stop_opts {
	bool force;
	const char *uuid;
};

int cli_stop(int argc, char **argv, struct stop_opts *opts_r, struct err *e);

struct machine_opts {
	enum { MACHINE_PAUSE, MACHINE_RESUME, MACHINE_STATS } verb;
	const char *uuid;
};

/* Ours: a verb and a UUID. */
int cli_machine(int argc, char **argv, struct machine_opts *opts_r, struct err *e);

struct crossing_opts { /* of app_add, app_start, app_stop, app_rm */
	bool debug;
	const char *uuid, *app;
};

struct enter_opts {
	const char *app; /* NULL: the only one */
	char **argv;     /* the command, NULL-terminated; at least one word */
	size_t argc;
};

/* Of `enter` (rkt stage0/enter.go) and of what other entrypoints call it with, which say --app. */
int cli_enter(int argc, char **argv, struct enter_opts *opts_r, struct err *e);
int cli_crossing(int argc, char **argv, struct crossing_opts *opts_r, struct err *e);

struct attach_opts {
	const char *app;    /* never NULL */
	uint32_t endpoints; /* as stage1/attach_request.h has them */
	bool debug;
};

/* Of `attach` (contract 2.5). Mixing a terminal and streams is refused, as rkt's stage0 does. */
int cli_attach(int argc, char **argv, struct attach_opts *opts_r, struct err *e);

/* The 16 bytes of a UUID in its canonical form; false for any other text. */
bool uuid_parse(const char *s, unsigned char uuid_r[16]);

#endif
