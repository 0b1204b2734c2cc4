/*
 * A domain plan as libxl's configuration. Needs no Xen: tests/golden prints the result as libxl's
 * own JSON. The reasons for the values are in xen-facts 1.3.
 */
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/xen/internal.h"

static void fill_exports(const struct domain_plan *plan, libxl_domain_config *cfg)
{
	cfg->p9s = xcalloc(plan->nexports, sizeof(*cfg->p9s));
	cfg->num_p9s = (int)plan->nexports;
	for (int i = 0; i < cfg->num_p9s; i++) {
		libxl_device_p9 *p9 = &cfg->p9s[i];

		libxl_device_p9_init(p9);
		p9->devid = i;
		p9->tag = xstrdup(plan->exports[i].tag);
		p9->path = xstrdup(plan->exports[i].path);
		p9->security_model = xstrdup(plan->exports[i].security);
#ifdef LIBXL_HAVE_XEN_9PFS
		p9->type = LIBXL_P9_TYPE_QEMU; /* at its default, 4.19 and later start no QEMU */
#endif
	}
}

/* `nictype` is libxl's to choose; queues are dom0's and the guest's drivers' (plan.c). */
void domcfg_nic(const struct domain_plan *plan, uint32_t i, libxl_device_nic *nic)
{
	libxl_device_nic_init(nic);
	nic->devid = (libxl_devid)i;
	nic->mtu = (int)plan->nics[i].mtu;
	memcpy(nic->mac, plan->nics[i].mac, sizeof(plan->nics[i].mac));
	libxl_defbool_set(&nic->trusted, plan->nics[i].backend_domid == 0);
	nic->backend_domid = plan->nics[i].backend_domid;
	if (nic->backend_domid == 0)
		nic->script = xstrdup(plan->nic_script);
	else if (plan->nics[i].bridge)
		nic->bridge = xstrdup(plan->nics[i].bridge); /* the script is libxl's: that domain's own runs */
}

/* Every vCPU may run on every one of them, and on no other. */
static void fill_affinity(libxl_ctx *ctx, const struct domain_plan *plan, libxl_domain_build_info *b)
{
	b->vcpu_hard_affinity = xcalloc(plan->vcpus_max, sizeof(*b->vcpu_hard_affinity));
	b->num_vcpu_hard_affinity = (int)plan->vcpus_max;
	for (uint32_t i = 0; i < plan->vcpus_max; i++) {
		libxl_bitmap *map = &b->vcpu_hard_affinity[i];

		libxl_bitmap_init(map);
		if (libxl_cpu_bitmap_alloc(ctx, map, FACTS_CPUS_MAX) != 0)
			continue;
		for (int cpu = 0; cpu < FACTS_CPUS_MAX; cpu++)
			if (plan->cpus.bits[cpu / 64] >> cpu % 64 & 1)
				libxl_bitmap_set(map, cpu);
	}
	libxl_defbool_set(&b->numa_placement, false); /* or libxl would choose as well */
}

int domcfg_vcpus(libxl_ctx *ctx, uint32_t n, uint32_t max, libxl_bitmap *map)
{
	int rc = libxl_cpu_bitmap_alloc(ctx, map, (int)max);

	for (uint32_t i = 0; rc == 0 && i < n; i++) /* libxl_bitmap_set_any() fills the last byte up */
		libxl_bitmap_set(map, (int)i);
	return rc;
}

void domcfg_fill(libxl_ctx *ctx, const struct domain_plan *plan, libxl_domain_config *cfg)
{
	const libxl_domain_type type = plan->type == DOMAIN_PVH ? LIBXL_DOMAIN_TYPE_PVH : LIBXL_DOMAIN_TYPE_PV;
	libxl_domain_build_info *b = &cfg->b_info;

	libxl_domain_config_init(cfg);
	cfg->c_info.type = type;
	cfg->c_info.name = xstrdup(plan->name);
	memcpy(cfg->c_info.uuid.uuid, plan->uuid, sizeof(plan->uuid));
	cfg->c_info.poolid = plan->pool;

	libxl_domain_build_info_init_type(b, type);
	b->kernel = xstrdup(plan->kernel);
	b->ramdisk = xstrdup(plan->ramdisk);
	b->cmdline = xstrdup(plan->cmdline);
	b->max_vcpus = (int)plan->vcpus_max;
	(void)domcfg_vcpus(ctx, plan->vcpus, plan->vcpus_max, &b->avail_vcpus);
	if (plan->pinned)
		fill_affinity(ctx, plan, b);
	b->max_memkb = plan->memory_max_kib;
	b->target_memkb = plan->memory_kib;
	b->video_memkb = 0;
	if (plan->type == DOMAIN_PV)
		b->shadow_memkb = 0; /* of the other type libxl knows how much */
	libxl_defbool_set(&b->claim_mode, true);
	b->tsc_mode = LIBXL_TSC_MODE_NATIVE;
	b->event_channels = plan->event_channels;
	b->max_grant_frames = (int)plan->grant_frames;
	b->max_maptrack_frames = (int)plan->maptrack_frames;
	b->max_grant_version = 1;
	if (plan->p9_backend == P9_QEMU) /* of ours libxl knows nothing: stage1/xen/p9.c */
		fill_exports(plan, cfg);
}
