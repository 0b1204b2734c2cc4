/* See console.h. */
#include "stage1/console.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage1/terminal.h"

void console_init(struct console *c, int fd, bool show)
{
	memset(c, 0, sizeof(*c));
	c->fd = fd;
	c->show = show;
}

static void end_line(struct console *c)
{
	c->part[c->part_len] = '\0';
	if (c->part_len > 0) {
		memcpy(c->line[c->nlines++ % CONSOLE_LINES], c->part, c->part_len + 1);
		if (c->show)
			fprintf(stderr, "guest: %s%s", c->part, terminal_eol());
	}
	c->part_len = 0;
}

static void add(struct console *c, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)data[i];

		if (byte == '\n') {
			end_line(c);
			continue;
		}
		if (byte == '\r')
			continue;
		if (c->part_len == CONSOLE_LINE_MAX)
			end_line(c);
		c->part[c->part_len++] = byte >= 0x20 && byte < 0x7f ? (char)byte : '?';
	}
}

void console_read(struct console *c)
{
	char buf[4096];

	/* A guest can write without end: one buffer a turn, the loop comes back for more. */
	ssize_t n = c->fd >= 0 ? read(c->fd, buf, sizeof(buf)) : 0;

	if (n > 0)
		add(c, buf, (size_t)n);
	else if (c->fd >= 0 && !(n < 0 && (errno == EAGAIN || errno == EINTR)))
		console_close(c); /* xenconsoled has let it go */
}

void console_report(const struct console *c)
{
	unsigned first = c->nlines > CONSOLE_LINES ? c->nlines - CONSOLE_LINES : 0;

	for (unsigned i = c->show ? c->nlines : first; i < c->nlines; i++)
		fprintf(stderr, "guest: %s\n", c->line[i % CONSOLE_LINES]);
	if (c->part_len > 0)
		fprintf(stderr, "guest: %.*s\n", (int)c->part_len, c->part);
}

void console_close(struct console *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}
