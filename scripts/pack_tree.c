/* See pack_tree.h. */
#include "scripts/pack_tree.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "/a//./b/" -> "a/b" */
static int dest_clean(const char *s, size_t len, char **dest_r, struct err *e)
{
	AUTO_FREE char *in = xstrndup(s, len);
	AUTO_FREE char *out = xcalloc(len + 1, 1);
	char *save = NULL, *end = out;

	for (char *c = strtok_r(in, "/", &save); c; c = strtok_r(NULL, "/", &save)) {
		if (!strcmp(c, "."))
			continue;
		if (!strcmp(c, ".."))
			return err_set(e, ERR_USAGE, "'%.*s': '..' in a name", (int)len, s);
		if (end > out)
			*end++ = '/';
		end = stpcpy(end, c);
	}
	if (!*out)
		return err_set(e, ERR_USAGE, "'%.*s': an empty name", (int)len, s);
	*dest_r = STEAL(out);
	return 0;
}

struct item *tree_find(struct tree *t, const char *dest)
{
	for (size_t i = 0; i < t->n; i++)
		if (!strcmp(t->items[i].dest, dest))
			return &t->items[i];
	return NULL;
}

/* Takes over what `it` points to. */
static int tree_put(struct tree *t, struct item it, struct err *e)
{
	struct item *old = tree_find(t, it.dest);
	bool dirs = old && S_ISDIR(old->mode) && S_ISDIR(it.mode);

	if (old && !(dirs && (old->implicit || it.implicit))) {
		(void)err_set(e, ERR_USAGE, "'%s': given twice", it.dest);
	} else if (old) {
		if (!it.implicit) {
			old->mode = it.mode;
			old->implicit = false;
		}
	} else {
		if (t->n == t->room) {
			t->room = t->room ? 2 * t->room : 64;
			t->items = xrealloc(t->items, t->room, sizeof(*t->items));
		}
		t->items[t->n++] = it;
		return 0;
	}
	free(it.dest);
	free(it.src);
	free(it.target);
	return e->kind == ERR_NONE ? 0 : -1;
}

static int add_path(struct tree *t, const char *dest, const char *src, struct err *e);

static int add_children(struct tree *t, const char *dest, const char *src, struct err *e)
{
	DIR *dir = opendir(src);
	struct dirent *d;
	int ret = 0;

	if (!dir)
		return err_sys(e, "open %s", src);
	while (ret == 0 && (errno = 0, d = readdir(dir))) {
		AUTO_FREE char *sub_dest = xasprintf("%s/%s", dest, d->d_name);
		AUTO_FREE char *sub_src = xasprintf("%s/%s", src, d->d_name);

		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			ret = add_path(t, sub_dest, sub_src, e);
	}
	if (ret == 0 && errno)
		ret = err_sys(e, "read %s", src);
	(void)closedir(dir);
	return ret;
}

/* Modes are made the same whatever the umask of the builder was. */
static int add_path(struct tree *t, const char *dest, const char *src, struct err *e)
{
	struct item it = { .implicit = true };
	char target[4096];
	struct stat st;
	ssize_t n;

	if (lstat(src, &st) < 0)
		return err_sys(e, "%s", src);
	if (S_ISDIR(st.st_mode)) {
		it.mode = S_IFDIR | 0755;
	} else if (S_ISREG(st.st_mode)) {
		it.mode = S_IFREG | (st.st_mode & 0111 ? 0755 : 0644);
		it.src = xstrdup(src);
	} else if (S_ISLNK(st.st_mode)) {
		n = readlink(src, target, sizeof(target));
		if (n < 0 || (size_t)n == sizeof(target))
			return err_sys(e, "read link %s", src);
		it.mode = S_IFLNK | 0777;
		it.target = xstrndup(target, (size_t)n);
	} else {
		return err_set(e, ERR_INPUT, "%s: not a file, directory or symbolic link", src);
	}
	it.dest = xstrdup(dest);
	if (tree_put(t, it, e) < 0)
		return -1;
	return S_ISDIR(st.st_mode) ? add_children(t, dest, src, e) : 0;
}

