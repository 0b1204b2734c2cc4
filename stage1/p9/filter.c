/*
 * The system calls the backend's two processes make. What is not in the tables ends the process. Part of
 * confine.h.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/sys/evtchn.h>
#include <xen/sys/gntdev.h>

#include "stage1/common/util.h"
#include "stage1/p9/confine.h"

/* What each role calls. Both: memory, threads, the end, xenstored or the other one. */
static const unsigned both[] = {
	SYS_read, SYS_write, SYS_close, SYS_poll, SYS_ppoll, SYS_fcntl, SYS_fstat, SYS_newfstatat,
	SYS_munmap, SYS_mremap, SYS_madvise, SYS_brk, SYS_futex, SYS_set_robust_list, SYS_rseq,
	SYS_sched_yield, SYS_rt_sigprocmask, SYS_rt_sigaction, SYS_rt_sigreturn, SYS_restart_syscall,
	SYS_getpid, SYS_gettid, SYS_tgkill, SYS_getrandom, SYS_clock_gettime, SYS_exit, SYS_exit_group,
};

static const unsigned watcher[] = {
	SYS_readv, SYS_writev, SYS_sendto, SYS_recvfrom, SYS_sendmsg, SYS_recvmsg, SYS_dup2, SYS_pipe,
	SYS_pipe2, SYS_wait4,
};

static const unsigned server[] = {
	/* files by descriptor */
	SYS_preadv, SYS_preadv2, SYS_pwritev, SYS_pread64, SYS_pwrite64, SYS_fsync, SYS_fdatasync,
	SYS_ftruncate, SYS_getdents64, SYS_lseek, SYS_fstatfs, SYS_statx,
	/* names, one below a directory */
	SYS_openat2, SYS_mkdirat, SYS_mknodat, SYS_symlinkat, SYS_linkat, SYS_readlinkat, SYS_unlinkat,
	SYS_renameat, SYS_fchownat, SYS_utimensat,
	/* files through /proc/self/fd */
	SYS_openat, SYS_chmod, SYS_truncate, SYS_getxattr, SYS_setxattr, SYS_listxattr, SYS_removexattr,
	SYS_seccomp,
};

static const unsigned long requests[] = {
	IOCTL_EVTCHN_BIND_INTERDOMAIN, IOCTL_EVTCHN_UNBIND, IOCTL_EVTCHN_NOTIFY,
	IOCTL_EVTCHN_RESTRICT_DOMID, IOCTL_GNTDEV_MAP_GRANT_REF, IOCTL_GNTDEV_UNMAP_GRANT_REF,
	IOCTL_GNTDEV_GET_OFFSET_FOR_VADDR, IOCTL_GNTDEV_SET_UNMAP_NOTIFY,
};

enum { REQUESTS = COUNT(requests), CODE = 64 + 2 * (COUNT(both) + COUNT(server) + REQUESTS) };
_Static_assert(COUNT(watcher) <= COUNT(server) + REQUESTS, "the program fits for either role");

struct code {
	struct sock_filter ins[CODE];
	unsigned short n;
};

static void emit(struct code *c, struct sock_filter ins)
{
	if (c->n < CODE)
		c->ins[c->n++] = ins;
}

static void ret(struct code *c, uint32_t what)
{
	emit(c, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

static void load(struct code *c, size_t at)
{
	emit(c, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)at));
}

/* The low half of an argument. */
static size_t arg(unsigned i)
{
	return offsetof(struct seccomp_data, args) + 8 * i;
}

/* If what is loaded is v, then the answer is `what`. */
static void when(struct code *c, uint32_t v, uint32_t what)
{
	emit(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v, 0, 1));
	ret(c, what);
}

/* If the call is nr: allowed when (argument & mask) == value, else the process ends. */
static void when_masked(struct code *c, unsigned nr, unsigned argument, uint32_t mask, uint32_t value)
{
	emit(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 5));
	load(c, arg(argument));
	emit(c, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
	emit(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
	ret(c, SECCOMP_RET_ALLOW);
	ret(c, SECCOMP_RET_KILL_PROCESS);
}

static void when_each(struct code *c, const unsigned *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		when(c, calls[i], SECCOMP_RET_ALLOW);
}

static void begin(struct code *c)
{
	c->n = 0;
	load(c, offsetof(struct seccomp_data, arch));
	emit(c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
	ret(c, SECCOMP_RET_KILL_PROCESS);
	load(c, offsetof(struct seccomp_data, nr));
}

static int install(struct code *c, unsigned flags, struct err *e)
{
	const struct sock_fprog prog = { .len = c->n, .filter = c->ins };

	if (c->n == CODE)
		return err_set(e, ERR_SYSTEM, "the filter of system calls is too long");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) != 0)
		return err_sys(e, "filter system calls");
	return 0;
}

int confine_calls(enum confine_role role, struct err *e)
{
	struct code c;

	begin(&c);
	when_each(&c, both, COUNT(both));
	if (role == CONFINE_SERVER)
		when_each(&c, server, COUNT(server));
	else
		when_each(&c, watcher, COUNT(watcher));
	when(&c, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS); /* its flags are in memory: the C library uses clone */
	when_masked(&c, SYS_clone, 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM);
	when_masked(&c, SYS_mmap, 2, PROT_EXEC, 0);
	when_masked(&c, SYS_mprotect, 2, PROT_EXEC, 0);
	emit(&c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0));
	ret(&c, SECCOMP_RET_KILL_PROCESS);
	load(&c, arg(1));
	for (size_t i = 0; role == CONFINE_SERVER && i < REQUESTS; i++)
		when(&c, (uint32_t)requests[i], SECCOMP_RET_ALLOW);
	ret(&c, SECCOMP_RET_KILL_PROCESS);
	return install(&c, 0, e);
}

int confine_more(struct err *e)
{
	struct code c;

	begin(&c);
	when(&c, SYS_clone, SECCOMP_RET_KILL_PROCESS);
	when(&c, SYS_clone3, SECCOMP_RET_KILL_PROCESS);
	when(&c, SYS_seccomp, SECCOMP_RET_KILL_PROCESS);
	emit(&c, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 1, 0));
	ret(&c, SECCOMP_RET_ALLOW); /* as far as the other filter does */
	load(&c, arg(1));
	when(&c, (uint32_t)IOCTL_EVTCHN_NOTIFY, SECCOMP_RET_ALLOW);
	ret(&c, SECCOMP_RET_KILL_PROCESS);
	return install(&c, SECCOMP_FILTER_FLAG_TSYNC, e);
}
