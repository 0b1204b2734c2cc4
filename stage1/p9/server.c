/* See server.h. Here: one request from its bytes to its reply, and what all operations need. */
#include "stage1/p9/server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "stage1/p9/internal.h"

int server_enter(int proc_self_fd)
{
	(void)umask(0);
	return fchdir(proc_self_fd) < 0 ? -errno : 0;
}

struct p9_server *server_open(int root_fd, const struct p9_limits *limits)
{
	struct p9_server *s = calloc(1, sizeof(*s));
	int ret;

	if (!s)
		return NULL;
	s->limits = *limits;
	if (getrandom(&s->secret, sizeof(s->secret), 0) < 0)
		s->secret = (uintptr_t)s; /* better than nothing, and there is always getrandom */
	(void)pthread_mutex_init(&s->names, NULL);
	(void)pthread_mutex_init(&s->devs_lock, NULL);
	for (size_t i = 0; i < STRIPES; i++)
		(void)pthread_mutex_init(&s->stripe[i], NULL);
	ret = tree_init(&s->tree, root_fd, limits->nodes_open);
	if (ret < 0) {
		free(s);
		errno = -ret;
		return NULL;
	}
	s->devs[s->ndevs++] = s->tree.root->dev;
	ret = fids_init(&s->fids, &s->tree, limits->fids, limits->files_open, limits->xattr_bytes);
	if (ret < 0) {
		tree_dispose(&s->tree);
		free(s);
		errno = -ret;
		return NULL;
	}
	return s;
}

void server_bound(struct p9_server *s, uint32_t size)
{
	if (size < s->limits.msize)
		s->limits.msize = size;
}

void server_close(struct p9_server *s)
{
	if (!s)
		return;
	fids_dispose(&s->fids);
	tree_dispose(&s->tree);
	free(s);
}

int use_fid(struct p9_server *s, uint32_t number, struct used *u)
{
	struct fid *fid = fid_get(&s->fids, number);
	int fd;

	if (!fid)
		return -EBADF;
	if (fid->kind != FID_FILE) {
		fid_put(&s->fids, fid);
		return -EBADF;
	}
	*u = (struct used){ .fid = fid, .node = fid_node(&s->fids, fid) };
	fd = __atomic_load_n(&fid->fd, __ATOMIC_ACQUIRE);
	if (fd < 0) {
		fd = node_fd(&s->tree, u->node);
		u->pinned = fd >= 0;
	}
	u->fd = fd;
	if (fd >= 0)
		return 0;
	use_end(s, u);
	return fd;
}

int use_dir(struct p9_server *s, uint32_t number, struct used *u)
{
	int ret = use_fid(s, number, u);

	if (ret == 0 && u->node->type != S_IFDIR) {
		use_end(s, u);
		return -ENOTDIR;
	}
	return ret;
}

void use_end(struct p9_server *s, struct used *u)
{
	if (u->pinned)
		node_done(&s->tree, u->node);
	node_put(&s->tree, u->node);
	fid_put(&s->fids, u->fid);
}

pthread_mutex_t *fid_stripe(struct p9_server *s, const struct fid *fid)
{
	return &s->stripe[fid->number % STRIPES];
}

