/* Variables of the apps: rkt rkt/run.go (envFileMap, kvMap), stage0/run.go (mergeEnvs). See overrides.h. */
#include <string.h>

#include "stage0/overrides.h"
#include "stage1/common/util.h"

/* appc schema/types/environment.go */
bool env_name_valid(const char *name, size_t len)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.-";

	for (size_t i = 0; i < len; i++)
		if (!memchr(i ? all : letters, name[i], i ? sizeof(all) - 1 : sizeof(letters) - 1))
			return false;
	return len > 0;
}

static int check_variable(const char *flag, const char *var, struct err *e)
{
	const char *equals = strchr(var, '=');

	if (!equals || equals == var)
		return err_set(e, ERR_USAGE, "--%s: '%s' is not NAME=VALUE", flag, var);
	if (!env_name_valid(var, (size_t)(equals - var)))
		return err_set(e, ERR_USAGE, "--%s: '%.*s' is no name of a variable", flag,
			(int)(equals - var), var);
	return 0;
}

static int merge(json_object *env, const char *flag, const struct cli_list *vars, bool override, struct err *e)
{
	for (size_t i = 0; i < vars->n; i++) {
		const char *equals = strchr(vars->v[i], '=');
		AUTO_FREE char *name = NULL;

		if (flag && check_variable(flag, vars->v[i], e) < 0)
			return -1;
		name = xstrndup(vars->v[i], (size_t)(equals - vars->v[i]));
		if (override || !jb_has_pair(env, name))
			jb_set_pair(env, name, equals + 1);
	}
	return 0;
}

static bool sets_variable(const struct cli_list *vars, const char *var, size_t name_len)
{
	for (size_t i = 0; i < vars->n; i++)
		if (!strncmp(vars->v[i], var, name_len + 1)) /* with the '=' */
			return true;
	return false;
}

int check_set_env(const struct cli_list *vars, struct err *e)
{
	for (size_t i = 0; i < vars->n; i++) {
		struct cli_list before = { vars->v, i };
		size_t len = strcspn(vars->v[i], "=");

		if (check_variable("set-env", vars->v[i], e) < 0)
			return -1;
		if (sets_variable(&before, vars->v[i], len))
			return err_set(e, ERR_USAGE, "--set-env: '%.*s' is set twice", (int)len, vars->v[i]);
	}
	return 0;
}

int override_environment(json_object *app, const struct app_opts *app_opts, const struct pod_opts *opts,
	struct err *e)
{
	json_object *env;

	if (!app_opts->environment.n && !opts->inherited.n && !opts->env_file.n && !opts->set_env.n)
		return 0;
	env = jb_list(app, "environment");
	if (merge(env, "environment", &app_opts->environment, true, e) < 0)
		return -1;
	(void)merge(env, NULL, &opts->inherited, false, e);
	(void)merge(env, NULL, &opts->env_file, true, e);
	return merge(env, NULL, &opts->set_env, true, e);
}

static int read_line(const char *path, size_t number, const char *line, struct cli_list *vars, struct err *e)
{
	size_t len = strcspn(line, "=");

	if (!*line || *line == '#' || *line == ';')
		return 0;
	if (!line[len] || !env_name_valid(line, len))
		return err_set(e, ERR_USAGE, "--set-env-file '%s', line %zu: not NAME=VALUE", path, number);
	if (sets_variable(vars, line, len))
		return err_set(e, ERR_USAGE, "--set-env-file '%s', line %zu: '%.*s' is set twice", path,
			number, (int)len, line);
	cli_list_add(vars, line);
	return 0;
}

int env_file_read(const char *path, char *text, size_t len, struct cli_list *vars, struct err *e)
{
	size_t number = 1;

	if (memchr(text, '\0', len))
		return err_set(e, ERR_USAGE, "--set-env-file '%s': contains a NUL", path);
	for (char *line = text, *end; line; line = end, number++) {
		end = strchr(line, '\n');
		if (end) {
			if (end > line && end[-1] == '\r')
				end[-1] = '\0';
			*end++ = '\0';
		}
		if (read_line(path, number, line, vars, e) < 0)
			return -1;
	}
	return 0;
}
