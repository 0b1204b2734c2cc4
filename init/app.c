/* See app.h. Everything after fork() runs in the child and ends in execve or a report. */
#include "init/app.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/become.h"
#include "stage1/common/util.h"

static void reset_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void child(const struct guest_app *app, const int fds[WIRE_STREAMS], int report)
	__attribute__((noreturn));

static void child(const struct guest_app *app, const int fds[WIRE_STREAMS], int report)
{
	struct app_failure failure = { .status = 254 };
	struct err e = ERR_INIT;

	reset_signals();
	(void)setsid();
	(void)umask(0022);
	for (int i = 0; i < WIRE_STREAMS; i++)
		if (dup2(fds[i], i) < 0)
			(void)err_sys(&e, "set up descriptor %d", i);
	if (e.kind == ERR_NONE && become_root(app, &e) == 0)
		failure.status = become_program(app, &(struct program){ .exec = app->exec }, &e);
	memcpy(failure.text, e.msg, sizeof(failure.text) - 1);
	(void)!write(report, &failure, sizeof(failure));
	_exit(255);
}

/* A pipe whose end `ours` does not block. */
static int make_pipe(int ours, int *our_fd, int *their_fd, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	*our_fd = fds[ours];
	*their_fd = fds[!ours];
	if (fcntl(*our_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "set up a pipe");
	return 0;
}

static int make_streams(const struct guest_app *app, struct app_process *p,
	int theirs[WIRE_STREAMS + 1], struct err *e)
{
	if (app->open_stdin) {
		if (make_pipe(1, &p->stream[WIRE_STDIN], &theirs[WIRE_STDIN], e) < 0)
			return -1;
	} else {
		theirs[WIRE_STDIN] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (theirs[WIRE_STDIN] < 0)
			return err_sys(e, "open /dev/null");
	}
	if (make_pipe(0, &p->stream[WIRE_STDOUT], &theirs[WIRE_STDOUT], e) < 0 ||
		make_pipe(0, &p->stream[WIRE_STDERR], &theirs[WIRE_STDERR], e) < 0 ||
		make_pipe(0, &p->report, &theirs[WIRE_STREAMS], e) < 0)
		return -1;
	return 0;
}

int app_spawn(const struct guest_app *app, struct app_process *p_r, struct err *e)
{
	struct app_process p = { .pid = -1, .report = -1, .stream = { -1, -1, -1 } };
	int theirs[WIRE_STREAMS + 1] = { -1, -1, -1, -1 };
	int ret = make_streams(app, &p, theirs, e);

	if (ret == 0) {
		p.pid = fork();
		if (p.pid == 0)
			child(app, theirs, theirs[WIRE_STREAMS]);
		if (p.pid < 0)
			ret = err_sys(e, "fork");
	}
	for (size_t i = 0; i < COUNT(theirs); i++)
		if (theirs[i] >= 0)
			(void)close(theirs[i]);
	if (ret < 0) {
		for (int i = 0; i < WIRE_STREAMS; i++)
			if (p.stream[i] >= 0)
				(void)close(p.stream[i]);
		if (p.report >= 0)
			(void)close(p.report);
		return ret;
	}
	*p_r = p;
	return 0;
}
