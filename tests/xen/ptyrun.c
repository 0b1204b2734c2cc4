/*
 * Runs a command at a terminal and plays its user: ptyrun SCRIPT COMMAND... The script's lines:
 *
 *      expect TEXT     waits until TEXT comes out, after what was expected before
 *      send TEXT       types it; \r \n \e \\ and \xNN are what they are in C
 *      size ROWS COLS  changes the window (24 80 at first)
 *      signal NUMBER   sends one to the command
 *      raw | cooked    waits until the terminal is that
 *
 * What comes out goes to stdout. Exits as the command does (128 + n for signal n), with 97 when the script
 * cannot be played in time, with 98 when the command leaves the terminal another than it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

enum { PATIENCE_S = 120, OUT_MAX = 1 << 20 };

static int master, slave;
static struct pollfd report = { .events = POLLIN };
static pid_t child;
static char out[OUT_MAX + 1];
static size_t have, seen;
static time_t end;

static void give_up(const char *what)
{
	fprintf(stderr, "ptyrun: waited in vain: %s\n", what);
	(void)kill(child, SIGTERM);
	(void)sleep(1);
	(void)kill(child, SIGTERM); /* the second one is an order */
	(void)poll(&report, 1, 20000);
	exit(97);
}

/* False when the command has let the terminal go, which our own slave does not. */
static void read_some(int ms)
{
	struct pollfd fd = { .fd = master, .events = POLLIN };
	ssize_t n = poll(&fd, 1, ms) > 0 ? read(master, out + have, OUT_MAX - have) : 0;

	if (n <= 0)
		return;
	(void)!write(STDOUT_FILENO, out + have, (size_t)n);
	have += (size_t)n;
	out[have] = '\0';
}

static void expect(const char *text)
{
	const char *found;

	while (!(found = strstr(out + seen, text))) {
		if (time(NULL) > end)
			give_up(text);
		read_some(1000);
	}
	seen = (size_t)(found - out) + strlen(text);
}

static void wait_for_mode(int raw)
{
	struct termios tio;

	for (;;) {
		if (tcgetattr(slave, &tio) == 0 && (tio.c_lflag & ICANON ? 0 : 1) == raw)
			return;
		if (time(NULL) > end)
			give_up(raw ? "raw" : "cooked");
		read_some(20);
	}
}

static void type(const char *text)
{
	char keys[1000];
	size_t n = 0;

	for (; *text && n < sizeof(keys); text++) {
		char *after;

		if (*text != '\\') {
			keys[n++] = *text;
			continue;
		}
		switch (*++text) {
		case 'r':
			keys[n++] = '\r';
			break;
		case 'n':
			keys[n++] = '\n';
			break;
		case 'e':
			keys[n++] = '\033';
			break;
		case 'x':
			keys[n++] = (char)strtol((char[]){ text[1], text[2], '\0' }, &after, 16);
			text += 2;
			break;
		default:
			keys[n++] = *text;
		}
	}
	(void)!write(master, keys, n);
}

static void resize(const char *args)
{
	struct winsize size = { .ws_row = 0 };

	if (sscanf(args, "%hu %hu", &size.ws_row, &size.ws_col) == 2)
		(void)ioctl(master, TIOCSWINSZ, &size);
}

static void play(FILE *script)
{
	static char line[2000];

	while (fgets(line, sizeof(line), script)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "expect ", 7))
			expect(line + 7);
		else if (!strncmp(line, "send ", 5))
			type(line + 5);
		else if (!strncmp(line, "size ", 5))
			resize(line + 5);
		else if (!strncmp(line, "signal ", 7))
			(void)kill(child, atoi(line + 7));
		else if (!strcmp(line, "raw") || !strcmp(line, "cooked"))
			wait_for_mode(*line == 'r');
		else if (*line)
			give_up(line);
	}
}

struct verdict {
	pid_t command;
	int status; /* of waitpid */
	int same;   /* the terminal is what it was */
};

/*
 * The session's leader, whose end would hang the terminal up: it starts the command, and looks at the
 * terminal when that has ended. Two verdicts: the first has the command's number only.
 */
static void lead(int fd, char **argv) __attribute__((noreturn));

static void lead(int fd, char **argv)
{
	struct verdict v = { .status = 0 };
	static struct termios before, after; /* zero between their fields: they are compared as bytes */

	(void)login_tty(slave);
	(void)tcgetattr(STDIN_FILENO, &before);
	v.command = fork();
	if (v.command == 0) {
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	(void)!write(fd, &v, sizeof(v));
	(void)waitpid(v.command, &v.status, 0);
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both began as zeroes */
	v.same = tcgetattr(STDIN_FILENO, &after) == 0 && !memcmp(&before, &after, sizeof(before));
	(void)!write(fd, &v, sizeof(v));
	_exit(0);
}

int main(int argc, char **argv)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct verdict v;
	FILE *script;
	int fds[2];

	script = argc > 2 ? fopen(argv[1], "re") : NULL;
	if (!script || openpty(&master, &slave, NULL, NULL, &size) < 0 || pipe2(fds, O_CLOEXEC) < 0) {
		perror("ptyrun");
		return 97;
	}
	(void)fcntl(master, F_SETFD, FD_CLOEXEC);
	report.fd = fds[0];
	end = time(NULL) + PATIENCE_S;
	if (fork() == 0)
		lead(fds[1], argv + 2);
	if (read(fds[0], &v, sizeof(v)) != (ssize_t)sizeof(v))
		return 97;
	child = v.command;
	play(script);
	while (poll(&report, 1, 0) <= 0) {
		if (time(NULL) > end)
			give_up("the end");
		read_some(50);
	}
	(void)!read(fds[0], &v, sizeof(v));
	read_some(0);
	if (!v.same) {
		fprintf(stderr, "ptyrun: the terminal is not what it was\n");
		return 98;
	}
	return WIFEXITED(v.status) ? WEXITSTATUS(v.status) : 128 + WTERMSIG(v.status);
}
