/* See poddir.h. */
#include "stage0/poddir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "stage0/root.h"
#include "stage1/common/util.h"

static int uuid_make(char uuid_r[37], struct err *e)
{
	unsigned char b[16];
	char *p = uuid_r;

	if (getrandom(b, sizeof(b), 0) != (ssize_t)sizeof(b))
		return err_sys(e, "get random bytes for a UUID");
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40); /* version 4, RFC 4122 */
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0; i < sizeof(b); i++)
		p += sprintf(p, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", b[i]);
	return 0;
}

/* mkdir -p */
static int make_dirs(const char *path, struct err *e)
{
	AUTO_FREE char *buf = xstrdup(path);

	for (char *p = buf + 1; *buf; p++) {
		char c = *p;

		if (c && c != '/')
			continue;
		*p = '\0';
		if (mkdir(buf, 0750) < 0 && errno != EEXIST)
			return err_sys(e, "create directory %s", buf);
		if (!c)
			break;
		*p = c;
	}
	return 0;
}

static int open_pods(struct poddir *pod, const char *data, struct err *e)
{
	static const char *const states[] = { "", "/embryo", "/prepare", "/prepared", "/run",
		"/exited-garbage", "/garbage" };

	if (make_dirs(data, e) < 0)
		return -1;
	pod->data = realpath(data, NULL);
	if (!pod->data)
		return err_sys(e, "%s", data);
	for (size_t i = 0; i < COUNT(states); i++) {
		AUTO_FREE char *dir = xasprintf("%s/pods%s", pod->data, states[i]);

		if (make_dirs(dir, e) < 0)
			return -1;
	}
	AUTO_FREE char *pods = xasprintf("%s/pods", pod->data);

	pod->pods = open(pods, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return pod->pods < 0 ? err_sys(e, "open %s", pods) : 0;
}

static int make_pod(struct poddir *pod, struct err *e)
{
	char rel[64];

	(void)snprintf(rel, sizeof(rel), "embryo/%s", pod->uuid);
	if (mkdirat(pod->pods, rel, 0750) < 0)
		return err_sys(e, "create %s/pods/%s", pod->data, rel);
	pod->state = "embryo";
	pod->fd = openat(pod->pods, rel, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (pod->fd < 0)
		return err_sys(e, "open %s/pods/%s", pod->data, rel);
	if (flock(pod->fd, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ?
			err_set(e, ERR_HOST, "pod %s: another process has locked it", pod->uuid) :
			err_sys(e, "pod %s: lock", pod->uuid);
	return 0;
}

int poddir_create(const char *data, struct poddir *pod_r, struct err *e)
{
	struct poddir pod = PODDIR_INIT;
	struct err ignored = ERR_INIT;

	if (uuid_make(pod.uuid, e) < 0 || open_pods(&pod, data, e) < 0 || make_pod(&pod, e) < 0) {
		(void)poddir_discard(&pod, &ignored);
		poddir_dispose(&pod);
		return -1;
	}
	*pod_r = pod;
	return 0;
}

int poddir_move(struct poddir *pod, const char *state, struct err *e)
{
	char from[64], to[64];

	(void)snprintf(from, sizeof(from), "%s/%s", pod->state, pod->uuid);
	(void)snprintf(to, sizeof(to), "%s/%s", state, pod->uuid);
	if (renameat(pod->pods, from, pod->pods, to) < 0)
		return err_sys(e, "rename %s/pods/%s to %s", pod->data, from, to);
	pod->state = state;
	return 0;
}

char *poddir_path(const struct poddir *pod)
{
	return xasprintf("%s/pods/%s/%s", pod->data, pod->state, pod->uuid);
}

int poddir_discard(struct poddir *pod, struct err *e)
{
	AUTO_CLOSE int dir = -1;

	if (!pod->state)
		return 0;
	dir = openat(pod->pods, pod->state, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0 || tree_remove(dir, pod->uuid, e) < 0) {
		AUTO_FREE char *path = poddir_path(pod);

		if (e->kind == ERR_NONE)
			return err_sys(e, "%s is left behind", path);
		return err_prefix(e, "%s is left behind", path);
	}
	pod->state = NULL;
	return 0;
}

void poddir_dispose(struct poddir *pod)
{
	if (pod->fd >= 0)
		(void)close(pod->fd);
	if (pod->pods >= 0)
		(void)close(pod->pods);
	free(pod->data);
	*pod = (struct poddir)PODDIR_INIT;
}
