/* See mounts.h. */
#include "init/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

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

/*
 * Whoever changes cgroups waits for all CPUs to pass a quiet state: by ticks of 4 ms, or at once when asked to. Apps
 * are started sooner, and nothing depends on it.
 */
static void hurry(void)
{
	AUTO_CLOSE int fd = open("/sys/kernel/rcu_expedited", O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)!write(fd, "1", 1);
}

int mounts_base(struct err *e)
{
	static const struct mount_row rows[] = {
		{ "tmpfs", "/base", "tmpfs", MS_NOSUID, "mode=0755" },
		{ "proc", "/base/proc", "proc", NO_ACTION, NULL },
		{ "sysfs", "/base/sys", "sysfs", NO_ACTION, NULL },
		{ "cgroup2", "/base/sys/fs/cgroup", "cgroup2", NO_ACTION, NULL },
		{ "devtmpfs", "/base/dev", "devtmpfs", MS_NOSUID, "mode=0755" },
		{ "devpts", "/base/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC,
			"newinstance,ptmxmode=0666,mode=0620,gid=5" },
		{ "tmpfs", "/base/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777" },
	};

	if (mount_rows(rows, COUNT(rows), e) < 0 || make_dir("/base/sbin", 0755, e) < 0 ||
		make_dir("/base" MOUNTS_ETC, 0755, e) < 0 || make_dir("/base" MOUNTS_HIDDEN_DIR, 0, e) < 0)
		return -1;
	if (mknod("/base" MOUNTS_HIDDEN_FILE, S_IFREG, 0) < 0)
		return err_sys(e, "make " MOUNTS_HIDDEN_FILE);
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
	hurry();
	return 0;
}

/* Mounting before the backend is there crashes a 6.1 kernel (xen-facts 2.3): look first. */
static int check_backend(size_t number, struct err *e)
{
	char path[64];
	AUTO_FREE char *state = NULL;
	size_t len;

	(void)snprintf(path, sizeof(path), "/sys/bus/xen/devices/9pfs-%zu/state", number);
	if (read_file_at(AT_FDCWD, path, 64, &state, &len, e) < 0)
		return err_prefix(e, "no 9p export");
	if (!str_has_prefix(state, "Connected"))
		return err_set(e, ERR_HOST, "the 9p export's backend is not connected: %.20s", state);
	return 0;
}

int mounts_exports(const struct guest_plan *plan, struct err *e)
{
	for (size_t i = 0; i < plan->nexports; i++) {
		const struct guest_export *x = &plan->exports[i];
		const struct mount_row row = { x->tag, x->dir, "9p", 0, x->options };

		if (check_backend(i, e) < 0 || mount_rows(&row, 1, e) < 0)
			return -1;
	}
	return 0;
}

void mounts_let_go(void)
{
	AUTO_CLOSE int fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);

	sync();
	/* the cached pages as well: a file that has some is not forgotten (fs/drop_caches.c, fs/inode.c) */
	(void)!write(fd, "3", 1);
}

void mounts_exports_end(void)
{
	sync();
	(void)umount2(GUEST_VOLUMES_DIR, 0);
	(void)umount2(GUEST_POD_DIR, 0);
}

int mounts_etc(const struct guest_plan *plan, struct err *e)
{
	const struct {
		const char *path, *text;
	} files[] = {
		{ MOUNTS_ETC "/resolv.conf", plan->resolv_conf },
		{ MOUNTS_ETC "/hosts", plan->hosts },
		{ MOUNTS_ETC "/hosts-fallback", plan->hosts_fallback },
	};

	for (size_t i = 0; i < COUNT(files); i++)
		if (files[i].text && write_file_atomic(AT_FDCWD, files[i].path, files[i].text,
					     strlen(files[i].text), 0644, e) < 0)
			return -1;
	return 0;
}
