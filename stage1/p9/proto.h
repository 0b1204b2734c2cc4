/*
 * 9P2000.L as bytes: requests read, replies written, every length checked before it is used. Pure.
 *
 * Numbers and layouts are those of linux include/net/9p/9p.h and net/9p/protocol.c. All integers on
 * the wire are little-endian; a message is size[4] type[1] tag[2] and a body.
 */
#ifndef STAGE1_P9_PROTO_H
#define STAGE1_P9_PROTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum p9_type {
	P9_RLERROR = 7,
	P9_TSTATFS = 8,
	P9_TLOPEN = 12,
	P9_TLCREATE = 14,
	P9_TSYMLINK = 16,
	P9_TMKNOD = 18,
	P9_TRENAME = 20,
	P9_TREADLINK = 22,
	P9_TGETATTR = 24,
	P9_TSETATTR = 26,
	P9_TXATTRWALK = 30,
	P9_TXATTRCREATE = 32,
	P9_TREADDIR = 40,
	P9_TFSYNC = 50,
	P9_TLOCK = 52,
	P9_TGETLOCK = 54,
	P9_TLINK = 70,
	P9_TMKDIR = 72,
	P9_TRENAMEAT = 74,
	P9_TUNLINKAT = 76,
	P9_TVERSION = 100,
	P9_TAUTH = 102,
	P9_TATTACH = 104,
	P9_TFLUSH = 108,
	P9_TWALK = 110,
	P9_TREAD = 116,
	P9_TWRITE = 118,
	P9_TCLUNK = 120,
	P9_TREMOVE = 122,
};

enum {
	P9_HEAD = 7,              /* size, type, tag */
	P9_READ_HEAD = 11,        /* of Rread and Rreaddir, before the data */
	P9_WRITE_HEAD = 23,       /* of Twrite, before the data */
	P9_REQUEST_MAX = 16384,   /* of any request, a Twrite's data not counted */
	P9_MSIZE_MIN = 4096,
	P9_MSIZE_MAX = 524288,    /* Linux' limit over Xen (net/9p/trans_xen.c) */
	P9_WALK_MAX = 16,
	P9_NAME_MAX = 255,
	P9_TARGET_MAX = 4095,     /* a symlink's */
	P9_XATTR_NAME_MAX = 255,
	P9_XATTR_MAX = 65536,     /* a value, or a list of names (linux/limits.h) */
	P9_NOTAG = 0xffff,
	P9_NONUNAME = 0xffffffffu,
};

enum { P9_QTFILE = 0, P9_QTSYMLINK = 0x02, P9_QTDIR = 0x80 };

enum { /* what a Tsetattr sets */
	P9_SET_MODE = 0x001,
	P9_SET_UID = 0x002,
	P9_SET_GID = 0x004,
	P9_SET_SIZE = 0x008,
	P9_SET_ATIME = 0x010,
	P9_SET_MTIME = 0x020,
	P9_SET_CTIME = 0x040,
	P9_SET_ATIME_TO = 0x080,
	P9_SET_MTIME_TO = 0x100,
};

enum { P9_GET_BASIC = 0x7ff, P9_GET_BTIME = 0x800, P9_GET_GEN = 0x1000 };

struct p9_qid {
	uint8_t type;
	uint32_t version;
	uint64_t path;
};

struct p9_time {
	uint64_t sec, nsec;
};

/* A request. Which members hold something is the type's; the strings point into the message. */
struct p9_request {
	uint8_t type;
	uint16_t tag, oldtag;
	uint32_t fid, newfid, dirfid, afid;
	const char *name, *target; /* NUL-terminated, no NUL inside; lengths as above */
	const char *names[P9_WALK_MAX];
	unsigned nnames;
	uint32_t flags, mode, uid, gid, major, minor, count, msize, valid;
	uint64_t offset, size, mask;
	struct p9_time atime, mtime;
	uint8_t lock_type;
	uint64_t lock_start, lock_length;
	uint32_t lock_pid;
};

/* The size a message announces: its first four bytes. */
uint32_t p9_size(const uint8_t head[4]);

/*
 * Reads the request in msg[0..len); the message may be longer than that for a Twrite only, whose
 * data is elsewhere, `data_len` bytes of it. The bytes of msg are changed: strings get their NULs.
 * False when the message is not one of 9P2000.L; type and tag are set then too if len >= P9_HEAD.
 */
bool p9_parse(uint8_t *msg, size_t len, size_t data_len, struct p9_request *req);

/* A reply being made. Beyond `cap` nothing is written and `full` is set. */
struct p9_reply {
	uint8_t *buf;
	size_t len, cap;
	bool full;
};

void p9_begin(struct p9_reply *r, uint8_t *buf, size_t cap, uint8_t type, uint16_t tag);
void p9_put8(struct p9_reply *r, uint8_t v);
void p9_put16(struct p9_reply *r, uint16_t v);
void p9_put32(struct p9_reply *r, uint32_t v);
void p9_put64(struct p9_reply *r, uint64_t v);
void p9_put_str(struct p9_reply *r, const char *s, size_t len);
void p9_put_qid(struct p9_reply *r, const struct p9_qid *qid);
/* Writes the size: that of the reply and of `more` bytes that follow it elsewhere. */
void p9_end(struct p9_reply *r, size_t more);

#endif
