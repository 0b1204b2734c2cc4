/* See crossrun.h. */
#include "stage0/crossrun.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum { SAID_MAX = 4096, STATUS_FAILED = 254 };

static void __attribute__((noreturn)) become(struct known_pod *pod, const char *name, const char *const *args,
	size_t nargs, int out)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err e = ERR_INIT;

	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0) {
		(void)cross_become(pod, name, args, nargs, &e);
		(void)dprintf(STDERR_FILENO, "%s\n", e.msg);
	}
	_exit(STATUS_FAILED);
}

/* The end of what it says, however much that is; until nobody of it is left to say more. */
static void hear(int fd, bool debug, char said_r[SAID_MAX + 1])
{
	char buf[1024];
	size_t len = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR)) {
		size_t got = n > 0 ? (size_t)n : 0;

		if (debug)
			(void)fwrite(buf, 1, got, stderr);
		if (len + got > SAID_MAX) {
			size_t drop = len + got - SAID_MAX < len ? len + got - SAID_MAX : len;

			memmove(said_r, said_r + drop, len - drop);
			len -= drop;
		}
		memcpy(said_r + len, buf, got);
		len += got;
	}
	said_r[len] = '\0';
}

static const char *last_line(char *said)
{
	size_t len = strlen(said);
	char *line;

	while (len > 0 && said[len - 1] == '\n')
		said[--len] = '\0';
	line = strrchr(said, '\n');
	return line ? line + 1 : said;
}

int cross_run(struct known_pod *pod, const char *name, const char *const *args, size_t nargs, bool debug, struct err *e)
{
	char said[SAID_MAX + 1];
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(pod, name, args, nargs, ends[1]);
	(void)close(ends[1]);
	if (pid > 0)
		hear(ends[0], debug, said);
	(void)close(ends[0]);
	if (pid < 0)
		return err_sys(e, "start the entrypoint '%s'", name);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	text_make_harmless(said[0] ? (char *)last_line(said) : said);
	if (said[0])
		return err_set(e, ERR_HOST, "%.400s", last_line(said));
	if (WIFSIGNALED(status))
		return err_set(e, ERR_HOST, "the entrypoint '%s' was killed by signal %d", name, WTERMSIG(status));
	return err_set(e, ERR_HOST, "the entrypoint '%s' ended with status %d", name, WEXITSTATUS(status));
}
