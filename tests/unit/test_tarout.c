/* Images of hostile trees: written by tarout, unpacked again, and compared; and what it refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>

#include "stage0/root.h"
#include "stage0/tarout.h"
#include "stage0/unpack.h"
#include "stage1/common/util.h"

static const char manifest[] = "{\"the\": \"manifest\"}";

struct fix {
	char *path;
	int dir, root; /* the working directory, and the tree in it */
	struct tarout_opts opts;
};

static int set_up(void **state)
{
	struct fix *f = xcalloc(1, sizeof(*f));
	char path[] = "/tmp/test_tarout.XXXXXX";

	assert_non_null(mkdtemp(path));
	f->path = xstrdup(path);
	f->dir = open(path, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(f->dir, "root", 0755), 0);
	assert_int_equal(mkdirat(f->dir, "back", 0755), 0);
	f->root = openat(f->dir, "root", O_RDONLY | O_DIRECTORY);
	f->opts = (struct tarout_opts){ .manifest = manifest, .manifest_len = strlen(manifest), .root = f->root,
		.bytes_max = 1 << 20 };
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fix *f = *state;
	struct err e = ERR_INIT;

	AUTO_CLOSE int tmp = open("/tmp", O_PATH | O_DIRECTORY);

	if (tree_remove(tmp, f->path + strlen("/tmp/"), &e) < 0)
		fail_msg("%s", e.msg);
	(void)close(f->dir);
	(void)close(f->root);
	free(f->path);
	free(f);
	return 0;
}

static void put(int root, const char *path, const char *text, mode_t mode)
{
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write_all(fd, text, strlen(text)), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	(void)close(fd);
}

