/* See rooms.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "tests/net/rooms.h"

int room_fd[ROOMS] = { -1, -1, -1 };

static pid_t keepers[ROOMS]; /* `ip` knows a namespace by a process in it */

static bool open_room(int i)
{
	AUTO_FREE char *path = NULL;
	int ready[2];
	char byte;

	if (pipe2(ready, O_CLOEXEC) < 0)
		return false;
	keepers[i] = fork();
	if (keepers[i] == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "", 1) == 1)
			(void)pause();
		_exit(errno);
	}
	(void)close(ready[1]);
	if (keepers[i] < 0 || read(ready[0], &byte, 1) != 1) {
		int status = 0;

		(void)close(ready[0]);
		(void)waitpid(keepers[i], &status, 0);
		keepers[i] = 0;
		errno = WEXITSTATUS(status);
		return false;
	}
	(void)close(ready[0]);
	path = xasprintf("/proc/%d/ns/net", keepers[i]);
	room_fd[i] = open(path, O_RDONLY | O_CLOEXEC);
	return room_fd[i] >= 0;
}

bool rooms_open(void)
{
	static const char *const names[] = { "HOST", "POD", "GUEST" };

	for (int i = 0; i < ROOMS; i++) {
		AUTO_FREE char *pid = NULL;

		if (!open_room(i)) {
			int why = errno;

			rooms_close();
			errno = why;
			return false;
		}
		pid = xasprintf("%d", keepers[i]);
		(void)setenv(names[i], pid, 1);
	}
	return true;
}

void rooms_close(void)
{
	for (int i = 0; i < ROOMS; i++) {
		if (keepers[i] > 0) {
			(void)kill(keepers[i], SIGKILL);
			(void)waitpid(keepers[i], NULL, 0);
		}
		keepers[i] = 0;
		if (room_fd[i] >= 0)
			(void)close(room_fd[i]);
		room_fd[i] = -1;
	}
}

void room_enter(int room)
{
	if (setns(room_fd[room], CLONE_NEWNET) < 0)
		fail_msg("setns: %m");
}

int room_ask(int room, const char *commands, char **said_r)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len), *in;
	int c;

	room_enter(room);
	(void)fflush(stdout);
	in = popen(commands, "r");
	while (in && (c = fgetc(in)) != EOF)
		(void)fputc(c, out);
	(void)fclose(out);
	*said_r = text;
	return in ? pclose(in) : -1;
}

void room_do(int room, const char *commands)
{
	AUTO_FREE char *script = xasprintf("{ set -e; %s; } 2>&1", commands), *said = NULL;

	if (room_ask(room, script, &said) != 0)
		fail_msg("%s: %s", commands, said);
}
