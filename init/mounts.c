/* See mounts.h. */
#include "init/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stage1/common/guest_plan.h"
#include "stage1/common/util.h"

struct mount_row {
	const char *what, *where, *type;
	unsigned long flags;
	const char *options;
};

static int make_dir(const char *path, mode_t mode, struct err *e)
{
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_sys(e, "make directory %s", path);
	return 0;
}

static int mount_rows(const struct mount_row *row, size_t n, struct err *e)
{
	for (; n > 0; n--, row++) {
		if (make_dir(row->where, 0755, e) < 0)
			return -1;
		if (mount(row->what, row->where, row->type, row->flags, row->options) < 0)
			return err_sys(e, "mount %s", row->where);
	}
	return 0;
}

enum { NO_ACTION = MS_NOSUID | MS_NODEV | MS_NOEXEC };

int mounts_base(struct err *e)
{
	static const struct mount_row rows[] = {
		{ "tmpfs", "/base", "tmpfs", MS_NOSUID, "mode=0755" },
		{ "proc", "/base/proc", "proc", NO_ACTION, NULL },
		{ "sysfs", "/base/sys", "sysfs", NO_ACTION, NULL },
		{ "devtmpfs", "/base/dev", "devtmpfs", MS_NOSUID, "mode=0755" },
		{ "devpts", "/base/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
			"newinstance,ptmxmode=0666,mode=0620,gid=5" },
		{ "tmpfs", "/base/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777" },
	};

	if (mount_rows(rows, COUNT(rows), e) < 0 || make_dir("/base/sbin", 0755, e) < 0)
		return -1;
	/*
	 * What the kernel runs when dom0 asks for a shutdown or a reboot through xenstore (kernel/reboot.c).
	 * Its helpers share PID 1's root, so they look for these here and not in the initramfs.
	 */
	if (symlink("/proc/1/exe", "/base/sbin/poweroff") < 0 ||
		symlink("/proc/1/exe", "/base/sbin/reboot") < 0)
		return err_sys(e, "make /sbin/poweroff and /sbin/reboot");
	if (chdir("/base") < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
		chdir("/") < 0)
		return err_sys(e, "leave the initramfs");
	return 0;
}

int mounts_export(struct err *e)
{
	/* cache=loose: nobody else changes the export while the pod runs (xen-facts 2.6) */
	static const struct mount_row row = { GUEST_EXPORT_TAG, GUEST_EXPORT_DIR, "9p", 0,
		"trans=xen,version=9p2000.L,msize=524288,cache=loose,posixacl" };
	static const char state_path[] = "/sys/bus/xen/devices/9pfs-0/state";
	AUTO_FREE char *state = NULL;
	size_t len;

	/* Mounting before the backend is there crashes a 6.1 kernel (xen-facts 2.3): look first. */
	if (read_file_at(AT_FDCWD, state_path, 64, &state, &len, e) < 0)
		return err_prefix(e, "no 9p export");
	if (!str_has_prefix(state, "Connected"))
		return err_set(e, ERR_HOST, "the 9p export's backend is not connected: %.20s", state);
	return mount_rows(&row, 1, e);
}

void mounts_export_end(void)
{
	sync();
	(void)umount2(GUEST_EXPORT_DIR, 0);
}

static int make_nodes(struct err *e)
{
	static const struct {
		const char *path;
		unsigned minor_, major_;
	} nodes[] = {
		{ "/dev/null", 3, 1 }, { "/dev/zero", 5, 1 }, { "/dev/full", 7, 1 },
		{ "/dev/random", 8, 1 }, { "/dev/urandom", 9, 1 }, { "/dev/tty", 0, 5 },
		{ "/dev/net/tun", 200, 10 },
	};
	static const struct {
		const char *path, *to;
	} links[] = {
		{ "/dev/ptmx", "pts/ptmx" }, { "/dev/fd", "/proc/self/fd" },
		{ "/dev/stdin", "/proc/self/fd/0" }, { "/dev/stdout", "/proc/self/fd/1" },
		{ "/dev/stderr", "/proc/self/fd/2" },
	};

	if (make_dir("/dev/net", 0755, e) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(nodes); i++)
		if (mknod(nodes[i].path, S_IFCHR | 0666, makedev(nodes[i].major_, nodes[i].minor_)) < 0)
			return err_sys(e, "make %s", nodes[i].path);
	for (size_t i = 0; i < COUNT(links); i++)
		if (symlink(links[i].to, links[i].path) < 0)
			return err_sys(e, "make %s", links[i].path);
	return 0;
}

/* A copy of a mount of PID 1's, to be placed once its path is out of reach. */
static int mount_clone(const char *path, struct err *e)
{
	int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	return fd >= 0 ? fd : err_sys(e, "copy the mount %s", path);
}

static int mount_place(int fd, const char *path, struct err *e)
{
	if (make_dir(path, 0755, e) < 0)
		return -1;
	if (move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "mount %s", path);
	return 0;
}

int mounts_enter_root(const char *root, struct err *e)
{
	/* Placed after pivot_root: links of the image lead nowhere but into the image. */
	static const struct mount_row rows[] = {
		{ "proc", "/proc", "proc", NO_ACTION, NULL },
		{ "sysfs", "/sys", "sysfs", NO_ACTION | MS_RDONLY, NULL },
		{ "tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k" },
	};
	AUTO_CLOSE int pts = -1, shm = -1;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "make a mount namespace");
	pts = mount_clone("/dev/pts", e);
	shm = pts < 0 ? -1 : mount_clone("/dev/shm", e);
	if (shm < 0)
		return -1;
	if (mount(root, root, NULL, MS_BIND | MS_REC, NULL) < 0 || chdir(root) < 0 ||
		syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, "enter the root file system");
	if (mount_rows(rows, COUNT(rows), e) < 0 || make_nodes(e) < 0 ||
		mount_place(pts, "/dev/pts", e) < 0 || mount_place(shm, "/dev/shm", e) < 0)
		return -1;
	return 0;
}
