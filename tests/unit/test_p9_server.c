/* The 9p server on a scratch directory, over memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/p9/confine.h"
#include "tests/p9/client.h"

static struct client c;
static char dir[] = "/var/tmp/test-p9-XXXXXX";
static int root = -1; /* of what is exported: dir/in */

enum { RDONLY = 0, RDWR = 2, CREATE_EXCL = 0300 };

static void make_file(const char *name, const char *text, mode_t mode)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)close(fd);
}

static void empty(int fd)
{
	DIR *d = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *entry;

	while ((entry = readdir(d))) {
		int sub;

		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		sub = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
		if (sub >= 0) {
			empty(sub);
			(void)close(sub);
			(void)unlinkat(fd, entry->d_name, AT_REMOVEDIR);
		} else {
			(void)unlinkat(fd, entry->d_name, 0);
		}
	}
	(void)closedir(d);
}

static int setup_with(const struct p9_limits *limits)
{
	int fd = openat(root, ".", O_PATH | O_DIRECTORY);

	c = (struct client){ .server = server_open(fd, limits) };
	return c.server ? client_start(&c, 0) : -1;
}

static int setup(void **state)
{
	const struct p9_limits limits = P9_LIMITS_DEFAULT;

	(void)state;
	return setup_with(&limits);
}

static int teardown(void **state)
{
	(void)state;
	server_close(c.server);
	empty(root);
	return 0;
}

static int again(const struct p9_limits *limits)
{
	server_close(c.server);
	return setup_with(limits);
}

static int walk(uint32_t from, uint32_t to, const char *name)
{
	return client_call(&c, P9_TWALK, "ddws", from, to, 1, name);
}

static int clone(uint32_t from, uint32_t to)
{
	return client_call(&c, P9_TWALK, "ddw", from, to, 0);
}

static int clunk(uint32_t fid)
{
	return client_call(&c, P9_TCLUNK, "d", fid);
}

static int open_fid(uint32_t fid, uint32_t flags)
{
	return client_call(&c, P9_TLOPEN, "dd", fid, flags);
}

/* fid becomes the new file. */
static int create(uint32_t fid, const char *name, uint32_t flags, uint32_t mode, uint32_t gid)
{
	return client_call(&c, P9_TLCREATE, "dsddd", fid, name, flags, mode, gid);
}

static int put_data(uint32_t fid, uint64_t at, const char *text)
{
	return client_call(&c, P9_TWRITE, "dqD", fid, at, strlen(text), text);
}

static const char *get_data(uint32_t fid, uint64_t at, uint32_t count)
{
	static char text[1000];
	size_t n;

	assert_int_equal(client_call(&c, P9_TREAD, "dqd", fid, at, count), 0);
	n = client_get(&c, 4);
	assert_true(n <= count && n < sizeof(text) && c.at + n == c.len);
	memcpy(text, c.reply + c.at, n);
	text[n] = '\0';
	return text;
}

struct attr {
	uint64_t ino, nlink, size, rdev;
	uint32_t mode, uid, gid;
	uint8_t qid;
};

static int attr(uint32_t fid, struct attr *a)
{
	int ret = client_call(&c, P9_TGETATTR, "dq", fid, (uint64_t)P9_GET_BASIC);

	if (ret < 0)
		return ret;
	assert_int_equal(client_get(&c, 8), P9_GET_BASIC);
	a->qid = (uint8_t)client_get(&c, 1);
	(void)client_get(&c, 4);
	a->ino = client_get(&c, 8);
	a->mode = (uint32_t)client_get(&c, 4);
	a->uid = (uint32_t)client_get(&c, 4);
	a->gid = (uint32_t)client_get(&c, 4);
	a->nlink = client_get(&c, 8);
	a->rdev = client_get(&c, 8);
	a->size = client_get(&c, 8);
	assert_int_equal(c.len, P9_HEAD + 153);
	return 0;
}

