/* See side.h. */
#include "tests/p9/side.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { DEPTH = 12 };

void side_add(struct side *s, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->result + s->len, sizeof(s->result) - s->len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < sizeof(s->result) - s->len)
		s->len += (size_t)n;
}

void side_add_result(struct side *s, long ret)
{
	if (ret < 0)
		side_add(s, "%s\n", strerrorname_np(errno));
	else
		side_add(s, "%ld\n", ret);
}

void side_add_stat(struct side *s, const struct stat *st)
{
	side_add(s, "mode %o uid %u gid %u", st->st_mode, st->st_uid, st->st_gid);
	if (!S_ISDIR(st->st_mode)) /* of directories, file systems differ in both */
		side_add(s, " links %lu size %ld", (unsigned long)st->st_nlink, (long)st->st_size);
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode))
		side_add(s, " dev %u:%u", major(st->st_rdev), minor(st->st_rdev));
	side_add(s, "\n");
}

static void show_content(struct side *s, int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint32_t sum = 2166136261u;
	char buf[4096];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			sum = (sum ^ (unsigned char)buf[i]) * 16777619u;
	side_add(s, fd < 0 ? "cannot be opened\n" : "sum %08x\n", sum);
	if (fd >= 0)
		(void)close(fd);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

void side_add_tree(struct side *s, int dir, int depth)
{
	struct dirent **list;
	int n = scandirat(dir, ".", &list, NULL, by_name);

	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		char target[300] = "";
		struct stat st;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
			side_add(s, "%*s%s type %d ", depth, "", name, list[i]->d_type);
			side_add_stat(s, &st);
			if (S_ISLNK(st.st_mode) && readlinkat(dir, name, target, sizeof(target) - 1) > 0)
				side_add(s, "-> %s\n", target);
			if (S_ISREG(st.st_mode))
				show_content(s, dir, name);
			if (S_ISDIR(st.st_mode) && depth < DEPTH) {
				int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

				side_add_tree(s, sub, depth + 1);
				(void)close(sub);
			}
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	else
		side_add_result(s, -1);
}

void side_remove_tree(int dir)
{
	struct dirent **list;
	int n = scandirat(dir, ".", &list, NULL, NULL);

	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0) {
			if (sub >= 0)
				side_remove_tree(sub);
			(void)unlinkat(dir, name, sub >= 0 ? AT_REMOVEDIR : 0);
		}
		if (sub >= 0)
			(void)close(sub);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

