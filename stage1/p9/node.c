/* See node.h. */
#include "stage1/p9/node.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { TABLE_MIN = 64, CLOSE_AT_ONCE = 64, REOPEN_MAX = 10000 };

int open_below(int dirfd, const char *name, uint64_t flags, mode_t mode)
{
	struct open_how how = {
		.flags = flags | O_NOFOLLOW | O_CLOEXEC,
		.mode = mode,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS,
	};
	long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int stat_fd(int fd, struct statx *st)
{
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, st) < 0)
		return -errno;
	return 0;
}

uint64_t stat_dev(const struct statx *st)
{
	return (uint64_t)st->stx_dev_major << 32 | st->stx_dev_minor;
}

static bool same_file(const struct node *n, const struct statx *st)
{
	return n->ino == st->stx_ino && n->dev == stat_dev(st) &&
		n->type == (st->stx_mode & S_IFMT);
}

static size_t hash(const struct tree *t, const struct node *dir, const char *name)
{
	uint64_t h = (uintptr_t)dir * 0x9e3779b97f4a7c15u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3u;
	return (h ^ h >> 29) & (t->size - 1);
}

static struct node **slot(struct tree *t, const struct node *dir, const char *name)
{
	struct node **p = &t->table[hash(t, dir, name)];

	while (*p && ((*p)->parent != dir || strcmp((*p)->name, name) != 0))
		p = &(*p)->next;
	return p;
}

static void grow(struct tree *t)
{
	struct node **old = t->table, **table;
	size_t size = t->size;

	if (t->count < size)
		return;
	table = calloc(size * 2, sizeof(struct node *));
	if (!table)
		return; /* slower, not wrong */
	t->table = table;
	t->size = size * 2;
	for (size_t i = 0; i < size; i++)
		while (old[i]) {
			struct node *n = old[i];
			size_t h = hash(t, n->parent, n->name);

			old[i] = n->next;
			n->next = table[h];
			table[h] = n;
		}
	free(old);
}

static void table_insert(struct tree *t, struct node *n)
{
	struct node **p;

	grow(t);
	p = &t->table[hash(t, n->parent, n->name)];
	n->next = *p;
	*p = n;
	t->count++;
}

static void table_remove(struct tree *t, struct node *n)
{
	struct node **p = &t->table[hash(t, n->parent, n->name)];

	while (*p && *p != n)
		p = &(*p)->next;
	if (!*p)
		return;
	*p = n->next;
	t->count--;
}

/* The order of use holds the nodes that may be closed: open, with a name, used by nobody now. */
static void order_remove(struct tree *t, struct node *n)
{
	if (!n->newer && !n->older && t->newest != n)
		return;
	*(n->newer ? &n->newer->older : &t->newest) = n->older;
	*(n->older ? &n->older->newer : &t->oldest) = n->newer;
	n->newer = n->older = NULL;
}

static void order_add(struct tree *t, struct node *n)
{
	if (n->fd < 0 || n->gone || n->use > 0 || n == t->root)
		return;
	n->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = n;
	t->newest = n;
}

static void close_node(struct tree *t, struct node *n)
{
	order_remove(t, n);
	(void)close(n->fd);
	n->fd = -1;
	t->open--;
}

static void close_old(struct tree *t, size_t keep)
{
	while (t->open > keep && t->oldest)
		close_node(t, t->oldest);
}

static void set_fd(struct tree *t, struct node *n, int fd)
{
	n->fd = fd;
	t->open++;
	order_add(t, n);
	if (t->open > t->max_open)
		close_old(t, t->max_open > CLOSE_AT_ONCE ? t->max_open - CLOSE_AT_ONCE : 0);
}

/* Out of descriptors, in spite of the bound: files that are open take them too. */
static int open_path(struct tree *t, int dirfd, const char *name)
{
	int fd = open_below(dirfd, name, O_PATH, 0);

	if (fd != -EMFILE)
		return fd;
	(void)pthread_mutex_lock(&t->lock);
	close_old(t, t->open > CLOSE_AT_ONCE ? t->open - CLOSE_AT_ONCE : 0);
	(void)pthread_mutex_unlock(&t->lock);
	return open_below(dirfd, name, O_PATH, 0);
}