static void needs_a_version_first(void **state)
{
	static const struct {
		uint32_t msize;
		const char *version, *answer;
		uint32_t agreed;
	} rows[] = {
		{ 4096, "9P2000.L", "9P2000.L", 4096 },
		{ 1 << 30, "9P2000.L", "9P2000.L", P9_MSIZE_MAX },
		{ 4095, "9P2000.L", "unknown", 4095 },
		{ 0, "9P2000.L", "unknown", 0 },
		{ 8192, "9P2000.u", "unknown", 8192 },
		{ 8192, "", "unknown", 8192 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(client_call(&c, P9_TVERSION, "ds", rows[i].msize, rows[i].version), 0);
		assert_int_equal(client_get(&c, 4), rows[i].agreed);
		assert_int_equal(client_get(&c, 2), strlen(rows[i].answer));
		assert_memory_equal(c.reply + c.at, rows[i].answer, strlen(rows[i].answer));
	}
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", 0u, ~0u, "", "", 0u), -EPROTO);
	assert_int_equal(client_start(&c, 0), 0);
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", 0u, ~0u, "", "", 0u), -EEXIST);
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", 1u, ~0u, "", "other", 0u), -ENOENT);
	/* a version begins anew: no fid is left */
	assert_int_equal(client_call(&c, P9_TVERSION, "ds", 8192u, "9P2000.L"), 0);
	assert_int_equal(clunk(0), -EBADF);
}

static void walks(void **state)
{
	struct attr a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(mkdirat(root, "d", 0755), 0);
	make_file("d/f", "text", 0644);
	assert_int_equal(client_call(&c, P9_TWALK, "ddwss", 0u, 1u, 2, "d", "f"), 0);
	assert_int_equal(client_get(&c, 2), 2);
	assert_int_equal(client_get(&c, 1), P9_QTDIR);
	(void)client_get(&c, 12);
	assert_int_equal(client_get(&c, 1), P9_QTFILE);
	/* the second is missing: one qid, and no fid */
	assert_int_equal(client_call(&c, P9_TWALK, "ddwss", 0u, 2u, 2, "d", "none"), 0);
	assert_int_equal(client_get(&c, 2), 1);
	assert_int_equal(clunk(2), -EBADF);
	assert_int_equal(walk(0, 2, "none"), -ENOENT);
	assert_int_equal(walk(1, 2, "x"), -ENOTDIR);
	assert_int_equal(walk(9, 2, "d"), -EBADF);
	assert_int_equal(clone(0, 1), -EEXIST);
	/* in place */
	assert_int_equal(clone(0, 3), 0);
	assert_int_equal(walk(3, 3, "d"), 0);
	assert_int_equal(walk(3, 3, "f"), 0);
	assert_int_equal(attr(1, &a), 0);
	assert_int_equal(attr(3, &b), 0);
	assert_int_equal(a.ino, b.ino);
	assert_int_equal(a.size, 4);
}

static void stays_below_the_export(void **state)
{
	static const char *const bad[] = { "", ".", "/", "../secret", "d/..", "/etc", "d/f" };
	struct attr a = { 0 }, b = { 0 };

	(void)state;
	make_file("f", "", 0644);
	assert_int_equal(mkdirat(root, "d", 0755), 0);
	assert_int_equal(symlinkat("../secret", root, "rel"), 0);
	assert_int_equal(symlinkat("/etc", root, "abs"), 0);
	assert_int_equal(symlinkat("..", root, "up"), 0);
	/* above the root is the root */
	assert_int_equal(client_call(&c, P9_TWALK, "ddwsss", 0u, 1u, 3, "..", "..", ".."), 0);
	assert_int_equal(attr(0, &a), 0);
	assert_int_equal(attr(1, &b), 0);
	assert_int_equal(a.ino, b.ino);
	assert_int_equal(client_call(&c, P9_TWALK, "ddwss", 0u, 2u, 2, "d", ".."), 0);
	assert_int_equal(attr(2, &b), 0);
	assert_int_equal(a.ino, b.ino);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_int_equal(walk(0, 9, bad[i]), -ENOENT);
		assert_int_equal(client_call(&c, P9_TMKDIR, "dsdd", 0u, bad[i], 0755u, 0u), -EINVAL);
		assert_int_equal(client_call(&c, P9_TSYMLINK, "dssd", 0u, bad[i], "x", 0u), -EINVAL);
		assert_int_equal(client_call(&c, P9_TMKNOD, "dsdddd", 0u, bad[i], 0100644u, 0u, 0u, 0u), -EINVAL);
		assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 0u, "f", 0u, bad[i]), -EINVAL);
		assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 0u, bad[i], 0u, "g"), -EINVAL);
		assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", 0u, bad[i], 0u), -EINVAL);
		assert_int_equal(client_call(&c, P9_TLINK, "dds", 0u, 0u, bad[i]), -EINVAL);
		assert_int_equal(clone(0, 9), 0);
		assert_int_equal(create(9, bad[i], RDWR, 0644, 0), -EINVAL);
		assert_int_equal(clunk(9), 0);
	}
	/* links lead nowhere: they are themselves */
	for (const char *const *l = (const char *const[]){ "rel", "abs", "up", NULL }; *l; l++) {
		assert_int_equal(walk(0, 9, *l), 0);
		assert_int_equal(walk(9, 10, "passwd"), -ENOTDIR);
		assert_int_equal(open_fid(9, RDONLY), -ENXIO);
		assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", 9u, (uint64_t)0, 4096u), -ENOTDIR);
		assert_int_equal(clunk(9), 0);
		assert_int_equal(clone(0, 9), 0);
		assert_int_equal(create(9, *l, RDWR, 0644, 0), -ENXIO);
		assert_int_equal(clunk(9), 0);
	}
	assert_int_equal(walk(0, 9, "rel"), 0);
	assert_int_equal(client_call(&c, P9_TREADLINK, "d", 9u), 0);
	assert_int_equal(client_get(&c, 2), 9);
	assert_int_equal(client_call(&c, P9_TREADLINK, "d", 0u), -EINVAL);
}

