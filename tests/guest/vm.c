/* See vm.h. */
#include "tests/guest/vm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init/guest.h"
#include "init/signals.h"
#include "init/net.h"
#include "stage1/common/netlink.h"
#include "stage1/common/util.h"

#define BUSYBOX "/bin/busybox"

enum { PATIENCE_MS = 30000 };

struct vm_report *vm_report;
int vm_speed = 1;
bool vm_no_export;
bool vm_narrow;
const uint8_t *vm_nic;

static char dir[] = "/tmp/stage1-xen-guest.XXXXXX";
static char base[64], export[64], apps[72], self[PATH_MAX];
static int pid_ns = -1;
static int speed = 1; /* of this process */

/* In place of libc's: the supervisor's deadlines pass faster, in poll() too. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
	long ret = syscall(SYS_clock_gettime, id, ts);
	int64_t ns = ((int64_t)ts->tv_sec * 1000000000 + ts->tv_nsec);

	if (speed > 1 && id == CLOCK_MONOTONIC) {
		ns *= speed;
		ts->tv_sec = ns / 1000000000;
		ts->tv_nsec = ns % 1000000000;
	}
	return (int)ret;
}

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int64_t ns = (int64_t)timeout * 1000000 / speed;
	struct timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	if (getpid() == 1)
		vm_report->turns++;
	return ppoll(fds, n, timeout < 0 ? NULL : &ts, NULL);
}

static void die(const char *what) __attribute__((noreturn));

static void die(const char *what)
{
	dprintf(STDERR_FILENO, "# %s: %s\n", what, strerror(errno));
	_exit(99);
}

static void must(int ret, const char *what)
{
	if (ret < 0)
		die(what);
}

bool vm_open(void)
{
	ssize_t len;

	pid_ns = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (pid_ns < 0 || unshare(CLONE_NEWPID) < 0 || unshare(CLONE_NEWNS) < 0 ||
		setns(pid_ns, CLONE_NEWPID) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return false;
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	must((int)len, "find the test's programs");
	if (!mkdtemp(dir))
		die("make a directory");
	(void)snprintf(base, sizeof(base), "%s/base", dir);
	(void)snprintf(export, sizeof(export), "%s/export", dir);
	(void)snprintf(apps, sizeof(apps), "%s/apps", export);
	must(mount("guest-test", dir, "tmpfs", 0, NULL), "mount a tmpfs");
	must(mkdir(base, 0755), base);
	must(mkdir(export, 0755), export);
	must(mkdir(apps, 0755), apps);
	vm_report = mmap(NULL, sizeof(*vm_report), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return true;
}

void vm_shut(void)
{
	(void)umount2(dir, MNT_DETACH);
	(void)rmdir(dir);
	(void)close(pid_ns);
}

const char *vm_export(void)
{
	return apps;
}

static void make_file(const char *root, const char *path, const char *text)
{
	AUTO_FREE char *full = xasprintf("%s/%s", root, path);
	struct err e = ERR_INIT;

	if (write_file_atomic(AT_FDCWD, full, text, strlen(text), 0644, &e) < 0)
		die(e.msg);
}

static void copy_program(const char *from, const char *root, const char *name)
{
	AUTO_FREE char *to = xasprintf("%s/bin/%s", root, name);
	AUTO_FREE char *data = NULL;
	struct err e = ERR_INIT;
	size_t len;

	if (read_file_at(AT_FDCWD, from, 64 << 20, &data, &len, &e) < 0 ||
		write_file_atomic(AT_FDCWD, to, data, len, 0755, &e) < 0)
		die(e.msg);
}

static int chmod_below(const char *root, const char *path, mode_t mode)
{
	AUTO_FREE char *full = xasprintf("%s/%s", root, path);

	return chmod(full, mode);
}

/* One that is built beside this test. */
static void copy_own_program(const char *name, const char *root)
{
	AUTO_FREE char *path = xasprintf("%s-%s", self, name);

	copy_program(path, root, name);
}

