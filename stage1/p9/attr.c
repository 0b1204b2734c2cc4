/* What a file is, and changing it: on the open file where there is one, so names do not matter. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage1/p9/internal.h"

static void put_time(struct p9_reply *r, const struct statx_timestamp *t)
{
	p9_put64(r, (uint64_t)t->tv_sec);
	p9_put64(r, t->tv_nsec);
}

int op_getattr(struct call *c)
{
	static const struct statx_timestamp no_time;
	struct p9_reply *r = &c->reply;
	struct p9_qid qid;
	struct statx st;
	struct used u;
	int ret = use_fid(c->s, c->req.fid, &u);

	if (ret < 0)
		return ret;
	ret = stat_fd(u.fd, &st);
	use_end(c->s, &u);
	if (ret < 0)
		return ret;
	qid = make_qid(c->s, &st);
	p9_put64(r, P9_GET_BASIC);
	p9_put_qid(r, &qid);
	p9_put32(r, st.stx_mode);
	p9_put32(r, st.stx_uid);
	p9_put32(r, st.stx_gid);
	p9_put64(r, st.stx_nlink);
	/* Linux' new_encode_dev() */
	p9_put64(r, (st.stx_rdev_minor & 0xff) | st.stx_rdev_major << 8 |
		(uint64_t)(st.stx_rdev_minor & 0xfff00) << 12);
	p9_put64(r, st.stx_size);
	p9_put64(r, st.stx_blksize);
	p9_put64(r, st.stx_blocks);
	put_time(r, &st.stx_atime);
	put_time(r, &st.stx_mtime);
	put_time(r, &st.stx_ctime);
	put_time(r, &no_time); /* of birth */
	p9_put64(r, 0);        /* generation */
	p9_put64(r, 0);        /* version of the data */
	return 0;
}

static void time_of(struct timespec *ts, uint32_t valid, uint32_t set, uint32_t set_to,
	const struct p9_time *to)
{
	if (!(valid & set))
		*ts = (struct timespec){ .tv_nsec = UTIME_OMIT };
	else if (!(valid & set_to))
		*ts = (struct timespec){ .tv_nsec = UTIME_NOW };
	else
		*ts = (struct timespec){ .tv_sec = (time_t)to->sec,
			.tv_nsec = to->nsec < 1000000000 ? (long)to->nsec : 0 };
}

static int set_size(const struct used *u, uint64_t size)
{
	if (u->node->type != S_IFREG)
		return u->node->type == S_IFDIR ? -EISDIR : -EINVAL;
	if (size > INT64_MAX)
		return -EFBIG;
	if (!u->pinned && ftruncate(u->fd, (off_t)size) == 0)
		return 0;
	/* not open, or not for writing, and the guest's kernel has decided that it may */
	return truncate(fd_name(u->fd).s, (off_t)size) < 0 ? -errno : 0;
}

/* Owner before mode, which chown(2) changes; times last, which all the others change. */
static int set_all(const struct p9_request *req, const struct used *u)
{
	uint32_t valid = req->valid;
	uid_t uid = valid & P9_SET_UID ? req->uid : (uid_t)-1;
	gid_t gid = valid & P9_SET_GID ? req->gid : (gid_t)-1;
	struct timespec ts[2];
	int ret;

	if ((valid & (P9_SET_UID | P9_SET_GID)) || valid == P9_SET_CTIME) {
		if (fchownat(u->fd, "", uid, gid, AT_EMPTY_PATH) < 0)
			return -errno;
	}
	if (valid & P9_SET_MODE) {
		if (u->node->type == S_IFLNK)
			return -EOPNOTSUPP;
		if (chmod(fd_name(u->fd).s, req->mode & 07777) < 0)
			return -errno;
	}
	if (valid & P9_SET_SIZE) {
		ret = set_size(u, req->size);
		if (ret < 0)
			return ret;
	}
	if (valid & (P9_SET_ATIME | P9_SET_MTIME)) {
		time_of(&ts[0], valid, P9_SET_ATIME, P9_SET_ATIME_TO, &req->atime);
		time_of(&ts[1], valid, P9_SET_MTIME, P9_SET_MTIME_TO, &req->mtime);
		if (utimensat(u->fd, "", ts, AT_EMPTY_PATH) < 0)
			return -errno;
	}
	return 0;
}

int op_setattr(struct call *c)
{
	struct used u;
	int ret = use_fid(c->s, c->req.fid, &u);

	if (ret < 0)
		return ret;
	ret = set_all(&c->req, &u);
	use_end(c->s, &u);
	return ret;
}
