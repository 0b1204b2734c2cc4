/* See signals.h. */
#include "stage1/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#include "stage1/common/util.h"

static int write_end = -1;
static pid_t owner;

static void on_signal(int sig)
{
	int saved = errno;
	char byte = (char)sig;

	if (getpid() == owner) /* what all of a terminal or a unit are sent counts once, whoever has been forked meanwhile */
		(void)!write(write_end, &byte, 1);
	errno = saved;
}

static void handle(const int *sigs, size_t n)
{
	struct sigaction act = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	sigset_t set;

	(void)sigemptyset(&act.sa_mask);
	(void)sigemptyset(&set);
	for (size_t i = 0; i < n; i++) {
		(void)sigaction(sigs[i], &act, NULL);
		(void)sigaddset(&set, sigs[i]);
	}
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL); /* whatever our caller had blocked */
}

int signals_open(int *fd_r, struct err *e)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGPWR };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "make a pipe");
	write_end = fds[1];
	owner = getpid();
	handle(sigs, COUNT(sigs));
	(void)signal(SIGPIPE, SIG_IGN);
	*fd_r = fds[0];
	return 0;
}

void signals_of_terminal(void)
{
	static const int sigs[] = { SIGWINCH, SIGTSTP };

	handle(sigs, COUNT(sigs));
}

int signals_next(int fd)
{
	char sig;

	return read(fd, &sig, 1) == 1 ? sig : 0;
}
