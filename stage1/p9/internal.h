/* What the files of the server share. */
#ifndef STAGE1_P9_INTERNAL_H
#define STAGE1_P9_INTERNAL_H

#include "stage1/p9/fid.h"
#include "stage1/p9/proto.h"
#include "stage1/p9/server.h"

enum {
	REPLY_MAX = 4608, /* the longest reply but Rread and Rreaddir: Rreadlink */
	DEVS_MAX = 1024,
	STRIPES = 16,
};

struct p9_server {
	struct p9_limits limits;
	uint32_t msize; /* agreed on; 0 until then */
	struct tree tree;
	struct fids fids;
	pthread_mutex_t names; /* one rename or unlink at a time: names and tree change together */
	pthread_mutex_t stripe[STRIPES]; /* the fid's own state: where a directory is, a value */
	pthread_mutex_t devs_lock;
	uint64_t devs[DEVS_MAX]; /* of qids: the first is the root's */
	size_t ndevs;
	uint64_t secret;
};

/* A request being served. */
struct call {
	struct p9_server *s;
	struct p9_request req;
	const struct iovec *data; /* of a Twrite, two pieces */
	const struct p9_io *io;
	struct p9_reply reply;
	uint8_t buf[REPLY_MAX];
};

/* Operations return 0 with the reply's body written, REPLIED, or -errno. */
enum { REPLIED = 1 };

/* A fid in use: its file, or the file's name. */
struct used {
	struct fid *fid;
	struct node *node;
	int fd;
	bool pinned; /* fd is the node's */
};

int use_fid(struct p9_server *s, uint32_t number, struct used *u);
int use_dir(struct p9_server *s, uint32_t number, struct used *u);
void use_end(struct p9_server *s, struct used *u);

pthread_mutex_t *fid_stripe(struct p9_server *s, const struct fid *fid);
bool name_ok(const char *name);
struct p9_qid make_qid(struct p9_server *s, const struct statx *st);
uint64_t make_path(struct p9_server *s, uint64_t dev, uint64_t ino);
/* The name of an open descriptor in /proc/self/fd, the current directory. */
struct fd_name {
	char s[12];
};
struct fd_name fd_name(int fd);
/* Copies n bytes into a reply's room, from byte `at` of it on. */
void copy_out(const struct iovec room[2], size_t at, const void *data, size_t n);
/* Sends n bytes of data behind the head that is in c->reply. */
int reply_data(struct call *c, const void *data, size_t n);

/* session.c */
int op_version(struct call *c);
int op_attach(struct call *c);
int op_walk(struct call *c);
int op_clunk(struct call *c);
int op_remove(struct call *c);
int op_statfs(struct call *c);
int op_lock(struct call *c);
int op_getlock(struct call *c);
/* files.c */
int op_lopen(struct call *c);
int op_lcreate(struct call *c);
int op_read(struct call *c);
int op_write(struct call *c);
int op_fsync(struct call *c);
int op_readdir(struct call *c);
/* names.c */
int op_mkdir(struct call *c);
int op_mknod(struct call *c);
int op_symlink(struct call *c);
int op_link(struct call *c);
int op_readlink(struct call *c);
int op_renameat(struct call *c);
int op_unlinkat(struct call *c);
/* Gives what was just made its owner and the bits of mode that making it may have dropped. */
int own_new(int fd, uint32_t uid, uint32_t gid, mode_t mode, struct statx *st);
/* attr.c */
int op_getattr(struct call *c);
int op_setattr(struct call *c);
/* xattr.c */
int op_xattrwalk(struct call *c);
int op_xattrcreate(struct call *c);
int xattr_read(struct call *c, struct fid *fid);
int xattr_write(struct call *c, struct fid *fid);
int xattr_clunk(struct p9_server *s, struct fid *fid);

#endif
