/* See cgroup.h. */
#include "init/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/devices.h"
#include "stage1/common/util.h"

#define ENTERED "entered"

enum {
	CPU_PERIOD_US = 100000,
	CPU_QUOTA_MIN_US = 1000, /* the kernel's (min_cfs_quota_period of kernel/sched/core.c) */
};

static int write_text(int dir, const char *file, const char *text, struct err *e)
{
	AUTO_CLOSE int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return err_sys(e, "write '%s' to %s", text, file);
	return 0;
}

static int write_number(int dir, const char *file, uint64_t number, struct err *e)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)number);
	return write_text(dir, file, text, e);
}

static int open_group(const char *name, struct err *e)
{
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), CGROUP_DIR "/%s", name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open the cgroup %s", path);
}

static int set_cpu_max(int group, uint32_t millis, struct err *e)
{
	uint64_t quota = (uint64_t)millis * (CPU_PERIOD_US / 1000);
	char text[48];

	(void)snprintf(text, sizeof(text), "%llu %d",
		(unsigned long long)(quota < CPU_QUOTA_MIN_US ? CPU_QUOTA_MIN_US : quota), CPU_PERIOD_US);
	return write_text(group, "cpu.max", text, e);
}

int cgroup_make(const struct guest_app *app, struct err *e)
{
	const struct guest_limits *l = &app->limits;
	AUTO_CLOSE int root = open_group("", e), group = -1;

	if (root < 0 || write_text(root, "cgroup.subtree_control", "+cpu +memory +pids", e) < 0)
		return -1;
	if (mkdirat(root, app->name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make the cgroup %s", app->name);
	group = open_group(app->name, e);
	if (group < 0 || devices_restrict(group, e) < 0)
		return -1;
	if (mkdirat(group, ENTERED, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make the cgroup %s/%s", app->name, ENTERED);
	if (l->memory_max && write_number(group, "memory.max", l->memory_max, e) < 0)
		return -1;
	if (l->cpu_max && set_cpu_max(group, l->cpu_max, e) < 0)
		return -1;
	if (l->cpu_weight && write_number(group, "cpu.weight", l->cpu_weight, e) < 0)
		return -1;
	return 0;
}

int cgroup_join(const struct guest_app *app, bool entered, struct err *e)
{
	AUTO_CLOSE int group = open_group(app->name, e);

	if (group < 0 || write_text(group, entered ? ENTERED "/cgroup.procs" : "cgroup.procs", "0", e) < 0)
		return -1;
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "make a cgroup namespace");
	return 0;
}

void cgroup_terminate(const struct guest_app *app)
{
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int group = open_group(app->name, &ignored);
	AUTO_CLOSE int file = group < 0 ? -1 : openat(group, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char text[512];
	pid_t pid = 0;
	ssize_t n;

	/* PID 1 alone reaps: no number is another process's by now */
	while (file >= 0 && (n = read(file, text, sizeof(text))) > 0)
		for (ssize_t i = 0; i < n; i++) {
			if (text[i] >= '0' && text[i] <= '9') {
				pid = pid * 10 + (text[i] - '0');
				continue;
			}
			if (pid > 1 && kill(pid, SIGTERM) == 0)
				(void)kill(pid, SIGCONT); /* a stopped one hears nothing else */
			pid = 0;
		}
}

/* The number behind "KEY " at the start of a line of memory.events; 0 when there is none. */
static uint64_t event_count(const char *events, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = events; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, key, len) && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	return 0;
}

const char *cgroup_verdict(const struct guest_app *app)
{
	static char text[80];
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int group = open_group(app->name, &ignored);
	AUTO_CLOSE int file = group < 0 ? -1 : openat(group, "memory.events", O_RDONLY | O_CLOEXEC);
	unsigned long long limit = app->limits.memory_max;
	char events[512];
	ssize_t n = file < 0 ? -1 : read(file, events, sizeof(events) - 1);

	if (n < 0)
		return "";
	events[n] = '\0';
	if (event_count(events, "oom_kill") == 0)
		return "";
	if (limit)
		(void)snprintf(text, sizeof(text), "out of memory (limit %llu %s)",
			limit % (1 << 20) ? limit >> 10 : limit >> 20, limit % (1 << 20) ? "KiB" : "MiB");
	else
		(void)snprintf(text, sizeof(text), "out of memory (no limit of its own: the pod's is used up)");
	return text;
}
