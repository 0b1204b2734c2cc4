/* See child.h. */
#include "stage1/net/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "stage1/common/util.h"

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The text as a file: it can be read whenever, and nobody has to write it meanwhile. */
static int open_input(const struct child_call *call)
{
	AUTO_CLOSE int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0 || write_all(fd, call->input, call->input_len) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	return STEAL_FD(fd);
}

void child_hear_no_end(void)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP, SIGPWR };
	sigset_t blocked;

	(void)sigemptyset(&blocked);
	for (size_t i = 0; i < COUNT(ends); i++)
		(void)sigaddset(&blocked, ends[i]);
	(void)sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* In the child. */
static void __attribute__((noreturn)) become(const struct child_call *call, pid_t parent, int in, int out)
{
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	(void)signal(SIGPIPE, SIG_DFL);
	child_hear_no_end();
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
		(!call->with_errors || dup2(out, STDERR_FILENO) >= 0))
		(void)execve(call->program, call->argv, call->env);
	_exit(127);
}

struct output {
	char *data;
	size_t len, room;
	int fd; /* -1 at its end */
};

/* False: it printed too much. */
static bool take_output(struct output *o, size_t max)
{
	while (o->fd >= 0) {
		ssize_t n;

		if (o->len == o->room) {
			o->room = o->room ? 2 * o->room : 4096;
			o->data = xrealloc(o->data, o->room + 1, 1);
		}
		n = read(o->fd, o->data + o->len, o->room - o->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			(void)close(o->fd);
			o->fd = -1;
			return true;
		}
		o->len += (size_t)n;
		if (o->len > max)
			return false;
	}
	return true;
}

/* Until it has ended; what its own children print afterwards is nobody's. */
static int attend(const struct child_call *call, int pidfd, struct output *o, struct err *e)
{
	int64_t end = monotonic_ms() + call->timeout_ms;
	const char *name = base_name(call->program);

	for (;;) {
		struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN }, { .fd = o->fd, .events = POLLIN },
			{ .fd = call->cancel, .events = POLLIN } };
		int64_t left = end - monotonic_ms();
		int n = poll(fds, COUNT(fds), left > 0 ? (int)left : 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "wait for %s", name);
		if (!take_output(o, call->output_max))
			return err_set(e, ERR_INPUT, "%s printed more than %zu bytes", name, call->output_max);
		if (fds[0].revents)
			return 0;
		if (fds[2].revents)
			return err_set(e, ERR_HOST, "%s was interrupted: the pod was asked to stop", name);
		if (monotonic_ms() >= end)
			return err_set(e, ERR_HOST, "%s did not end within %d s", name, call->timeout_ms / 1000);
	}
}

static int start(const struct child_call *call, int *pidfd_r, pid_t *pid_r, int *output_r, struct err *e)
{
	AUTO_CLOSE int in = open_input(call);
	AUTO_CLOSE int theirs = -1;
	AUTO_CLOSE int ours = -1;
	int fds[2];
	pid_t parent = getpid(), pid;

	if (in < 0 || pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "start %s", call->program);
	ours = fds[0];
	theirs = fds[1];
	if (access(call->program, X_OK) < 0 || fcntl(ours, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "start %s", call->program);
	pid = fork();
	if (pid < 0)
		return err_sys(e, "start %s", call->program);
	if (pid == 0)
		become(call, parent, in, theirs);
	(void)setpgid(pid, pid); /* whoever is first */
	*pidfd_r = (int)syscall(SYS_pidfd_open, pid, 0);
	*pid_r = pid;
	*output_r = STEAL_FD(ours);
	return 0;
}

int child_run(const struct child_call *call, int *status_r, char **output_r, size_t *len_r, struct err *e)
{
	AUTO_CLOSE int pidfd = -1;
	struct output o = { .fd = -1 };
	pid_t pid;
	int ret, status = 0;

	if (start(call, &pidfd, &pid, &o.fd, e) < 0)
		return -1;
	ret = pidfd < 0 ? err_sys(e, "watch %s", call->program) : attend(call, pidfd, &o, e);
	if (ret < 0)
		(void)kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (o.fd >= 0)
		(void)close(o.fd);
	if (ret < 0) {
		free(o.data);
		return -1;
	}
	o.data = xrealloc(o.data, o.len + 1, 1);
	o.data[o.len] = '\0';
	*status_r = status;
	*output_r = o.data;
	*len_r = o.len;
	return 0;
}

void child_status_text(int status, char text_r[40])
{
	if (WIFSIGNALED(status))
		(void)snprintf(text_r, 40, "killed by signal %d", WTERMSIG(status));
	else
		(void)snprintf(text_r, 40, "exit status %d", WEXITSTATUS(status));
}
