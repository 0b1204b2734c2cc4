/*
 * The guest's console: kernel messages. Its last lines are kept for the report of a guest that
 * dies; with --debug they are shown as they come. Bounded, and made harmless for a terminal.
 */
#ifndef STAGE1_CONSOLE_H
#define STAGE1_CONSOLE_H

#include <stdbool.h>
#include <stddef.h>

enum { CONSOLE_LINES = 40, CONSOLE_LINE_MAX = 200 };

struct console {
	int fd; /* the terminal, -1 when there is none (any more) */
	bool show;
	char line[CONSOLE_LINES][CONSOLE_LINE_MAX + 1]; /* a ring of finished lines */
	unsigned nlines;
	char part[CONSOLE_LINE_MAX + 1]; /* the line that is growing */
	size_t part_len;
};

void console_init(struct console *c, int fd, bool show); /* takes the descriptor */
void console_read(struct console *c);                    /* what is there, without blocking */
void console_report(const struct console *c);            /* last lines, if not shown yet, to stderr */
void console_close(struct console *c);

#endif