static void makes_everything_with_its_owner(void **state)
{
	static const struct {
		const char *name;
		uint32_t mode, major, minor;
		uint64_t rdev;
	} nodes[] = {
		{ "file", S_IFREG | 0640, 0, 0, 0 },
		{ "fifo", S_IFIFO | 0600, 0, 0, 0 },
		{ "socket", S_IFSOCK | 0755, 0, 0, 0 },
		{ "device", S_IFCHR | 0666, 1, 3, 0x103 },
		{ "block", S_IFBLK | 0660, 0x123, 0x45678, 0x45612378 },
		{ "setuid", S_IFREG | 06755, 0, 0, 0 },
	};
	struct attr a = { 0 };

	(void)state;
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", 20u, ~0u, "", "", 1000u), 0);
	for (size_t i = 0; i < COUNT(nodes); i++) {
		int ret = client_call(&c, P9_TMKNOD, "dsdddd", 20u, nodes[i].name, nodes[i].mode, nodes[i].major,
			nodes[i].minor, 100u);

		if (ret == -EPERM && (S_ISCHR(nodes[i].mode) || S_ISBLK(nodes[i].mode)))
			continue; /* not everywhere where tests are run */
		assert_int_equal(ret, 0);
		assert_int_equal(walk(20, 30, nodes[i].name), 0);
		assert_int_equal(attr(30, &a), 0);
		assert_int_equal(a.mode, nodes[i].mode);
		assert_int_equal(a.uid, 1000);
		assert_int_equal(a.gid, 100);
		assert_int_equal(a.rdev, nodes[i].rdev);
		assert_int_equal(open_fid(30, RDONLY), S_ISREG(nodes[i].mode) ? 0 : -ENXIO);
		assert_int_equal(client_call(&c, P9_TSETATTR, "dddddqqqqq", 30u, P9_SET_MODE, 0604u, 0u, 0u,
			(uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0), 0);
		assert_int_equal(attr(30, &a), 0);
		assert_int_equal(a.mode & 07777, 0604);
		assert_int_equal(clunk(30), 0);
	}
	assert_int_equal(client_call(&c, P9_TMKNOD, "dsdddd", 20u, "dir", S_IFDIR | 0755, 0u, 0u, 0u), -EINVAL);
	assert_int_equal(client_call(&c, P9_TMKDIR, "dsdd", 20u, "dir", 03777u, 100u), 0);
	assert_int_equal(walk(20, 30, "dir"), 0);
	assert_int_equal(attr(30, &a), 0);
	assert_int_equal(a.mode, S_IFDIR | 03777);
	assert_int_equal(a.uid, 1000);
	assert_int_equal(a.gid, 100);
	assert_int_equal(client_call(&c, P9_TSYMLINK, "dssd", 20u, "link", "to/where", 100u), 0);
	assert_int_equal(walk(20, 31, "link"), 0);
	assert_int_equal(attr(31, &a), 0);
	assert_int_equal(a.uid, 1000);
	assert_int_equal(a.qid, P9_QTSYMLINK);
	assert_int_equal(clone(20, 32), 0);
	assert_int_equal(create(32, "new", RDWR | CREATE_EXCL, 04711, 100), 0);
	assert_int_equal(attr(32, &a), 0);
	assert_int_equal(a.mode, S_IFREG | 04711);
	assert_int_equal(a.uid, 1000);
	/* what is there keeps its owner */
	make_file("theirs", "x", 0600);
	assert_int_equal(clone(20, 33), 0);
	assert_int_equal(create(33, "theirs", RDWR | CREATE_EXCL, 0644, 100), -EEXIST);
	assert_int_equal(create(33, "theirs", RDWR, 0644, 100), 0);
	assert_int_equal(attr(33, &a), 0);
	assert_int_equal(a.uid, 0);
	assert_int_equal(a.mode, S_IFREG | 0600);
	assert_string_equal(get_data(33, 0, 10), "x");
}

static void reads_and_writes(void **state)
{
	static char target[4096];

	(void)state;
	assert_int_equal(clone(0, 1), 0);
	assert_int_equal(client_call(&c, P9_TREAD, "dqd", 1u, (uint64_t)0, 10u), -EBADF);
	assert_int_equal(create(1, "f", RDWR | CREATE_EXCL, 0644, 0), 0);
	assert_int_equal(put_data(1, 0, "hello world"), 0);
	assert_int_equal(client_get(&c, 4), 11);
	for (c.split = 0; c.split < 30; c.split++) /* the reply in all its halves */
		assert_string_equal(get_data(1, 6, 100), "world");
	c.split = 0;
	assert_string_equal(get_data(1, 11, 100), "");
	assert_string_equal(get_data(1, 0, 0), "");
	assert_int_equal(client_call(&c, P9_TREAD, "dqd", 1u, UINT64_MAX, 10u), -EINVAL);
	assert_int_equal(client_call(&c, P9_TWRITE, "dqD", 1u, UINT64_MAX, (size_t)1, "x"), -EINVAL);
	assert_int_equal(client_call(&c, P9_TFSYNC, "dd", 1u, 0u), 0);
	assert_int_equal(client_call(&c, P9_TFSYNC, "dd", 1u, 1u), 0);
	assert_int_equal(client_call(&c, P9_TFSYNC, "dd", 0u, 0u), -EBADF);
	assert_int_equal(open_fid(1, RDONLY), -EBUSY);
	assert_int_equal(create(1, "g", RDWR, 0644, 0), -ENOTDIR);
	assert_int_equal(walk(0, 2, "f"), 0);
	assert_int_equal(open_fid(2, RDONLY), 0);
	assert_int_equal(put_data(2, 0, "x"), -EBADF);
	assert_int_equal(walk(2, 2, "x"), -ENOTDIR);
	assert_int_equal(clone(0, 3), 0);
	assert_int_equal(open_fid(3, RDONLY), 0);
	assert_int_equal(client_call(&c, P9_TREAD, "dqd", 3u, (uint64_t)0, 10u), -EISDIR);
	/* a reply is never longer than was agreed on */
	assert_int_equal(client_call(&c, P9_TVERSION, "ds", 4096u, "9P2000.L"), 0);
	assert_int_equal(client_call(&c, P9_TATTACH, "ddssd", 0u, ~0u, "", "", 0u), 0);
	assert_int_equal(walk(0, 1, "f"), 0);
	assert_int_equal(open_fid(1, RDWR), 0);
	assert_int_equal(client_call(&c, P9_TSETATTR, "dddddqqqqq", 1u, P9_SET_SIZE, 0u, 0u, 0u, (uint64_t)100000,
		(uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0), 0);
	assert_int_equal(client_call(&c, P9_TREAD, "dqd", 1u, (uint64_t)0, 100000u), 0);
	assert_int_equal(c.len, 4096);
	memset(target, 'x', 4095);
	assert_int_equal(symlinkat(target, root, "long"), 0);
	assert_int_equal(walk(0, 9, "long"), 0);
	assert_int_equal(client_call(&c, P9_TREADLINK, "d", 9u), -EMSGSIZE);
}

static int set_size(uint32_t fid, uint64_t size)
{
	return client_call(&c, P9_TSETATTR, "dddddqqqqq", fid, P9_SET_SIZE, 0u, 0u, 0u, size, (uint64_t)0,
		(uint64_t)0, (uint64_t)0, (uint64_t)0);
}

static void unlinked_files_live_on(void **state)
{
	struct attr a = { 0 };

	(void)state;
	assert_int_equal(clone(0, 1), 0);
	assert_int_equal(create(1, "f", RDWR | CREATE_EXCL, 0644, 0), 0);
	assert_int_equal(put_data(1, 0, "text"), 0);
	assert_int_equal(walk(0, 2, "f"), 0); /* a fid that is not open */
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", 0u, "f", 0u), 0);
	make_file("f", "another", 0600);
	for (uint32_t fid = 1; fid <= 2; fid++) {
		assert_int_equal(attr(fid, &a), 0);
		assert_int_equal(a.nlink, 0);
		assert_int_equal(a.size, fid == 1 ? 4 : 3);
		assert_int_equal(set_size(fid, 4 - fid), 0);
		assert_int_equal(client_call(&c, P9_TSETATTR, "dddddqqqqq", fid, P9_SET_MODE | P9_SET_UID, 0600 + fid,
			7u, 0u, (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0, (uint64_t)0), 0);
		assert_int_equal(attr(fid, &a), 0);
		assert_int_equal(a.mode, S_IFREG | (0600 + fid));
		assert_int_equal(a.uid, 7);
	}
	assert_string_equal(get_data(1, 0, 10), "te");
	assert_int_equal(open_fid(2, RDWR), 0); /* by the same file, not by its name */
	assert_string_equal(get_data(2, 0, 10), "te");
	/* over it is renamed: the same */
	assert_int_equal(walk(0, 3, "f"), 0);
	make_file("g", "third", 0644);
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 0u, "g", 0u, "f"), 0);
	assert_int_equal(attr(3, &a), 0);
	assert_int_equal(a.nlink, 0);
	assert_int_equal(a.size, 7);
	assert_int_equal(walk(0, 4, "f"), 0);
	assert_int_equal(attr(4, &a), 0);
	assert_int_equal(a.size, 5);
}

static void fids_follow_renames(void **state)
{
	struct attr a = { 0 }, b = { 0 };

	(void)state;
	assert_int_equal(mkdirat(root, "a", 0755), 0);
	assert_int_equal(mkdirat(root, "b", 0755), 0);
	make_file("a/f", "text", 0644);
	assert_int_equal(walk(0, 1, "a"), 0);
	assert_int_equal(walk(1, 2, "f"), 0);
	assert_int_equal(walk(0, 3, "b"), 0);
	assert_int_equal(attr(2, &a), 0);
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 1u, "f", 3u, "g"), 0);
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 0u, "b", 1u, "c"), 0);
	assert_int_equal(attr(2, &b), 0);
	assert_int_equal(a.ino, b.ino);
	assert_int_equal(walk(3, 4, "g"), 0);
	assert_int_equal(client_call(&c, P9_TWALK, "ddwss", 3u, 5u, 2, "..", ".."), 0);
	assert_int_equal(walk(5, 6, "a"), 0);
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 0u, "a", 3u, "loop"), -EINVAL);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", 1u, "c", 0x200u), -ENOTEMPTY);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", 1u, "c", 0u), -EISDIR);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", 1u, "c", 1u), -EINVAL);
	assert_int_equal(client_call(&c, P9_TRENAME, "dds", 2u, 0u, "x"), -EOPNOTSUPP);
	assert_int_equal(client_call(&c, P9_TREMOVE, "d", 4u), -EOPNOTSUPP);
	assert_int_equal(clunk(4), -EBADF);
}