static struct node *new_node(struct node *dir, const char *name, const struct statx *st)
{
	struct node *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->name = strdup(name);
	if (!n->name) {
		free(n);
		return NULL;
	}
	n->parent = dir;
	if (dir)
		dir->refs++;
	n->dev = stat_dev(st);
	n->ino = st->stx_ino;
	n->type = st->stx_mode & S_IFMT;
	n->fd = -1;
	n->refs = 1;
	return n;
}

/* Locked. A loop, for a guest may have made the tree as deep as it likes. */
static void put(struct tree *t, struct node *n)
{
	while (n && --n->refs == 0) {
		struct node *parent = n->parent;

		if (!n->gone && parent)
			table_remove(t, n);
		if (n->fd >= 0)
			close_node(t, n);
		free(n->name);
		free(n);
		n = parent;
	}
}

int tree_init(struct tree *t, int root_fd, size_t max_open)
{
	struct statx st;
	int ret;

	*t = (struct tree){ .lock = PTHREAD_MUTEX_INITIALIZER, .size = TABLE_MIN,
		.max_open = max_open };
	ret = stat_fd(root_fd, &st);
	if (ret < 0)
		return ret;
	t->table = calloc(t->size, sizeof(struct node *));
	t->root = t->table ? new_node(NULL, "", &st) : NULL;
	if (!t->root) {
		free(t->table);
		return -ENOMEM;
	}
	t->root->fd = root_fd;
	t->open = 1;
	return 0;
}

void tree_dispose(struct tree *t)
{
	node_put(t, t->root);
	free(t->table);
	t->table = NULL;
}

struct node *node_ref(struct tree *t, struct node *n)
{
	(void)pthread_mutex_lock(&t->lock);
	n->refs++;
	(void)pthread_mutex_unlock(&t->lock);
	return n;
}

void node_put(struct tree *t, struct node *n)
{
	(void)pthread_mutex_lock(&t->lock);
	put(t, n);
	(void)pthread_mutex_unlock(&t->lock);
}

static void use(struct tree *t, struct node *n)
{
	order_remove(t, n);
	n->use++;
}

static void unuse(struct tree *t, struct node *n)
{
	if (--n->use == 0)
		order_add(t, n);
}

/*
 * Opens the highest closed node on the way to n, locked but for the system calls. 0 when that
 * brought n nearer.
 */
