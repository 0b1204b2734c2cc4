/* Files of a pod's directory; see podread.h. Its manifests are read in podmeta.c. */
#include "stage0/podread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/root.h"
#include "stage1/common/util.h"

enum { NUMBER_FILE_MAX = 4096 };

/* Never waits: a fifo or a device is no answer. */
static int open_file(int pod, const char *path)
{
	AUTO_CLOSE int fd = root_open(pod, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return -1;
	}
	return STEAL_FD(fd);
}

int pod_read_file(int pod, const char *path, size_t max, char **text_r, size_t *len_r, struct err *e)
{
	AUTO_CLOSE int fd = open_file(pod, path);

	return fd < 0 ? err_sys(e, "open %s", path) : read_file_fd(fd, path, max, text_r, len_r, e);
}

/* As scanf's %d: blanks before it and anything behind it do not matter. */
static int read_number(int pod, const char *path, int *n_r)
{
	struct err ignored = ERR_INIT;
	AUTO_FREE char *text = NULL;
	char *end;
	size_t len;
	long n;

	if (pod_read_file(pod, path, NUMBER_FILE_MAX, &text, &len, &ignored) < 0)
		return 0;
	errno = 0;
	n = strtol(text, &end, 10);
	if (end == text || errno || n < INT_MIN || n > INT_MAX)
		return 0;
	*n_r = (int)n;
	return 1;
}

int pod_read_pid(int pod, int *pid_r, bool *parent_r)
{
	*parent_r = false;
	if (read_number(pod, "pid", pid_r))
		return 1;
	*parent_r = true;
	return read_number(pod, "ppid", pid_r);
}

/* 1 when the file is there */
static int read_mtime(int pod, const char *path, struct timespec *t_r, struct err *e)
{
	struct stat st;

	if (fstatat(pod, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : err_sys(e, "%s", path);
	*t_r = st.st_mtim;
	return 1;
}

int pod_read_times(const struct known_pod *pod, struct pod_times *times_r, struct err *e)
{
	bool ran = pod->life == LIFE_RUNNING || pod_after_run(pod->life);
	struct pod_times times = { .created = { 0 } };
	int fd = pod->dir.fd, ret = 0;
	struct stat st;

	if (ran || pod->life == LIFE_PREPARED)
		ret = read_mtime(fd, "pod-created", &times.created, e);
	if (ret == 0 && (ran || pod->life == LIFE_PREPARED)) /* as rkt's before 1.20 */
		ret = read_mtime(fd, "pod", &times.created, e);
	if (ran && ret >= 0)
		ret = read_mtime(fd, "pid", &times.started, e);
	if (ran && ret == 0)
		ret = read_mtime(fd, "ppid", &times.started, e);
	if (ret < 0)
		return err_prefix(e, "pod %s", pod->dir.uuid);
	if (pod->life == LIFE_GARBAGE || pod->life == LIFE_DELETING || pod->life == LIFE_EXITED_GARBAGE ||
		pod->life == LIFE_EXITED_DELETING) {
		if (fstat(fd, &st) < 0)
			return err_sys(e, "pod %s", pod->dir.uuid);
		times.marked = st.st_ctim;
	}
	*times_r = times;
	return 0;
}

bool pod_uses_overlay(int pod)
{
	return faccessat(pod, "overlay-prepared", F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

int pod_read_tree_id(int pod, const char *path, char **id_r, struct err *e)
{
	AUTO_FREE char *id = NULL;
	size_t len;

	if (pod_read_file(pod, path, NAME_MAX, &id, &len, e) < 0)
		return -1;
	if (!len || strlen(id) != len || strchr(id, '/') || id[0] == '.')
		return err_set(e, ERR_INPUT, "%s: '%s' is not the name of a tree", path, id);
	*id_r = STEAL(id);
	return 0;
}

int pod_base(int pod, char **base_r, struct err *e)
{
	AUTO_FREE char *id = NULL;

	if (!pod_uses_overlay(pod)) {
		*base_r = xstrdup("stage1/rootfs");
		return 0;
	}
	if (pod_read_tree_id(pod, "stage1TreeStoreID", &id, e) < 0)
		return -1;
	*base_r = xasprintf("overlay/%s/upper", id);
	return 0;
}

int pod_exit_code(int pod, const char *app, int *code_r)
{
	AUTO_FREE char *base = NULL, *path = NULL;
	struct err ignored = ERR_INIT;

	if (pod_base(pod, &base, &ignored) < 0)
		return 0;
	path = xasprintf("%s/rkt/status/%s", base, app);
	return read_number(pod, path, code_r);
}

bool pod_is_ready(int pod)
{
	AUTO_FREE char *base = NULL, *rkt = NULL;
	AUTO_CLOSE int dir = -1;
	struct err ignored = ERR_INIT;
	char target[8];
	ssize_t n;

	if (pod_base(pod, &base, &ignored) < 0)
		return false;
	rkt = xasprintf("%s/rkt", base);
	dir = root_open(pod, rkt, O_PATH | O_DIRECTORY);
	n = dir < 0 ? -1 : readlinkat(dir, "supervisor-status", target, sizeof(target));
	return n == 5 && !memcmp(target, "ready", 5);
}