/* What is known may be false, for somebody else moved a directory: a rename by that never makes a circle. */
static void names_are_no_circle(void **state)
{
	struct p9_limits limits = P9_LIMITS_DEFAULT;
	struct attr a = { 0 };
	char name[20];

	(void)state;
	limits.nodes_open = 10;
	assert_int_equal(again(&limits), 0);
	assert_int_equal(mkdirat(root, "n", 0755), 0);
	assert_int_equal(mkdirat(root, "n/d", 0755), 0);
	assert_int_equal(walk(0, 1, "n"), 0);
	assert_int_equal(walk(1, 2, "d"), 0);
	assert_int_equal(renameat(root, "n/d", root, "d"), 0);
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 0u, "n", 2u, "m"), 0);
	for (uint32_t i = 100; i < 150; i++) {
		(void)snprintf(name, sizeof(name), "%u", i);
		make_file(name, "text", 0600);
		assert_int_equal(walk(0, i, name), 0);
	}
	assert_int_equal(attr(2, &a), -ESTALE);
	assert_int_equal(attr(1, &a), 0); /* as a file that has no name any more */
}

/* More names than descriptors: those that were closed are found again, wherever they are by now. */
static void knows_more_names_than_it_has_descriptors(void **state)
{
	struct p9_limits limits = P9_LIMITS_DEFAULT;
	char name[20];
	struct attr a = { 0 };

	(void)state;
	limits.nodes_open = 10;
	assert_int_equal(again(&limits), 0);
	assert_int_equal(mkdirat(root, "d", 0755), 0);
	assert_int_equal(mkdirat(root, "d/e", 0755), 0);
	assert_int_equal(client_call(&c, P9_TWALK, "ddwss", 0u, 1u, 2, "d", "e"), 0);
	for (uint32_t i = 100; i < 200; i++) {
		(void)snprintf(name, sizeof(name), "d/e/%u", i);
		make_file(name, "text", 0600 + i % 8);
		assert_int_equal(walk(1, i, name + 4), 0);
	}
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 0u, "d", 0u, "moved"), 0);
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 1u, "100", 0u, "top"), 0);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", 1u, "101", 0u), 0);
	for (uint32_t i = 100; i < 200; i++) {
		assert_int_equal(attr(i, &a), 0);
		assert_int_equal(a.mode & 07777, 0600 + i % 8);
		assert_int_equal(a.nlink, i != 101);
	}
	/* somebody else has put another file there: not the one the fid was for */
	assert_int_equal(renameat(root, "moved/e/102", root, "away"), 0);
	make_file("moved/e/102", "other", 0644);
	assert_int_equal(attr(102, &a), -ESTALE);
	assert_int_equal(unlinkat(root, "moved/e/103", 0), 0);
	assert_int_equal(attr(103, &a), -ESTALE);
	for (uint32_t i = 100; i < 200; i++)
		assert_int_equal(clunk(i), 0);
}

