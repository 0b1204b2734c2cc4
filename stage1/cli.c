/* See cli.h. */
#include "stage1/cli.h"

#include <string.h>

#include "stage1/attach_request.h"
#include "stage1/common/util.h"

struct flag {
	const char *name;
	bool *on;           /* a switch */
	const char **value; /* or a text */
};

bool uuid_parse(const char *s, unsigned char uuid_r[16])
{
	static const char hex[] = "0123456789abcdef", shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	unsigned digits = 0;

	if (strlen(s) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; s[i]; i++) {
		const char *digit = strchr(hex, s[i]);

		if (shape[i] == '-' ? s[i] != '-' : !digit)
			return false;
		if (shape[i] == '-')
			continue;
		uuid_r[digits / 2] = (unsigned char)(digits % 2 ? uuid_r[digits / 2] << 4 | (digit - hex)
							    : digit - hex);
		digits++;
	}
	return true;
}

static const struct flag *find_flag(const struct flag *flags, const char *name, size_t len)
{
	for (; flags->name; flags++)
		if (strlen(flags->name) == len && !strncmp(flags->name, name, len))
			return flags;
	return NULL;
}

static int set_switch(const struct flag *flag, const char *text, struct err *e)
{
	if (!text || !strcmp(text, "true") || !strcmp(text, "1"))
		*flag->on = true;
	else if (!strcmp(text, "false") || !strcmp(text, "0"))
		*flag->on = false;
	else
		return err_set(e, ERR_USAGE, "--%s=%s: true or false", flag->name, text);
	return 0;
}

/* *end_r is the index of the first word that is not a flag's. */
static int parse_flags(int argc, char **argv, const struct flag *flags, int *end_r, struct err *e)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
		const char *name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
		size_t len = strcspn(name, "=");
		const char *text = name[len] ? name + len + 1 : NULL;
		const struct flag *flag = find_flag(flags, name, len);

		if (!*name) { /* "--" */
			i++;
			break;
		}
		if (!flag)
			return err_set(e, ERR_USAGE, "unknown flag '%s'", argv[i]);
		if (flag->on) {
			if (set_switch(flag, text, e) < 0)
				return -1;
			continue;
		}
		if (!text && i + 1 >= argc)
			return err_set(e, ERR_USAGE, "--%s needs a value", flag->name);
		*flag->value = text ? text : argv[++i];
	}
	*end_r = i;
	return 0;
}

static int parse(int argc, char **argv, const struct flag *flags, const char **uuid_r, struct err *e)
{
	unsigned char uuid[16];
	int i;

	if (parse_flags(argc, argv, flags, &i, e) < 0)
		return -1;
	if (argc - i != 1)
		return err_set(e, ERR_USAGE, "one pod UUID is expected, found %d", argc - i);
	if (!uuid_parse(argv[i], uuid))
		return err_set(e, ERR_USAGE, "'%s' is not a pod UUID", argv[i]);
	*uuid_r = argv[i];
	return 0;
}

/* rkt pkg/user/uid_range.go, Serialize: two numbers. */
static int parse_shift(const char *text, struct id_shift *shift_r, struct err *e)
{
	const char *colon = text + strspn(text, "0123456789");
	const char *end = *colon ? colon + 1 + strspn(colon + 1, "0123456789") : colon;
	unsigned long long first = strtoull(text, NULL, 10), count = strtoull(colon + (*colon != '\0'), NULL, 10);

	if (colon == text || colon - text > 10 || *colon != ':' || end == colon + 1 || end - colon > 11 || *end)
		return err_set(e, ERR_USAGE, "--private-users=%s is not SHIFT:COUNT", text);
	if (first + count > UINT32_MAX)
		return err_set(e, ERR_USAGE, "--private-users=%s goes beyond the last user", text);
	*shift_r = (struct id_shift){ (uint32_t)first, (uint32_t)count };
	return 0;
}

int cli_run(int argc, char **argv, struct run_opts *opts_r, struct err *e)
{
	struct run_opts o = { .net = "default" };
	const struct flag flags[] = {
		{ "debug", &o.debug, NULL },
		{ "net", NULL, &o.net },
		{ "interactive", &o.interactive, NULL },
		{ "private-users", NULL, &o.private_users },
		{ "mds-token", NULL, &o.mds_token },
		{ "local-config", NULL, &o.local_config },
		{ "hostname", NULL, &o.hostname },
		{ "dns-conf-mode", NULL, &o.dns_conf_mode },
		{ "disable-capabilities-restriction", &o.disable_capabilities, NULL },
		{ "disable-paths", &o.disable_paths, NULL },
		{ "disable-seccomp", &o.disable_seccomp, NULL },
		{ "mutable", &o.mutable_pod, NULL },
		{ "ipc", NULL, &o.ipc },
		{ NULL, NULL, NULL },
	};

	if (parse(argc, argv, flags, &o.uuid, e) < 0 ||
		(o.private_users && parse_shift(o.private_users, &o.shift, e) < 0))
		return -1;
	*opts_r = o;
	return 0;
}

int cli_gc(int argc, char **argv, struct gc_opts *opts_r, struct err *e)
{
	struct gc_opts o = { .debug = false };
	const struct flag flags[] = {
		{ "debug", &o.debug, NULL },
		{ "local-config", NULL, &o.local_config },
		{ NULL, NULL, NULL },
	};

	if (parse(argc, argv, flags, &o.uuid, e) < 0)
		return -1;
	*opts_r = o;
	return 0;
}

