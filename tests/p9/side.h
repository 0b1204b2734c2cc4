/* One directory that the random operations of diff.c are done on, and what came of them, as text. */
#ifndef TESTS_P9_SIDE_H
#define TESTS_P9_SIDE_H

#include <stddef.h>
#include <sys/stat.h>

enum { SIDE_FILES = 6, SIDE_DATA = 20000 };

struct side {
	int dir;
	int fd[SIDE_FILES];
	char result[SIDE_DATA + 4096]; /* of the last step */
	size_t len;
};

void side_add(struct side *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A number, or errno's name when it is negative. */
void side_add_result(struct side *s, long ret);
void side_add_stat(struct side *s, const struct stat *st);
/* All that is below dir. */
void side_add_tree(struct side *s, int dir, int depth);
void side_remove_tree(int dir);

#endif