static void limits_hold(void **state)
{
	struct p9_limits limits = P9_LIMITS_DEFAULT;

	(void)state;
	limits.fids = 10;
	limits.files_open = 2;
	limits.xattr_bytes = 100000;
	assert_int_equal(again(&limits), 0);
	make_file("f", "text", 0644);
	for (uint32_t i = 1; i < 10; i++)
		assert_int_equal(walk(0, i, "f"), 0);
	assert_int_equal(walk(0, 10, "f"), -ENFILE);
	assert_int_equal(open_fid(1, RDWR), 0);
	assert_int_equal(open_fid(2, RDWR), 0);
	assert_int_equal(open_fid(3, RDWR), -ENFILE);
	assert_int_equal(clunk(2), 0);
	assert_int_equal(open_fid(3, RDWR), 0);
	assert_int_equal(client_call(&c, P9_TXATTRCREATE, "dsqd", 4u, "user.a", (uint64_t)65536, 0u), 0);
	assert_int_equal(client_call(&c, P9_TXATTRCREATE, "dsqd", 5u, "user.a", (uint64_t)65537, 0u), -E2BIG);
	assert_int_equal(client_call(&c, P9_TXATTRCREATE, "dsqd", 5u, "user.a", (uint64_t)65536, 0u), -ENOSPC);
	assert_int_equal(clunk(4), -EINVAL); /* not all of it was written */
	assert_int_equal(client_call(&c, P9_TXATTRCREATE, "dsqd", 5u, "user.a", (uint64_t)65536, 0u), 0);
}

