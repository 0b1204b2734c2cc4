/* See world.h. */
#include "tests/stub/world.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "stage1/common/util.h"

struct world *world;

static int channel = -1;
static bool broken;

/* In place of libc's: the deadlines of `run` pass without waiting for them. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
	long ret = syscall(SYS_clock_gettime, id, ts);

	if (world)
		ts->tv_sec += world->skew_s;
	return (int)ret;
}

bool world_fails(const char *call)
{
	world->calls++;
	if (world->calls == world->signal_at)
		(void)raise(SIGTERM);
	if (world->calls != world->fail_at)
		return false;
	(void)snprintf(world->failed, sizeof(world->failed), "%s", call);
	return true;
}

/* As world_fails(); the call's name gets the last part of the path it is about. */
static bool fails_at(const char *call, const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	if (!world || !world_fails(call))
		return false;
	(void)snprintf(world->failed, sizeof(world->failed), "%s %s", call,
		slash && slash[1] ? slash + 1 : path);
	errno = EIO;
	return true;
}

/* In place of libc's: the system calls that make what must be unmade. */
int unshare(int flags)
{
	if (world && world_fails("unshare")) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_unshare, flags);
}

int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data)
{
	if (fails_at(flags & MS_REMOUNT ? "remount" : "mount", target))
		return -1;
	return (int)syscall(SYS_mount, source, target, type, flags, data);
}

int mkdir(const char *path, mode_t mode)
{
	return fails_at("mkdir", path) ? -1 : (int)syscall(SYS_mkdir, path, mode);
}

int mkdirat(int at, const char *path, mode_t mode)
{
	return fails_at("mkdirat", path) ? -1 : (int)syscall(SYS_mkdirat, at, path, mode);
}

/* The trees of an export are known by their order. */
static int trees;

static bool fails_numbered(const char *call)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%d", trees);
	return fails_at(call, text);
}

int open_tree(int fd, const char *path, unsigned flags)
{
	trees++;
	return fails_numbered("open_tree") ? -1 : (int)syscall(SYS_open_tree, fd, path, flags);
}

int mount_setattr(int fd, const char *path, unsigned flags, struct mount_attr *attr, size_t size)
{
	return fails_numbered("mount_setattr") ? -1 : (int)syscall(SYS_mount_setattr, fd, path, flags, attr, size);
}

int move_mount(int from, const char *from_path, int to, const char *to_path, unsigned flags)
{
	return fails_numbered("move_mount") ? -1 :
		(int)syscall(SYS_move_mount, from, from_path, to, to_path, flags);
}

int renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	return fails_at("renameat", to) ? -1 : (int)syscall(SYS_renameat, from_dir, from, to_dir, to);
}

int symlink(const char *text, const char *path)
{
	return fails_at("symlink", text) ? -1 : (int)syscall(SYS_symlink, text, path);
}

void world_misuse(const char *fmt, ...)
{
	va_list ap;

	if (*world->misuse)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(world->misuse, sizeof(world->misuse), fmt, ap);
	va_end(ap);
}

/* What libxl starts inherits what is not close-on-exec: the pod's lock must not be among it. */
static void look_for_inherited(void)
{
	for (int fd = 3; fd < 256; fd++) {
		int flags = fcntl(fd, F_GETFD);

		if (flags >= 0 && !(flags & FD_CLOEXEC))
			world_misuse("descriptor %d is handed on to QEMU", fd);
	}
}

void world_create(bool backend)
{
	pid_t pid;

	if (world->domains > 0)
		world_misuse("a second domain is made");
	look_for_inherited();
	world->creates++;
	world->domains++;
	world->state = DOMAIN_RUNNING;
	world->backend_ours = backend;
	if (!backend)
		return;
	pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (int sig = 1; sig < NSIG; sig++)
			(void)signal(sig, SIG_DFL);
		for (;;)
			(void)pause();
	}
	world->backend = pid;
}

static void close_console(void)
{
	if (world->console >= 0)
		(void)close(world->console);
	world->console = -1;
}