static int write_image(struct fix *f, int *fd_r, struct err *e)
{
	*fd_r = openat(f->dir, "image", O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(*fd_r >= 0);
	return tarout_write(*fd_r, &f->opts, e);
}

/* Writes and unpacks; the tree that came back. */
static int go_round(struct fix *f)
{
	const struct aci_limits limits = ACI_LIMITS_DEFAULT;
	struct err e = ERR_INIT;
	struct aci aci = ACI_INIT;
	AUTO_CLOSE int image = -1;
	int back = openat(f->dir, "back", O_RDONLY | O_DIRECTORY), tree;

	if (write_image(f, &image, &e) < 0 || aci_unpack(image, back, &limits, &aci, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(aci.manifest_len, strlen(manifest));
	assert_memory_equal(aci.manifest, manifest, strlen(manifest));
	aci_dispose(&aci);
	tree = openat(back, "rootfs", O_RDONLY | O_DIRECTORY);
	(void)close(back);
	assert_true(tree >= 0);
	return tree;
}

static void refuses(struct fix *f, const char *msg)
{
	struct err e = ERR_INIT;
	AUTO_CLOSE int image = -1;

	assert_int_equal(write_image(f, &image, &e), -1);
	assert_string_equal(e.msg, msg);
}

static struct stat look(int dir, const char *path)
{
	struct stat st;

	if (fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		fail_msg("%s: %s", path, strerror(errno));
	return st;
}

static void keeps_what_images_can_hold(void **state)
{
	static const char cap[20] = "\1\0\0\2\0\4\0\0"; /* version 2: net_bind_service */
	struct fix *f = *state;
	const struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 86400, .tv_nsec = 5 } };
	char buf[64];
	AUTO_CLOSE int tree = -1;
	bool root = geteuid() == 0, has_user = false;
	struct stat st;

	put(f->root, "setuid", "x", 04755);
	put(f->root, "n\xe4me \n\xff", "raw", 0640);
	assert_int_equal(mkdirat(f->root, "d", 0700), 0);
	assert_int_equal(fchmodat(f->root, "d", 03731, 0), 0);
	assert_int_equal(linkat(f->root, "setuid", f->root, "d/other", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", f->root, "link"), 0);
	assert_int_equal(linkat(f->root, "link", f->root, "link2", 0), 0);
	assert_int_equal(mkfifoat(f->root, "fifo", 0622), 0);
	if (root) {
		assert_int_equal(mknodat(f->root, "null", S_IFCHR | 0666, makedev(1, 3)), 0);
		assert_int_equal(fchownat(f->root, "n\xe4me \n\xff", 70000, 3000000000U, 0), 0);
		AUTO_CLOSE int fd = openat(f->root, "setuid", O_RDONLY);
		assert_int_equal(fsetxattr(fd, "security.capability", cap, sizeof(cap), 0), 0);
		has_user = fsetxattr(fd, "user.own", "value", 5, 0) == 0;
		assert_true(has_user || errno == ENOTSUP);
		assert_int_equal(fsetxattr(fd, "trusted.not", "value", 5, 0), 0);
	}
	assert_int_equal(utimensat(f->root, "d", times, 0), 0);
	tree = go_round(f);
	st = look(tree, "setuid");
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	assert_int_equal(st.st_nlink, 2);
	assert_int_equal(look(tree, "d/other").st_ino, st.st_ino);
	st = look(tree, "n\xe4me \n\xff");
	assert_int_equal(st.st_size, 3);
	if (root) {
		AUTO_CLOSE int fd = openat(tree, "setuid", O_RDONLY);

		assert_int_equal(st.st_uid, 70000);
		assert_int_equal(st.st_gid, 3000000000U);
		assert_int_equal(look(tree, "null").st_rdev, makedev(1, 3));
		assert_int_equal(fgetxattr(fd, "security.capability", buf, sizeof(buf)), sizeof(cap));
		if (has_user)
			assert_int_equal(fgetxattr(fd, "user.own", buf, sizeof(buf)), 5);
		assert_int_equal(fgetxattr(fd, "trusted.not", buf, sizeof(buf)), -1);
	}
	assert_int_equal(look(tree, "d").st_mode, S_IFDIR | 03731);
	assert_int_equal(look(tree, "d").st_mtim.tv_sec, 86400);
	assert_int_equal(look(tree, "fifo").st_mode, S_IFIFO | 0622);
	assert_int_equal(readlinkat(tree, "link", buf, sizeof(buf)), 11);
	assert_memory_equal(buf, "/etc/passwd", 11);
	assert_int_equal(readlinkat(tree, "link2", buf, sizeof(buf)), 11);
}

static void passes_over_sockets(void **state)
{
	struct fix *f = *state;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	AUTO_CLOSE int s = socket(AF_UNIX, SOCK_STREAM, 0);
	AUTO_CLOSE int tree = -1;
	struct stat st;

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/root/socket", f->path);
	assert_int_equal(bind(s, (struct sockaddr *)&addr, sizeof(addr)), 0);
	put(f->root, "after", "x", 0644);
	tree = go_round(f);
	assert_int_equal(fstatat(tree, "socket", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(look(tree, "after").st_size, 1);
}

static void takes_the_shift_off_owners(void **state)
{
	struct fix *f = *state;
	AUTO_CLOSE int tree = -1;

	if (geteuid() != 0)
		skip();
	assert_int_equal(fchown(f->root, 65536, 65536), 0);
	put(f->root, "file", "x", 0644);
	assert_int_equal(fchownat(f->root, "file", 65536 + 33, 65536 + 65535, 0), 0);
	f->opts.id_shift = f->opts.id_count = 65536;
	tree = go_round(f);
	assert_int_equal(look(tree, "file").st_uid, 33);
	assert_int_equal(look(tree, "file").st_gid, 65535);
	assert_int_equal(fchownat(f->root, "file", 2 * 65536, 65536, 0), 0);
	refuses(f, "rootfs/file: owner 131072 is not within the pod's range");
	assert_int_equal(fchownat(f->root, "file", 0, 65536, 0), 0);
	refuses(f, "rootfs/file: owner 0 is not within the pod's range");
}

static void bounds_what_it_reads(void **state)
{
	struct fix *f = *state;
	AUTO_CLOSE int fd = -1;

	put(f->root, "a", "", 0644);
	fd = openat(f->root, "a", O_RDWR);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	(void)close(go_round(f));
	put(f->root, "b", "x", 0644);
	refuses(f, "rootfs/b: more than 1048576 bytes of files");
	assert_int_equal(ftruncate(fd, INT64_C(1) << 40), 0);
	refuses(f, "rootfs/a: more than 1048576 bytes of files");
}

/* Deeper than any path: made, as a guest can, from the inside. */
static void refuses_paths_nobody_could_unpack(void **state)
{
	struct fix *f = *state;
	char name[256], msg[256];
	int at = dup(f->root);

	(void)memset(name, 'd', 255);
	name[255] = '\0';
	for (int i = 0; i < 40; i++) {
		int next;

		assert_int_equal(mkdirat(at, name, 0755), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY);
		assert_true(next >= 0);
		(void)close(at);
		at = next;
	}
	(void)close(at);
	(void)snprintf(msg, sizeof(msg), "a path too long for an image, rootfs/%.100s...", name);
	refuses(f, msg);
}

static void goes_as_deep_as_paths_go(void **state)
{
	struct fix *f = *state;
	int at = dup(f->root), depth = 2000;
	AUTO_CLOSE int tree = -1;

	while (depth-- > 0) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY);
		(void)close(at);
		at = next;
	}
	put(at, "e", "end", 0644);
	(void)close(at);
	tree = go_round(f);
	assert_int_equal(look(tree, "d/d/d/d/d/d").st_mode, S_IFDIR | 0755);
}

static void says_where_it_could_not_write(void **state)
{
	struct fix *f = *state;
	struct err e = ERR_INIT;
	AUTO_CLOSE int full = open("/dev/full", O_WRONLY);

	assert_int_equal(tarout_write(full, &f->opts, &e), -1);
	assert_string_equal(e.msg, "write: Write error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keeps_what_images_can_hold, set_up, tear_down),
		cmocka_unit_test_setup_teardown(passes_over_sockets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_the_shift_off_owners, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounds_what_it_reads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_paths_nobody_could_unpack, set_up, tear_down),
		cmocka_unit_test_setup_teardown(goes_as_deep_as_paths_go, set_up, tear_down),
		cmocka_unit_test_setup_teardown(says_where_it_could_not_write, set_up, tear_down),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)umask(0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
