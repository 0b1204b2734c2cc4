/* See wait.h. */
#include "stage0/wait.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include "stage0/podread.h"
#include "stage0/root.h"
#include "stage0/when.h"
#include "stage1/common/util.h"

struct watch {
	struct known_pod *pod;
	int64_t deadline; /* CLOCK_MONOTONIC; -1: none */
	int names;        /* inotify */
	int lock;         /* readable (at its end) when the child has had the lock; -1 without a child */
	pid_t child;
};

static int64_t now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * WHEN_NS + t.tv_nsec;
}

static int watch_start(struct watch *w, struct known_pod *pod, int64_t patience, struct err *e)
{
	int64_t now = now_ns();

	*w = (struct watch){ .pod = pod, .deadline = -1, .lock = -1, .child = -1 };
	if (patience >= 0 && patience < INT64_MAX - now)
		w->deadline = now + patience;
	w->names = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	return w->names < 0 ? err_sys(e, "watch for files") : 0;
}

static void end_child(struct watch *w)
{
	if (w->child <= 0)
		return;
	(void)close(w->lock);
	(void)kill(w->child, SIGKILL);
	while (waitpid(w->child, NULL, 0) < 0 && errno == EINTR)
		;
	w->lock = -1;
	w->child = -1;
}

static void watch_end(struct watch *w)
{
	end_child(w);
	if (w->names >= 0)
		(void)close(w->names);
}

/* Asks for a shared lock, has it for no time, and ends: so does its end of the pipe. Dies with its parent. */
static void await_lock(int dir, pid_t parent) __attribute__((noreturn));
static void await_lock(int dir, pid_t parent)
{
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = getppid() == parent ? openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	while (fd >= 0 && flock(fd, LOCK_SH) < 0 && errno == EINTR)
		;
	_exit(0);
}

static int start_child(struct watch *w, struct err *e)
{
	pid_t parent = getpid();
	int ends[2];

	if (w->child > 0)
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	(void)fflush(NULL);
	w->child = fork();
	if (w->child == 0)
		await_lock(w->pod->dir.fd, parent);
	(void)close(ends[1]);
	if (w->child < 0) {
		(void)close(ends[0]);
		return err_sys(e, "start a process");
	}
	w->lock = ends[0];
	return 0;
}

/* Of directories: what comes into them, or happens to themselves. One that is not there is not watched. */
static void watch_dir(struct watch *w, const char *path)
{
	AUTO_CLOSE int fd = root_open(w->pod->dir.fd, path, O_PATH | O_DIRECTORY);
	char link[40];

	if (fd < 0)
		return;
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	(void)inotify_add_watch(w->names, link, IN_CREATE | IN_MOVED_TO | IN_MOVE_SELF | IN_DELETE_SELF);
}