bool name_ok(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

/*
 * Numbers of files on several devices in 64 bits: a small index of the device above 48 bits of
 * number; what does not fit is mixed with a secret, so that a guest cannot make two meet.
 */
uint64_t make_path(struct p9_server *s, uint64_t dev, uint64_t ino)
{
	size_t i, n = __atomic_load_n(&s->ndevs, __ATOMIC_ACQUIRE);
	uint64_t h;

	for (i = 0; i < n && s->devs[i] != dev; i++)
		;
	if (i == n) {
		(void)pthread_mutex_lock(&s->devs_lock);
		for (i = 0; i < s->ndevs && s->devs[i] != dev; i++)
			;
		if (i == s->ndevs && i < DEVS_MAX) {
			s->devs[i] = dev;
			__atomic_store_n(&s->ndevs, i + 1, __ATOMIC_RELEASE);
		}
		(void)pthread_mutex_unlock(&s->devs_lock);
	}
	if (i < DEVS_MAX && ino >> 48 == 0)
		return (uint64_t)i << 48 | ino;
	h = s->secret;
	for (int round = 0; round < 2; round++) {
		h = (h ^ (round ? dev : ino)) * 0x9e3779b97f4a7c15u;
		h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
		h ^= h >> 32;
	}
	return h | 1ull << 63;
}

/*
 * The version is the same for ever: Linux takes a file whose version has changed for another file,
 * and then one file with two names has two caches.
 */
struct p9_qid make_qid(struct p9_server *s, const struct statx *st)
{
	return (struct p9_qid){
		.type = S_ISDIR(st->stx_mode) ? P9_QTDIR : S_ISLNK(st->stx_mode) ? P9_QTSYMLINK : P9_QTFILE,
		.version = 1,
		.path = make_path(s, stat_dev(st), st->stx_ino),
	};
}

struct fd_name fd_name(int fd)
{
	struct fd_name name;

	(void)snprintf(name.s, sizeof(name.s), "%d", fd);
	return name;
}

void copy_out(const struct iovec room[2], size_t at, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (int i = 0; i < 2 && n > 0; i++) {
		size_t len = room[i].iov_len, part;

		if (at >= len) {
			at -= len;
			continue;
		}
		part = len - at < n ? len - at : n;
		memcpy((uint8_t *)room[i].iov_base + at, p, part);
		p += part;
		n -= part;
		at = 0;
	}
}

int reply_data(struct call *c, const void *data, size_t n)
{
	struct iovec room[2];

	p9_end(&c->reply, n);
	if (c->io->get(c->io->ctx, c->reply.len + n, room) < 0)
		return REPLIED;
	copy_out(room, 0, c->buf, c->reply.len);
	copy_out(room, c->reply.len, data, n);
	c->io->put(c->io->ctx, c->reply.len + n);
	return REPLIED;
}

static int op_flush(struct call *c)
{
	(void)c; /* the transport has seen to it that the request has been answered */
	return 0;
}

static int op_unsupported(struct call *c)
{
	(void)c;
	return -EOPNOTSUPP;
}

static int (*const ops[256])(struct call *c) = {
	[P9_TSTATFS] = op_statfs, [P9_TLOPEN] = op_lopen, [P9_TLCREATE] = op_lcreate,
	[P9_TSYMLINK] = op_symlink, [P9_TMKNOD] = op_mknod, [P9_TREADLINK] = op_readlink,
	[P9_TGETATTR] = op_getattr, [P9_TSETATTR] = op_setattr, [P9_TXATTRWALK] = op_xattrwalk,
	[P9_TXATTRCREATE] = op_xattrcreate, [P9_TREADDIR] = op_readdir, [P9_TFSYNC] = op_fsync,
	[P9_TLOCK] = op_lock, [P9_TGETLOCK] = op_getlock, [P9_TLINK] = op_link, [P9_TMKDIR] = op_mkdir,
	[P9_TRENAMEAT] = op_renameat, [P9_TUNLINKAT] = op_unlinkat, [P9_TVERSION] = op_version,
	[P9_TATTACH] = op_attach, [P9_TFLUSH] = op_flush, [P9_TWALK] = op_walk, [P9_TREAD] = op_read,
	[P9_TWRITE] = op_write, [P9_TCLUNK] = op_clunk, [P9_TREMOVE] = op_remove,
};

void server_serve(struct p9_server *s, uint8_t *msg, size_t len, const struct iovec data[2],
	const struct p9_io *io)
{
	struct call c;
	size_t data_len = data[0].iov_len + data[1].iov_len;
	int ret = -EINVAL;

	c.s = s;
	c.data = data;
	c.io = io;
	if (p9_parse(msg, len, data_len, &c.req)) {
		p9_begin(&c.reply, c.buf, sizeof(c.buf), c.req.type + 1, c.req.tag);
		if (!s->msize && c.req.type != P9_TVERSION)
			ret = -EPROTO;
		else
			ret = (ops[c.req.type] ? ops[c.req.type] : op_unsupported)(&c);
	}
	if (ret == REPLIED)
		return;
	if (ret == 0 && (c.reply.full || (s->msize && c.reply.len > s->msize)))
		ret = -EMSGSIZE;
	if (ret < 0) {
		p9_begin(&c.reply, c.buf, sizeof(c.buf), P9_RLERROR, c.req.tag);
		p9_put32(&c.reply, (uint32_t)-ret);
	}
	(void)reply_data(&c, NULL, 0);
}
