/*
 * The named sets of system calls, as data. Which calls are in which set is rkt's decision of 2016
 * (stage1/init/common/seccomp_wildcards.go, which took docker's) and systemd 231's. The calls Linux got
 * after that are in lists of their own, so that both facts can be read.
 */
#include "stage1/plan/seccomp.h"

#include <stddef.h>
#include <string.h>

#include "stage1/common/util.h"

static const char *const default_whitelist[] = {
	"accept", "accept4", "access", "alarm", "bind", "brk", "capget", "capset", "chdir", "chmod",
	"chown", "chown32", "clock_getres", "clock_gettime", "clock_nanosleep", "close", "connect",
	"copy_file_range", "creat", "dup", "dup2", "dup3", "epoll_create", "epoll_create1", "epoll_ctl",
	"epoll_ctl_old", "epoll_pwait", "epoll_wait", "epoll_wait_old", "eventfd", "eventfd2", "execve",
	"execveat", "exit", "exit_group", "faccessat", "fadvise64", "fadvise64_64", "fallocate",
	"fanotify_mark", "fchdir", "fchmod", "fchmodat", "fchown", "fchown32", "fchownat", "fcntl",
	"fcntl64", "fdatasync", "fgetxattr", "flistxattr", "flock", "fork", "fremovexattr", "fsetxattr",
	"fstat", "fstat64", "fstatat64", "fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64",
	"futex", "futimesat", "getcpu", "getcwd", "getdents", "getdents64", "getegid", "getegid32",
	"geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", "getitimer",
	"getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom", "getresgid",
	"getresgid32", "getresuid", "getresuid32", "getrlimit", "get_robust_list", "getrusage", "getsid",
	"getsockname", "getsockopt", "get_thread_area", "gettid", "gettimeofday", "getuid", "getuid32",
	"getxattr", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch", "io_cancel",
	"ioctl", "io_destroy", "io_getevents", "ioprio_get", "ioprio_set", "io_setup", "io_submit", "ipc",
	"kill", "lchown", "lchown32", "lgetxattr", "link", "linkat", "listen", "listxattr", "llistxattr",
	"_llseek", "lremovexattr", "lseek", "lsetxattr", "lstat", "lstat64", "madvise", "memfd_create",
	"mincore", "mkdir", "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap", "mmap2",
	"mprotect", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink",
	"mremap", "msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap",
	"nanosleep", "newfstatat", "_newselect", "open", "openat", "pause", "personality", "pipe", "pipe2",
	"poll", "ppoll", "prctl", "pread64", "preadv", "prlimit64", "pselect6", "pwrite64", "pwritev",
	"read", "readahead", "readlink", "readlinkat", "readv", "recv", "recvfrom", "recvmmsg", "recvmsg",
	"remap_file_pages", "removexattr", "rename", "renameat", "renameat2", "restart_syscall", "rmdir",
	"rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn",
	"rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo", "sched_getaffinity", "sched_getattr",
	"sched_getparam", "sched_get_priority_max", "sched_get_priority_min", "sched_getscheduler",
	"sched_rr_get_interval", "sched_setaffinity", "sched_setattr", "sched_setparam",
	"sched_setscheduler", "sched_yield", "seccomp", "select", "semctl", "semget", "semop", "semtimedop",
	"send", "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto", "setfsgid", "setfsgid32",
	"setfsuid", "setfsuid32", "setgid", "setgid32", "setgroups", "setgroups32", "setitimer", "setpgid",
	"setpriority", "setregid", "setregid32", "setresgid", "setresgid32", "setresuid", "setresuid32",
	"setreuid", "setreuid32", "setrlimit", "set_robust_list", "setsid", "setsockopt", "set_thread_area",
	"set_tid_address", "setuid", "setuid32", "setxattr", "shmat", "shmctl", "shmdt", "shmget",
	"shutdown", "sigaltstack", "signalfd", "signalfd4", "sigreturn", "socket", "socketcall",
	"socketpair", "splice", "stat", "stat64", "statfs", "statfs64", "symlink", "symlinkat", "sync",
	"sync_file_range", "syncfs", "sysinfo", "syslog", "tee", "tgkill", "time", "timer_create",
	"timer_delete", "timerfd_create", "timerfd_gettime", "timerfd_settime", "timer_getoverrun",
	"timer_gettime", "timer_settime", "times", "tkill", "truncate", "truncate64", "ugetrlimit", "umask",
	"uname", "unlink", "unlinkat", "utime", "utimensat", "utimes", "vfork", "vmsplice", "wait4",
	"waitid", "waitpid", "write", "writev", "arch_prctl", "modify_ldt", "chroot", "clone",
	NULL,
};

/* What C libraries of today use of what is younger, and nothing that needs a privilege. */
static const char *const young_whitelist[] = {
	"close_range", "clone3", "epoll_pwait2", "faccessat2", "futex_waitv", "io_pgetevents",
	"landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "membarrier",
	"memfd_secret", "openat2", "pidfd_open", "pidfd_send_signal", "pkey_alloc", "pkey_free",
	"pkey_mprotect", "preadv2", "process_mrelease", "pwritev2", "rseq", "statx",
	NULL,
};

