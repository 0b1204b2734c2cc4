/* The fids of a server: numbers the guest gives to files, and what each holds. Thread-safe. */
#ifndef STAGE1_P9_FID_H
#define STAGE1_P9_FID_H

#include "stage1/p9/node.h"

enum fid_kind {
	FID_FILE,      /* a name; a file of its own once it is opened */
	FID_XATTR_GET, /* a value, or the list of names, to be read */
	FID_XATTR_SET, /* a value being written; set by Tclunk */
};

struct fid {
	uint32_t number;
	uint32_t refs;     /* 1 of them the table's */
	struct fid *next;
	struct node *node; /* held */
	uint32_t uid;      /* the attached user's, or P9_NONUNAME */
	enum fid_kind kind;
	int fd;            /* an open file, or -1 */
	bool may_wait;     /* reading it may wait for a disk, writing it does (O_SYNC) */
	bool no_nowait;    /* its file system does not know RWF_NOWAIT */
	bool sync_writes;
	uint64_t dir_at;   /* where the open directory's descriptor is */
	char *xattr_name, *xattr;
	size_t xattr_size, xattr_have;
	int xattr_flags;
};

struct fids {
	pthread_mutex_t lock;
	struct fid **table;
	size_t size, count, max;
	size_t open, max_open; /* files */
	size_t xattr_bytes, max_xattr_bytes;
	struct tree *tree;
};

int fids_init(struct fids *f, struct tree *tree, size_t max, size_t max_open, size_t max_xattr);
void fids_clear(struct fids *f); /* clunks all */
void fids_dispose(struct fids *f);

/* A new fid for a node, which it takes, held. -EEXIST, -ENFILE, -ENOMEM; the node is then put. */
int fid_new(struct fids *f, uint32_t number, struct node *node, uint32_t uid, struct fid **fid_r);
/* Held; NULL when there is none. */
struct fid *fid_get(struct fids *f, uint32_t number);
void fid_put(struct fids *f, struct fid *fid);
/* Takes it out of the table, held by the caller. */
struct fid *fid_take(struct fids *f, uint32_t number);

/* The node, held: another thread may move the fid to another one. */
struct node *fid_node(struct fids *f, struct fid *fid);
/* Moves a fid that is no open file to another node, which it takes. -EBUSY: it is open. */
int fid_move(struct fids *f, struct fid *fid, struct node *node);
/* The fid is an open file now: takes fd. node: it moves there, or NULL. -EBUSY, fd is then closed. */
int fid_opened(struct fids *f, struct fid *fid, int fd, struct node *node);
/* A file may be opened: to be called before. */
bool fid_may_open(struct fids *f);
/* The fid is a value of `size` bytes now (NULL: zeros); memory is bounded for all fids together. */
int fid_xattr(struct fids *f, struct fid *fid, enum fid_kind kind, size_t size, const char *value);

#endif
