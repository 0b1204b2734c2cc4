/*
 * In place of init/cgroup.c: cgroups here are the host's, whose hierarchy is not ours to change. What
 * belongs to an app has a mark that is inherited as a cgroup is: its timer slack.
 */
#include "init/cgroup.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "stage1/common/util.h"

#define CGROUP_GATE "/dev/shm/gate"
#define CGROUP_WAITS "/dev/shm/waits"

static unsigned long mark_of(const struct guest_app *app)
{
	unsigned long mark = 0;

	for (const char *c = app->name; *c; c++)
		mark = mark * 31 + (unsigned char)*c;
	return 60000 + mark % 30000; /* ns: a little more than the kernel's default */
}

int cgroup_make(const struct guest_app *app, struct err *e)
{
	return strcmp(app->name, "unwanted") == 0 ? err_set(e, ERR_SYSTEM, "make the cgroup %s", app->name) : 0;
}

/* On the way into a cgroup the kernel may keep a process waiting: app 'late' at a gate that one of the pod's shuts. */
static void wait_at_the_gate(void)
{
	while (access(CGROUP_GATE, F_OK) == 0) {
		(void)close(open(CGROUP_WAITS, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
		(void)usleep(9000);
	}
}

int cgroup_join(const struct guest_app *app, bool entered, struct err *e)
{
	if (strcmp(app->name, "late") == 0)
		wait_at_the_gate();
	if (prctl(PR_SET_TIMERSLACK, entered ? 1 : mark_of(app)) < 0)
		return err_sys(e, "set the timer slack");
	return 0;
}

static bool is_of(const struct guest_app *app, const char *pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%s/timerslack_ns", pid), *mark = NULL;
	struct err e = ERR_INIT;
	size_t len = 0;

	return read_file_at(AT_FDCWD, path, 64, &mark, &len, &e) == 0 && strtoul(mark, NULL, 10) == mark_of(app);
}

/* 0: tells only whether there is one. */
static bool signal_all(const struct guest_app *app, int sig)
{
	DIR *d = opendir("/proc");
	bool found = false;

	for (struct dirent *entry; (entry = readdir(d)) != NULL;) {
		if (atoi(entry->d_name) <= 1 || !is_of(app, entry->d_name))
			continue;
		found = true;
		(void)kill(atoi(entry->d_name), sig);
	}
	(void)closedir(d);
	return found;
}

bool cgroup_populated(const struct guest_app *app)
{
	return signal_all(app, 0);
}

void cgroup_terminate(const struct guest_app *app)
{
	(void)signal_all(app, SIGTERM);
}

void cgroup_kill(const struct guest_app *app)
{
	(void)signal_all(app, SIGKILL);
}

/* Those that entered are nobody's by their mark. */
bool cgroup_remove(const struct guest_app *app)
{
	return !signal_all(app, SIGKILL);
}

const char *cgroup_verdict(const struct guest_app *app)
{
	return strcmp(app->name, "hungry") == 0 ? "out of memory (limit 1 MiB)" : "";
}
