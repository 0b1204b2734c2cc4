/* See view.h. */
#include "init/view.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "init/copy.h"
#include "init/mounts.h"
#include "init/notify.h"
#include "init/target.h"
#include "stage1/common/util.h"

enum { ATTR_NO_ACTION = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC };

enum { ALONE = 0, WITH_SUBMOUNTS = AT_RECURSIVE };

/* A copy of a mount of PID 1's from `fd` and `path` on, with attributes added to all of it. */
static int clone_at(int fd, const char *path, unsigned depth, unsigned attrs, struct err *e)
{
	AUTO_CLOSE int tree = open_tree(fd, path,
		AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW | depth | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	struct mount_attr attr = { .attr_set = attrs };

	if (tree < 0 || mount_setattr(tree, "", AT_EMPTY_PATH | depth, &attr, sizeof(attr)) < 0)
		return err_sys(e, "copy the mount %s", path);
	return STEAL_FD(tree);
}

static int place_at(int tree, int root, const char *path, struct err *e)
{
	AUTO_CLOSE int target = -1;
	struct stat st, there;
	bool file;

	if (fstat(tree, &st) < 0)
		return err_sys(e, "its source");
	file = !S_ISDIR(st.st_mode);
	target = target_make(root, path, file, file ? 0644 : 0755);
	if (target < 0 || fstat(target, &there) < 0)
		return err_sys(e, "its place");
	if (file != !S_ISDIR(there.st_mode))
		return err_set(e, ERR_INPUT, "%s cannot take the place of %s",
			file ? "a file" : "a directory", file ? "a directory" : "a file");
	if (move_mount(tree, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(e, "put it there");
	return 0;
}

/* Mounts `tree` at `path` in the app's root; what is missing there is made. Closes `tree`. */
static int place(int tree_fd, int root, const char *path, struct err *e)
{
	AUTO_CLOSE int tree = tree_fd;

	if (tree < 0 || place_at(tree, root, path, e) < 0)
		return err_prefix(e, "mount '%s'", path);
	return 0;
}

static int place_copy(const char *source, unsigned attrs, int root, const char *path, struct err *e)
{
	return place(clone_at(AT_FDCWD, source, WITH_SUBMOUNTS, attrs, e), root, path, e);
}

/* A new file system; mount(2) takes no descriptor, but /proc/self/fd leads to just what it is. */
static int place_new(const char *type, unsigned long flags, const char *options, int root,
	const char *path, struct err *e)
{
	AUTO_CLOSE int target = target_make(root, path, false, 0755);
	char where[40];

	(void)snprintf(where, sizeof(where), "/proc/self/fd/%d", target);
	if (target < 0 || mount(type, where, type, flags, options) < 0)
		return err_sys(e, "mount '%s'", path);
	return 0;
}

static int make_directories(int root, struct err *e)
{
	static const struct {
		const char *path;
		mode_t mode;
	} dirs[] = {
		{ "/dev", 0755 }, { "/etc", 0755 }, { "/proc", 0755 }, { "/run", 0755 }, { "/sys", 0755 },
		{ "/tmp", 01777 },
	};

	for (size_t i = 0; i < COUNT(dirs); i++) {
		AUTO_CLOSE int fd = target_make(root, dirs[i].path, false, dirs[i].mode);

		if (fd < 0)
			return err_sys(e, "make %s", dirs[i].path);
	}
	return 0;
}

static int make_nodes(int dev, struct err *e)
{
	static const struct {
		const char *path;
		unsigned minor_, major_;
		mode_t mode;
	} nodes[] = {
		{ "null", 3, 1, 0666 }, { "zero", 5, 1, 0666 }, { "full", 7, 1, 0666 }, { "random", 8, 1, 0666 },
		{ "urandom", 9, 1, 0666 }, { "tty", 0, 5, 0666 }, { "console", 1, 5, 0600 },
		{ "ptmx", 2, 5, 0666 }, /* opens the devpts beside it, at pts */
		{ "net/tun", 200, 10, 0666 },
	};
	static const struct {
		const char *path, *to;
	} links[] = {
		{ "fd", "/proc/self/fd" }, { "stdin", "/proc/self/fd/0" }, { "stdout", "/proc/self/fd/1" },
		{ "stderr", "/proc/self/fd/2" }, { "log", "/run/systemd/journal/dev-log" },
	};

	if (mkdirat(dev, "net", 0755) < 0)
		return err_sys(e, "make /dev/net");
	for (size_t i = 0; i < COUNT(nodes); i++)
		if (mknodat(dev, nodes[i].path, S_IFCHR | nodes[i].mode,
				makedev(nodes[i].major_, nodes[i].minor_)) < 0)
			return err_sys(e, "make /dev/%s", nodes[i].path);
	for (size_t i = 0; i < COUNT(links); i++)
		if (symlinkat(links[i].to, dev, links[i].path) < 0)
			return err_sys(e, "make /dev/%s", links[i].path);
	return 0;
}

static int give_dev(int root, struct err *e)
{
	AUTO_CLOSE int dev = -1;

	if (place_new("tmpfs", MS_NOSUID | MS_NOEXEC, "mode=0755,size=64k", root, "/dev", e) < 0)
		return -1;
	dev = target_open(root, "/dev", O_PATH | O_DIRECTORY);
	if (dev < 0)
		return err_sys(e, "open /dev");
	if (make_nodes(dev, e) < 0 || place_copy("/dev/pts", 0, dev, "/pts", e) < 0)
		return -1;
	return place_copy("/dev/shm", 0, dev, "/shm", e);
}

/* Covers `path` by what `source` is, or by itself; nothing is done when it is not there. */
static int cover(int root, const char *path, const char *dir, const char *file, struct err *e)
{
	AUTO_CLOSE int there = target_open(root, path, O_PATH);
	struct stat st;
	int tree;

	if (there < 0)
		return errno == ENOENT ? 0 : err_sys(e, "protect %s", path);
	if (fstat(there, &st) < 0)
		return err_sys(e, "protect %s", path);
	if (!dir)
		tree = clone_at(there, "", WITH_SUBMOUNTS, MOUNT_ATTR_RDONLY, e);
	else
		tree = clone_at(AT_FDCWD, S_ISDIR(st.st_mode) ? dir : file, WITH_SUBMOUNTS, MOUNT_ATTR_RDONLY, e);
	return place(tree, root, path, e);
}

static int protect(int root, bool sysfs, struct err *e)
{
	static const char *const read_only[] = {
		"/proc/bus", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe",
		"/proc/sys/vm/panic_on_oom", "/proc/sysrq-trigger",
	};
	static const char *const hidden[] = {
		"/proc/config.gz", "/proc/kallsyms", "/proc/sched_debug", "/proc/kcore", "/proc/kmem",
		"/proc/mem",
	};
	/* /sys itself is read-only, and so are block, bus, class, dev, devices and kernel; fs: give_cgroup() */
	static const char *const hidden_sys[] = {
		"/sys/firmware", "/sys/hypervisor", "/sys/module", "/sys/power",
	};

	for (size_t i = 0; i < COUNT(read_only); i++)
		if (cover(root, read_only[i], NULL, NULL, e) < 0)
			return -1;
	for (size_t i = 0; i < COUNT(hidden); i++)
		if (cover(root, hidden[i], MOUNTS_HIDDEN_DIR, MOUNTS_HIDDEN_FILE, e) < 0)
			return -1;
	for (size_t i = 0; sysfs && i < COUNT(hidden_sys); i++)
		if (cover(root, hidden_sys[i], MOUNTS_HIDDEN_DIR, MOUNTS_HIDDEN_FILE, e) < 0)
			return -1;
	return 0;
}

/* Without PID 1's cgroups, which are mounted in it: give_cgroup() mounts the app's there. */
static int give_sys(int root, struct err *e)
{
	return place(clone_at(AT_FDCWD, "/sys", ALONE, ATTR_NO_ACTION | MOUNT_ATTR_RDONLY, e), root, "/sys", e);
}

/*
 * The app's own cgroup and nothing else of the pod's, to read its limits in: programs size themselves
 * by them. Where rkt hides all of /sys/fs, just this is left of it.
 */
static int give_cgroup(int root, bool hide, struct err *e)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	AUTO_CLOSE int fs = -1;

	if (hide && place_new("tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0555,size=4k", root, "/sys/fs", e) < 0)
		return -1;
	if (place_new("cgroup2", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL, root, "/sys/fs/cgroup", e) < 0)
		return -1;
	if (!hide)
		return 0;
	fs = target_open(root, "/sys/fs", O_PATH | O_DIRECTORY);
	if (fs < 0 || mount_setattr(fs, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		return err_sys(e, "protect /sys/fs");
	return 0;
}

/* Files of PID 1's, where the plan has given it some, and the host name. */
static int give_etc(int root, struct err *e)
{
	AUTO_CLOSE int hosts = target_open(root, "/etc/hosts", O_PATH);
	bool has_hosts = hosts >= 0 || errno != ENOENT;

	if (access(MOUNTS_ETC "/resolv.conf", F_OK) == 0 &&
		place_copy(MOUNTS_ETC "/resolv.conf", 0, root, "/etc/resolv.conf", e) < 0)
		return -1;
	if (access(MOUNTS_ETC "/hosts", F_OK) == 0) {
		if (place_copy(MOUNTS_ETC "/hosts", 0, root, "/etc/hosts", e) < 0)
			return -1;
	} else if (!has_hosts && access(MOUNTS_ETC "/hosts-fallback", F_OK) == 0) {
		if (place_copy(MOUNTS_ETC "/hosts-fallback", 0, root, "/etc/hosts", e) < 0)
			return -1;
	}
	return place_copy("/proc/sys/kernel/hostname", MOUNT_ATTR_RDONLY, root, "/etc/hostname", e);
}

/* A new volume of a docker image begins with what the image has there. */
static int fill_volume(int root, const struct guest_mount *m, struct err *e)
{
	AUTO_CLOSE int from = target_open(root, m->target, O_PATH | O_DIRECTORY);
	AUTO_CLOSE int to = open(m->source, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int due;

	if (to < 0)
		return err_sys(e, "open the volume");
	due = copy_is_due(to);
	if (due < 0)
		return err_sys(e, "read the volume");
	return from >= 0 && due ? copy_tree(from, to, e) : 0;
}

static int give_volumes(int root, const struct guest_mounts *mounts, struct err *e)
{
	for (size_t i = 0; i < mounts->n; i++) {
		const struct guest_mount *m = &mounts->list[i];

		if (m->copy_image && fill_volume(root, m, e) < 0)
			return err_prefix(e, "mount '%s'", m->target);
		if (place_copy(m->source, m->read_only ? MOUNT_ATTR_RDONLY : 0, root, m->target, e) < 0)
			return -1;
	}
	return 0;
}

static int give_notify(const struct guest_app *app, int root, struct err *e)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), NOTIFY_DIR "/%s", app->name);
	return app->notify ? place_copy(path, 0, root, GUEST_NOTIFY, e) : 0;
}

/* Everything is mounted before the root changes: PID 1's tree is the source, and no link can lead to it. */
static int build(const struct guest_app *app, int root, struct err *e)
{
	const struct guest_mounts *mounts = &app->mounts;
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

	if (make_directories(root, e) < 0 ||
		place_new("proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL, root, "/proc", e) < 0)
		return -1;
	if (mounts->sysfs && give_sys(root, e) < 0)
		return -1;
	if (give_dev(root, e) < 0 || give_etc(root, e) < 0)
		return -1;
	if (mounts->protect_paths && protect(root, mounts->sysfs, e) < 0)
		return -1;
	if (mounts->sysfs && give_cgroup(root, mounts->protect_paths, e) < 0)
		return -1;
	if (give_volumes(root, mounts, e) < 0 || give_notify(app, root, e) < 0)
		return -1;
	if (mounts->read_only_root && mount_setattr(root, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) < 0)
		return err_sys(e, "make the root read-only");
	return 0;
}

int view_enter(const struct guest_app *app, struct err *e)
{
	AUTO_CLOSE int root = -1;
	mode_t mask = umask(0);
	int ret;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return err_sys(e, "make a mount namespace");
	if (mount(app->root, app->root, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "enter the root file system");
	root = open(app->root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "enter the root file system");
	ret = build(app, root, e);
	(void)umask(mask);
	if (ret < 0)
		return -1;
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
		chdir("/") < 0 || mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0)
		return err_sys(e, "enter the root file system");
	return 0;
}
