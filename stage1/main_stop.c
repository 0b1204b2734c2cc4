/*
 * rkt's `stop` entrypoint, in the pod's directory. Plain: the supervisor is asked, and ends the apps
 * in order. --force, or when there is no supervisor left to ask: the domain is destroyed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "stage1/cli.h"
#include "stage1/common/util.h"
#include "stage1/poddir.h"
#include "stage1/remove.h"

enum {
	END_MS = 10000,   /* a killed process ends when its system call does */
	START_MS = 30000, /* what a pod may take to be planned */
	LOOK_MS = 200,    /* that the lock is gone is told by nothing */
};

/*
 * A pidfd of the supervisor, or -1 when it is gone: the number in `pid` counts only while that
 * process works in this very directory, for numbers are used again.
 */
static int find_supervisor(void)
{
	struct err why = ERR_INIT;
	struct stat here, there;
	char path[40];
	pid_t pid;
	int fd;

	if (poddir_read_pid(&pid, &why) < 0)
		return -1;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
	if (stat(path, &there) < 0 || stat(".", &here) < 0 || here.st_ino != there.st_ino ||
		here.st_dev != there.st_dev) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* It hears us also when it was stopped (SIGSTOP, ^Z). */
static int signal_supervisor(int supervisor, int sig, struct err *e)
{
	if (syscall(SYS_pidfd_send_signal, supervisor, sig, NULL, 0) < 0 && errno != ESRCH)
		return err_sys(e, "signal the supervisor");
	(void)syscall(SYS_pidfd_send_signal, supervisor, SIGCONT, NULL, 0);
	return 0;
}

/* Whoever runs the pod holds its lock (RKT_LOCK_FD) before it writes `pid`. */
static bool is_starting(void)
{
	AUTO_CLOSE int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err why = ERR_INIT;
	pid_t pid;

	return poddir_read_pid(&pid, &why) < 0 && dir >= 0 && flock(dir, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* Nobody can be asked yet, and no domain is there to be destroyed: one would come all the same. */
static int wait_for_start(struct err *e)
{
	AUTO_CLOSE int names = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int64_t deadline = monotonic_ms() + START_MS;
	char events[4096];

	if (names < 0 || inotify_add_watch(names, ".", IN_CREATE | IN_MOVED_TO) < 0)
		return err_sys(e, "watch the pod's directory");
	while (is_starting()) {
		struct pollfd fd = { .fd = names, .events = POLLIN };

		if (monotonic_ms() >= deadline)
			return err_set(e, ERR_HOST, "the pod is starting, and cannot be stopped yet");
		if (poll(&fd, 1, LOOK_MS) > 0)
			(void)!read(names, events, sizeof(events));
	}
	return 0;
}

static int stop_pod(const struct stop_opts *opts, struct err *e)
{
	AUTO_CLOSE int supervisor = -1;
	struct pollfd end = { .events = POLLIN };

	if (is_starting() && wait_for_start(e) < 0)
		return -1;
	supervisor = end.fd = find_supervisor();
	if (supervisor >= 0 && signal_supervisor(supervisor, opts->force ? SIGKILL : SIGPWR, e) < 0)
		return -1; /* stage1/signals.h */
	if (supervisor >= 0 && !opts->force)
		return 0;
	if (supervisor >= 0 && poll(&end, 1, END_MS) <= 0) /* it may be making the domain */
		return err_set(e, ERR_HOST, "the supervisor was killed and does not end");
	return remove_domain(opts->uuid, false, e);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct stop_opts opts;

	if (cli_stop(argc, argv, &opts, &e) < 0 || stop_pod(&opts, &e) < 0) {
		fprintf(stderr, "stage1 stop: %s\n", e.msg);
		return 254;
	}
	return 0;
}
