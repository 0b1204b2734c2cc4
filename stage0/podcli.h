/* What the command lines of those verbs share that are about pods which are there already. */
#ifndef STAGE0_PODCLI_H
#define STAGE0_PODCLI_H

#include <json-c/json_object.h>
#include <stdbool.h>

#include "stage0/cli.h"
#include "stage0/cmds.h"

struct pod_cli {
	const char *dir, *local_config, *uuid_file;
	const char *unused;
	bool debug, help;
	struct cli_rest rest;
	char *uuid_text; /* of --uuid-file */
};

#define POD_CLI_INIT { .dir = DATA_DIR_DEFAULT, .local_config = "/etc/rkt", .rest = CLI_REST_INIT }

/* Rows for a table of flags. rkt's other global flags are accepted: there is nothing they could change. */
#define POD_CLI_FLAGS(c) \
	{ "dir", CLI_STRING, &(c)->dir, "DIR", "data directory (" DATA_DIR_DEFAULT ")" }, \
	{ "debug", CLI_SWITCH, &(c)->debug, NULL, "say more" }, \
	{ "local-config", CLI_STRING, &(c)->local_config, "DIR", "configuration (/etc/rkt)" }, \
	{ "system-config", CLI_STRING, &(c)->unused, "DIR", "accepted: not used" }, \
	{ "user-config", CLI_STRING, &(c)->unused, "DIR", "accepted: not used" }, \
	{ "insecure-options", CLI_STRING, &(c)->unused, "LIST", "accepted: not used" }, \
	{ "help", CLI_SWITCH, &(c)->help, NULL, "print this" }
#define POD_CLI_UUID_FILE(c) \
	{ "uuid-file", CLI_STRING, &(c)->uuid_file, "FILE", "read the pod's UUID there" }
#define POD_CLI_FORMAT(to) \
	{ "format", CLI_STRING, (to), "FORMAT", "json or json-pretty, for programs" }

/* 1 when the help was asked for, and printed: `usage` is the lines before the flags. */
int pod_cli_read(struct pod_cli *c, const char *usage, const struct cli_flag *flags, size_t nflags, int argc,
	char **argv, struct err *e);
/* The place in argv of the first word that is neither a flag nor the value of one; argc when there is none. */
int pod_cli_first_word(const struct cli_flag *flags, size_t nflags, int argc, char **argv);
/*
 * The UUIDs given: words, or what is in --uuid-file, not both. `max` words at most. Of the errors, ERR_SYSTEM
 * is a file that cannot be read. *uuids_r is borrowed from `c`.
 */
int pod_cli_uuids(struct pod_cli *c, size_t max, struct cli_list *uuids_r, struct err *e);
void pod_cli_dispose(struct pod_cli *c);

enum pod_format { FORMAT_TEXT, FORMAT_JSON, FORMAT_JSON_PRETTY };
/* NULL is FORMAT_TEXT */
int pod_cli_format(const char *text, enum pod_format *format_r, struct err *e);
/* With a newline behind it. */
void pod_cli_print_json(json_object *obj, enum pod_format format);

/* "stage0: TEXT" on stderr. */
void cmd_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Whether we are root; says it when not. */
bool cmd_is_root(const char *what);
/* All of stdout must have been written: an exit status, `status` when it has. */
int cmd_end(int status);

#endif
