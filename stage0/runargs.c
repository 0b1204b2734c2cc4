/* See runargs.h. */
#include "stage0/runargs.h"

#include <string.h>

#include "stage1/common/util.h"

int interface_version(const char *text, int *version_r, struct err *e)
{
	size_t len = text ? strlen(text) : 0;

	if (!text) {
		*version_r = 1;
		return 0;
	}
	if (len < 1 || len > 6 || strspn(text, "0123456789") != len)
		return err_set(e, ERR_INPUT, "interface version '%s' is not a number", text);
	*version_r = (int)strtol(text, NULL, 10);
	return 0;
}

/* Those about transport have nothing to switch off here. */
int insecure_options(const char *list, struct run_flags *opts, struct err *e)
{
	enum { CAPS = 1, PATHS = 2, SECCOMP = 4, RUN = 7, IMAGE = 8 };
	static const struct { const char *name; int what; } known[] = {
		{ "none", 0 }, { "image", IMAGE }, { "tls", 0 }, { "ondisk", 0 }, { "http", 0 },
		{ "pubkey", 0 }, { "all-fetch", IMAGE }, { "capabilities", CAPS }, { "paths", PATHS },
		{ "seccomp", SECCOMP }, { "all-run", RUN }, { "all", RUN | IMAGE },
	};
	AUTO_FREE char *copy = xstrdup(list);
	char *save = NULL;
	int what = 0;

	for (char *word = strtok_r(copy, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		size_t i = 0;

		while (i < COUNT(known) && strcmp(word, known[i].name) != 0)
			i++;
		if (i == COUNT(known))
			return err_set(e, ERR_USAGE, "--insecure-options: unknown '%s'", word);
		what |= known[i].what;
	}
	opts->no_caps |= what & CAPS;
	opts->no_paths |= what & PATHS;
	opts->no_seccomp |= what & SECCOMP;
	opts->no_signatures |= what & IMAGE;
	return 0;
}

bool net_has(const char *net, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = net; p; p = strchr(p, ','), p = p ? p + 1 : NULL)
		if (!strncmp(p, name, len) && strchr(":,", p[len]))
			return true; /* strchr finds the end of the text too */
	return false;
}

static int check_net(const char *flag, const char *entry, const char *before, struct err *e)
{
	AUTO_FREE char *name = xstrndup(entry, strcspn(entry, ":"));
	const char *args = strchr(entry, ':');

	if (!*name)
		return err_set(e, ERR_USAGE, "--net=%s: a network without a name", flag);
	if (before && net_has(before, name))
		return err_set(e, ERR_USAGE, "--net=%s: network '%s' is given twice", flag, name);
	if (args && (!strcmp(name, "all") || !strcmp(name, "host") || !strcmp(name, "none")))
		return err_set(e, ERR_USAGE, "--net=%s: '%s' takes no arguments", flag, name);
	if (args && strchr(args + 1, ':'))
		return err_set(e, ERR_USAGE, "--net=%s: '%s' has more than one ':'", flag, entry);
	return 0;
}

int net_list(const struct cli_list *flags, const char *otherwise, char **net_r, struct err *e)
{
	AUTO_FREE char *net = NULL;

	for (size_t i = 0; i < flags->n; i++) {
		AUTO_FREE char *copy = xstrdup(flags->v[i]);
		char *rest = copy;

		for (char *entry = strsep(&rest, ","); entry; entry = strsep(&rest, ",")) {
			AUTO_FREE char *before = STEAL(net);

			if (check_net(flags->v[i], entry, before, e) < 0)
				return -1;
			net = before ? xasprintf("%s,%s", before, entry) : xstrdup(entry);
		}
	}
	*net_r = net ? STEAL(net) : xstrdup(otherwise);
	return 0;
}

void run_args_make(const char *entry, const struct run_flags *o, int version, const char *uuid,
	struct run_args *args_r)
{
	/* in rkt's order; `since` is the version that knows it, and silent ones are dropped so */
	const struct { bool given; int since; bool silent; const char *flag, *value; } rows[] = {
		{ o->debug, 1, false, "--debug", NULL },
		{ true, 1, false, "--net", o->net },
		{ o->interactive, 1, false, "--interactive", NULL },
		{ o->private_users, 1, false, "--private-users", o->private_users },
		{ o->mds_token, 1, false, "--mds-token", o->mds_token },
		{ o->local_config, 1, false, "--local-config", o->local_config },
		{ o->hostname, 2, false, "--hostname", o->hostname },
		{ o->dns_conf_mode, 4, false, "--dns-conf-mode", o->dns_conf_mode },
		{ o->no_caps, 3, true, "--disable-capabilities-restriction", NULL },
		{ o->no_paths, 3, true, "--disable-paths", NULL },
		{ o->no_seccomp, 3, true, "--disable-seccomp", NULL },
		{ o->mutable_pod, 1, false, "--mutable", NULL },
		{ o->ipc, 6, false, "--ipc", o->ipc },
	};
	struct run_args args = RUN_ARGS_INIT;

	args.argv[args.argc++] = xstrdup(entry);
	for (size_t i = 0; i < COUNT(rows); i++) {
		if (!rows[i].given)
			continue;
		if (version < rows[i].since) {
			if (!rows[i].silent)
				args.dropped[args.ndropped++] = rows[i].flag;
			continue;
		}
		args.argv[args.argc++] = rows[i].value ?
			xasprintf("%s=%s", rows[i].flag, rows[i].value) : xstrdup(rows[i].flag);
	}
	args.argv[args.argc++] = xstrdup(uuid);
	args.argv[args.argc] = NULL;
	*args_r = args;
}

void run_args_dispose(struct run_args *args)
{
	for (size_t i = 0; i < args->argc; i++)
		free(args->argv[i]);
	*args = (struct run_args)RUN_ARGS_INIT;
}
