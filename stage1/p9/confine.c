/* See confine.h. */
#include "stage1/p9/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum { FILES_MAX = 65536 };

int confine_begin(struct err *e)
{
	/* A unit that is stopped signals all its processes: the guest must still write its files out. */
	static const int ignored[] = { SIGHUP, SIGINT, SIGTERM, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM,
		SIGXFSZ };
	const struct rlimit files = { FILES_MAX, FILES_MAX }, core = { 0, 0 };
	sigset_t none;

	for (size_t i = 0; i < COUNT(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid();
	(void)umask(0);
	if (syscall(SYS_close_range, 3u, ~0u, 0u) < 0)
		return err_sys(e, "close inherited descriptors");
	if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_CORE, &core) < 0)
		return err_sys(e, "set limits");
	/* Not dumpable: the two processes are root both, and must not reach one another through /proc. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, "give up new privileges");
	return 0;
}

static int own_proc(int *fd_r, struct err *e)
{
	AUTO_CLOSE int fs = -1;
	int mnt;

	fs = (int)syscall(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "subset", "pid", 0) < 0 ||
		syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_sys(e, "make a proc file system");
	mnt = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
		MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (mnt < 0)
		return err_sys(e, "mount a proc file system of our own");
	*fd_r = mnt;
	return 0;
}

/* The tree at `path`, moved to our own root's directory `name`. */
static int take_export(const char *path, int base, const char *name, int *root_r, struct err *e)
{
	AUTO_CLOSE int tree = -1;
	int root;

	tree = (int)syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
	if (tree < 0)
		return err_sys(e, "export %s", path);
	if (mkdirat(base, name, 0700) < 0 ||
		syscall(SYS_move_mount, tree, "", base, name, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_sys(e, "mount a copy of %s", path);
	root = openat(base, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (root < 0)
		return err_sys(e, "open a copy of %s", path);
	*root_r = root;
	return 0;
}

int confine_root(char *const *paths, unsigned n, int *roots_r, int *proc_fd_r, struct err *e)
{
	static const char place[] = "/proc"; /* any directory that every host has */
	AUTO_CLOSE int base = -1;

	if (own_proc(proc_fd_r, e) < 0)
		return -1;
	if (mount("stage1-xen-p9", place, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700,size=64k") < 0)
		return err_sys(e, "mount a root of our own");
	base = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (base < 0)
		return err_sys(e, "open a root of our own");
	for (unsigned i = 0; i < n; i++) {
		char name[12];

		(void)snprintf(name, sizeof(name), "%u", i);
		if (take_export(paths[i], base, name, &roots_r[i], e) < 0)
			return -1;
	}
	if (mount(NULL, place, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
			NULL) < 0)
		return err_sys(e, "make our root read-only");
	if (fchdir(base) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
		chdir("/") < 0)
		return err_sys(e, "leave the host's files");
	return 0;
}

int confine_capabilities(enum confine_role role, struct err *e)
{
	static const unsigned kept[] = { CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH, CAP_FOWNER,
		CAP_FSETID, CAP_MKNOD, CAP_SETFCAP };
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	uint64_t mask = 0;

	for (size_t i = 0; role == CONFINE_SERVER && i < COUNT(kept); i++)
		mask |= 1ull << kept[i];
	for (unsigned cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(mask >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return err_sys(e, "drop capability %u", cap);
	data[0].effective = data[0].permitted = (uint32_t)mask;
	data[1].effective = data[1].permitted = (uint32_t)(mask >> 32);
	if (syscall(SYS_capset, &head, data) < 0)
		return err_sys(e, "drop capabilities");
	return 0;
}