static int reopen_one(struct tree *t, struct node *n)
{
	struct node *base;
	struct statx st;
	char name[256];
	int fd, ret;

	while (n->parent && n->parent->fd < 0)
		n = n->parent;
	base = n->parent;
	if (n->gone || !base)
		return -ESTALE;
	(void)strncpy(name, n->name, sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	n->refs++;
	use(t, base);
	(void)pthread_mutex_unlock(&t->lock);

	fd = open_path(t, base->fd, name);
	ret = fd < 0 ? fd : stat_fd(fd, &st);

	(void)pthread_mutex_lock(&t->lock);
	unuse(t, base);
	if (n->fd >= 0) /* another has opened it, before it lost this name perhaps */
		ret = 0;
	else if (ret == -ENOENT || (ret >= 0 && !same_file(n, &st)))
		ret = -ESTALE;
	if (ret >= 0 && n->fd < 0 && !n->gone) {
		set_fd(t, n, fd);
		fd = -1;
	}
	put(t, n);
	if (fd >= 0)
		(void)close(fd);
	return ret < 0 ? ret : 0;
}

int node_fd(struct tree *t, struct node *n)
{
	int ret = 0;

	(void)pthread_mutex_lock(&t->lock);
	for (int i = 0; ret == 0 && n->fd < 0; i++) /* NOLINT(clang-analyzer-unix.Malloc): the caller holds n */
		ret = i < REOPEN_MAX ? reopen_one(t, n) : -ESTALE;
	if (ret == 0) {
		use(t, n);
		ret = n->fd;
	}
	(void)pthread_mutex_unlock(&t->lock);
	return ret;
}

void node_done(struct tree *t, struct node *n)
{
	(void)pthread_mutex_lock(&t->lock);
	unuse(t, n);
	(void)pthread_mutex_unlock(&t->lock);
}

static void set_gone(struct tree *t, struct node *n)
{
	table_remove(t, n);
	order_remove(t, n);
	n->gone = true;
}

struct node *tree_add(struct tree *t, struct node *dir, const char *name, const struct statx *st,
	int fd)
{
	struct node *n;

	(void)pthread_mutex_lock(&t->lock);
	n = dir->gone ? NULL : *slot(t, dir, name);
	if (n && !same_file(n, st)) {
		set_gone(t, n);
		n = NULL;
	}
	if (n) {
		n->refs++;
	} else {
		n = new_node(dir, name, st);
		if (n)
			table_insert(t, n);
	}
	if (n && fd >= 0 && n->fd < 0) {
		set_fd(t, n, fd);
		fd = -1;
	}
	(void)pthread_mutex_unlock(&t->lock);
	if (fd >= 0)
		(void)close(fd);
	return n;
}

int tree_walk(struct tree *t, struct node *dir, const char *name, struct node **n_r,
	struct statx *st_r)
{
	int dirfd, fd, ret;

	if (dir->type != S_IFDIR)
		return -ENOTDIR;
	dirfd = node_fd(t, dir);
	if (dirfd < 0)
		return dirfd;
	fd = open_path(t, dirfd, name);
	node_done(t, dir);
	if (fd < 0)
		return fd;
	ret = stat_fd(fd, st_r);
	if (ret < 0) {
		(void)close(fd);
		return ret;
	}
	*n_r = tree_add(t, dir, name, st_r, fd);
	return *n_r ? 0 : -ENOMEM;
}

struct node *tree_parent(struct tree *t, struct node *n)
{
	(void)pthread_mutex_lock(&t->lock);
	n = n->parent ? n->parent : n;
	n->refs++;
	(void)pthread_mutex_unlock(&t->lock);
	return n;
}

struct node *tree_keep(struct tree *t, struct node *dir, const char *name)
{
	struct node *n;

	(void)pthread_mutex_lock(&t->lock);
	n = *slot(t, dir, name);
	if (n)
		n->refs++;
	(void)pthread_mutex_unlock(&t->lock);
	if (n && node_fd(t, n) < 0) {
		node_put(t, n); /* NOLINT(clang-analyzer-unix.Malloc): we hold it */
		return NULL;
	}
	return n;
}

void tree_release(struct tree *t, struct node *kept)
{
	if (!kept)
		return;
	node_done(t, kept);
	node_put(t, kept);
}

void tree_unlinked(struct tree *t, struct node *dir, const char *name)
{
	struct node *n;

	(void)pthread_mutex_lock(&t->lock);
	n = *slot(t, dir, name);
	if (n)
		set_gone(t, n);
	(void)pthread_mutex_unlock(&t->lock);
}

/* Whether what is known says so: it may be older than what the guest has done since, at once or from elsewhere. */
static bool is_below(const struct node *n, const struct node *top)
{
	while (n && n != top)
		n = n->parent;
	return n == top;
}

void tree_renamed(struct tree *t, struct node *dir, const char *name, struct node *newdir,
	const char *newname)
{
	char *copy = strdup(newname);
	struct node *n, *over, *old;

	(void)pthread_mutex_lock(&t->lock);
	n = *slot(t, dir, name);
	over = *slot(t, newdir, newname);
	/* Two names of one file: rename(2) does nothing, and both stay. */
	if (n && over && (n == over || (n->dev == over->dev && n->ino == over->ino)))
		n = over = NULL;
	if (over)
		set_gone(t, over);
	if (n && (!copy || newdir->gone || is_below(newdir, n))) { /* parents must lead up */
		set_gone(t, n);
		n = NULL;
	}
	if (n) {
		table_remove(t, n);
		old = n->parent;
		newdir->refs++;
		n->parent = newdir;
		free(n->name);
		n->name = copy;
		copy = NULL;
		table_insert(t, n);
		put(t, old);
	}
	(void)pthread_mutex_unlock(&t->lock);
	free(copy);
}
