/* A domain that runs: held, let go on, and what it has used. */
#include "stage1/common/util.h"
#include "stage1/xen/internal.h"

enum { PAUSES_MAX = 255 }; /* Xen counts them: whoever else paused the domain has let go of it too then */

bool xen_paused(struct xen *xen, uint32_t domid)
{
	libxl_dominfo info;
	bool paused = domain_look(xen, domid, &info) == 0 && info.paused && !info.dying && !info.shutdown;

	libxl_dominfo_dispose(&info);
	return paused;
}

int xen_pause(struct xen *xen, uint32_t domid, struct err *e)
{
	xl_log_forget(xen);
	if (!xen_paused(xen, domid) && libxl_domain_pause(xen->ctx, domid, NULL))
		return err_xl(e, xen, "pause domain %u", domid);
	return 0;
}

int xen_resume(struct xen *xen, uint32_t domid, struct err *e)
{
	xl_log_forget(xen);
	for (int i = 0; i < PAUSES_MAX && xen_paused(xen, domid); i++)
		if (libxl_domain_unpause(xen->ctx, domid, NULL))
			return err_xl(e, xen, "let domain %u run on", domid);
	return 0;
}

int xen_set_memory(struct xen *xen, uint32_t domid, uint64_t kib, struct err *e)
{
	xl_log_forget(xen);
	if (libxl_set_memory_target(xen->ctx, domid, (int64_t)kib, 0, 1))
		return err_xl(e, xen, "give domain %u memory", domid);
	return 0;
}

int xen_set_vcpus(struct xen *xen, uint32_t domid, uint32_t vcpus, struct err *e)
{
	libxl_bitmap map;
	int rc;

	xl_log_forget(xen);
	libxl_bitmap_init(&map);
	rc = domcfg_vcpus(xen->ctx, vcpus, vcpus, &map);
	if (rc == 0)
		rc = libxl_set_vcpuonline(xen->ctx, domid, &map, NULL);
	libxl_bitmap_dispose(&map);
	return rc ? err_xl(e, xen, "give domain %u %u vcpus", domid, vcpus) : 0;
}

static int read_vcpus(struct xen *xen, uint32_t domid, struct xen_usage *u, struct err *e)
{
	int n, ncpus;
	libxl_vcpuinfo *list = libxl_list_vcpu(xen->ctx, domid, &n, &ncpus);

	if (!list)
		return err_xl(e, xen, "ask Xen for the vcpus of domain %u", domid);
	u->nvcpus = 0;
	for (int i = 0; i < n && u->nvcpus < COUNT(u->vcpu_ns); i++)
		if (list[i].online)
			u->vcpu_ns[u->nvcpus++] = list[i].vcpu_time;
	libxl_vcpuinfo_list_free(list, n);
	return 0;
}

int xen_usage(struct xen *xen, uint32_t domid, struct xen_usage *usage_r, struct err *e)
{
	struct p9_record p9;
	libxl_dominfo info;
	int ret;

	xl_log_forget(xen);
	ret = domain_look(xen, domid, &info);
	if (ret == 0)
		*usage_r = (struct xen_usage){ .paused = info.paused, .cpu_ns = info.cpu_time,
			.memory_kib = info.current_memkb, .memory_max_kib = info.max_memkb };
	libxl_dominfo_dispose(&info);
	if (ret < 0)
		return err_xl(e, xen, "ask Xen about domain %u", domid);
	p9_record_read(xen, domid, &p9);
	usage_r->backend = p9.pid > 1 ? (pid_t)p9.pid : 0;
	return read_vcpus(xen, domid, usage_r, e);
}
