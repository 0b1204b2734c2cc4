/* See terminal.h. */
#include "stage1/terminal.h"

#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "stage1/common/util.h"

static struct termios before;
static volatile sig_atomic_t is_raw;

bool terminal_there(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

void terminal_restore(void)
{
	if (!is_raw)
		return;
	is_raw = 0;
	/* DRAIN: the last output is shown by the rules it was written under */
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before);
}

/* Safe in a handler: tcsetattr is, and nothing else is called. */
static void on_fatal(int sig)
{
	terminal_restore();
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

static void watch_our_end(void)
{
	static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT, SIGSYS };
	static bool watched;

	if (watched)
		return;
	watched = true;
	(void)atexit(terminal_restore);
	for (size_t i = 0; i < COUNT(fatal); i++)
		(void)signal(fatal[i], on_fatal);
}

void terminal_raw(void)
{
	struct termios raw;

	if (is_raw || tcgetattr(STDIN_FILENO, &raw) < 0)
		return;
	watch_our_end();
	before = raw;
	cfmakeraw(&raw);
	is_raw = 1;
	(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &raw);
}

const char *terminal_eol(void)
{
	return is_raw ? "\r\n" : "\n";
}

void terminal_size(uint32_t *rows_r, uint32_t *cols_r)
{
	struct winsize size = { .ws_row = 0 };

	(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	*rows_r = size.ws_row;
	*cols_r = size.ws_col;
}

void terminal_suspend(void)
{
	bool again = is_raw;

	terminal_restore();
	(void)raise(SIGSTOP);
	if (again)
		terminal_raw();
}
