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

#define APPS "apps"       /* all of them: what is left for them together */
#define OWN "own"         /* of an app: its program and its handlers */
#define ENTERED "entered" /* of an app: what has entered it */
#define CONTROLLERS "+cpu +memory +pids"

enum {
	PIDS_FOR_ENTERED = 32, /* processes that an app may not take from those who enter it */
	PIDS_MIN = 128,
	KIB_OF_A_PID = 256,      /* a shell that does nothing takes half of it */
	KIB_FOR_ENTERED = 4 << 10, /* memory likewise */
	KIB_FOR_PID_1 = 6 << 10, /* memory that neither may take, beyond what the kernel itself keeps */
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

/* The cgroup `name` of the app, its whole with "". */
static int open_group(const struct guest_app *app, const char *name, struct err *e)
{
	char path[300];
	int fd;

	(void)snprintf(path, sizeof(path), CGROUP_DIR "/" APPS "/%s/%s", app->name, name);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open the cgroup %s", path);
}

/* Makes `name` below, and opens it. -1 on failure. */
static int make_group(int parent, const char *name, struct err *e)
{
	int fd;

	if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make the cgroup %s", name);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open the cgroup %s", name);
}

/* The number that follows `before` in a small file of /proc. */
static int read_number(const char *path, const char *before, uint64_t *n_r, struct err *e)
{
	AUTO_FREE char *text = NULL;
	const char *at;
	size_t len;

	if (read_file_at(AT_FDCWD, path, 1 << 14, &text, &len, e) < 0)
		return -1;
	at = strstr(text, before);
	if (!at)
		return err_set(e, ERR_SYSTEM, "%s: no '%s'", path, before);
	*n_r = strtoull(at + strlen(before), NULL, 10);
	return 0;
}

/*
 * What apps may use together. Of memory: at this limit the kernel kills one of them, while at the machine's own it
 * would first take everybody's programs from the cache, and read them again and again. Of processes: so many that
 * they alone cannot use that memory up. The kernel's own bounds must not be met before, or PID 1 could start none.
 */
static int limit_apps_to(int apps, uint64_t memory, struct err *e)
{
	uint64_t pids, threads, pid_max;

	if (read_number("/proc/sys/kernel/threads-max", "", &threads, e) < 0 ||
		read_number("/proc/sys/kernel/pid_max", "", &pid_max, e) < 0)
		return -1;
	pids = memory / KIB_OF_A_PID;
	if (pids < PIDS_MIN)
		pids = PIDS_MIN;
	if (pids > pid_max / 2)
		pids = pid_max / 2;
	if (threads < 2 * pids && write_number(AT_FDCWD, "/proc/sys/kernel/threads-max", 2 * pids, e) < 0)
		return -1;
	if (write_number(apps, "memory.max", memory << 10, e) < 0)
		return -1;
	return write_number(apps, "pids.max", pids, e);
}

/* At first: what there is; then, when the machine has grown, as much more (stage1/machine.h). It never shrinks. */
static int limit_apps(int apps, bool first, struct err *e)
{
	static uint64_t memory, total; /* KiB: of the apps; of the machine then */
	uint64_t now, available;

	if (read_number("/proc/meminfo", "MemTotal:", &now, e) < 0)
		return -1;
	if (!first && now <= total)
		return 0;
	if (!first) {
		memory += now - total;
	} else {
		if (read_number("/proc/meminfo", "MemAvailable:", &available, e) < 0)
			return -1;
		memory = available - (available / 8 < KIB_FOR_PID_1 ? available / 8 : KIB_FOR_PID_1);
	}
	total = now;
	return limit_apps_to(apps, memory, e);
}

/* The cgroup of all apps; -1 on failure. */
static int open_apps(struct err *e)
{
	AUTO_CLOSE int root = open(CGROUP_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC), apps = -1;
	bool made;

	if (root < 0)
		return err_sys(e, "open %s", CGROUP_DIR);
	made = faccessat(root, APPS, F_OK, 0) < 0;
	if (write_text(root, "cgroup.subtree_control", CONTROLLERS, e) < 0)
		return -1;
	apps = make_group(root, APPS, e);
	if (apps < 0 || write_text(apps, "cgroup.subtree_control", CONTROLLERS, e) < 0 ||
		limit_apps(apps, made, e) < 0)
		return -1;
	return STEAL_FD(apps);
}

static int set_cpu_max(int group, uint32_t millis, struct err *e)
{
	uint64_t quota = (uint64_t)millis * (CPU_PERIOD_US / 1000);
	char text[48];

	(void)snprintf(text, sizeof(text), "%llu %d",
		(unsigned long long)(quota < CPU_QUOTA_MIN_US ? CPU_QUOTA_MIN_US : quota), CPU_PERIOD_US);
	return write_text(group, "cpu.max", text, e);
}