void world_destroy(void)
{
	if (world->domains == 0) {
		world_misuse("a domain is destroyed that is not there");
		return;
	}
	if (world->channels > 0)
		world_misuse("the domain is destroyed while its channel is mapped");
	world->destroys++;
	world->domains--;
	if (world->backend_ours) {
		(void)kill(world->backend, SIGKILL);
		(void)waitpid(world->backend, NULL, 0);
	} else if (world->backend && kill(world->backend, 0) == 0) {
		world_misuse("the domain is destroyed while its backend serves it");
	}
	close_console();
}

void world_crash(void)
{
	world->state = DOMAIN_CRASHED;
	close_console(); /* that was its last word */
}

void world_unpause(void)
{
	world->unpaused = true;
	world->unpauses++;
}

int world_console(void)
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0 ||
		ptsname_r(fd, world->console_path, sizeof(world->console_path)) != 0)
		return -1;
	if (world->console >= 0)
		(void)close(world->console);
	world->console = fd;
	return 0;
}

int world_channel_open(void)
{
	int fds[2];

	if (!guest_serves())
		return -1;
	if (channel >= 0) {
		world_misuse("the channel is opened twice");
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) < 0)
		return -1;
	channel = fds[0];
	guest_open(fds[1]);
	world->channels++;
	return channel;
}

void world_channel_close(void)
{
	if (channel < 0)
		return;
	world->channels--;
	(void)close(channel);
	channel = -1;
	guest_close();
}

void world_channel_breaks(void)
{
	broken = true;
}

ssize_t world_channel_read(void *buf, size_t len)
{
	ssize_t n;

	if (broken)
		return -1;
	n = recv(channel, buf, len, 0);
	return n > 0 ? n : n < 0 && errno == EAGAIN ? 0 : -1;
}

ssize_t world_channel_write(const void *buf, size_t len)
{
	ssize_t n;

	if (broken)
		return -1;
	n = send(channel, buf, len, MSG_NOSIGNAL);
	return n >= 0 ? n : errno == EAGAIN ? 0 : -1;
}

static void backend_dies(void)
{
	siginfo_t si;

	if (world->backend > 0)
		(void)kill(world->backend, SIGKILL);
	(void)waitid(P_PID, (id_t)world->backend, &si, WEXITED | WNOWAIT);
	world->backend_dead = true;
}

static void strike(void)
{
	world->struck = true;
	switch (world->fate) {
	case FATE_POWEROFF:
		world->state = DOMAIN_POWEROFF;
		break;
	case FATE_CRASH:
		world_crash();
		break;
	case FATE_GONE:
		world->state = DOMAIN_GONE;
		break;
	case FATE_TAKEN:
		world->taken = true;
		backend_dies();
		break;
	case FATE_BACKEND:
		backend_dies();
		break;
	case FATE_CLOSE:
		guest_close();
		break;
	case FATE_GARBAGE:
	case FATE_HALF:
		guest_garbage(world->fate == FATE_HALF);
		break;
	case FATE_STALL:
		world->stalled = true;
		(void)raise(SIGTERM);
		break;
	case FATE_TERM_TWICE:
		(void)raise(SIGTERM);
		(void)raise(SIGTERM);
		break;
	case FATE_HANG_UP: /* as by bash, the kernel, and a unit's SendSIGHUP= */
		(void)raise(SIGHUP);
		(void)raise(SIGTERM);
		(void)raise(SIGHUP);
		break;
	case FATE_PWR_TWICE:
		(void)raise(SIGPWR);
		(void)raise(SIGPWR);
		break;
	case FATE_TERM:
		(void)raise(SIGTERM);
		break;
	case FATE_PAUSE:
		world->paused = true;
		break;
	case FATE_SLEEP:
		world->skew_s += 600;
		break;
	case FATE_NONE:
	case FATES:
		break;
	}
}

static bool dead(void)
{
	return world->state != DOMAIN_RUNNING || world->stalled || world->backend_dead || world->paused;
}

bool world_may_step(enum step next)
{
	if (world->fate != FATE_NONE && !world->struck && next == world->fate_at) {
		strike();
		return world->fate == FATE_SLEEP; /* the others at its next turn, if there is one */
	}
	return !dead();
}

void world_turn(int *timeout_ms)
{
	*timeout_ms = 0;
	if (!world->unpaused)
		return;
	if (world->stalled || world->paused)
		world->skew_s += 60;
	if (world->paused && ++world->paused_turns == 10)
		(void)raise(SIGPWR);
	guest_turn();
}
