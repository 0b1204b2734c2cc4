/* Columns padded with tabs to the width of the widest cell, as rkt's lists have them. */
#ifndef STAGE0_TABLE_H
#define STAGE0_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct table {
	size_t ncols;
	char **cells; /* owned: nrows times ncols */
	size_t nrows;
};

#define TABLE_INIT(columns) { .ncols = (columns) }

/* Copies `ncols` texts, made harmless for a terminal. */
void table_row(struct table *t, const char *const *cells);
void table_print(const struct table *t, FILE *out);
void table_dispose(struct table *t);

#endif
