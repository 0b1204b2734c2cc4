/* See machine.h. */
#include "stage1/machine.h"

#include "stage1/common/util.h"

enum {
	GROW_MS = 20000,
	SLACK_KIB = 1 << 10, /* pages of a guest that Xen counts otherwise */
};

static unsigned long long mib(uint64_t kib)
{
	return kib >> 10;
}

int machine_grow(struct machine *m, uint64_t kib, struct err *e)
{
	uint64_t more = kib - m->memory_kib;
	struct host_facts facts;

	if (m->xo->facts(m->xen, &facts, e) < 0)
		return -1;
	if (facts.free_kib < more)
		return err_set(e, ERR_HOST, "the pod needs %llu MiB more of memory, Xen has %llu MiB free", mib(more),
			mib(facts.free_kib));
	if (m->xo->set_memory(m->xen, m->domid, kib, e) < 0)
		return -1;
	m->wanted_kib = kib;
	m->deadline = monotonic_ms() + GROW_MS;
	return 0;
}

int machine_grown(struct machine *m, struct err *e)
{
	struct xen_usage usage = { .memory_kib = 0 };
	struct err ignored = ERR_INIT;
	uint64_t wanted = m->wanted_kib;

	if (m->xo->usage(m->xen, m->domid, &usage, &ignored) == 0 && usage.memory_kib + SLACK_KIB >= wanted) {
		m->memory_kib = wanted;
		m->wanted_kib = 0;
		return 1;
	}
	if (monotonic_ms() < m->deadline)
		return 0;
	m->wanted_kib = 0;
	(void)m->xo->set_memory(m->xen, m->domid, m->memory_kib, &ignored);
	return err_set(e, ERR_HOST, "the guest does not take the memory that it is given: it has %llu of %llu MiB",
		mib(usage.memory_kib), mib(wanted));
}

int machine_use(struct machine *m, uint32_t vcpus, struct err *e)
{
	if (vcpus > m->vcpus_max)
		vcpus = m->vcpus_max;
	if (vcpus <= m->vcpus)
		return 0;
	if (m->xo->set_vcpus(m->xen, m->domid, vcpus, e) < 0)
		return -1;
	m->vcpus = vcpus;
	return 0;
}
