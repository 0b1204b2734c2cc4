/* See pods.h. */
#include "stage0/pods.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "stage1/common/util.h"

enum { NAP_MS = 20 };

static const char *const dir_names[PODS_NDIRS] = {
	[PODS_EMBRYO] = "embryo",
	[PODS_PREPARE] = "prepare",
	[PODS_PREPARED] = "prepared",
	[PODS_RUN] = "run",
	[PODS_EXITED_GARBAGE] = "exited-garbage",
	[PODS_GARBAGE] = "garbage",
};

enum pod_life pod_life(enum pods_dir dir, bool locked)
{
	static const enum pod_life table[PODS_NDIRS][2] = {
		[PODS_EMBRYO] = { LIFE_EMBRYO, LIFE_EMBRYO },
		[PODS_PREPARE] = { LIFE_ABORTED_PREPARE, LIFE_PREPARING },
		[PODS_PREPARED] = { LIFE_PREPARED, LIFE_PREPARED },
		[PODS_RUN] = { LIFE_EXITED, LIFE_RUNNING },
		[PODS_EXITED_GARBAGE] = { LIFE_EXITED_GARBAGE, LIFE_EXITED_DELETING },
		[PODS_GARBAGE] = { LIFE_GARBAGE, LIFE_DELETING },
	};

	return table[dir][locked];
}

const char *pod_life_name(enum pod_life life)
{
	static const char *const names[] = {
		[LIFE_EMBRYO] = "embryo",
		[LIFE_PREPARING] = "preparing",
		[LIFE_ABORTED_PREPARE] = "aborted prepare",
		[LIFE_PREPARED] = "prepared",
		[LIFE_RUNNING] = "running",
		[LIFE_EXITED] = "exited",
		[LIFE_EXITED_DELETING] = "exited deleting",
		[LIFE_EXITED_GARBAGE] = "exited garbage",
		[LIFE_DELETING] = "deleting",
		[LIFE_GARBAGE] = "garbage",
		[LIFE_GONE] = "gone",
	};

	return names[life];
}

bool pod_after_run(enum pod_life life)
{
	return life >= LIFE_EXITED && life <= LIFE_GARBAGE;
}

bool pod_finished(enum pod_life life)
{
	return life >= LIFE_EXITED || life == LIFE_ABORTED_PREPARE;
}

bool pod_name_valid(const char *name)
{
	static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	size_t i;

	for (i = 0; name[i] && shape[i]; i++)
		if (shape[i] == '-' ? name[i] != '-' : !strchr("0123456789abcdef", name[i]))
			return false;
	return !name[i] && !shape[i];
}

