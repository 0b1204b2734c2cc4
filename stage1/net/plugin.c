/* See plugin.h. */
#include "stage1/net/plugin.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/net/child.h"

extern char **environ;

char *plugin_path(const char *local_config, const char *s1root)
{
	return xasprintf("%s/net.d:/usr/lib/rkt/plugins/net:%s/usr/lib/rkt/plugins/net:/opt/cni/bin:/usr/lib/cni",
		local_config, s1root);
}

char *plugin_find(const char *path, const char *type)
{
	size_t len;

	for (const char *p = path; *p; p += len + (p[len] == ':')) {
		AUTO_FREE char *file = NULL;
		struct stat st;

		len = strcspn(p, ":");
		file = xasprintf("%.*s/%s", (int)len, p, type);
		if (stat(file, &st) == 0 && S_ISREG(st.st_mode))
			return STEAL(file);
	}
	return NULL;
}

static int no_plugin(const struct net_conf *conf, const char *type, const char *path, struct err *e)
{
	return err_set(e, ERR_HOST, "network '%s' (%s): there is no plugin '%s' in %s; Debian's are in the package "
		"containernetworking-plugins", conf->name, conf->path, type, path);
}

/* Without its daemon dhcp can neither give an address nor take one back: gc would fail, too. */
#define DHCP_SOCKET "/run/cni/dhcp.sock"

static int check_dhcp(const struct net_conf *conf, const char *ipam, struct err *e)
{
	if (!ipam || strcmp(ipam, "dhcp") != 0 || strstr(conf->text, "\"daemonSocketPath\"") || access(DHCP_SOCKET, F_OK) == 0)
		return 0;
	return err_set(e, ERR_HOST, "network '%s' (%s): the daemon of the plugin dhcp does not run, there is no " DHCP_SOCKET
		": start 'dhcp daemon'", conf->name, conf->path);
}

int plugins_check(const struct net_conf *conf, const char *path, struct err *e)
{
	for (size_t i = 0; i < conf->nplugins; i++) {
		const char *types[] = { net_conf_type(conf, i), conf->plugins[i].ipam };

		for (size_t k = 0; k < COUNT(types); k++) {
			AUTO_FREE char *file = types[k] ? plugin_find(path, types[k]) : NULL;

			if (types[k] && !file)
				return no_plugin(conf, types[k], path, e);
		}
		if (check_dhcp(conf, conf->plugins[i].ipam, e) < 0)
			return -1;
	}
	return 0;
}

/* Ours, with what plugins are told in place of any variable CNI_*. */
struct environment {
	char **list;
	size_t n, inherited;
};

static void put_env(struct environment *env, const char *name, const char *value)
{
	env->list[env->n++] = xasprintf("%s=%s", name, value);
}

/*
 * A chain's plugins and that for addresses are all given the same arguments, and today's refuse what is
 * another's: rkt's were not so strict.
 */
static char *make_args(const char *args)
{
	bool as_it_is = !*args || strstr(args, "IgnoreUnknown=");

	return as_it_is ? xstrdup(args) : xasprintf("%s;IgnoreUnknown=1", args);
}

static void make_env(const struct plugin_call *call, struct environment *env)
{
	AUTO_FREE char *args = make_args(call->args);
	size_t n = 0;

	while (environ[n])
		n++;
	*env = (struct environment){ .list = xcalloc(n + 8, sizeof(*env->list)) };
	for (size_t i = 0; i < n; i++)
		if (!str_has_prefix(environ[i], "CNI_"))
			env->list[env->n++] = environ[i];
	env->inherited = env->n;
	put_env(env, "CNI_VERSION", "0.1.0");
	put_env(env, "CNI_COMMAND", call->command);
	put_env(env, "CNI_CONTAINERID", call->uuid);
	put_env(env, "CNI_NETNS", call->netns);
	put_env(env, "CNI_ARGS", args);
	put_env(env, "CNI_IFNAME", call->ifname);
	put_env(env, "CNI_PATH", call->path);
}

static void free_env(struct environment *env)
{
	for (size_t i = env->inherited; i < env->n; i++)
		free(env->list[i]);
	free(env->list);
}

static int failed(const char *type, int status, const char *output, size_t len, struct err *e)
{
	AUTO_FREE char *said = net_failure_text(output, len);
	char how[40];

	child_status_text(status, how);
	if (said)
		return err_set(e, ERR_HOST, "%s: %s", type, said);
	return err_set(e, ERR_HOST, "%s: %s%s%.*s", type, how, *output ? ": " : "", (int)strcspn(output, "\n"), output);
}

/* One plugin of the chain; *output_r is what it printed. */
static int call_plugin(const struct plugin_call *call, size_t i, const char *prev, char **output_r, size_t *len_r,
	struct err *e)
{
	const char *type = net_conf_type(call->conf, i);
	AUTO_FREE char *file = plugin_find(call->path, type);
	AUTO_FREE char *input = NULL;
	AUTO_FREE char *output = NULL;
	char *argv[] = { file, NULL };
	struct environment env;
	size_t input_len, len;
	int ret, status;

	if (!file)
		return no_plugin(call->conf, type, call->path, e);
	if (net_conf_input(call->conf, i, prev, call->ports, &input, &input_len, e) < 0)
		return -1;
	make_env(call, &env);
	ret = child_run(&(struct child_call){ .program = file, .argv = argv, .env = env.list, .input = input,
		.input_len = input_len, .output_max = NET_RESULT_MAX, .timeout_ms = call->timeout_ms,
		.cancel = call->cancel }, &status, &output, &len, e);
	free_env(&env);
	if (ret == 0 && status != 0)
		ret = failed(type, status, output, len, e);
	if (ret < 0)
		return -1;
	*output_r = STEAL(output);
	*len_r = len;
	return 0;
}

static int for_network(const struct plugin_call *call, struct err *e)
{
	return err_prefix(e, "network '%s' (%s): %s", call->conf->name, call->conf->file, call->command);
}

int plugins_add(const struct plugin_call *call, struct net_add *add_r, struct err *e)
{
	struct net_add add = NET_ADD_INIT;

	for (size_t i = 0; i < call->conf->nplugins; i++) {
		AUTO_FREE char *output = NULL;
		struct net_add next;
		size_t len;

		if (call_plugin(call, i, add.text, &output, &len, e) < 0 || net_add_parse(output, len, &next, e) < 0) {
			net_add_dispose(&add);
			return for_network(call, e);
		}
		net_add_dispose(&add);
		add = next;
	}
	*add_r = add;
	return 0;
}

int plugins_del(const struct plugin_call *call, const char *result, struct err *e)
{
	const char *prev = net_conf_del_takes_result(call->conf) ? result : NULL;
	struct err first = ERR_INIT;

	for (size_t i = call->conf->nplugins; i-- > 0;) {
		AUTO_FREE char *output = NULL;
		size_t len;

		(void)call_plugin(call, i, prev, &output, &len, &first);
	}
	if (first.kind == ERR_NONE)
		return 0;
	(void)for_network(call, &first);
	return err_set(e, first.kind, "%s", first.msg);
}