/* Each directory on the way to where stage1 says that it is ready: the lower ones may be missing yet. */
static void watch_way(struct watch *w)
{
	struct err ignored = ERR_INIT;
	AUTO_FREE char *base = NULL;
	AUTO_FREE char *way = NULL;

	watch_dir(w, "");
	if (pod_base(w->pod->dir.fd, &base, &ignored) < 0)
		return;
	way = xasprintf("%s/rkt", base);
	for (char *slash = strchr(way, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		watch_dir(w, way);
		*slash = '/';
	}
	watch_dir(w, way);
}

/* Before looking: what happens after is told. */
static int watch_renew(struct watch *w, struct err *e)
{
	char old[4096];

	while (read(w->names, old, sizeof(old)) > 0)
		;
	watch_way(w);
	if (pods_refresh(w->pod, e) < 0)
		return -1;
	/* in these states nobody need have the lock: the next one is told by the directory's new place */
	if (w->pod->life == LIFE_PREPARED || w->pod->life == LIFE_EMBRYO)
		end_child(w);
	else if (!pod_finished(w->pod->life))
		return start_child(w, e);
	return 0;
}

/* 0 when patience is at its end. `nap` ns at most, unless negative. */
static int watch_sleep(struct watch *w, int64_t nap, struct err *e)
{
	struct pollfd fds[] = { { .fd = w->names, .events = POLLIN }, { .fd = w->lock, .events = POLLIN } };
	int64_t left = w->deadline < 0 ? -1 : w->deadline - now_ns();
	struct timespec t;

	if (w->deadline >= 0 && left <= 0)
		return 0;
	if (nap >= 0 && (left < 0 || nap < left))
		left = nap;
	t = (struct timespec){ .tv_sec = left / WHEN_NS, .tv_nsec = left % WHEN_NS };
	if (ppoll(fds, COUNT(fds), left < 0 ? NULL : &t, NULL) < 0 && errno != EINTR)
		return err_sys(e, "wait");
	if (w->child > 0 && fds[1].revents)
		end_child(w);
	return 1;
}

int wait_finished(struct known_pod *pod, int64_t patience, struct err *e)
{
	struct watch w;
	int ret = watch_start(&w, pod, patience, e);

	if (ret < 0)
		return -1;
	do
		ret = watch_renew(&w, e);
	while (ret == 0 && !pod_finished(pod->life) && (ret = watch_sleep(&w, -1, e)) > 0);
	if (ret == 0 && !pod_finished(pod->life))
		ret = err_set(e, ERR_HOST, "pod %s has not ended in that time: it is %s", pod->dir.uuid,
			pod_life_name(pod->life));
	watch_end(&w);
	return ret;
}

int wait_ready(struct known_pod *pod, int64_t patience, struct err *e)
{
	bool ready = false;
	struct watch w;
	int ret = watch_start(&w, pod, patience, e);

	if (ret < 0)
		return -1;
	do {
		ret = watch_renew(&w, e);
		ready = ret == 0 && pod_is_ready(pod->dir.fd);
	} while (ret == 0 && !ready && !pod_finished(pod->life) && (ret = watch_sleep(&w, -1, e)) > 0);
	if (ret == 0 && !ready)
		ret = err_set(e, ERR_HOST, pod_finished(pod->life) ? "pod %s was not ready before it was %s" :
			"pod %s is not ready in that time: it is %s", pod->dir.uuid, pod_life_name(pod->life));
	watch_end(&w);
	return ret;
}

/* 1 and the only child of `parent`; 0 when it has none yet */
static int only_child(int parent, int *pid_r, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/task/%d/children", parent, parent);
	AUTO_FREE char *text = NULL;
	struct err ignored = ERR_INIT;
	char *end;
	size_t len;
	long n;

	if (read_file_at(AT_FDCWD, path, 1 << 20, &text, &len, &ignored) < 0)
		return 0;
	n = strtol(text, &end, 10);
	if (end == text)
		return 0;
	if (end[0] && end[1])
		return err_set(e, ERR_HOST, "process %d has several children: which is the pod's is not known", parent);
	*pid_r = (int)n;
	return 1;
}

int wait_pid(struct known_pod *pod, int *pid_r, struct err *e)
{
	bool parent = false;
	struct watch w;
	int ret = watch_start(&w, pod, -1, e), found = 0, pid = 0;

	if (ret < 0)
		return -1;
	do {
		ret = watch_renew(&w, e);
		if (ret < 0 || pod->life != LIFE_RUNNING)
			break;
		found = pod_read_pid(pod->dir.fd, &pid, &parent);
		if (found && parent)
			found = only_child(pid, &pid, e);
		/* that a process has children now is told by nothing */
	} while (found == 0 && (ret = watch_sleep(&w, parent ? WHEN_NS / 10 : -1, e)) > 0);
	watch_end(&w);
	if (ret < 0 || found < 0)
		return err_prefix(e, "pod %s", pod->dir.uuid);
	if (!found)
		return err_set(e, ERR_HOST, "pod %s is not running any more", pod->dir.uuid);
	*pid_r = pid;
	return 0;
}
