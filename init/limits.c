/* See limits.h. */
#include "init/limits.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage1/common/util.h"

static int set_oom_score(int32_t score, struct err *e)
{
	AUTO_CLOSE int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || dprintf(fd, "%d", score) < 0)
		return err_sys(e, "set the OOM score to %d", score);
	return 0;
}

/* systemd's defaults for services, which rkt's apps are; what is not here stays the kernel's. */
static int set_rlimits(struct err *e)
{
	static const struct {
		__rlimit_resource_t what;
		struct rlimit limit;
	} rows[] = {
		{ RLIMIT_NOFILE, { 1024, 524288 } },
		{ RLIMIT_CORE, { 0, RLIM_INFINITY } },
		{ RLIMIT_MEMLOCK, { 8 << 20, 8 << 20 } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct rlimit limit = rows[i].limit, now;

		if (getrlimit(rows[i].what, &now) < 0)
			return err_sys(e, "read resource limit %d", (int)rows[i].what);
		if (setrlimit(rows[i].what, &limit) == 0)
			continue;
		/* not in a guest, but where tests run there may be a ceiling that root cannot lift */
		limit.rlim_max = limit.rlim_max < now.rlim_max ? limit.rlim_max : now.rlim_max;
		limit.rlim_cur = limit.rlim_cur < limit.rlim_max ? limit.rlim_cur : limit.rlim_max;
		if (setrlimit(rows[i].what, &limit) < 0)
			return err_sys(e, "set resource limit %d", (int)rows[i].what);
	}
	return 0;
}

static int drop_caps(uint64_t keep, struct err *e)
{
	for (unsigned cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(keep & UINT64_C(1) << cap) && prctl(PR_CAPBSET_DROP, cap) < 0)
			return err_sys(e, "drop capability %u", cap);
	return 0;
}

int limits_apply(const struct guest_limits *l, struct err *e)
{
	return set_oom_score(l->oom_score_adj, e) < 0 || set_rlimits(e) < 0 || drop_caps(l->caps, e) < 0 ? -1 : 0;
}

int limits_lock(const struct guest_limits *l, bool unprivileged, struct err *e)
{
	struct sock_filter code[GUEST_FILTER_MAX / sizeof(struct sock_filter)];
	struct sock_fprog prog = { .len = (unsigned short)(l->filter_len / sizeof(*code)), .filter = code };

	/*
	 * Who is not root may only have a filter with no-new-privileges: rkt turns it on for all processes of an
	 * app whose user is another one.
	 */
	if ((l->no_new_privs || (l->filter_len && unprivileged)) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, "turn new privileges off");
	if (!l->filter_len)
		return 0;
	memcpy(code, l->filter, l->filter_len); /* it is not aligned where it is */
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
		return err_sys(e, "install the system call filter");
	return 0;
}
