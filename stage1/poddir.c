/* See poddir.h. */
#include "stage1/poddir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage1/common/util.h"

#define READY_LINK PODDIR_S1ROOT "/rkt/supervisor-status"

enum { CGROUP_MAX = 64 << 10 };

int poddir_lock_keep(struct err *e)
{
	const char *text = getenv("RKT_LOCK_FD");
	char *end;
	long fd;

	if (!text)
		return err_set(e, ERR_USAGE, "RKT_LOCK_FD is not set: this program is started by stage0");
	fd = strtol(text, &end, 10);
	if (end == text || *end || fd < 0 || fd > 1 << 20 || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set(e, ERR_USAGE, "RKT_LOCK_FD=%s is not an open descriptor", text);
	return 0;
}

/* What only the image's manifest says: its app section when the pod has none, and its annotations. */
static int complete_app(struct pod_app *app, struct err *e)
{
	AUTO_FREE char *path = xasprintf("appsinfo/%s/manifest", app->name);
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_file_at(AT_FDCWD, path, POD_MANIFEST_MAX, &text, &len, e) < 0)
		return err_prefix(e, "app '%s'", app->name);
	if (!app->has_app && pod_app_from_image(app, text, len, e) < 0)
		return -1;
	if (pod_app_know_image(app, text, len, e) < 0)
		return err_prefix(e, "image of app '%s'", app->name);
	return 0;
}

int poddir_read(struct pod *pod_r, char **s1root_r, struct err *e)
{
	AUTO_FREE char *text = NULL, *cwd = NULL;
	struct pod pod = POD_INIT;
	size_t len;

	cwd = getcwd(NULL, 0);
	if (!cwd)
		return err_sys(e, "find the pod's directory");
	if (read_file_at(AT_FDCWD, "pod", POD_MANIFEST_MAX, &text, &len, e) < 0 ||
		pod_parse(text, len, &pod, e) < 0)
		return -1;
	for (size_t i = 0; i < pod.napps; i++) {
		if (complete_app(&pod.apps[i], e) < 0) {
			pod_dispose(&pod);
			return -1;
		}
	}
	*s1root_r = xasprintf("%s/%s", cwd, PODDIR_S1ROOT);
	*pod_r = pod;
	return 0;
}

char *poddir_cgroup(const char *text)
{
	static const char *const hierarchies[] = { ":name=systemd:/", "0::/" };

	for (size_t i = 0; i < COUNT(hierarchies); i++)
		for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
			size_t len = strcspn(line, "\n"), digits = hierarchies[i][0] == ':' ? strspn(line, "0123456789") : 0;
			const char *path = line + digits + strlen(hierarchies[i]);

			if (str_has_prefix(line + digits, hierarchies[i]))
				return xstrndup(path, len - (size_t)(path - line));
		}
	return NULL;
}

int poddir_write_cgroup(struct err *e)
{
	AUTO_FREE char *text = NULL, *path = NULL;
	struct err none = ERR_INIT;
	size_t len;

	if (read_file_at(AT_FDCWD, "/proc/self/cgroup", CGROUP_MAX, &text, &len, &none) < 0)
		return 0;
	path = poddir_cgroup(text);
	return path ? write_file_atomic(AT_FDCWD, "subcgroup", path, strlen(path), 0644, e) : 0;
}

int poddir_write_pid(struct err *e)
{
	char text[24];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	return write_file_atomic(AT_FDCWD, "pid", text, (size_t)len, 0644, e);
}

int poddir_read_pid(pid_t *pid_r, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;
	int pid;

	if (read_file_at(AT_FDCWD, "pid", 64, &text, &len, e) < 0)
		return -1;
	if (sscanf(text, "%d", &pid) != 1 || pid <= 1)
		return err_set(e, ERR_INPUT, "pid: '%s' is not a process", text);
	*pid_r = pid;
	return 0;
}

/*
 * An overlay whose upper directory has been written to behind its back takes no file of a name that it remembers
 * and that is gone there (fs/overlayfs/dir.c: ESTALE). Reconfiguring it, to what it is, makes it forget names.
 */
static bool forget_names(void)
{
	AUTO_CLOSE int fs = (int)syscall(SYS_fspick, AT_FDCWD, PODDIR_S1ROOT, FSPICK_CLOEXEC);

	return fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0) == 0;
}

int poddir_write_status(const char *app, unsigned status, struct err *e)
{
	AUTO_FREE char *path = xasprintf(PODDIR_S1ROOT "/rkt/status/%s", app);
	char text[16];
	int len = snprintf(text, sizeof(text), "%u\n", status);
	struct err first = ERR_INIT;

	/* rkt removes the status of an app that it removes, or starts again, in the upper directory */
	if (write_file_atomic(AT_FDCWD, path, text, (size_t)len, 0644, &first) == 0)
		return 0;
	if (errno == ESTALE && forget_names())
		return write_file_atomic(AT_FDCWD, path, text, (size_t)len, 0644, e);
	*e = first;
	return -1;
}

int poddir_set_ready(bool ready, struct err *e)
{
	if (unlink(READY_LINK) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s", READY_LINK);
	if (ready && symlink("ready", READY_LINK) < 0)
		return err_sys(e, "make %s", READY_LINK);
	return 0;
}

bool poddir_is_ready(void)
{
	char text[8];

	return readlink(READY_LINK, text, sizeof(text)) == 5 && !memcmp(text, "ready", 5);
}