void vm_make_root(const char *name)
{
	static const char *const dirs[] = { "", "bin", "etc", "tmp" };
	static const char *const applets[] = { "cat", "echo", "env", "false", "grep", "head", "id", "kill", "ls",
		"mkfifo", "pwd", "readlink", "rm", "seq", "setsid", "sh", "sleep", "sort", "stty", "true",
		"tty", "usleep", "wc", "yes" };
	AUTO_FREE char *root = xasprintf("%s/%s", apps, name);

	for (size_t i = 0; i < COUNT(dirs); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", root, dirs[i]);

		must(mkdir(path, 0755), path);
	}
	for (size_t i = 0; i < COUNT(applets); i++) {
		AUTO_FREE char *path = xasprintf("%s/bin/%s", root, applets[i]);

		must(symlink("busybox", path), path);
	}
	copy_program(BUSYBOX, root, "busybox");
	copy_own_program("escape", root);
	copy_own_program("notify", root);
	copy_own_program("sockecho", root);
	copy_program("/bin/true", root, "dynamic");
	make_file(root, "bin/script", "#! /none/sh -e\n");
	must(chmod_below(root, "bin/script", 0755), "bin/script");
	make_file(root, "etc/passwd", "root:x:0:0::/:/bin/sh\nwww:x:33:34::/:/bin/sh\n");
	make_file(root, "etc/group", "root:x:0:\nweb:x:44:\n");
}

void vm_make_volumes(void)
{
	static const char *const dirs[] = { "v", "v/dir", "v/empty" };

	for (size_t i = 0; i < COUNT(dirs); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", export, dirs[i]);

		must(mkdir(path, 0755), path);
	}
	make_file(export, "v/dir/inside", "in the volume\n");
	make_file(export, "v/file", "a file\n");
}

/* The guest's root: what PID 1 has when init/main.c has called mounts_base(). */
static void enter_base(void)
{
	static const char *const dirs[] = { "proc", "sys", "dev", "dev/pts", "dev/shm", "pod", "host", "etc", "hidden" };

	must(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET), "unshare");
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), "make mounts private");
	must(mount("base", base, "tmpfs", 0, "mode=0755"), "mount the guest's root");
	must(chdir(base), base);
	for (size_t i = 0; i < COUNT(dirs); i++)
		must(mkdir(dirs[i], 0755), dirs[i]);
	must(chmod("hidden", 0), "hidden");
	must(mknod("hidden-file", S_IFREG, 0), "make hidden-file");
	must(mknod("dev/null", S_IFCHR | 0666, makedev(1, 3)), "make dev/null");
	must(mknod("dev/ptmx", S_IFCHR | 0666, makedev(5, 2)), "make dev/ptmx");
	must(mount(export, "host", NULL, MS_BIND, NULL), "bind the export");
	must(mount("proc", "proc", "proc", 0, NULL), "mount proc");
	must(mount("sysfs", "sys", "sysfs", 0, NULL), "mount sysfs");
	must(mount("devpts", "dev/pts", "devpts", 0, "newinstance,ptmxmode=0666"), "mount devpts");
	must(mount("shm", "dev/shm", "tmpfs", 0, "mode=1777"), "mount shm");
	must((int)syscall(SYS_pivot_root, ".", "."), "pivot_root");
	must(umount2(".", MNT_DETACH), "leave the host's root");
	must(chdir("/"), "/");
}