static uint64_t xattr(uint32_t fid, const char *name, char *value, size_t size)
{
	uint64_t n;
	int ret = client_call(&c, P9_TXATTRWALK, "dds", fid, 99u, name);

	if (ret < 0)
		return (uint64_t)ret;
	n = client_get(&c, 8);
	assert_true(n < size);
	assert_int_equal(client_call(&c, P9_TREAD, "dqd", 99u, (uint64_t)0, (uint32_t)size), 0);
	assert_int_equal(client_get(&c, 4), n);
	memcpy(value, c.reply + c.at, n);
	value[n] = '\0';
	assert_int_equal(clunk(99), 0);
	return n;
}

static int set_xattr(uint32_t fid, const char *name, const char *value, uint32_t flags)
{
	int ret = clone(fid, 98), end;

	assert_int_equal(ret, 0);
	ret = client_call(&c, P9_TXATTRCREATE, "dsqd", 98u, name, (uint64_t)strlen(value), flags);
	if (ret == 0 && *value)
		ret = put_data(98, 0, value);
	end = clunk(98);
	return ret < 0 ? ret : end;
}

static void extended_attributes(void **state)
{
	char v[200];

	(void)state;
	make_file("f", "text", 0644);
	assert_int_equal(walk(0, 1, "f"), 0);
	assert_int_equal(xattr(1, "user.none", v, sizeof(v)), (uint64_t)-ENODATA);
	assert_int_equal(set_xattr(1, "user.a", "value", 0), 0);
	assert_int_equal(xattr(1, "user.a", v, sizeof(v)), 5);
	assert_string_equal(v, "value");
	assert_int_equal(set_xattr(1, "user.a", "again", XATTR_CREATE), -EEXIST);
	assert_int_equal(set_xattr(1, "user.b", "new", XATTR_REPLACE), -ENODATA);
	assert_int_equal(set_xattr(1, "user.empty", "", 0), 0);
	assert_int_equal(xattr(1, "user.empty", v, sizeof(v)), 0);
	assert_int_equal(xattr(1, "", v, sizeof(v)), 18);
	assert_int_equal(set_xattr(1, "user.a", "", XATTR_REPLACE), 0); /* Linux' removexattr */
	assert_int_equal(xattr(1, "user.a", v, sizeof(v)), (uint64_t)-ENODATA);
	/* what means something to dom0 does not pass */
	for (const char *const *name = (const char *const[]){ "trusted.x", "security.selinux", "system.other",
			"user.", "x", NULL }; *name; name++) {
		assert_int_equal(xattr(1, *name, v, sizeof(v)), (uint64_t)-EOPNOTSUPP);
		assert_int_equal(set_xattr(1, *name, "v", 0), -EOPNOTSUPP);
	}
	/* an open file whose name is gone */
	assert_int_equal(open_fid(1, RDWR), 0);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", 0u, "f", 0u), 0);
	assert_int_equal(set_xattr(1, "user.late", "v", 0), 0);
	assert_int_equal(xattr(1, "user.late", v, sizeof(v)), 1);
	/* attributes of fids that are attributes, and files of them */
	assert_int_equal(client_call(&c, P9_TXATTRWALK, "dds", 1u, 50u, ""), 0);
	assert_int_equal(client_call(&c, P9_TXATTRWALK, "dds", 50u, 51u, ""), -EBADF);
	assert_int_equal(open_fid(50, RDONLY), -EBADF);
	assert_int_equal(walk(50, 51, "x"), -EBADF);
	assert_int_equal(put_data(50, 0, "x"), -EBADF);
	assert_int_equal(client_call(&c, P9_TXATTRCREATE, "dsqd", 50u, "user.a", (uint64_t)1, 0u), -EBUSY);
	assert_int_equal(client_call(&c, P9_TXATTRWALK, "dds", 0u, 50u, ""), -EEXIST);
}

