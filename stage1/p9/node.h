/*
 * The files a guest knows: a tree of names, each with a descriptor (O_PATH) of what it is, shared by
 * all fids for it. Nothing is ever looked up by a path from above: a node is opened by its one name
 * below its parent's descriptor, and links are not followed.
 *
 * A guest's kernel keeps a fid for each name it has cached, so there may be more nodes than
 * descriptors: those not used for long are closed, and opened again by name when needed, which fails
 * with ESTALE when another file has the name by then. What loses its name while it is known keeps its
 * descriptor.
 *
 * Thread-safe. Errors are -errno.
 */
#ifndef STAGE1_P9_NODE_H
#define STAGE1_P9_NODE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct node {
	struct node *parent; /* held; NULL: the root */
	char *name;          /* below it */
	struct node *next;   /* of those with the same hash */
	struct node *newer, *older; /* in the order of use, while it may be closed */
	uint64_t dev, ino;
	mode_t type;         /* S_IFMT */
	int fd;              /* -1: closed for now */
	uint32_t refs, use;  /* holders; of these, those who use fd now */
	bool gone;           /* the name is no longer its */
};

struct tree {
	pthread_mutex_t lock;
	struct node **table;
	size_t size, count;
	struct node *newest, *oldest;
	size_t open, max_open;
	struct node *root;
};

/* Takes root_fd (O_PATH, a directory). max_open: descriptors to keep. */
int tree_init(struct tree *t, int root_fd, size_t max_open);
void tree_dispose(struct tree *t);

struct node *node_ref(struct tree *t, struct node *n);
void node_put(struct tree *t, struct node *n);

/* The descriptor, until node_done(). */
int node_fd(struct tree *t, struct node *n);
void node_done(struct tree *t, struct node *n);

/* The directory above, held; of the root: itself. */
struct node *tree_parent(struct tree *t, struct node *n);
/* The entry `name` of the directory dir, held, and what it is. Not for "." and "..". */
int tree_walk(struct tree *t, struct node *dir, const char *name, struct node **n_r,
	struct statx *st_r);
/* A node, held, for what was opened already: st is its state; takes fd (O_PATH, or -1). */
struct node *tree_add(struct tree *t, struct node *dir, const char *name, const struct statx *st,
	int fd);

/*
 * Around unlink(2) and rename(2), which the caller does one at a time: tree_keep() before, so that
 * what loses its name keeps a descriptor, then what happened, then tree_release().
 */
struct node *tree_keep(struct tree *t, struct node *dir, const char *name);
void tree_release(struct tree *t, struct node *kept);
void tree_unlinked(struct tree *t, struct node *dir, const char *name);
void tree_renamed(struct tree *t, struct node *dir, const char *name, struct node *newdir,
	const char *newname);

/* Opens one name below a directory: no links, no way out. */
int open_below(int dirfd, const char *name, uint64_t flags, mode_t mode);
int stat_fd(int fd, struct statx *st);
uint64_t stat_dev(const struct statx *st);

#endif
