/* stage0 attach: becomes the stage1's `attach` of a running pod (contract 2.5, rkt attach.go). */
#include <string.h>

#include "stage0/cross.h"
#include "stage0/podcli.h"
#include "stage1/common/util.h"

static const char usage[] =
	"usage: stage0 attach [--app=NAME] [--mode=MODE] [FLAGS] UUID\n\n"
	"Attaches to an app whose streams are of mode stream or tty (run --stdin, --stdout, --stderr). Modes:\n"
	"  list                  print what there is to attach to\n"
	"  auto                  attach to all of it\n"
	"  tty, tty-in, tty-out  to its terminal; ^] three times within a second leaves it\n"
	"  stdin,stdout,stderr   to these streams, one or more\n"
	"Needs RKT_EXPERIMENT_ATTACH=true in the environment.\n";

enum { STDIN, STDOUT, STDERR, TTY_IN, TTY_OUT, ENDPOINTS };

static const struct {
	const char *name, *on, *off;
} endpoints[ENDPOINTS] = {
	{ "stdin", "--stdin=true", "--stdin=false" },
	{ "stdout", "--stdout=true", "--stdout=false" },
	{ "stderr", "--stderr=true", "--stderr=false" },
	{ "tty-in", "--tty-in=true", "--tty-in=false" },
	{ "tty-out", "--tty-out=true", "--tty-out=false" },
};

enum { ARGS_MAX = 1 + ENDPOINTS + 2 };

struct attach_args {
	const char *v[ARGS_MAX];
	size_t n;
};

static bool choose(bool on[ENDPOINTS], const char *word, size_t len)
{
	bool known = len == 3 && !strncmp(word, "tty", len);

	on[TTY_IN] = on[TTY_IN] || known;
	on[TTY_OUT] = on[TTY_OUT] || known;
	for (int i = 0; i < ENDPOINTS; i++) {
		if (strlen(endpoints[i].name) != len || strncmp(endpoints[i].name, word, len) != 0)
			continue;
		on[i] = known = true;
	}
	return known;
}

/* A list of endpoints, as stage1 is told of them. */
static int read_endpoints(const char *mode, struct attach_args *args, struct err *e)
{
	bool on[ENDPOINTS] = { false };
	size_t len;

	for (const char *word = mode;; word += len + 1) {
		len = strcspn(word, ",");
		if (!choose(on, word, len))
			return err_set(e, ERR_USAGE, "--mode=%s: '%.*s' is no endpoint: list, auto, tty, tty-in, tty-out, "
				"or of stdin,stdout,stderr some", mode, (int)len, word);
		if (!word[len])
			break;
	}
	if ((on[TTY_IN] || on[TTY_OUT]) && (on[STDIN] || on[STDOUT] || on[STDERR]))
		return err_set(e, ERR_USAGE, "--mode=%s: a terminal and streams cannot be attached together", mode);
	args->v[args->n++] = "--action=custom-attach";
	for (int i = 0; i < ENDPOINTS; i++)
		args->v[args->n++] = on[i] ? endpoints[i].on : endpoints[i].off;
	return 0;
}

static int read_mode(const char *mode, struct attach_args *args, struct err *e)
{
	if (!*mode || !strcmp(mode, "auto"))
		args->v[args->n++] = "--action=auto-attach";
	else if (!strcmp(mode, "list"))
		args->v[args->n++] = "--action=list";
	else
		return read_endpoints(mode, args, e);
	return 0;
}

/* Returns only on failure. */
static int attach(const struct pod_cli *cli, const char *uuid, const char *app, struct attach_args *args, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	AUTO_FREE char *name = NULL, *flag = NULL;
	int ret = pods_find(cli->dir, uuid, &pod, e);

	if (ret == 0 && pod.life != LIFE_RUNNING)
		ret = err_set(e, ERR_HOST, "pod \"%s\" isn't currently running", pod.dir.uuid);
	if (ret == 0)
		ret = cross_choose_app(pod.dir.fd, app, &name, e);
	if (ret == 0) {
		flag = xasprintf("--app=%s", name);
		args->v[args->n++] = flag;
		args->v[args->n++] = cli->debug ? "--debug=true" : "--debug=false";
		ret = cross_become(&pod, "attach", args->v, args->n, e);
	}
	known_pod_dispose(&pod);
	return ret;
}

int cmd_attach(int argc, char **argv)
{
	struct pod_cli cli = POD_CLI_INIT;
	const char *app = NULL, *mode = "auto";
	const struct cli_flag flags[] = {
		{ "app", CLI_STRING, &app, "NAME", "the app, when the pod has several" },
		{ "mode", CLI_STRING, &mode, "MODE", "what to attach to (auto)" },
		POD_CLI_FLAGS(&cli),
	};
	struct cli_list uuids = { .n = 0 };
	struct attach_args args = { .n = 0 };
	struct err e = ERR_INIT;
	int ret = pod_cli_read(&cli, usage, flags, COUNT(flags), argc, argv, &e);

	if (ret == 0 && (cross_experiment("ATTACH", "attach", &e) < 0 || pod_cli_uuids(&cli, 1, &uuids, &e) < 0 ||
		read_mode(mode, &args, &e) < 0))
		ret = -1;
	if (ret == 0)
		ret = cmd_is_root("attach to pods") ? attach(&cli, uuids.v[0], app, &args, &e) : EXIT_STAGE0;
	pod_cli_dispose(&cli);
	if (ret < 0)
		return cmd_fail(&e);
	return ret == EXIT_STAGE0 ? EXIT_STAGE0 : cmd_end(0);
}
