/* See proto.h. */
#include "stage1/p9/proto.h"

#include <string.h>

struct in {
	uint8_t *p, *end;
	bool bad;
};

static uint64_t get(struct in *in, size_t n)
{
	uint64_t v = 0;

	if ((size_t)(in->end - in->p) < n) {
		in->bad = true;
		in->p = in->end;
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		v |= (uint64_t)in->p[i] << (8 * i);
	in->p += n;
	return v;
}

static uint8_t get8(struct in *in)
{
	return (uint8_t)get(in, 1);
}

static uint16_t get16(struct in *in)
{
	return (uint16_t)get(in, 2);
}

static uint32_t get32(struct in *in)
{
	return (uint32_t)get(in, 4);
}

static uint64_t get64(struct in *in)
{
	return get(in, 8);
}

/* The string moves onto the second byte of its length, so that its NUL fits before what follows. */
static const char *get_str(struct in *in, size_t max)
{
	size_t len = get16(in);
	char *s = (char *)in->p - 1;

	if (in->bad || (size_t)(in->end - in->p) < len || len > max || memchr(in->p, 0, len)) {
		in->bad = true;
		in->p = in->end;
		return "";
	}
	memmove(s, in->p, len);
	s[len] = '\0';
	in->p += len;
	return s;
}

static void get_walk(struct in *in, struct p9_request *r)
{
	r->nnames = get16(in);
	if (r->nnames > P9_WALK_MAX) {
		in->bad = true;
		r->nnames = 0;
	}
	for (unsigned i = 0; i < r->nnames; i++)
		r->names[i] = get_str(in, P9_NAME_MAX);
}

static void get_attr(struct in *in, struct p9_request *r)
{
	r->valid = get32(in);
	r->mode = get32(in);
	r->uid = get32(in);
	r->gid = get32(in);
	r->size = get64(in);
	r->atime.sec = get64(in);
	r->atime.nsec = get64(in);
	r->mtime.sec = get64(in);
	r->mtime.nsec = get64(in);
}

static void get_lock(struct in *in, struct p9_request *r)
{
	r->lock_type = get8(in);
	if (r->type == P9_TLOCK)
		r->flags = get32(in);
	r->lock_start = get64(in);
	r->lock_length = get64(in);
	r->lock_pid = get32(in);
	r->name = get_str(in, P9_NAME_MAX);
}

static void get_create(struct in *in, struct p9_request *r)
{
	r->fid = get32(in);
	r->name = get_str(in, P9_NAME_MAX);
	switch (r->type) {
	case P9_TLCREATE:
		r->flags = get32(in);
		r->mode = get32(in);
		break;
	case P9_TSYMLINK:
		r->target = get_str(in, P9_TARGET_MAX);
		break;
	case P9_TMKNOD:
		r->mode = get32(in);
		r->major = get32(in);
		r->minor = get32(in);
		break;
	default: /* Tmkdir */
		r->mode = get32(in);
		break;
	}
	r->gid = get32(in);
}

/* Bodies that begin with the fid they are about, and Tversion, Tauth, Tflush. */
static void get_body(struct in *in, struct p9_request *r)
{
	switch (r->type) {
	case P9_TVERSION:
		r->msize = get32(in);
		r->name = get_str(in, P9_NAME_MAX);
		return;
	case P9_TFLUSH:
		r->oldtag = get16(in);
		return;
	case P9_TLCREATE:
	case P9_TSYMLINK:
	case P9_TMKNOD:
	case P9_TMKDIR:
		get_create(in, r);
		return;
	}
	r->fid = get32(in);
	switch (r->type) {
	case P9_TATTACH:
		r->afid = get32(in);
		r->target = get_str(in, P9_TARGET_MAX); /* the user's name: ignored */
		r->name = get_str(in, P9_TARGET_MAX);   /* what to attach to */
		r->uid = get32(in);
		return;
	case P9_TWALK:
		r->newfid = get32(in);
		get_walk(in, r);
		return;
	case P9_TLOPEN:
	case P9_TFSYNC:
		r->flags = get32(in);
		return;
	case P9_TREAD:
	case P9_TREADDIR:
	case P9_TWRITE:
		r->offset = get64(in);
		r->count = get32(in);
		return;
	case P9_TGETATTR:
		r->mask = get64(in);
		return;
	case P9_TSETATTR:
		get_attr(in, r);
		return;
	case P9_TXATTRWALK:
		r->newfid = get32(in);
		r->name = get_str(in, P9_XATTR_NAME_MAX);
		return;
	case P9_TXATTRCREATE:
		r->name = get_str(in, P9_XATTR_NAME_MAX);
		r->size = get64(in);
		r->flags = get32(in);
		return;
	case P9_TLOCK:
	case P9_TGETLOCK:
		get_lock(in, r);
		return;
	case P9_TLINK: /* of newfid, as name in fid */
		r->newfid = get32(in);
		r->name = get_str(in, P9_NAME_MAX);
		return;
	case P9_TRENAMEAT: /* fid/name becomes dirfid/target */
		r->name = get_str(in, P9_NAME_MAX);
		r->dirfid = get32(in);
		r->target = get_str(in, P9_NAME_MAX);
		return;
	case P9_TRENAME:
		r->dirfid = get32(in);
		r->name = get_str(in, P9_NAME_MAX);
		return;
	case P9_TUNLINKAT:
		r->name = get_str(in, P9_NAME_MAX);
		r->flags = get32(in);
		return;
	case P9_TSTATFS:
	case P9_TREADLINK:
	case P9_TCLUNK:
	case P9_TREMOVE:
		return;
	default: /* not known: the server says so, whatever the body is */
		in->p = in->end;
		return;
	}
}

uint32_t p9_size(const uint8_t head[4])
{
	return (uint32_t)head[0] | (uint32_t)head[1] << 8 | (uint32_t)head[2] << 16 |
		(uint32_t)head[3] << 24;
}

bool p9_parse(uint8_t *msg, size_t len, size_t data_len, struct p9_request *req)
{
	struct in in = { .p = msg, .end = msg + len };
	struct p9_request r = { .name = "", .target = "" };
	uint32_t size = get32(&in);

	r.type = get8(&in);
	r.tag = get16(&in);
	if (!in.bad)
		get_body(&in, &r);
	*req = r;
	if (in.bad || in.p != in.end || size != len + data_len)
		return false;
	return r.type == P9_TWRITE ? r.count == data_len : data_len == 0;
}

static uint8_t *room(struct p9_reply *r, size_t n)
{
	uint8_t *p = r->buf + r->len;

	if (r->full || r->cap - r->len < n) {
		r->full = true;
		return NULL;
	}
	r->len += n;
	return p;
}

static void put(struct p9_reply *r, uint64_t v, size_t n)
{
	uint8_t *p = room(r, n);

	for (size_t i = 0; p && i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void p9_begin(struct p9_reply *r, uint8_t *buf, size_t cap, uint8_t type, uint16_t tag)
{
	*r = (struct p9_reply){ .buf = buf, .cap = cap };
	p9_put32(r, 0);
	p9_put8(r, type);
	p9_put16(r, tag);
}

void p9_put8(struct p9_reply *r, uint8_t v)
{
	put(r, v, 1);
}

void p9_put16(struct p9_reply *r, uint16_t v)
{
	put(r, v, 2);
}

void p9_put32(struct p9_reply *r, uint32_t v)
{
	put(r, v, 4);
}

void p9_put64(struct p9_reply *r, uint64_t v)
{
	put(r, v, 8);
}

void p9_put_str(struct p9_reply *r, const char *s, size_t len)
{
	uint8_t *p;

	if (len > UINT16_MAX) {
		r->full = true;
		return;
	}
	p9_put16(r, (uint16_t)len);
	p = room(r, len);
	if (p)
		memcpy(p, s, len);
}

void p9_put_qid(struct p9_reply *r, const struct p9_qid *qid)
{
	p9_put8(r, qid->type);
	p9_put32(r, qid->version);
	p9_put64(r, qid->path);
}

void p9_end(struct p9_reply *r, size_t more)
{
	size_t size = r->len + more;

	for (size_t i = 0; i < 4; i++)
		r->buf[i] = (uint8_t)(size >> (8 * i));
}
