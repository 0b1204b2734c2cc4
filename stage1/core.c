/* See core.h. */
#include "stage1/core.h"

#include <stdio.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { CORE_OVERHEAD_KIB = 4 << 10 }; /* headers, and 16 bytes a page are within this up to 1 GiB */

static int check_room(const struct domain_plan *plan, struct err *e)
{
	uint64_t need = plan->memory_kib + plan->memory_kib / 128 + CORE_OVERHEAD_KIB, room;
	struct statvfs fs;

	if (plan->memory_kib > plan->core_max_kib)
		return err_set(e, ERR_INPUT, "the guest has %llu MiB of memory, the annotation allows %llu",
			(unsigned long long)(plan->memory_kib >> 10), (unsigned long long)(plan->core_max_kib >> 10));
	if (statvfs(".", &fs) < 0)
		return err_sys(e, "look for room in the pod's directory");
	room = (uint64_t)fs.f_bavail * fs.f_frsize >> 10;
	if (room < need)
		return err_set(e, ERR_HOST, "it takes %llu MiB, the pod's file system has %llu",
			(unsigned long long)(need >> 10), (unsigned long long)(room >> 10));
	return 0;
}

void core_dump(const struct xen_ops *xo, struct xen *xen, uint32_t domid, const struct domain_plan *plan)
{
	struct err e = ERR_INIT;

	if (plan->core_max_kib == 0)
		return;
	if (check_room(plan, &e) < 0) {
		fprintf(stderr, "stage1 run: warning: no core of the guest: %s\n", e.msg);
	} else if (xo->dump(xen, domid, CORE_FILE, &e) < 0) {
		fprintf(stderr, "stage1 run: warning: no core of the guest: %s\n", e.msg);
		(void)unlink(CORE_FILE);
	} else {
		fprintf(stderr, "stage1 run: the guest's memory is in the pod's directory: " CORE_FILE "\n");
	}
}
