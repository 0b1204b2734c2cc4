/* Names: making, linking, renaming, removing. Each is one component below a fid's directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stage1/p9/internal.h"

int own_new(int fd, uint32_t uid, uint32_t gid, mode_t mode, struct statx *st)
{
	int ret = stat_fd(fd, st);

	if (ret < 0)
		return ret;
	if (uid == P9_NONUNAME)
		uid = st->stx_uid;
	if (gid == P9_NONUNAME)
		gid = st->stx_gid;
	if (st->stx_uid == uid && st->stx_gid == gid && !((st->stx_mode ^ mode) & 07000))
		return 0;
	if ((st->stx_uid != uid || st->stx_gid != gid) && fchownat(fd, "", uid, gid, AT_EMPTY_PATH) < 0)
		return -errno;
	/* chown(2) drops these bits, and mkdir(2) does not set them all */
	if (!S_ISLNK(st->stx_mode) && (mode & 07000) && chmod(fd_name(fd).s, mode & 07777) < 0)
		return -errno;
	return stat_fd(fd, st);
}

/* After making `name`: takes it up, gives it its owner. What cannot be given one is removed. */
static int finish_new(struct call *c, const struct used *dir, mode_t mode)
{
	const char *name = c->req.name;
	struct p9_qid qid;
	struct statx st;
	int fd = open_below(dir->fd, name, O_PATH, 0), ret;

	if (fd < 0)
		return fd;
	ret = own_new(fd, dir->fid->uid, c->req.gid, mode, &st);
	if (ret < 0) {
		(void)close(fd);
		(void)unlinkat(dir->fd, name, S_ISDIR(mode) ? AT_REMOVEDIR : 0);
		return ret;
	}
	(void)close(fd);
	qid = make_qid(c->s, &st);
	p9_put_qid(&c->reply, &qid);
	return 0;
}

/* The three ways to make a name that is not opened. */
static int make(struct call *c, int (*how)(const struct call *c, int dirfd), mode_t mode)
{
	struct used dir;
	int ret;

	if (!name_ok(c->req.name))
		return -EINVAL;
	ret = use_dir(c->s, c->req.fid, &dir);
	if (ret < 0)
		return ret;
	ret = how(c, dir.fd) < 0 ? -errno : finish_new(c, &dir, mode);
	use_end(c->s, &dir);
	return ret;
}

static int how_mkdir(const struct call *c, int dirfd)
{
	return mkdirat(dirfd, c->req.name, c->req.mode & 07777);
}

static int how_mknod(const struct call *c, int dirfd)
{
	return mknodat(dirfd, c->req.name, c->req.mode & (S_IFMT | 07777),
		makedev(c->req.major, c->req.minor));
}

static int how_symlink(const struct call *c, int dirfd)
{
	return symlinkat(c->req.target, dirfd, c->req.name);
}

int op_mkdir(struct call *c)
{
	return make(c, how_mkdir, S_IFDIR | (c->req.mode & 07777));
}

int op_mknod(struct call *c)
{
	mode_t type = c->req.mode & S_IFMT;

	if (type != S_IFREG && type != S_IFIFO && type != S_IFSOCK && type != S_IFCHR && type != S_IFBLK)
		return -EINVAL;
	return make(c, how_mknod, c->req.mode & (S_IFMT | 07777));
}

int op_symlink(struct call *c)
{
	return make(c, how_symlink, S_IFLNK | 0777);
}

int op_link(struct call *c)
{
	struct used dir, old;
	int ret;

	if (!name_ok(c->req.name))
		return -EINVAL;
	ret = use_dir(c->s, c->req.fid, &dir);
	if (ret < 0)
		return ret;
	ret = use_fid(c->s, c->req.newfid, &old);
	if (ret == 0) {
		ret = linkat(old.fd, "", dir.fd, c->req.name, AT_EMPTY_PATH) < 0 ? -errno : 0;
		use_end(c->s, &old);
	}
	use_end(c->s, &dir);
	return ret;
}

int op_readlink(struct call *c)
{
	char target[P9_TARGET_MAX + 1];
	struct used u;
	ssize_t n;
	int ret = use_fid(c->s, c->req.fid, &u);

	if (ret < 0)
		return ret;
	if (u.node->type != S_IFLNK) {
		use_end(c->s, &u);
		return -EINVAL;
	}
	n = readlinkat(u.fd, "", target, sizeof(target));
	ret = n < 0 ? -errno : 0;
	use_end(c->s, &u);
	if (ret < 0)
		return ret;
	p9_put_str(&c->reply, target, (size_t)n);
	return 0;
}

static int rename_locked(struct call *c, const struct used *from, const struct used *to)
{
	struct tree *t = &c->s->tree;
	const char *name = c->req.name, *newname = c->req.target;
	struct node *kept = tree_keep(t, to->node, newname);
	struct node *moved = tree_keep(t, from->node, name); /* nobody opens it by its old name meanwhile */
	int ret = renameat(from->fd, name, to->fd, newname) < 0 ? -errno : 0;

	if (ret == 0)
		tree_renamed(t, from->node, name, to->node, newname);
	tree_release(t, moved);
	tree_release(t, kept);
	return ret;
}

int op_renameat(struct call *c)
{
	struct p9_server *s = c->s;
	struct used from, to;
	int ret;

	if (!name_ok(c->req.name) || !name_ok(c->req.target))
		return -EINVAL;
	ret = use_dir(s, c->req.fid, &from);
	if (ret < 0)
		return ret;
	ret = use_dir(s, c->req.dirfid, &to);
	if (ret == 0) {
		(void)pthread_mutex_lock(&s->names);
		ret = rename_locked(c, &from, &to);
		(void)pthread_mutex_unlock(&s->names);
		use_end(s, &to);
	}
	use_end(s, &from);
	return ret;
}

int op_unlinkat(struct call *c)
{
	struct p9_server *s = c->s;
	struct node *kept;
	struct used dir;
	int ret;

	if (!name_ok(c->req.name) || (c->req.flags & ~(uint32_t)AT_REMOVEDIR))
		return -EINVAL;
	ret = use_dir(s, c->req.fid, &dir);
	if (ret < 0)
		return ret;
	(void)pthread_mutex_lock(&s->names);
	kept = tree_keep(&s->tree, dir.node, c->req.name);
	ret = unlinkat(dir.fd, c->req.name, (int)c->req.flags) < 0 ? -errno : 0;
	if (ret == 0)
		tree_unlinked(&s->tree, dir.node, c->req.name);
	tree_release(&s->tree, kept);
	(void)pthread_mutex_unlock(&s->names);
	use_end(s, &dir);
	return ret;
}
