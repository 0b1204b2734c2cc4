/*
 * Extended attributes: a fid becomes the value. Only those names pass that mean nothing to dom0, or
 * the same as in the guest.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "stage1/p9/internal.h"

static bool is_acl(const char *name)
{
	return !strcmp(name, "system.posix_acl_access") || !strcmp(name, "system.posix_acl_default");
}

static bool passes(const char *name)
{
	return (!strncmp(name, "user.", 5) && name[5]) || is_acl(name) ||
		!strcmp(name, "security.capability");
}

/* Takes from a list of names those that do not pass; its new length. */
static size_t filter(char *list, size_t len)
{
	size_t kept = 0, n;

	for (size_t at = 0; at < len; at += n) {
		n = strnlen(list + at, len - at) + 1;
		if (n > len - at || !passes(list + at))
			continue;
		memmove(list + kept, list + at, n);
		kept += n;
	}
	return kept;
}

static ssize_t read_value(const char *name, const struct used *u, char *value)
{
	struct fd_name file = fd_name(u->fd);
	ssize_t n;

	if (*name && !passes(name))
		return -EOPNOTSUPP;
	n = *name ? getxattr(file.s, name, value, P9_XATTR_MAX) : listxattr(file.s, value, P9_XATTR_MAX);
	if (n < 0)
		return -errno;
	return *name ? n : (ssize_t)filter(value, (size_t)n);
}

int op_xattrwalk(struct call *c)
{
	struct p9_server *s = c->s;
	struct fid *fid;
	struct used u;
	char *value;
	ssize_t n;
	int ret = use_fid(s, c->req.fid, &u);

	if (ret < 0)
		return ret;
	value = malloc(P9_XATTR_MAX);
	n = value ? read_value(c->req.name, &u, value) : -ENOMEM;
	ret = n < 0 ? (int)n : fid_new(&s->fids, c->req.newfid, node_ref(&s->tree, u.node), u.fid->uid, &fid);
	if (ret == 0) {
		ret = fid_xattr(&s->fids, fid, FID_XATTR_GET, (size_t)n, value);
		if (ret < 0)
			fid_put(&s->fids, fid_take(&s->fids, c->req.newfid));
		fid_put(&s->fids, fid);
	}
	free(value);
	use_end(s, &u);
	p9_put64(&c->reply, (uint64_t)n);
	return ret;
}

int op_xattrcreate(struct call *c)
{
	struct p9_server *s = c->s;
	struct fid *fid;
	char *name;
	int ret;

	if (!passes(c->req.name))
		return -EOPNOTSUPP;
	if (c->req.size > P9_XATTR_MAX)
		return -E2BIG;
	if (c->req.flags & ~(uint32_t)(XATTR_CREATE | XATTR_REPLACE))
		return -EINVAL;
	fid = fid_get(&s->fids, c->req.fid);
	if (!fid)
		return -EBADF;
	name = strdup(c->req.name);
	ret = name ? fid_xattr(&s->fids, fid, FID_XATTR_SET, (size_t)c->req.size, NULL) : -ENOMEM;
	if (ret == 0) {
		(void)pthread_mutex_lock(fid_stripe(s, fid));
		fid->xattr_name = name;
		fid->xattr_flags = (int)c->req.flags;
		(void)pthread_mutex_unlock(fid_stripe(s, fid));
		name = NULL;
	}
	free(name);
	fid_put(&s->fids, fid);
	return ret;
}

int xattr_read(struct call *c, struct fid *fid)
{
	uint64_t at = c->req.offset;
	size_t left = at < fid->xattr_size ? fid->xattr_size - (size_t)at : 0;
	uint32_t max = __atomic_load_n(&c->s->msize, __ATOMIC_ACQUIRE) - P9_READ_HEAD;

	left = left < c->req.count ? left : c->req.count;
	left = left < max ? left : max;
	p9_put32(&c->reply, (uint32_t)left);
	return reply_data(c, fid->xattr + (left ? at : 0), left);
}

int xattr_write(struct call *c, struct fid *fid)
{
	size_t n = c->req.count;
	uint64_t at = c->req.offset;

	if (at > fid->xattr_size || n > fid->xattr_size - at)
		return -ENOSPC;
	(void)pthread_mutex_lock(fid_stripe(c->s, fid));
	for (int i = 0; i < 2; i++) {
		if (c->data[i].iov_len)
			memcpy(fid->xattr + at, c->data[i].iov_base, c->data[i].iov_len);
		at += c->data[i].iov_len;
	}
	if (fid->xattr_have < at)
		fid->xattr_have = (size_t)at;
	(void)pthread_mutex_unlock(fid_stripe(c->s, fid));
	p9_put32(&c->reply, (uint32_t)n);
	return 0;
}

/*
 * The wire does not tell "remove" from "set to nothing". Linux asks for a removal with XATTR_REPLACE,
 * and an ACL of no bytes means none.
 */
static int set_value(const char *file, const struct fid *fid)
{
	if (fid->xattr_size == 0 && ((fid->xattr_flags & XATTR_REPLACE) || is_acl(fid->xattr_name)))
		return removexattr(file, fid->xattr_name);
	return setxattr(file, fid->xattr_name, fid->xattr, fid->xattr_size, fid->xattr_flags);
}

int xattr_clunk(struct p9_server *s, struct fid *fid)
{
	int fd, ret;

	if (!fid->xattr_name || fid->xattr_have != fid->xattr_size)
		return -EINVAL;
	fd = node_fd(&s->tree, fid->node);
	if (fd < 0)
		return fd;
	(void)pthread_mutex_lock(fid_stripe(s, fid));
	ret = set_value(fd_name(fd).s, fid) < 0 ? -errno : 0;
	(void)pthread_mutex_unlock(fid_stripe(s, fid));
	node_done(&s->tree, fid->node);
	return ret;
}
