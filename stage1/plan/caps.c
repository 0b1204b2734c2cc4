/* See caps.h. */
#include "stage1/plan/caps.h"

#include <linux/capability.h>
#include <stddef.h>
#include <string.h>

#include "stage1/common/util.h"

#define BIT(cap) (UINT64_C(1) << (cap))

const uint64_t caps_default = BIT(CAP_AUDIT_WRITE) | BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) |
	BIT(CAP_FSETID) | BIT(CAP_FOWNER) | BIT(CAP_KILL) | BIT(CAP_MKNOD) | BIT(CAP_NET_RAW) |
	BIT(CAP_NET_BIND_SERVICE) | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) |
	BIT(CAP_SETFCAP) | BIT(CAP_SYS_CHROOT);

#define NAME(cap) [CAP_##cap] = #cap
static const char *const names[] = {
	NAME(CHOWN), NAME(DAC_OVERRIDE), NAME(DAC_READ_SEARCH), NAME(FOWNER), NAME(FSETID), NAME(KILL),
	NAME(SETGID), NAME(SETUID), NAME(SETPCAP), NAME(LINUX_IMMUTABLE), NAME(NET_BIND_SERVICE),
	NAME(NET_BROADCAST), NAME(NET_ADMIN), NAME(NET_RAW), NAME(IPC_LOCK), NAME(IPC_OWNER),
	NAME(SYS_MODULE), NAME(SYS_RAWIO), NAME(SYS_CHROOT), NAME(SYS_PTRACE), NAME(SYS_PACCT),
	NAME(SYS_ADMIN), NAME(SYS_BOOT), NAME(SYS_NICE), NAME(SYS_RESOURCE), NAME(SYS_TIME),
	NAME(SYS_TTY_CONFIG), NAME(MKNOD), NAME(LEASE), NAME(AUDIT_WRITE), NAME(AUDIT_CONTROL),
	NAME(SETFCAP), NAME(MAC_OVERRIDE), NAME(MAC_ADMIN), NAME(SYSLOG), NAME(WAKE_ALARM),
	NAME(BLOCK_SUSPEND), NAME(AUDIT_READ), NAME(PERFMON), NAME(BPF), NAME(CHECKPOINT_RESTORE),
};

int caps_find(const char *name)
{
	if (strncasecmp(name, "CAP_", 4) != 0)
		return -1;
	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcasecmp(name + 4, names[i]))
			return (int)i;
	return -1;
}

const char *caps_name(unsigned n)
{
	return n < COUNT(names) ? names[n] : NULL;
}
