/*
 * The command line of a stage1's `run` entrypoint (contract 2.1), which depends on the interface
 * version the image declares. Pure.
 */
#ifndef STAGE0_RUNARGS_H
#define STAGE0_RUNARGS_H

#include <stdbool.h>
#include <stddef.h>

#include "stage0/cli.h"
#include "stage1/common/err.h"

struct run_flags {
	bool debug, interactive;
	const char *net;                    /* not NULL */
	const char *local_config;           /* the rest may be */
	const char *private_users, *mds_token, *hostname, *dns_conf_mode, *ipc;
	bool no_caps, no_paths, no_seccomp; /* --insecure-options; these go to stage1 */
	bool mutable_pod;                   /* apps come and go */
	bool no_signatures;                 /* likewise, ours */
};

struct run_args {
	char *argv[24]; /* owned, NULL-terminated */
	size_t argc;
	const char *dropped[8]; /* flags this stage1 is too old for; static */
	size_t ndropped;
};

#define RUN_ARGS_INIT { .argc = 0 }

/* The annotation's text; NULL means 1. */
int interface_version(const char *text, int *version_r, struct err *e);
/* A list such as "image,paths" or "all-run"; sets those of the four switches it is about. */
int insecure_options(const char *list, struct run_flags *opts, struct err *e);
/*
 * All --net flags as one: NAME[:ARGS],... as rkt's NetList checks it (common/common.go). *net_r is
 * the caller's; without any flag it is `otherwise`.
 */
int net_list(const struct cli_list *flags, const char *otherwise, char **net_r, struct err *e);
/* Whether the list has the network, by name. */
bool net_has(const char *net, const char *name);

void run_args_make(const char *entry, const struct run_flags *opts, int version, const char *uuid,
	struct run_args *args_r);
void run_args_dispose(struct run_args *args);

#endif