/* A pair of veth(4), for its MAC. */
static void make_nic(const uint8_t mac[6])
{
	const struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nl_request rq;
	int fd = nl_open(0);
	size_t info;

	must(fd, "rtnetlink");
	nl_begin(&rq, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	nl_put(&rq, IFLA_ADDRESS, mac, 6);
	info = nl_nest(&rq, IFLA_LINKINFO);
	nl_put(&rq, IFLA_INFO_KIND, "veth", 4);
	nl_nest_end(&rq, info);
	errno = -nl_talk(fd, &rq, NULL, NULL);
	must(errno ? -1 : 0, "make a veth pair");
	(void)close(fd);
}

static int prepare(const struct guest_plan *plan, struct err *e)
{
	if (vm_no_export)
		return err_set(e, ERR_HOST, "no 9p export");
	if (sethostname(plan->hostname, strlen(plan->hostname)) < 0 ||
		mount("/host", GUEST_POD_DIR, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "prepare");
	if (vm_nic)
		make_nic(vm_nic);
	return net_up(plan, 0, e);
}

static int processes(void)
{
	DIR *d = opendir("/proc");
	int n = 0;

	for (struct dirent *entry; (entry = readdir(d)) != NULL;)
		n += entry->d_name[0] >= '0' && entry->d_name[0] <= '9';
	(void)closedir(d);
	return n - 1;
}

static void let_go(void)
{
	vm_report->let_go++;
}

static void finish(void)
{
	vm_report->left = processes();
	vm_report->unmount_errno = umount2(GUEST_POD_DIR, 0) < 0 ? errno : 0;
}

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void ack(void *ctx)
{
	(void)ctx;
}

static ssize_t channel_read(void *ctx, void *buf, size_t len)
{
	ssize_t n = recv(*(int *)ctx, buf, len, 0);

	return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
}

static ssize_t channel_write(void *ctx, const void *buf, size_t len)
{
	ssize_t n = send(*(int *)ctx, buf, len, MSG_NOSIGNAL);

	return n >= 0 ? n : errno == EAGAIN ? 0 : -1;
}

static void pid_1(int fd) __attribute__((noreturn));

static void pid_1(int fd)
{
	static const struct guest_ops ops = { .prepare = prepare, .let_go = let_go, .finish = finish };
	struct transport io = { .ctx = &fd, .fd = fd, .ack = ack, .read = channel_read, .write = channel_write };
	struct err e = ERR_INIT;
	int sigfd, before;

	enter_base();
	(void)umask(0022);
	sigfd = signals_open(&e);
	must(sigfd, e.msg);
	before = open_fds();
	speed = vm_speed;
	guest_run(&io, sigfd, &ops);
	speed = 1;
	vm_report->leaked_fds = open_fds() - before;
	vm_report->returned = true;
	exit(0); /* with the leak checker */
}

void vm_start(struct vm *vm)
{
	int fds[2], least = 1; /* the kernel's own bound is more */

	*vm_report = (struct vm_report){ .left = -1 };
	must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), "socketpair");
	if (vm_narrow)
		must(setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least)), "make the channel narrow");
	must(unshare(CLONE_NEWPID), "unshare");
	(void)fflush(stdout);
	vm->pid = fork();
	must(vm->pid, "fork");
	if (vm->pid == 0) {
		(void)close(fds[0]);
		pid_1(fds[1]);
	}
	must(setns(pid_ns, CLONE_NEWPID), "setns");
	(void)close(fds[1]);
	vm->fd = fds[0];
}

int vm_wait(struct vm *vm)
{
	int status, pidfd = (int)syscall(SYS_pidfd_open, vm->pid, 0);
	struct pollfd end = { .fd = pidfd, .events = POLLIN };

	must(pidfd, "pidfd_open");
	if (poll(&end, 1, PATIENCE_MS) <= 0)
		(void)kill(vm->pid, SIGKILL); /* shows in its status */
	(void)close(pidfd);
	must(waitpid(vm->pid, &status, 0), "waitpid");
	vm->pid = -1;
	if (vm->fd >= 0)
		(void)close(vm->fd);
	vm->fd = -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void vm_kill(struct vm *vm)
{
	if (vm->pid <= 0)
		return;
	(void)kill(vm->pid, SIGKILL);
	(void)vm_wait(vm);
}
