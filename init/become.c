/* See become.h. */
#include "init/become.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/passwd.h"
#include "init/view.h"
#include "stage1/common/util.h"

/* Exit statuses that rkt's users know from systemd (systemd.exec(5)); the rest is 254. */
enum { STATUS_CHDIR = 200, STATUS_EXEC = 203, STATUS_OTHER = 254 };

/* rkt's default bounding set (contract 4.4.1). */
static const unsigned default_caps[] = {
	CAP_AUDIT_WRITE, CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FSETID, CAP_FOWNER, CAP_KILL, CAP_MKNOD,
	CAP_NET_RAW, CAP_NET_BIND_SERVICE, CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_SETFCAP,
	CAP_SYS_CHROOT,
};

static int limit_caps(struct err *e)
{
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
		bool keep = false;

		for (size_t i = 0; i < COUNT(default_caps); i++)
			keep = keep || default_caps[i] == cap;
		if (!keep && prctl(PR_CAPBSET_DROP, cap) < 0)
			return err_sys(e, "drop capability %u", cap);
	}
	return 0;
}

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111);
}

/*
 * The path to execute, which is also argv[0]: not resolved through links. A plain name that is
 * nowhere on the search path is an error; other paths are left for execve to judge.
 */
static int find_program(const struct guest_app *app, const char *name, char path[PATH_MAX], struct err *e)
{
	const char *dir = app->search_path;
	size_t len;

	if (*name == '/' || strchr(name, '/')) {
		(void)snprintf(path, PATH_MAX, "%s%s%s", *name == '/' ? "" : app->cwd,
			*name == '/' ? "" : "/", name);
		return 0;
	}
	for (;; dir += len + 1) {
		len = strcspn(dir, ":");
		(void)snprintf(path, PATH_MAX, "%s%s%.*s/%s", *dir == '/' ? "" : app->cwd,
			*dir == '/' ? "" : "/", (int)len, dir, name);
		if (is_program(path))
			return 0;
		if (!dir[len])
			return err_set(e, ERR_INPUT, "exec '%s': not found in %s", name, app->search_path);
	}
}

static int become_user(const struct guest_app *app, bool root, struct err *e)
{
	uint32_t uid = 0, gid = 0;

	if (!root && (passwd_lookup(PASSWD_USER, app->user, &uid, e) < 0 ||
			     passwd_lookup(PASSWD_GROUP, app->group, &gid, e) < 0))
		return -1;
	if (limit_caps(e) < 0)
		return -1;
	if (setgroups(app->ngids, app->gids) < 0 || setresgid(gid, gid, gid) < 0 ||
		setresuid(uid, uid, uid) < 0)
		return err_sys(e, "become user %u, group %u", uid, gid);
	return 0;
}

int become_root(const struct guest_app *app, struct err *e)
{
	return view_enter(app, e);
}

uint32_t become_program(const struct guest_app *app, const struct program *prog, struct err *e)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s", prog->exec[0]);
	if ((!prog->handler && find_program(app, prog->exec[0], path, e) < 0) ||
		become_user(app, prog->handler, e) < 0)
		return STATUS_OTHER;
	if (chdir(app->cwd) < 0) {
		(void)err_sys(e, "working directory '%s'", app->cwd);
		return STATUS_CHDIR;
	}
	prog->exec[0] = path;
	(void)execve(path, prog->exec, app->env);
	(void)err_sys(e, "Unable to open \"%s\"", path); /* rkt's words (stage1/diagnostic) */
	return STATUS_EXEC;
}
