/*
 * In an app: sends back what clients say at the socket it was started with (sd_listen_fds(3)), one client after the other,
 * to its end. Prints "up", and after a client that has said just "quit" it ends.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int is_ours(const char *name, long value)
{
	const char *text = getenv(name);

	return text && strtol(text, NULL, 10) == value;
}

static void echo(int fd, int *quit)
{
	static char buf[64 << 10];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		*quit = *quit || (n == 5 && !memcmp(buf, "quit\n", 5));
		for (ssize_t at = 0, w; at < n; at += w)
			if ((w = write(fd, buf + at, (size_t)(n - at))) <= 0)
				return; /* it has gone */
	}
}

int main(void)
{
	int quit = 0;

	(void)signal(SIGPIPE, SIG_IGN);
	if (!is_ours("LISTEN_FDS", 1) || !is_ours("LISTEN_PID", getpid()) || fcntl(4, F_GETFD) >= 0) {
		(void)puts("no socket, or more");
		return 1;
	}
	(void)puts("up");
	(void)fflush(stdout);
	while (!quit) {
		int fd = accept(3, NULL, NULL);

		if (fd < 0)
			return 2;
		echo(fd, &quit);
		(void)close(fd);
	}
	return 0;
}