/* What all apps may use of it. */
static int read_max(int apps, const char *file, uint64_t *n_r, struct err *e)
{
	char text[24] = "";
	AUTO_CLOSE int fd = openat(apps, file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return err_sys(e, "read the apps' %s", file);
	*n_r = strtoull(text, NULL, 10);
	return 0;
}

/* What the app may use itself, and what it and those who enter it may together: they always have a little. */
static int limit_memory(const struct guest_app *app, int apps, int group, int own, struct err *e)
{
	const uint64_t entered = (uint64_t)KIB_FOR_ENTERED << 10;
	uint64_t limit = app->limits.memory_max, most;

	if (read_max(apps, "memory.max", &most, e) < 0)
		return -1;
	most -= most / 8 < entered ? most / 8 : entered;
	if (limit && limit < most)
		return write_number(own, "memory.max", limit, e) < 0 ? -1 :
			write_number(group, "memory.max", limit + entered, e);
	return write_number(own, "memory.max", most, e);
}

static int limit_pids(int apps, int own, struct err *e)
{
	uint64_t most;

	if (read_max(apps, "pids.max", &most, e) < 0)
		return -1;
	return write_number(own, "pids.max", most - PIDS_FOR_ENTERED, e);
}

/* Of both, and again in its own, which is what the app sees. */
static int limit_cpu(const struct guest_app *app, int group, int own, struct err *e)
{
	const struct guest_limits *l = &app->limits;

	if (l->cpu_max && (set_cpu_max(group, l->cpu_max, e) < 0 || set_cpu_max(own, l->cpu_max, e) < 0))
		return -1;
	if (l->cpu_weight && (write_number(group, "cpu.weight", l->cpu_weight, e) < 0 ||
				     write_number(own, "cpu.weight", l->cpu_weight, e) < 0))
		return -1;
	return 0;
}

int cgroup_make(const struct guest_app *app, struct err *e)
{
	AUTO_CLOSE int apps = open_apps(e), group = -1, own = -1, entered = -1;

	if (apps < 0)
		return -1;
	group = make_group(apps, app->name, e);
	if (group < 0 || devices_restrict(group, e) < 0 ||
		write_text(group, "cgroup.subtree_control", CONTROLLERS, e) < 0)
		return -1;
	own = make_group(group, OWN, e);
	entered = own < 0 ? -1 : make_group(group, ENTERED, e);
	if (entered < 0 || limit_memory(app, apps, group, own, e) < 0 || limit_pids(apps, own, e) < 0)
		return -1;
	return limit_cpu(app, group, own, e);
}

int cgroup_join(const struct guest_app *app, bool entered, struct err *e)
{
	AUTO_CLOSE int group = open_group(app, entered ? ENTERED : OWN, e);

	if (group < 0 || write_text(group, "cgroup.procs", "0", e) < 0)
		return -1;
	if (unshare(CLONE_NEWCGROUP) < 0)
		return err_sys(e, "make a cgroup namespace");
	return 0;
}

void cgroup_terminate(const struct guest_app *app)
{
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int group = open_group(app, OWN, &ignored);
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

void cgroup_kill(const struct guest_app *app)
{
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int group = open_group(app, OWN, &ignored);

	if (group >= 0)
		(void)write_text(group, "cgroup.kill", "1", &ignored);
}

bool cgroup_remove(const struct guest_app *app)
{
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int group = open_group(app, "", &ignored);
	AUTO_CLOSE int apps = group < 0 ? -1 : openat(group, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (apps < 0)
		return true; /* it was never made */
	(void)write_text(group, "cgroup.kill", "1", &ignored);
	if ((unlinkat(group, OWN, AT_REMOVEDIR) < 0 && errno == EBUSY) ||
		(unlinkat(group, ENTERED, AT_REMOVEDIR) < 0 && errno == EBUSY))
		return false;
	return unlinkat(apps, app->name, AT_REMOVEDIR) == 0 || errno != EBUSY;
}

/* The number behind "KEY " at the start of a line; 0 when there is none. */
static uint64_t event_count(const char *events, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = events; *line; line += strcspn(line, "\n"), line += *line == '\n')
		if (!strncmp(line, key, len) && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	return 0;
}

/* The same of one of the app's files. */
static uint64_t read_event(const struct guest_app *app, const char *name, const char *key)
{
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int group = open_group(app, "", &ignored);
	AUTO_CLOSE int file = group < 0 ? -1 : openat(group, name, O_RDONLY | O_CLOEXEC);
	char events[512];
	ssize_t n = file < 0 ? -1 : read(file, events, sizeof(events) - 1);

	if (n < 0)
		return 0;
	events[n] = '\0';
	return event_count(events, key);
}

bool cgroup_populated(const struct guest_app *app)
{
	return read_event(app, OWN "/cgroup.events", "populated") != 0;
}

const char *cgroup_verdict(const struct guest_app *app)
{
	static char text[80];
	unsigned long long limit = app->limits.memory_max;

	if (read_event(app, OWN "/memory.events", "oom_kill") == 0)
		return "";
	if (!limit)
		(void)snprintf(text, sizeof(text), "out of memory (no limit of its own: the pod's is used up)");
	else if (read_event(app, OWN "/memory.events", "oom") > 0)
		(void)snprintf(text, sizeof(text), "out of memory (limit %llu %s)",
			limit % (1 << 20) ? limit >> 10 : limit >> 20, limit % (1 << 20) ? "KiB" : "MiB");
	else
		(void)snprintf(text, sizeof(text), "out of memory (under its own limit: the pod's is used up)");
	return text;
}