/* 0 with -1 in *fd_r when there is none. */
static int open_pods(const char *data, char **real_r, int *fd_r, struct err *e)
{
	AUTO_FREE char *real = realpath(data, NULL);
	AUTO_FREE char *pods = real ? xasprintf("%s/pods", real) : NULL;

	*fd_r = pods ? open(pods, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (*fd_r < 0 && errno != ENOENT)
		return err_sys(e, "open %s", pods ? pods : data);
	*real_r = STEAL(real);
	return 0;
}

static void add_names(DIR *dir, struct pod_names *names)
{
	struct dirent *d;

	while ((d = readdir(dir))) {
		if (!pod_name_valid(d->d_name))
			continue;
		if (names->n % 64 == 0)
			names->v = xrealloc(names->v, names->n + 64, sizeof(*names->v));
		memcpy(names->v[names->n++], d->d_name, sizeof(*names->v)); /* 36 characters: just seen */
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void sort_names(struct pod_names *names)
{
	size_t n = 0;

	if (names->n)
		qsort(names->v, names->n, sizeof(*names->v), by_name);
	for (size_t i = 0; i < names->n; i++) /* one that was renamed while we looked is there twice */
		if (i == 0 || strcmp(names->v[i], names->v[n - 1]) != 0)
			memmove(names->v[n++], names->v[i], sizeof(*names->v));
	names->n = n;
}

int pods_list(const char *data, unsigned dirs, struct pod_names *names_r, struct err *e)
{
	AUTO_FREE char *real = NULL;
	AUTO_CLOSE int pods = -1;
	struct pod_names names = { .n = 0 };

	if (open_pods(data, &real, &pods, e) < 0)
		return -1;
	for (size_t i = 0; pods >= 0 && i < PODS_NDIRS; i++) {
		int fd = dirs & 1U << i ? openat(pods, dir_names[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
		DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;

		if (!dir && dirs & 1U << i && errno != ENOENT) {
			int ret = err_sys(e, "open %s/pods/%s", real, dir_names[i]);

			if (fd >= 0)
				(void)close(fd);
			pod_names_dispose(&names);
			return ret;
		}
		if (!dir)
			continue;
		add_names(dir, &names);
		(void)closedir(dir);
	}
	sort_names(&names);
	*names_r = names;
	return 0;
}

void pod_names_dispose(struct pod_names *names)
{
	free(names->v);
	*names = (struct pod_names){ .n = 0 };
}

/* By a descriptor of its own, whose end is the lock's. */
static int look_at_lock(int dir, bool *locked_r, struct err *e)
{
	AUTO_CLOSE int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open");
	*locked_r = flock(fd, LOCK_SH | LOCK_NB) < 0;
	return *locked_r && errno != EWOULDBLOCK ? err_sys(e, "lock") : 0;
}

static int set_life(struct known_pod *pod, enum pods_dir at, struct err *e)
{
	bool locked = false;

	/* in the two others a lock says nothing */
	if (at != PODS_EMBRYO && at != PODS_PREPARED && look_at_lock(pod->dir.fd, &locked, e) < 0)
		return err_prefix(e, "pod %s", pod->dir.uuid);
	pod->dir.state = dir_names[at];
	pod->life = pod_life(at, locked);
	return 0;
}

int pods_open(const char *data, const char *uuid, struct known_pod *pod_r, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	int ret = 0;

	(void)snprintf(pod.dir.uuid, sizeof(pod.dir.uuid), "%s", uuid);
	if (open_pods(data, &pod.dir.data, &pod.dir.pods, e) < 0)
		return -1;
	for (size_t i = 0; pod.dir.pods >= 0 && ret == 0 && i < PODS_NDIRS; i++) {
		char rel[64];

		(void)snprintf(rel, sizeof(rel), "%s/%s", dir_names[i], uuid);
		pod.dir.fd = openat(pod.dir.pods, rel, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (pod.dir.fd >= 0)
			ret = set_life(&pod, i, e) < 0 ? -1 : 1;
		else if (errno != ENOENT)
			ret = err_sys(e, "pod %s: open its directory", uuid);
	}
	if (ret <= 0)
		known_pod_dispose(&pod);
	else
		*pod_r = pod;
	return ret;
}

int pods_find(const char *data, const char *text, struct known_pod *pod_r, struct err *e)
{
	struct pod_names names = { .n = 0 };
	size_t len = strlen(text), found = 0, at = 0;
	int ret = 0;

	if (!len)
		return err_set(e, ERR_USAGE, "an empty UUID");
	if (pods_list(data, PODS_MOST, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		if (strncasecmp(names.v[i], text, len) != 0)
			continue;
		at = i;
		found++;
	}
	if (found == 1)
		ret = pods_open(data, names.v[at], pod_r, e);
	pod_names_dispose(&names);
	if (found > 1)
		return err_set(e, ERR_USAGE, "'%s' is ambiguous: %zu pods begin so", text, found);
	if (ret == 0)
		return err_set(e, ERR_USAGE, "no pod matches '%s'", text);
	return ret < 0 ? -1 : 0;
}

int pods_refresh(struct known_pod *pod, struct err *e)
{
	struct stat here, there;

	if (fstat(pod->dir.fd, &here) < 0)
		return err_sys(e, "pod %s", pod->dir.uuid);
	for (size_t i = 0; i < PODS_NDIRS; i++) {
		char rel[64];

		(void)snprintf(rel, sizeof(rel), "%s/%s", dir_names[i], pod->dir.uuid);
		if (fstatat(pod->dir.pods, rel, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
			there.st_ino == here.st_ino && there.st_dev == here.st_dev)
			return set_life(pod, i, e);
	}
	pod->dir.state = NULL;
	pod->life = LIFE_GONE;
	return 0;
}

/* Of the state of a pod that we could not lock: none has it alone, so there is one who reads. */
static bool only_read(enum pod_life life)
{
	return life == LIFE_ABORTED_PREPARE || life == LIFE_EXITED || life == LIFE_EXITED_GARBAGE || life == LIFE_GARBAGE;
}

/* 1 when it is ours. Who looks for the state has it for a moment only, an export for as long as it takes. */
static int take_lock(struct known_pod *pod, struct err *e)
{
	static const struct timespec nap = { .tv_nsec = NAP_MS * 1000000L };
	int64_t end = monotonic_ms() + PODS_PATIENCE_MS;

	while (flock(pod->dir.fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			return err_sys(e, "pod %s: lock", pod->dir.uuid);
		if (pods_refresh(pod, e) < 0)
			return -1;
		if (!only_read(pod->life) || monotonic_ms() >= end)
			return 0;
		(void)nanosleep(&nap, NULL);
	}
	return 1;
}

int pods_lock(struct known_pod *pod, struct err *e)
{
	enum pods_dir at = PODS_EMBRYO;
	int ret = take_lock(pod, e);

	if (ret <= 0)
		return ret;
	if (pods_refresh(pod, e) < 0)
		return -1;
	if (!pod->dir.state)
		return 0;
	while (strcmp(pod->dir.state, dir_names[at]) != 0)
		at++;
	pod->life = pod_life(at, false);
	return 1;
}

int pods_move(struct known_pod *pod, enum pods_dir to, struct err *e)
{
	AUTO_CLOSE int dir = openat(pod->dir.pods, dir_names[to], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 && errno == ENOENT && (mkdirat(pod->dir.pods, dir_names[to], 0750) == 0 || errno == EEXIST))
		dir = openat(pod->dir.pods, dir_names[to], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, "open %s/pods/%s", pod->dir.data, dir_names[to]);
	if (poddir_move(&pod->dir, dir_names[to], e) < 0)
		return -1;
	pod->life = pod_life(to, false);
	return fsync(dir) < 0 ? err_sys(e, "sync %s/pods/%s", pod->dir.data, dir_names[to]) : 0;
}

void known_pod_dispose(struct known_pod *pod)
{
	poddir_dispose(&pod->dir);
	pod->life = LIFE_GONE;
}