/* Cuts ":MODE" off the end, if there. */
static bool cut_mode(char *s, mode_t *mode_r)
{
	char *colon = strrchr(s, ':');
	size_t len = colon ? strlen(colon + 1) : 0;

	if (len < 3 || len > 4 || strspn(colon + 1, "01234567") != len)
		return false;
	*colon = '\0';
	*mode_r = (mode_t)strtoul(colon + 1, NULL, 8);
	return true;
}

static int add_source(struct tree *t, const char *dest, char *src, struct err *e)
{
	AUTO_FREE char *real = NULL;
	mode_t mode = 0;
	bool with_mode = cut_mode(src, &mode);
	struct stat st;

	real = realpath(src, NULL); /* the source itself may be a link: what it means is packed */
	if (!real || stat(real, &st) < 0)
		return err_sys(e, "%s", src);
	if (with_mode && !S_ISREG(st.st_mode))
		return err_set(e, ERR_USAGE, "%s: a mode is for a file only", src);
	if (add_path(t, dest, real, e) < 0)
		return -1;
	if (with_mode)
		tree_find(t, dest)->mode = S_IFREG | mode;
	return 0;
}

int tree_add(struct tree *t, const char *entry, struct err *e)
{
	AUTO_FREE char *arg = xstrdup(entry);
	AUTO_FREE char *dest = NULL;
	struct item it = { .mode = 0755 };
	char *arrow = strstr(arg, "->"), *equals = strchr(arg, '=');

	if (equals && (!arrow || equals < arrow)) {
		if (dest_clean(arg, (size_t)(equals - arg), &dest, e) < 0)
			return -1;
		return add_source(t, dest, equals + 1, e);
	}
	if (arrow) {
		if (dest_clean(arg, (size_t)(arrow - arg), &it.dest, e) < 0)
			return -1;
		it.target = xstrdup(arrow + 2);
		it.mode = S_IFLNK | 0777;
		return tree_put(t, it, e);
	}
	(void)cut_mode(arg, &it.mode);
	if (!*arg || arg[strlen(arg) - 1] != '/')
		return err_set(e, ERR_USAGE, "'%s': neither DEST=SRC, DEST/ nor DEST->TARGET", entry);
	it.mode |= S_IFDIR;
	if (dest_clean(arg, strlen(arg), &it.dest, e) < 0)
		return -1;
	return tree_put(t, it, e);
}

static int add_parents(struct tree *t, struct err *e)
{
	for (size_t i = 0; i < t->n; i++) { /* grows while we walk; parents have their own turn */
		AUTO_FREE char *parent = xstrdup(t->items[i].dest);
		char *slash = strrchr(parent, '/');
		struct item *old;

		if (!slash)
			continue;
		*slash = '\0';
		old = tree_find(t, parent);
		if (old && !S_ISDIR(old->mode))
			return err_set(e, ERR_USAGE, "'%s': below '%s', which is no directory",
				t->items[i].dest, parent);
		if (!old && tree_put(t, (struct item){ .dest = STEAL(parent), .mode = S_IFDIR | 0755,
			.implicit = true }, e) < 0)
			return -1;
	}
	return 0;
}

/* An image has its manifest first: readers then find it at once. */
static int by_dest(const void *pa, const void *pb)
{
	const struct item *a = pa, *b = pb;
	bool ma = !strcmp(a->dest, "manifest"), mb = !strcmp(b->dest, "manifest");

	return ma != mb ? mb - ma : strcmp(a->dest, b->dest);
}

int tree_finish(struct tree *t, struct err *e)
{
	if (add_parents(t, e) < 0)
		return -1;
	qsort(t->items, t->n, sizeof(*t->items), by_dest);
	return 0;
}

void tree_dispose(struct tree *t)
{
	for (size_t i = 0; i < t->n; i++) {
		free(t->items[i].dest);
		free(t->items[i].src);
		free(t->items[i].target);
	}
	free(t->items);
	*t = (struct tree)TREE_INIT;
}