int cli_stop(int argc, char **argv, struct stop_opts *opts_r, struct err *e)
{
	struct stop_opts o = { .force = false };
	const struct flag flags[] = {
		{ "force", &o.force, NULL },
		{ NULL, NULL, NULL },
	};

	if (parse(argc, argv, flags, &o.uuid, e) < 0)
		return -1;
	*opts_r = o;
	return 0;
}

int cli_machine(int argc, char **argv, struct machine_opts *opts_r, struct err *e)
{
	static const char *const verbs[] = { [MACHINE_PAUSE] = "pause", [MACHINE_RESUME] = "resume",
		[MACHINE_STATS] = "stats" };
	const struct flag none = { NULL, NULL, NULL };
	struct machine_opts o = { .verb = MACHINE_PAUSE };
	size_t i = 0;

	while (i < COUNT(verbs) && (argc < 2 || strcmp(argv[1], verbs[i]) != 0))
		i++;
	if (i == COUNT(verbs))
		return err_set(e, ERR_USAGE, "usage: machine pause|resume|stats UUID");
	o.verb = i;
	if (parse(argc - 1, argv + 1, &none, &o.uuid, e) < 0)
		return -1;
	*opts_r = o;
	return 0;
}

int cli_crossing(int argc, char **argv, struct crossing_opts *opts_r, struct err *e)
{
	struct crossing_opts o = { .debug = false };
	const struct flag flags[] = {
		{ "debug", &o.debug, NULL },
		{ "uuid", NULL, &o.uuid },
		{ "app", NULL, &o.app },
		{ NULL, NULL, NULL },
	};
	int i;

	if (parse_flags(argc, argv, flags, &i, e) < 0)
		return -1;
	if (i < argc)
		return err_set(e, ERR_USAGE, "'%s' is too much", argv[i]);
	if (!o.app || !*o.app)
		return err_set(e, ERR_USAGE, "no app: --app=NAME");
	if (strlen(o.app) > 255)
		return err_set(e, ERR_USAGE, "--app: a name of %zu bytes, over 255", strlen(o.app));
	*opts_r = o;
	return 0;
}

int cli_enter(int argc, char **argv, struct enter_opts *opts_r, struct err *e)
{
	struct enter_opts o = { .app = NULL };
	const char *pid = NULL; /* any number: the pod is known by the directory (contract 2.2) */
	const struct flag flags[] = {
		{ "pid", NULL, &pid },
		{ "appname", NULL, &o.app },
		{ "app", NULL, &o.app },
		{ NULL, NULL, NULL },
	};
	int i;

	if (parse_flags(argc, argv, flags, &i, e) < 0)
		return -1;
	if (i >= argc || !*argv[i])
		return err_set(e, ERR_USAGE, "no command to run");
	o.argv = argv + i;
	o.argc = (size_t)(argc - i);
	*opts_r = o;
	return 0;
}

/* The endpoints of custom-attach. */
static int choose_endpoints(const bool on[5], uint32_t *endpoints_r, struct err *e)
{
	static const uint32_t bits[] = { ENDPOINT_STDIN, ENDPOINT_STDOUT, ENDPOINT_STDERR, ENDPOINT_TTY_IN,
		ENDPOINT_TTY_OUT };
	const uint32_t tty = ENDPOINT_TTY_IN | ENDPOINT_TTY_OUT;
	uint32_t endpoints = 0;

	for (size_t i = 0; i < COUNT(bits); i++)
		endpoints |= on[i] ? bits[i] : 0;
	if (!endpoints)
		return err_set(e, ERR_USAGE, "--action=custom-attach: no endpoint is given");
	if (endpoints & tty && endpoints & ~tty)
		return err_set(e, ERR_USAGE, "--action=custom-attach: a terminal and streams cannot be mixed");
	*endpoints_r = endpoints;
	return 0;
}

int cli_attach(int argc, char **argv, struct attach_opts *opts_r, struct err *e)
{
	struct attach_opts o = { .app = NULL };
	const char *action = "list"; /* as rkt's own stage1 */
	bool on[5] = { false };
	const struct flag flags[] = {
		{ "action", NULL, &action },
		{ "app", NULL, &o.app },
		{ "debug", &o.debug, NULL },
		{ "stdin", &on[0], NULL },
		{ "stdout", &on[1], NULL },
		{ "stderr", &on[2], NULL },
		{ "tty-in", &on[3], NULL },
		{ "tty-out", &on[4], NULL },
		{ NULL, NULL, NULL },
	};
	int i;

	if (parse_flags(argc, argv, flags, &i, e) < 0)
		return -1;
	if (i < argc)
		return err_set(e, ERR_USAGE, "'%s' is too much", argv[i]);
	if (!o.app || !*o.app)
		return err_set(e, ERR_USAGE, "--app is missing");
	if (!strcmp(action, "list"))
		o.endpoints = ATTACH_LIST;
	else if (!strcmp(action, "auto-attach"))
		o.endpoints = ATTACH_AUTO;
	else if (strcmp(action, "custom-attach") != 0)
		return err_set(e, ERR_USAGE, "--action=%s: list, auto-attach or custom-attach", action);
	else if (choose_endpoints(on, &o.endpoints, e) < 0)
		return -1;
	*opts_r = o;
	return 0;
}