static const char *const default_blacklist[] = {
	"acct", "add_key", "adjtimex", "bpf", "clock_adjtime", "clock_settime", "create_module",
	"delete_module", "finit_module", "get_kernel_syms", "get_mempolicy", "init_module", "ioperm",
	"iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mbind", "mount",
	"move_pages", "name_to_handle_at", "nfsservctl", "open_by_handle_at", "perf_event_open",
	"pivot_root", "process_vm_readv", "process_vm_writev", "ptrace", "query_module", "quotactl",
	"reboot", "request_key", "set_mempolicy", "setns", "settimeofday", "stime", "swapon", "swapoff",
	"sysfs", "_sysctl", "umount", "umount2", "unshare", "uselib", "userfaultfd", "ustat", "vm86",
	"vm86old",
	NULL,
};

/* The same powers by younger calls. */
static const char *const young_blacklist[] = {
	"fsconfig", "fsmount", "fsopen", "fspick", "mount_setattr", "move_mount", "open_tree",
	"pidfd_getfd", "quotactl_fd", "set_mempolicy_home_node",
	NULL,
};

static const char *const set_clock[] = {
	"adjtimex", "clock_adjtime", "clock_settime", "settimeofday", "stime",
	NULL,
};

static const char *const set_mount[] = {
	"chroot", "mount", "pivot_root", "umount", "umount2",
	NULL,
};

static const char *const young_mount[] = {
	"fsconfig", "fsmount", "fsopen", "fspick", "mount_setattr", "move_mount", "open_tree",
	NULL,
};

static const char *const set_network_io[] = {
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
	"recv", "recvfrom", "recvmmsg", "recvmsg", "send", "sendmmsg", "sendmsg", "sendto", "setsockopt",
	"shutdown", "socket", "socketcall", "socketpair",
	NULL,
};

static const char *const set_obsolete[] = {
	"_sysctl", "afs_syscall", "break", "create_module", "ftime", "get_kernel_syms", "getpmsg", "gtty",
	"lock", "mpx", "prof", "profil", "putpmsg", "query_module", "security", "sgetmask", "ssetmask",
	"stty", "sysfs", "tuxcall", "ulimit", "uselib", "ustat", "vserver",
	NULL,
};

static const char *const set_module[] = {
	"delete_module", "finit_module", "init_module",
	NULL,
};

static const char *const set_raw_io[] = {
	"ioperm", "iopl", "pciconfig_iobase", "pciconfig_read", "pciconfig_write",
	NULL,
};

static const char *const set_privileged[] = {
	"acct", "bdflush", "bpf", "capset", "chown", "chown32", "chroot", "fchown", "fchown32", "fchownat",
	"kexec_file_load", "kexec_load", "lchown", "lchown32", "nfsservctl", "pivot_root", "quotactl",
	"reboot", "setdomainname", "setfsuid", "setfsuid32", "setgroups", "setgroups32", "sethostname",
	"setresuid", "setresuid32", "setreuid", "setreuid32", "setuid", "setuid32", "swapoff", "swapon",
	"_sysctl", "vhangup",
	NULL,
};

static const char *const set_process[] = {
	"arch_prctl", "clone", "execve", "execveat", "fork", "kill", "prctl", "setns", "tgkill", "tkill",
	"unshare", "vfork",
	NULL,
};

static const char *const young_process[] = {
	"clone3", "pidfd_open", "pidfd_send_signal",
	NULL,
};

/* systemd's @default: what a program needs to begin and to end; a retain-set has it always. */
static const char *const set_always[] = {
	"execve", "exit", "exit_group", "rt_sigreturn", "sigreturn",
	NULL,
};

static const struct {
	const char *name;
	const char *const *lists[4];
} sets[] = {
	{ "@docker/default-blacklist", { default_blacklist, young_blacklist } },
	{ "@docker/default-whitelist", { default_whitelist, young_whitelist } },
	{ "@rkt/default-blacklist", { default_blacklist, young_blacklist } },
	{ SECCOMP_DEFAULT, { default_whitelist, young_whitelist } },
	{ "@systemd/clock", { set_clock } },
	{ SECCOMP_ALWAYS, { set_always } },
	{ "@systemd/mount", { set_mount, young_mount } },
	{ "@systemd/network-io", { set_network_io } },
	{ "@systemd/obsolete", { set_obsolete } },
	{ "@systemd/privileged", { set_privileged, set_clock, set_module, set_raw_io } },
	{ "@systemd/process", { set_process, young_process } },
	{ "@systemd/raw-io", { set_raw_io } },
};

const char *const *const *seccomp_set(const char *name, size_t *n_r)
{
	for (size_t i = 0; i < COUNT(sets); i++)
		if (!strcmp(sets[i].name, name)) {
			*n_r = COUNT(sets[i].lists);
			return sets[i].lists;
		}
	return NULL;
}