/* All names, by replies of the given size; their number, and each once. */
static unsigned list(uint32_t fid, uint32_t count)
{
	static bool seen[1000];
	uint64_t at = 0;
	unsigned n = 0;

	memset(seen, 0, sizeof(seen));
	for (;;) {
		assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", fid, at, count), 0);
		assert_true(client_get(&c, 4) <= count);
		if (c.at == c.len)
			return n;
		while (c.at < c.len) {
			char name[256] = "";
			size_t len;

			(void)client_get(&c, 13);
			at = client_get(&c, 8);
			(void)client_get(&c, 1);
			len = client_get(&c, 2);
			memcpy(name, c.reply + c.at, len);
			(void)client_get(&c, 0);
			c.at += len;
			n++;
			if (*name == '.')
				continue;
			assert_false(seen[strtoul(name, NULL, 10)]);
			seen[strtoul(name, NULL, 10)] = true;
		}
	}
}

static void lists_directories(void **state)
{
	static const uint32_t sizes[] = { 300, 301, 333, 1000, 4096, 8191, 100000 };
	char name[300];

	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		(void)snprintf(name, sizeof(name), "%u-%0*u", i, (int)(i * 7 % 250), 0u);
		make_file(name, "", 0644);
	}
	assert_int_equal(clone(0, 1), 0);
	assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", 1u, (uint64_t)0, 4096u), -EBADF);
	assert_int_equal(open_fid(1, RDONLY), 0);
	for (size_t i = 0; i < COUNT(sizes); i++)
		assert_int_equal(list(1, sizes[i]), 502);
	assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", 1u, (uint64_t)0, 10u), -EINVAL);
	assert_int_equal(client_call(&c, P9_TREADDIR, "dqd", 1u, UINT64_MAX, 1000u), -EINVAL);
}

