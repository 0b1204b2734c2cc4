/* Opening, reading, writing. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage1/p9/internal.h"

enum {
	/* What a guest may ask of open(2); the values on the wire are those of Linux on x86. */
	FLAGS_OPEN = O_ACCMODE | O_TRUNC | O_APPEND | O_DSYNC | O_SYNC | O_DIRECTORY | O_NOATIME,
	DIR_BYTES = 32768, /* of one Rreaddir, and of one getdents */
	DIR_ENTRY = 24,    /* qid, offset, type, length of the name */
};

static int put_opened(struct call *c, const struct statx *st)
{
	struct p9_qid qid = make_qid(c->s, st);

	p9_put_qid(&c->reply, &qid);
	p9_put32(&c->reply, 0); /* as much at once as fits a message */
	return 0;
}

static void note_kind(struct fid *fid, int fd, uint32_t flags)
{
	struct statfs sf;

	fid->sync_writes = (flags & (O_DSYNC | O_SYNC)) != 0;
	fid->may_wait = fstatfs(fd, &sf) < 0 || (sf.f_type != TMPFS_MAGIC && sf.f_type != RAMFS_MAGIC);
}

/* What a descriptor of type O_PATH names, opened for use: files and directories only. */
static int open_again(int path_fd, mode_t type, uint32_t flags)
{
	int fd;

	if (type != S_IFREG && type != S_IFDIR)
		return -ENXIO;
	fd = open(fd_name(path_fd).s, (int)(flags & FLAGS_OPEN) | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

int op_lopen(struct call *c)
{
	struct p9_server *s = c->s;
	struct statx st;
	struct used u;
	int fd, ret;

	if (!fid_may_open(&s->fids))
		return -ENFILE;
	ret = use_fid(s, c->req.fid, &u);
	if (ret < 0)
		return ret;
	fd = u.pinned ? open_again(u.fd, u.node->type, c->req.flags) : -EBUSY;
	ret = fd < 0 ? fd : stat_fd(fd, &st);
	if (ret == 0) {
		note_kind(u.fid, fd, c->req.flags);
		ret = fid_opened(&s->fids, u.fid, fd, NULL);
		fd = -1;
	}
	if (fd >= 0)
		(void)close(fd);
	use_end(s, &u);
	return ret < 0 ? ret : put_opened(c, &st);
}

/* The file is there: opened as it is, when it is one. */
static int open_existing(struct call *c, struct node *dir, struct statx *st, struct node **node_r)
{
	struct p9_server *s = c->s;
	struct node *node;
	int fd, ret = tree_walk(&s->tree, dir, c->req.name, &node, st);

	if (ret < 0)
		return ret;
	fd = node_fd(&s->tree, node);
	if (fd < 0) {
		node_put(&s->tree, node);
		return fd;
	}
	ret = S_ISDIR(st->stx_mode) ? -EISDIR : open_again(fd, node->type, c->req.flags);
	node_done(&s->tree, node);
	if (ret < 0)
		node_put(&s->tree, node);
	else
		*node_r = node;
	return ret;
}

/* Made by us if it is not there: only then are owner and mode ours to set. */
static int open_create(struct call *c, const struct used *dir, struct statx *st, struct node **node_r)
{
	const struct p9_request *req = &c->req;
	mode_t mode = req->mode & 07777;
	int fd, ret;

	fd = open_below(dir->fd, req->name, (req->flags & FLAGS_OPEN) | O_CREAT | O_EXCL | O_NOCTTY, mode);
	if (fd == -EEXIST && !(req->flags & O_EXCL))
		return open_existing(c, dir->node, st, node_r);
	if (fd < 0)
		return fd;
	ret = own_new(fd, dir->fid->uid, req->gid, mode, st);
	if (ret == 0) {
		*node_r = tree_add(&c->s->tree, dir->node, req->name, st, -1);
		if (*node_r)
			return fd;
		ret = -ENOMEM;
	}
	(void)close(fd);
	(void)unlinkat(dir->fd, req->name, 0);
	return ret;
}

int op_lcreate(struct call *c)
{
	struct p9_server *s = c->s;
	struct node *node = NULL;
	struct statx st;
	struct used u;
	int fd, ret;

	if (!name_ok(c->req.name))
		return -EINVAL;
	if (!fid_may_open(&s->fids))
		return -ENFILE;
	ret = use_dir(s, c->req.fid, &u);
	if (ret < 0)
		return ret;
	fd = u.pinned ? open_create(c, &u, &st, &node) : -EBUSY;
	if (fd >= 0) {
		note_kind(u.fid, fd, c->req.flags);
		ret = fid_opened(&s->fids, u.fid, fd, node);
	} else {
		ret = fd;
	}
	use_end(s, &u);
	return ret < 0 ? ret : put_opened(c, &st);
}

/* The pieces without their first n bytes. */
static void skip(struct iovec v[2], size_t n)
{
	size_t part = n < v[0].iov_len ? n : v[0].iov_len;

	v[0].iov_base = (uint8_t *)v[0].iov_base + part;
	v[0].iov_len -= part;
	if (n == part)
		return;
	v[1].iov_base = (uint8_t *)v[1].iov_base + (n - part);
	v[1].iov_len -= n - part;
}

/* Straight into the transport's memory. -EAGAIN and -EOPNOTSUPP: nothing was sent. */
static int read_direct(struct call *c, int fd, uint32_t count, int flags)
{
	struct iovec room[2], v[2];
	ssize_t n;

	if (c->io->get(c->io->ctx, P9_READ_HEAD + count, room) < 0)
		return REPLIED;
	memcpy(v, room, sizeof(v));
	skip(v, P9_READ_HEAD);
	n = preadv2(fd, v, 2, (off_t)c->req.offset, flags);
	if (n < 0) {
		int err = errno;

		c->io->put(c->io->ctx, 0);
		return -err;
	}
	p9_put32(&c->reply, (uint32_t)n);
	p9_end(&c->reply, (size_t)n);
	copy_out(room, 0, c->buf, P9_READ_HEAD);
	c->io->put(c->io->ctx, P9_READ_HEAD + (size_t)n);
	return REPLIED;
}

/* By way of memory of our own: a disk is waited for, and others' replies must not wait with us. */
static int read_slow(struct call *c, int fd, uint32_t count)
{
	char *buf = malloc(count ? count : 1);
	ssize_t n;
	int ret;

	if (!buf)
		return -ENOMEM;
	c->io->slow(c->io->ctx);
	n = pread(fd, buf, count, (off_t)c->req.offset);
	if (n < 0) {
		ret = -errno;
	} else {
		p9_put32(&c->reply, (uint32_t)n);
		ret = reply_data(c, buf, (size_t)n);
	}
	free(buf);
	return ret;
}

static uint32_t bounded_count(const struct call *c)
{
	uint32_t max = __atomic_load_n(&c->s->msize, __ATOMIC_ACQUIRE) - P9_READ_HEAD;

	return c->req.count < max ? c->req.count : max;
}

static int read_file(struct call *c, struct fid *fid)
{
	int fd = __atomic_load_n(&fid->fd, __ATOMIC_ACQUIRE), ret;
	uint32_t count = bounded_count(c);

	if (fd < 0)
		return -EBADF;
	if (c->req.offset > INT64_MAX) /* to preadv2(2), -1 means where the descriptor is */
		return -EINVAL;
	if (!fid->may_wait)
		return read_direct(c, fd, count, 0);
	if (!fid->no_nowait) {
		ret = read_direct(c, fd, count, RWF_NOWAIT);
		if (ret == -EAGAIN)
			return read_slow(c, fd, count);
		if (ret != -EOPNOTSUPP)
			return ret;
		fid->no_nowait = true;
	}
	c->io->slow(c->io->ctx);
	return read_direct(c, fd, count, 0);
}

int op_read(struct call *c)
{
	struct fid *fid = fid_get(&c->s->fids, c->req.fid);
	int ret;

	if (!fid)
		return -EBADF;
	ret = fid->kind == FID_XATTR_GET ? xattr_read(c, fid) :
		fid->kind == FID_FILE ? read_file(c, fid) : -EBADF;
	fid_put(&c->s->fids, fid);
	return ret;
}

/* Each write waits for the disk: from a copy, so that the ring goes on meanwhile. */
static ssize_t write_slow(struct call *c, int fd, size_t count)
{
	char *buf = malloc(count ? count : 1);
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	if (c->data[0].iov_len)
		memcpy(buf, c->data[0].iov_base, c->data[0].iov_len);
	if (c->data[1].iov_len)
		memcpy(buf + c->data[0].iov_len, c->data[1].iov_base, c->data[1].iov_len);
	c->io->slow(c->io->ctx);
	n = pwrite(fd, buf, count, (off_t)c->req.offset);
	n = n < 0 ? -errno : n;
	free(buf);
	return n;
}

static int write_file(struct call *c, struct fid *fid)
{
	int fd = __atomic_load_n(&fid->fd, __ATOMIC_ACQUIRE);
	ssize_t n;

	if (fd < 0)
		return -EBADF;
	if (fid->sync_writes && fid->may_wait) {
		n = write_slow(c, fd, c->req.count);
	} else {
		n = pwritev(fd, c->data, 2, (off_t)c->req.offset);
		n = n < 0 ? -errno : n;
	}
	if (n < 0)
		return (int)n;
	p9_put32(&c->reply, (uint32_t)n);
	return 0;
}

int op_write(struct call *c)
{
	struct fid *fid = fid_get(&c->s->fids, c->req.fid);
	int ret;

	if (!fid)
		return -EBADF;
	ret = fid->kind == FID_XATTR_SET ? xattr_write(c, fid) :
		fid->kind == FID_FILE ? write_file(c, fid) : -EBADF;
	fid_put(&c->s->fids, fid);
	return ret;
}

int op_fsync(struct call *c)
{
	struct fid *fid = fid_get(&c->s->fids, c->req.fid);
	int fd, ret = -EBADF;

	if (!fid)
		return -EBADF;
	fd = __atomic_load_n(&fid->fd, __ATOMIC_ACQUIRE);
	if (fd >= 0) {
		if (fid->may_wait)
			c->io->slow(c->io->ctx);
		ret = (c->req.flags ? fdatasync(fd) : fsync(fd)) < 0 ? -errno : 0;
	}
	fid_put(&c->s->fids, fid);
	return ret;
}

/* One entry; false when there is no room for it. */
static bool put_entry(struct call *c, const struct used *dir, const struct dirent64 *d,
	struct p9_reply *out)
{
	size_t len = strlen(d->d_name);
	struct p9_qid qid = { .version = 1 };
	/* the parent of the root is none of the guest's business */
	uint64_t ino = !dir->node->parent && !strcmp(d->d_name, "..") ? dir->node->ino : d->d_ino;

	if (out->cap - out->len < DIR_ENTRY + len)
		return false;
	qid.type = d->d_type == DT_DIR ? P9_QTDIR : d->d_type == DT_LNK ? P9_QTSYMLINK : P9_QTFILE;
	qid.path = make_path(c->s, dir->node->dev, ino);
	p9_put_qid(out, &qid);
	p9_put64(out, (uint64_t)d->d_off);
	p9_put8(out, d->d_type);
	p9_put_str(out, d->d_name, len);
	return true;
}

/* Entries from where the descriptor is, as many as fit. -errno. */
static int fill(struct call *c, const struct used *u, struct p9_reply *out, char *buf, size_t size)
{
	struct fid *fid = u->fid;
	long n = syscall(SYS_getdents64, u->fd, buf, size);

	if (n < 0)
		return -errno;
	for (long at = 0; at < n;) {
		const struct dirent64 *d = (const struct dirent64 *)(buf + at);

		if (!put_entry(c, u, d, out)) {
			fid->dir_at = UINT64_MAX; /* the descriptor is ahead of what we gave */
			return out->len > 0 ? 0 : -EINVAL;
		}
		fid->dir_at = (uint64_t)d->d_off;
		at += d->d_reclen;
	}
	return 0;
}

static int read_dir(struct call *c, const struct used *u)
{
	uint32_t count = bounded_count(c);
	size_t out_size = count < DIR_BYTES ? count : DIR_BYTES, size;
	struct p9_reply out = { .cap = out_size };
	char *buf;
	int ret = 0;

	/* An entry is at most 28/24 of what getdents says of it: so all that come fit, mostly. */
	size = out_size / 7 * 6;
	size = size < 280 ? 280 : size;
	buf = malloc(out_size + size + 8);
	if (!buf)
		return -ENOMEM;
	out.buf = (uint8_t *)buf + (size + 7) / 8 * 8;
	if (c->req.offset != u->fid->dir_at) {
		if (lseek(u->fd, (off_t)c->req.offset, SEEK_SET) < 0)
			ret = -errno;
		else
			u->fid->dir_at = c->req.offset;
	}
	if (ret == 0)
		ret = fill(c, u, &out, buf, size);
	if (ret == 0) {
		p9_put32(&c->reply, (uint32_t)out.len);
		ret = reply_data(c, out.buf, out.len);
	}
	free(buf);
	return ret;
}

int op_readdir(struct call *c)
{
	struct used u;
	int ret = use_dir(c->s, c->req.fid, &u);

	if (ret < 0)
		return ret;
	if (u.pinned) { /* not open */
		use_end(c->s, &u);
		return -EBADF;
	}
	(void)pthread_mutex_lock(fid_stripe(c->s, u.fid));
	ret = c->req.offset > INT64_MAX ? -EINVAL : read_dir(c, &u);
	(void)pthread_mutex_unlock(fid_stripe(c->s, u.fid));
	use_end(c->s, &u);
	return ret;
}
