/*
 * Output of apps as lines that say whose they are, in the form rkt's users know from journald's console:
 *
 *      [ 1234.567890] web[12]: text
 *
 * Pure: bytes in, lengths and text out (contract 2.1.5; systemd src/journal/journald-console.c for the
 * form).
 */
#ifndef STAGE1_PREFIX_H
#define STAGE1_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* Bytes; a longer line becomes several. Half a stream's window: while a line is not complete its
	 * bytes stay in the session's buffer, and credit for the other half keeps the rest coming. */
	PREFIX_LINE_MAX = 32 << 10,
	PREFIX_HEAD_MAX = 320, /* a name of an app has at most 255 bytes, as a file's */
};

/*
 * How many of the n bytes the next line takes, its newline included; *text_r is its length without it.
 * 0: it is not complete. `last`: no more bytes will come.
 */
size_t prefix_line(const uint8_t *data, size_t n, bool last, size_t *text_r);
/* What goes before it. `usec` is monotonic time; the result is its length, under PREFIX_HEAD_MAX. */
size_t prefix_head(char head[PREFIX_HEAD_MAX], uint64_t usec, const char *app, uint32_t pid);

#endif
