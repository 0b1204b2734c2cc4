/* See table.h. */
#include "stage0/table.h"

#include <string.h>

#include "stage1/common/util.h"

enum { TAB = 8 };

void table_row(struct table *t, const char *const *cells)
{
	t->cells = xrealloc(t->cells, (t->nrows + 1) * t->ncols, sizeof(*t->cells));
	for (size_t i = 0; i < t->ncols; i++) {
		char *cell = xstrdup(cells[i]);

		text_make_harmless(cell);
		t->cells[t->nrows * t->ncols + i] = cell;
	}
	t->nrows++;
}

/* In characters: what follows the first byte of one does not count. */
static size_t width(const char *cell)
{
	size_t n = 0;

	for (; *cell; cell++)
		n += (*cell & 0xc0) != 0x80;
	return n;
}

/* One more than the widest cell, up to the next tab stop. */
static size_t column_width(const struct table *t, size_t col)
{
	size_t widest = 0;

	for (size_t row = 0; row < t->nrows; row++) {
		size_t w = width(t->cells[row * t->ncols + col]);

		widest = w > widest ? w : widest;
	}
	return (widest + 1 + TAB - 1) / TAB * TAB;
}

void table_print(const struct table *t, FILE *out)
{
	AUTO_FREE size_t *widths = xcalloc(t->ncols, sizeof(*widths));

	for (size_t col = 0; col + 1 < t->ncols; col++)
		widths[col] = column_width(t, col);
	for (size_t row = 0; row < t->nrows; row++) {
		for (size_t col = 0; col < t->ncols; col++) {
			const char *cell = t->cells[row * t->ncols + col];

			(void)fputs(cell, out);
			for (size_t at = width(cell); at < widths[col]; at = (at / TAB + 1) * TAB)
				(void)fputc('\t', out);
		}
		(void)fputc('\n', out);
	}
}

void table_dispose(struct table *t)
{
	for (size_t i = 0; i < t->nrows * t->ncols; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table)TABLE_INIT(t->ncols);
}
