/* See become.h. */
#include "init/become.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/cgroup.h"
#include "init/diagnose.h"
#include "init/limits.h"
#include "init/passwd.h"
#include "init/view.h"
#include "stage1/common/util.h"

/* Exit statuses that rkt's users know from systemd (systemd.exec(5)); the rest is 254. */
enum { STATUS_CHDIR = 200, STATUS_EXEC = 203, STATUS_OTHER = 254 };

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

/* Where a plain name is looked for, and what relative directories and paths are relative to. */
struct search {
	const char *dirs, *base;
};

/*
 * The path to execute, which is also argv[0]: not resolved through links. A plain name that is
 * nowhere on the search path is an error; other paths are left for execve to judge.
 */
static int find_program(const struct search *search, const char *name, char path[PATH_MAX], struct err *e)
{
	const char *dir = search->dirs;
	size_t len;

	if (strchr(name, '/')) {
		(void)snprintf(path, PATH_MAX, "%s%s%s", *name == '/' ? "" : search->base,
			*name == '/' ? "" : "/", name);
		return 0;
	}
	for (;; dir += len + 1) {
		len = strcspn(dir, ":");
		(void)snprintf(path, PATH_MAX, "%s%s%.*s/%s", *dir == '/' ? "" : search->base,
			*dir == '/' ? "" : "/", (int)len, dir, name);
		if (is_program(path))
			return 0;
		if (!dir[len])
			return err_set(e, ERR_INPUT, "exec '%s': not found in %s", name, search->dirs);
	}
}

static const char *path_of(char *const *env)
{
	for (; *env; env++)
		if (!strncmp(*env, "PATH=", 5))
			return *env + 5;
	return "/usr/bin:/bin";
}

/* So that /dev/stdout and /dev/tty can be opened anew by the user they are for. */
static void give_descriptors(uint32_t uid)
{
	struct stat st;

	for (int fd = 0; fd <= 2; fd++)
		if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || isatty(fd)))
			(void)!fchown(fd, uid, (gid_t)-1);
}

/* An image of docker may name a user alone: see guest_plan.h. */
static int find_group(const struct guest_app *app, uint32_t uid, uint32_t *gid_r, struct err *e)
{
	struct err none = ERR_INIT;

	if (passwd_lookup(PASSWD_GROUP, app->group, gid_r, app->group_or_uid ? &none : e) == 0)
		return 0;
	*gid_r = uid;
	return app->group_or_uid ? 0 : -1;
}

/* A user the image does not know (any more) is not. */
static bool is_root(const char *user)
{
	struct err ignored = ERR_INIT;
	uint32_t uid;

	return passwd_lookup(PASSWD_USER, user, &uid, &ignored) == 0 && uid == 0;
}

/* With what sd_listen_fds(3) looks for. NULL without memory. */
static char *const *add_listen(char *const *env, unsigned n)
{
	static char fds[30], pid[30];
	size_t have = 0, to = 0;
	char **more;

	while (env[have])
		have++;
	more = calloc(have + 3, sizeof(*more));
	for (size_t i = 0; more && i < have; i++)
		if (!str_has_prefix(env[i], "LISTEN_FDS=") && !str_has_prefix(env[i], "LISTEN_PID="))
			more[to++] = env[i];
	(void)snprintf(fds, sizeof(fds), "LISTEN_FDS=%u", n);
	(void)snprintf(pid, sizeof(pid), "LISTEN_PID=%d", (int)getpid());
	if (more) {
		more[to++] = fds;
		more[to] = pid;
	}
	return more;
}

/* *unprivileged_r: the app's own user is not root, also when this process is (root). */
static int become_user(const struct guest_app *app, bool root, bool *unprivileged_r, struct err *e)
{
	uint32_t uid = 0, gid = 0;

	if (!root && (passwd_lookup(PASSWD_USER, app->user, &uid, e) < 0 ||
			     find_group(app, uid, &gid, e) < 0))
		return -1;
	*unprivileged_r = root ? !is_root(app->user) : uid != 0;
	give_descriptors(uid);
	if (limits_apply(&app->limits, e) < 0)
		return -1;
	if (setgroups(app->ngids, app->gids) < 0 || setresgid(gid, gid, gid) < 0 ||
		setresuid(uid, uid, uid) < 0)
		return err_sys(e, "become user %u, group %u", uid, gid);
	return 0;
}

int become_root(const struct guest_app *app, struct err *e)
{
	return cgroup_join(app, false, e) < 0 ? -1 : view_enter(app, e);
}

int become_inside(const struct guest_app *app, enum program_kind kind, int mnt, struct err *e)
{
	if (cgroup_join(app, kind == PROGRAM_ENTERED, e) < 0)
		return -1;
	return setns(mnt, CLONE_NEWNS) == 0 ? 0 : err_sys(e, "enter the app's mount namespace");
}

uint32_t become_program(const struct guest_app *app, const struct program *prog, struct err *e)
{
	char *const *env = prog->env ? prog->env : app->env;
	const char *cwd = prog->kind == PROGRAM_ENTERED ? "/" : app->cwd;
	const struct search search = {
		prog->kind == PROGRAM_ENTERED ? path_of(env) : app->search_path, cwd };
	char path[PATH_MAX], missing[PATH_MAX];
	bool unprivileged;
	int why;

	if (prog->nsockets > 0)
		env = add_listen(env, prog->nsockets);
	if (!env) {
		(void)err_set(e, ERR_SYSTEM, "no memory for the environment");
		return STATUS_OTHER;
	}
	if (find_program(&search, prog->exec[0], path, e) < 0 ||
		become_user(app, prog->kind != PROGRAM_MAIN, &unprivileged, e) < 0)
		return STATUS_OTHER;
	if (chdir(cwd) < 0) {
		(void)err_sys(e, "working directory '%s'", cwd);
		return STATUS_CHDIR;
	}
	prog->exec[0] = path;
	if (limits_lock(&app->limits, unprivileged, e) < 0)
		return STATUS_OTHER;
	(void)execve(path, prog->exec, env);
	why = errno;
	if (why != ENOENT || !diagnose_interpreter(path, missing, sizeof(missing)))
		(void)snprintf(missing, sizeof(missing), "%s", path);
	errno = why;
	(void)err_sys(e, "Error: Unable to open \"%s\"", missing); /* rkt's words (stage1/diagnostic) */
	return STATUS_EXEC;
}
