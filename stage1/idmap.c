/* See idmap.h. */
#include "stage1/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"

/* "inside outside count": of such a mount, what is on disk is inside, what is seen is outside. */
static int write_map(pid_t pid, const char *name, const struct id_shift *shift, struct err *e)
{
	char path[40], line[80];
	int len = snprintf(line, sizeof(line), "%u 0 %u\n", shift->first, shift->count);
	AUTO_CLOSE int fd = -1;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, line, (size_t)len) != len)
		return err_sys(e, "map owners from %u on", shift->first);
	return 0;
}

/* The child is in its namespace, says so, and stays there until it is killed; it has the pod's lock as long as it lives. */
static void hold_namespace(int ready, pid_t parent) __attribute__((noreturn));

static void hold_namespace(int ready, pid_t parent)
{
	int why = unshare(CLONE_NEWUSER) < 0 ? errno : 0;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* unshare() would have taken it back */
	if (getppid() != parent)
		_exit(1);
	(void)!write(ready, &why, sizeof(why));
	for (;;)
		(void)pause();
}

static int open_of(pid_t pid, int ready, const struct id_shift *shift, struct err *e)
{
	int fd, why = ECHILD; /* it was killed */
	char path[40];
	ssize_t n;

	do
		n = read(ready, &why, sizeof(why));
	while (n < 0 && errno == EINTR);
	errno = why;
	if (why != 0)
		return err_sys(e, "make a user namespace");
	if (write_map(pid, "uid_map", shift, e) < 0 || write_map(pid, "gid_map", shift, e) < 0)
		return -1;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open a user namespace");
}

int idmap_open(const struct id_shift *shift, struct err *e)
{
	pid_t pid, parent = getpid();
	int fds[2], fd;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	pid = fork();
	if (pid == 0)
		hold_namespace(fds[1], parent);
	(void)close(fds[1]);
	fd = pid < 0 ? err_sys(e, "fork") : open_of(pid, fds[0], shift, e);
	(void)close(fds[0]);
	if (pid > 0) {
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
	}
	return fd;
}