static void links(void **state)
{
	struct attr a = { 0 };

	(void)state;
	make_file("f", "text", 0644);
	assert_int_equal(symlinkat("f", root, "s"), 0);
	assert_int_equal(walk(0, 1, "f"), 0);
	assert_int_equal(walk(0, 2, "s"), 0);
	assert_int_equal(client_call(&c, P9_TLINK, "dds", 0u, 1u, "g"), 0);
	assert_int_equal(client_call(&c, P9_TLINK, "dds", 0u, 1u, "g"), -EEXIST);
	assert_int_equal(client_call(&c, P9_TLINK, "dds", 0u, 2u, "t"), 0);
	assert_int_equal(client_call(&c, P9_TLINK, "dds", 0u, 0u, "d"), -EPERM);
	assert_int_equal(client_call(&c, P9_TLINK, "dds", 1u, 1u, "x"), -ENOTDIR);
	assert_int_equal(attr(1, &a), 0);
	assert_int_equal(a.nlink, 2);
	assert_int_equal(walk(0, 3, "t"), 0);
	assert_int_equal(attr(3, &a), 0);
	assert_int_equal(a.qid, P9_QTSYMLINK);
	/* two names of one file: a rename of one over the other does nothing, and both are known still */
	assert_int_equal(walk(0, 4, "g"), 0);
	assert_int_equal(client_call(&c, P9_TRENAMEAT, "dsds", 0u, "f", 0u, "g"), 0);
	assert_int_equal(attr(4, &a), 0);
	assert_int_equal(a.nlink, 2);
	assert_int_equal(client_call(&c, P9_TUNLINKAT, "dsd", 0u, "f", 0u), 0);
	assert_int_equal(attr(1, &a), 0);
	assert_int_equal(a.nlink, 1);
}

static void what_is_not_supported_is_said(void **state)
{
	(void)state;
	assert_int_equal(client_call(&c, P9_TAUTH, "dss", 1u, "", ""), -EOPNOTSUPP);
	assert_int_equal(client_call(&c, 255, "q", (uint64_t)0), -EOPNOTSUPP);
	assert_int_equal(client_call(&c, P9_TFLUSH, "w", 7), 0);
	assert_int_equal(client_call(&c, P9_TSTATFS, "d", 0u), 0);
	assert_int_equal(c.len, P9_HEAD + 60);
	assert_int_equal(client_call(&c, P9_TLOCK, "dbdqqds", 0u, 1, 0u, (uint64_t)0, (uint64_t)0, 1u, "me"), 0);
	assert_int_equal(client_get(&c, 1), 0);
	assert_int_equal(client_call(&c, P9_TGETLOCK, "dbqqds", 0u, 1, (uint64_t)5, (uint64_t)6, 7u, "me"), 0);
	assert_int_equal(client_get(&c, 1), 2);
	assert_int_equal(client_get(&c, 8), 5);
	assert_int_equal(client_get(&c, 8), 6);
	assert_int_equal(client_get(&c, 4), 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(needs_a_version_first), T(walks), T(stays_below_the_export), T(makes_everything_with_its_owner),
		T(reads_and_writes), T(unlinked_files_live_on), T(fids_follow_renames), T(names_are_no_circle),
		T(knows_more_names_than_it_has_descriptors), T(limits_hold), T(extended_attributes),
		T(lists_directories), T(links), T(what_is_not_supported_is_said),
	};
	int ret, base, proc = open("/proc/self/fd", O_PATH | O_DIRECTORY);

	if (geteuid() != 0) {
		printf("1..0 # SKIP only root gives files to others\n");
		return 0;
	}
	if (!mkdtemp(dir) || (base = open(dir, O_PATH | O_DIRECTORY)) < 0 || mkdirat(base, "in", 0755) < 0 ||
		(root = openat(base, "in", O_RDONLY | O_DIRECTORY)) < 0 || server_enter(proc) < 0)
		return 1;
	if (symlinkat("x", base, "secret") < 0)
		return 1;
	(void)alarm(120); /* what looks for the top of a circle does not end */
#ifndef __SANITIZE_ADDRESS__ /* whose run-time makes calls of its own */
	struct err e = ERR_INIT;

	if (confine_calls(CONFINE_SERVER, &e) < 0) {
		printf("1..0 # SKIP %s\n", e.msg);
		return 0;
	}
#endif
	ret = cmocka_run_group_tests(tests, NULL, NULL);
	(void)close(root);
	empty(base);
	(void)unlinkat(AT_FDCWD, dir, AT_REMOVEDIR);
	return ret;
}
