/* What the commands about apps of mutable pods share. */
#ifndef STAGE0_APPCLI_H
#define STAGE0_APPCLI_H

#include "stage0/podcli.h"
#include "stage0/podread.h"

struct app_cli {
	struct pod_cli cli;
	const char *app; /* NULL: not given */
};

#define APP_CLI_INIT { .cli = POD_CLI_INIT }
#define APP_CLI_FLAGS(c) \
	{ "app", CLI_STRING, &(c)->app, "NAME", "the app" }, \
	POD_CLI_FLAGS(&(c)->cli)

/* One UUID, which is in c->cli.rest.words. As pod_cli_read(). */
int app_cli_read(struct app_cli *c, const char *usage, const struct cli_flag *flags, size_t nflags, int argc,
	char **argv, struct err *e);
/* A pod that runs and is ready. Dispose after errors too. */
int app_find_ready(const char *dir, const char *uuid, struct known_pod *pod_r, struct err *e);
int app_must_be_there(int pod, const char *app, struct err *e); /* in the manifest */
/* Runs the crossing entrypoint for the app: "app/start". */
int app_cross(struct known_pod *pod, const char *entry, const char *app, bool debug, struct err *e);

int cmd_app_sandbox(int argc, char **argv);
int cmd_app_add(int argc, char **argv);
int cmd_app_start(int argc, char **argv);
int cmd_app_stop(int argc, char **argv);
int cmd_app_rm(int argc, char **argv);
int cmd_app_list(int argc, char **argv);
int cmd_app_status(int argc, char **argv);

#endif
