/* See app.h. Everything after fork() runs in the child and ends in execve or a report. */
#include "init/app.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/mounts.h"
#include "init/passwd.h"
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
static int find_program(const struct guest_app *app, char path[PATH_MAX], struct err *e)
{
	const char *name = app->exec[0], *dir = app->search_path;
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

static int become_user(const struct guest_app *app, struct err *e)
{
	uint32_t uid, gid;

	if (passwd_lookup(PASSWD_USER, app->user, &uid, e) < 0 ||
		passwd_lookup(PASSWD_GROUP, app->group, &gid, e) < 0 || limit_caps(e) < 0)
		return -1;
	if (setgroups(app->ngids, app->gids) < 0 || setresgid(gid, gid, gid) < 0 ||
		setresuid(uid, uid, uid) < 0)
		return err_sys(e, "become user %u, group %u", uid, gid);
	return 0;
}

/* Returns only on failure, with the exit status that names its kind. */
static uint32_t become_app(const struct guest_app *app, struct err *e)
{
	char root[PATH_MAX], path[PATH_MAX];

	(void)snprintf(root, sizeof(root), "%s/%s", GUEST_EXPORT_DIR, app->root);
	if (mounts_enter_root(root, e) < 0 || find_program(app, path, e) < 0 || become_user(app, e) < 0)
		return STATUS_OTHER;
	if (chdir(app->cwd) < 0) {
		(void)err_sys(e, "working directory '%s'", app->cwd);
		return STATUS_CHDIR;
	}
	app->exec[0] = path;
	(void)execve(path, app->exec, app->env);
	(void)err_sys(e, "Unable to open \"%s\"", path); /* rkt's words (stage1/diagnostic) */
	return STATUS_EXEC;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child(const struct guest_app *app, const int fds[WIRE_STREAMS], int report)
	__attribute__((noreturn));

static void child(const struct guest_app *app, const int fds[WIRE_STREAMS], int report)
{
	struct app_failure failure = { .status = STATUS_OTHER };
	struct err e = ERR_INIT;

	reset_signals();
	(void)setsid();
	(void)umask(0022);
	for (int i = 0; i < WIRE_STREAMS; i++)
		if (dup2(fds[i], i) < 0)
			(void)err_sys(&e, "set up descriptor %d", i);
	if (e.kind == ERR_NONE)
		failure.status = become_app(app, &e);
	memcpy(failure.text, e.msg, sizeof(failure.text) - 1);
	(void)!write(report, &failure, sizeof(failure));
	_exit(255);
}

/* A pipe whose end `ours` does not block. */
static int make_pipe(int ours, int *our_fd, int *their_fd, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	*our_fd = fds[ours];
	*their_fd = fds[!ours];
	if (fcntl(*our_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "set up a pipe");
	return 0;
}

static int make_streams(const struct guest_app *app, struct app_process *p,
	int theirs[WIRE_STREAMS + 1], struct err *e)
{
	if (app->open_stdin) {
		if (make_pipe(1, &p->stream[WIRE_STDIN], &theirs[WIRE_STDIN], e) < 0)
			return -1;
	} else {
		theirs[WIRE_STDIN] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (theirs[WIRE_STDIN] < 0)
			return err_sys(e, "open /dev/null");
	}
	if (make_pipe(0, &p->stream[WIRE_STDOUT], &theirs[WIRE_STDOUT], e) < 0 ||
		make_pipe(0, &p->stream[WIRE_STDERR], &theirs[WIRE_STDERR], e) < 0 ||
		make_pipe(0, &p->report, &theirs[WIRE_STREAMS], e) < 0)
		return -1;
	return 0;
}

int app_spawn(const struct guest_app *app, struct app_process *p_r, struct err *e)
{
	struct app_process p = { .pid = -1, .report = -1, .stream = { -1, -1, -1 } };
	int theirs[WIRE_STREAMS + 1] = { -1, -1, -1, -1 };
	int ret = make_streams(app, &p, theirs, e);

	if (ret == 0) {
		p.pid = fork();
		if (p.pid == 0)
			child(app, theirs, theirs[WIRE_STREAMS]);
		if (p.pid < 0)
			ret = err_sys(e, "fork");
	}
	for (size_t i = 0; i < COUNT(theirs); i++)
		if (theirs[i] >= 0)
			(void)close(theirs[i]);
	if (ret < 0) {
		for (int i = 0; i < WIRE_STREAMS; i++)
			if (p.stream[i] >= 0)
				(void)close(p.stream[i]);
		if (p.report >= 0)
			(void)close(p.report);
		return ret;
	}
	*p_r = p;
	return 0;
}
