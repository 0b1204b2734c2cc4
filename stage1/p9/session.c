/* The session with the guest: version, attach, walk, clunk; and what has no better place. */
#include <errno.h>
#include <string.h>
#include <sys/vfs.h>

#include "stage1/p9/internal.h"

int op_version(struct call *c)
{
	static const char version[] = "9P2000.L";
	struct p9_server *s = c->s;
	uint32_t msize = c->req.msize < s->limits.msize ? c->req.msize : s->limits.msize;
	bool known = msize >= P9_MSIZE_MIN && !strcmp(c->req.name, version);

	fids_clear(&s->fids);
	__atomic_store_n(&s->msize, known ? msize : 0, __ATOMIC_RELEASE);
	p9_put32(&c->reply, msize);
	p9_put_str(&c->reply, known ? version : "unknown", strlen(known ? version : "unknown"));
	return 0;
}

int op_attach(struct call *c)
{
	struct p9_server *s = c->s;
	struct p9_qid qid;
	struct statx st;
	struct fid *fid;
	int ret;

	if (*c->req.name && strcmp(c->req.name, "/") != 0)
		return -ENOENT;
	ret = stat_fd(s->tree.root->fd, &st);
	if (ret < 0)
		return ret;
	ret = fid_new(&s->fids, c->req.fid, node_ref(&s->tree, s->tree.root), c->req.uid, &fid);
	if (ret < 0)
		return ret;
	fid_put(&s->fids, fid);
	qid = make_qid(s, &st);
	p9_put_qid(&c->reply, &qid);
	return 0;
}

/* Takes *node one step on. */
static int step(struct p9_server *s, struct node **node, const char *name, struct statx *st)
{
	struct node *next;
	int fd, ret;

	if (!strcmp(name, "..")) {
		next = tree_parent(&s->tree, *node);
		fd = node_fd(&s->tree, next);
		ret = fd < 0 ? fd : stat_fd(fd, st);
		if (fd >= 0)
			node_done(&s->tree, next);
		if (ret < 0)
			node_put(&s->tree, next);
	} else {
		ret = name_ok(name) ? tree_walk(&s->tree, *node, name, &next, st) : -ENOENT;
	}
	if (ret < 0)
		return ret;
	node_put(&s->tree, *node);
	*node = next;
	return 0;
}

int op_walk(struct call *c)
{
	struct p9_server *s = c->s;
	const struct p9_request *req = &c->req;
	struct fid *fid = fid_get(&s->fids, req->fid), *new;
	struct p9_qid qids[P9_WALK_MAX];
	struct node *node;
	struct statx st;
	unsigned n = 0;
	int ret = 0;

	if (!fid)
		return -EBADF;
	if (fid->kind != FID_FILE) {
		fid_put(&s->fids, fid);
		return -EBADF;
	}
	node = fid_node(&s->fids, fid);
	for (; n < req->nnames; n++) {
		ret = step(s, &node, req->names[n], &st);
		if (ret < 0)
			break;
		qids[n] = make_qid(s, &st);
	}
	if (n < req->nnames) { /* not all the way: no fid; an error when not at all */
		node_put(&s->tree, node);
		ret = n == 0 ? ret : 0;
	} else if (req->newfid == req->fid) {
		ret = fid_move(&s->fids, fid, node);
	} else {
		ret = fid_new(&s->fids, req->newfid, node, fid->uid, &new);
		if (ret == 0)
			fid_put(&s->fids, new);
	}
	fid_put(&s->fids, fid);
	if (ret < 0)
		return ret;
	p9_put16(&c->reply, (uint16_t)n);
	for (unsigned i = 0; i < n; i++)
		p9_put_qid(&c->reply, &qids[i]);
	return 0;
}

int op_clunk(struct call *c)
{
	struct p9_server *s = c->s;
	struct fid *fid = fid_take(&s->fids, c->req.fid);
	int ret = 0;

	if (!fid)
		return -EBADF;
	if (fid->kind == FID_XATTR_SET)
		ret = xattr_clunk(s, fid);
	fid_put(&s->fids, fid);
	return ret;
}

/* Linux removes by Tunlinkat. The fid is gone all the same. */
int op_remove(struct call *c)
{
	struct fid *fid = fid_take(&c->s->fids, c->req.fid);

	if (!fid)
		return -EBADF;
	fid_put(&c->s->fids, fid);
	return -EOPNOTSUPP;
}

int op_statfs(struct call *c)
{
	struct statfs sf;
	struct used u;
	int ret = use_fid(c->s, c->req.fid, &u);

	if (ret < 0)
		return ret;
	ret = fstatfs(u.fd, &sf) < 0 ? -errno : 0;
	use_end(c->s, &u);
	if (ret < 0)
		return ret;
	p9_put32(&c->reply, (uint32_t)sf.f_type);
	p9_put32(&c->reply, (uint32_t)sf.f_bsize);
	p9_put64(&c->reply, sf.f_blocks);
	p9_put64(&c->reply, sf.f_bfree);
	p9_put64(&c->reply, sf.f_bavail);
	p9_put64(&c->reply, sf.f_files);
	p9_put64(&c->reply, sf.f_ffree);
	p9_put64(&c->reply, (uint32_t)sf.f_fsid.__val[0] | (uint64_t)(uint32_t)sf.f_fsid.__val[1] << 32);
	p9_put32(&c->reply, (uint32_t)sf.f_namelen);
	return 0;
}

/* The guest's kernel keeps the locks of its processes, and asks us only when there is no conflict. */
int op_lock(struct call *c)
{
	struct fid *fid = fid_get(&c->s->fids, c->req.fid);

	if (!fid)
		return -EBADF;
	fid_put(&c->s->fids, fid);
	p9_put8(&c->reply, 0 /* P9_LOCK_SUCCESS */);
	return 0;
}

int op_getlock(struct call *c)
{
	struct fid *fid = fid_get(&c->s->fids, c->req.fid);

	if (!fid)
		return -EBADF;
	fid_put(&c->s->fids, fid);
	p9_put8(&c->reply, 2 /* P9_LOCK_TYPE_UNLCK */);
	p9_put64(&c->reply, c->req.lock_start);
	p9_put64(&c->reply, c->req.lock_length);
	p9_put32(&c->reply, c->req.lock_pid);
	p9_put_str(&c->reply, c->req.name, strlen(c->req.name));
	return 0;
}
