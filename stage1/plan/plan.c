/* The plans themselves. See plan.h. */
#include "stage1/plan/listen.h"
#include "stage1/plan/plan.h"

#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/isolators.h"
#include "stage1/plan/size.h"
#include "stage1/plan/streams.h"
#include "stage1/plan/type.h"

void domain_plan_dispose(struct domain_plan *plan)
{
	free(plan->name);
	free(plan->kernel);
	free(plan->ramdisk);
	free(plan->cmdline);
	free(plan->pool_name);
	free(plan->p9_program);
	free(plan->nic_script);
	for (uint32_t i = 0; i < plan->nexports; i++) {
		free(plan->exports[i].tag);
		free(plan->exports[i].path);
		free(plan->exports[i].security);
	}
	for (uint32_t i = 0; i < plan->nnics; i++)
		free(plan->nics[i].bridge);
	*plan = (struct domain_plan)DOMAIN_PLAN_INIT;
}

/*
 * The pod's own files are cached without asking dom0 again, for nobody there changes them while it
 * runs. Host volumes are not: mmap is the mode without a cache in which shared mappings work
 * (xen-facts 2.6). It also makes a new inode of each look-up, so that file systems with equal inode
 * numbers do not meet, and a tree may be seen at two places.
 */
static const struct {
	const char *tag, *dir, *cache;
} exports[] = { { "pod", GUEST_POD_DIR, "loose" }, { "volumes", GUEST_VOLUMES_DIR, "mmap" } };

/* Two rings of 2 MiB for each export are much of a small guest: there they are of 256 KiB. */
static uint32_t ring_order(const struct plan_input *in)
{
	return size_is_small(in) ? 6 : 9;
}

/* A message is a quarter of a ring at most, which is half for each direction. */
static unsigned long ring_msize(uint32_t order)
{
	return 1024ul << order;
}

static void add_export(const struct plan_input *in, struct domain_plan *plan, const char *tag, char *path)
{
	plan->exports[plan->nexports++] = (struct domain_export){
		.tag = xstrdup(tag), .path = path, .security = xstrdup("passthrough"),
		.ring_order = ring_order(in),
	};
}

/*
 * Kernel messages are kept for the error report, warnings and worse; with --debug all. A guest of one vCPU keeps its
 * lock prefixes: to patch 6,000 of them out takes two loads of CR3 each, a fifth of the kernel's start. Each vCPU's
 * variables are kept in pages of 4 KiB: by default the first chunk of them is made for 2 MiB pages, which a PV guest
 * has not, and costs one vCPU 3.8 MiB. What the operator adds comes last: of most words the kernel takes the last.
 */
static int plan_cmdline(const struct plan_input *in, uint32_t vcpus, char **cmdline_r, struct err *e)
{
	const char *more = in->kernel_params ? in->kernel_params : "";
	AUTO_FREE char *queues = in->nnics == 0 || vcpus <= DOMAIN_QUEUES_MAX ? xstrdup("")
		: xasprintf(" xen_netfront.max_queues=%d", DOMAIN_QUEUES_MAX);
	AUTO_FREE char *line = xasprintf("console=hvc0 loglevel=%d noreplace-smp percpu_alloc=page%s%s%s",
		in->opts->debug ? 7 : 4, queues, *more ? " " : "", more);

	if (strlen(line) > DOMAIN_CMDLINE_MAX)
		return err_set(e, ERR_USAGE, PLAN_KERNEL_PARAMS ": the kernel's command line would have %zu bytes, and "
			"%d fit", strlen(line), DOMAIN_CMDLINE_MAX);
	*cmdline_r = STEAL(line);
	return 0;
}

/* The guest's driver makes as many queues as it has vCPUs, unless it is told. A queue has two channels. */
static void make_room_for_nics(const struct plan_input *in, struct domain_plan *plan)
{
	uint32_t queues = plan->vcpus_max < DOMAIN_QUEUES_MAX ? plan->vcpus_max : DOMAIN_QUEUES_MAX;

	if (in->nnics == 0)
		return;
	plan->nnics = (uint32_t)in->nnics;
	plan->nic_script = xasprintf("%s/" PLAN_NIC_SCRIPT, in->s1root);
	plan->event_channels += 2 * queues * plan->nnics;
	plan->grant_frames += (queues + 1) * plan->nnics;
}

void plan_domain_nics(struct domain_plan *plan, const struct guest_nic *nics)
{
	for (uint32_t i = 0; i < plan->nnics; i++) {
		memcpy(plan->nics[i].mac, nics[i].mac, sizeof(nics[i].mac));
		plan->nics[i].mtu = nics[i].mtu;
	}
}

void plan_domain_backend(struct domain_plan *plan, uint32_t i, uint32_t domid, const char *bridge)
{
	plan->nics[i].backend_domid = domid;
	plan->nics[i].bridge = bridge ? xstrdup(bridge) : NULL;
}

int plan_domain(const struct plan_input *in, struct domain_plan *plan_r, struct plan_warnings *w,
	struct err *e)
{
	const struct run_opts *o = in->opts;
	struct domain_plan plan = {
		.maptrack_frames = 0, /* the guest maps nobody's pages */
		.p9_backend = PLAN_P9_BACKEND,
	};
	struct size size;
	uint64_t need;

	if (in->nnics > DOMAIN_NICS_MAX)
		return err_set(e, ERR_INPUT, "the pod has %zu networks, over %d", in->nnics, DOMAIN_NICS_MAX);
	if (type_plan(in->pod, in->facts, &plan.type, e) < 0 || size_plan(in, &size, w, e) < 0)
		return -1;
	if (plan.type == DOMAIN_PVH && size.memory_max_kib > size.memory_kib)
		return err_set(e, ERR_INPUT, "annotation '" SIZE_NOTE_MEMORY_MAX "': the memory of a PVH guest does not grow: "
			"leave it out, or '" TYPE_NOTE "'");
	plan.memory_kib = size.memory_kib;
	plan.memory_max_kib = size.memory_max_kib;
	plan.core_max_kib = size.core_max_kib;
	plan.vcpus = size.vcpus;
	plan.vcpus_max = size.vcpus_max;
	plan.pinned = size.place.pinned;
	plan.cpus = size.place.cpus;
	plan.pool = size.place.pool;
	plan.event_channels = size.vcpus_max <= 8 ? 127 : 63 + 8 * size.vcpus_max; /* a vCPU takes seven */
	need = plan.memory_kib + type_overhead_kib(plan.type, plan.memory_kib, plan.vcpus_max);
	if (in->facts->free_kib < need)
		return err_set(e, ERR_HOST, "the pod needs %llu MiB of memory, Xen has %llu MiB free",
			(unsigned long long)(need >> 10), (unsigned long long)(in->facts->free_kib >> 10));
	if (!uuid_parse(o->uuid, plan.uuid))
		return err_set(e, ERR_USAGE, "'%s' is not a pod UUID", o->uuid);
	if (plan_cmdline(in, plan.vcpus_max, &plan.cmdline, e) < 0)
		return -1;
	plan.name = xasprintf("rkt-%s", o->uuid);
	plan.kernel = xasprintf("%s/boot/vmlinux", in->s1root);
	plan.ramdisk = xasprintf("%s/boot/initramfs", in->s1root);
	plan.p9_program = xasprintf("%s/p9", in->s1root);
	plan.pool_name = size.place.pool_name ? xstrdup(size.place.pool_name) : NULL;
	add_export(in, &plan, exports[0].tag, xasprintf("%s/" PLAN_EXPORT_POD, in->s1root));
	if (in->mounts && in->mounts->exports_volumes)
		add_export(in, &plan, exports[1].tag, xasprintf("%s/" PLAN_EXPORT_VOLUMES, in->s1root));
	plan.grant_frames = 5 + 3 * plan.nexports; /* the control channel needs one */
	make_room_for_nics(in, &plan);
	*plan_r = plan;
	return 0;
}

static const struct pod_pair default_env[] = { /* contract 4.5 */
	{ (char *)"PATH", (char *)"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" },
	{ (char *)"SHELL", (char *)"/bin/sh" },
	{ (char *)"USER", (char *)"root" },
	{ (char *)"LOGNAME", (char *)"root" },
	{ (char *)"HOME", (char *)"/root" },
};

static const char *env_get(const struct pod_app *app, const char *name)
{
	for (size_t i = 0; i < app->nenv; i++)
		if (!strcmp(app->env[i].name, name))
			return app->env[i].value;
	return NULL;
}

/* Memory here is dom0's own and small: no plan without it. */
static void *own(struct guest_plan *plan, void *p)
{
	if (!guest_plan_own(plan, p))
		abort();
	return p;
}

static bool says_metadata(const struct plan_input *in)
{
	return in->opts->mds_token && in->net_host;
}

/* Whatever the image says, which may have been made of a running pod (rkt stage1/init/common/app.go). */
static bool is_ours_to_say(const struct plan_input *in, const char *name)
{
	return !strcmp(name, "AC_APP_NAME") || (!strcmp(name, "AC_METADATA_URL") && says_metadata(in));
}

static void plan_env(const struct plan_input *in, struct guest_plan *plan, const struct pod_app *app, struct guest_app *out)
{
	const char *term = in->terminal && in->terminal->term ? in->terminal->term : "vt100";

	out->env = own(plan, xcalloc(app->nenv + COUNT(default_env) + 5, sizeof(*out->env)));
	for (size_t i = 0; i < app->nenv; i++)
		if (!is_ours_to_say(in, app->env[i].name))
			out->env[out->nenv++] =
				own(plan, xasprintf("%s=%s", app->env[i].name, app->env[i].value));
	for (size_t i = 0; i < COUNT(default_env); i++)
		if (!env_get(app, default_env[i].name))
			out->env[out->nenv++] = own(plan,
				xasprintf("%s=%s", default_env[i].name, default_env[i].value));
	out->env[out->nenv++] = own(plan, xasprintf("AC_APP_NAME=%s", app->name));
	if (says_metadata(in))
		out->env[out->nenv++] = own(plan, xasprintf("AC_METADATA_URL=http://%s:%d/%s", in->net_host,
			PLAN_MDS_PORT, in->opts->mds_token));
	if (app->says_ready && !env_get(app, "NOTIFY_SOCKET"))
		out->env[out->nenv++] = own(plan, xstrdup("NOTIFY_SOCKET=" GUEST_NOTIFY));
	if (!env_get(app, "TERM") && guest_io_has_tty(&out->io))
		out->env[out->nenv++] = own(plan, xasprintf("TERM=%s", term));
}

static void plan_handler(const struct pod_handler *handler, struct guest_app *out)
{
	if (!strcmp(handler->name, "pre-start")) {
		out->pre_start = handler->exec;
		out->npre_start = handler->nexec;
	} else {
		out->post_stop = handler->exec;
		out->npost_stop = handler->nexec;
	}
}

/* Where PID 1 finds a volume. */
static char *guest_source(const struct volume_plan *v)
{
	if (v->node)
		return xstrdup(v->node);
	if (v->kind == POD_VOLUME_HOST)
		return xasprintf(GUEST_VOLUMES_DIR "%s", v->entry + strlen(PLAN_EXPORT_VOLUMES));
	return xasprintf(GUEST_POD_DIR "%s", v->entry + strlen(PLAN_EXPORT_POD));
}

static void plan_app_mounts(const struct plan_input *in, struct guest_plan *plan,
	const struct pod_app *app, size_t i, struct guest_mounts *out)
{
	const struct app_mounts *mounts = in->mounts ? &in->mounts->apps[i] : NULL;

	out->sysfs = !mounts || mounts->has_sysfs;
	out->protect_paths = !in->opts->disable_paths;
	out->read_only_root = app->read_only_root;
	out->n = mounts ? mounts->n : 0;
	out->list = own(plan, xcalloc(out->n, sizeof(*out->list)));
	for (size_t k = 0; k < out->n; k++) {
		const struct mount_plan *m = &mounts->list[k];

		out->list[k] = (struct guest_mount){
			.source = own(plan, guest_source(&in->mounts->volumes[m->volume])),
			.target = m->target, .read_only = m->read_only, .copy_image = m->copy_image,
		};
	}
}

static void plan_limits(const struct plan_input *in, struct guest_plan *plan, const struct pod_app *app,
	struct guest_limits *limits)
{
	struct err e = ERR_INIT;

	if (isolators_plan(in->opts, app, limits, NULL, &e) < 0)
		abort(); /* plan_check() has passed it */
	if (limits->filter) {
		(void)own(plan, limits->filter);
		(void)own(plan, limits->filter_summary);
	}
}

static void plan_app(const struct plan_input *in, struct guest_plan *plan, const struct pod_app *app,
	struct guest_app *out)
{
	const struct stream_modes modes = plan_streams(in, app);
	const char *path = env_get(app, "PATH");

	out->name = app->name;
	out->root = own(plan, xasprintf(GUEST_POD_DIR "/" PLAN_POD_APPS "/%s", app->name));
	out->exec = app->exec;
	out->nexec = app->nexec;
	out->user = app->user;
	out->group = app->group;
	out->group_or_uid = app->docker_group;
	out->gids = app->gids;
	out->ngids = app->ngids;
	out->cwd = app->cwd;
	out->io = plan_io(in, &modes);
	out->notify = app->says_ready;
	plan_env(in, plan, app, out);
	/* FindBinPath (contract 4.5) knows PATH from the manifest only, not the default one */
	out->search_path = own(plan, path ? xstrdup(path) : xasprintf("%s:/bin:/usr/bin", app->cwd));
	for (size_t i = 0; i < app->nhandlers; i++)
		plan_handler(&app->handlers[i], out);
	plan_limits(in, plan, app, &out->limits);
}

/* The pod's name is its apps' too: rkt puts it into every hosts file but the host's own. */
static void plan_etc(const struct plan_input *in, struct guest_plan *plan)
{
	struct etc_modes modes;
	struct err checked = ERR_INIT; /* by plan_check() */

	if (!in->etc || etc_modes_parse(in->opts->dns_conf_mode, &modes, &checked) < 0)
		return;
	if (in->etc->resolv)
		plan->resolv_conf = own(plan, xstrdup(in->etc->resolv));
	else if (in->net_resolv && modes.resolv == ETC_DEFAULT)
		plan->resolv_conf = own(plan, xstrdup(in->net_resolv));
	if (in->etc->hosts && modes.hosts == ETC_HOST)
		plan->hosts = own(plan, xstrdup(in->etc->hosts));
	else if (in->etc->hosts)
		*(modes.hosts == ETC_STAGE0 ? &plan->hosts : &plan->hosts_fallback) =
			own(plan, hosts_add_name(in->etc->hosts, "127.0.0.1", plan->hostname));
}

static void plan_listens(const struct plan_input *in, struct guest_plan *plan)
{
	size_t n = in->listens ? in->listens->n : 0;

	plan->listens = own(plan, xcalloc(n + 1, sizeof(*plan->listens)));
	plan->nlistens = n;
	for (size_t i = 0; i < n; i++)
		plan->listens[i] = (struct guest_listen){ .app = (uint32_t)in->listens->v[i].app,
			.port = in->listens->v[i].port };
}

static void plan_export(const struct plan_input *in, struct guest_plan *plan, size_t i)
{
	plan->exports[i] = (struct guest_export){ .tag = (char *)exports[i].tag, .dir = (char *)exports[i].dir,
		.options = own(plan, xasprintf("trans=xen,version=9p2000.L,msize=%lu,cache=%s,posixacl",
			ring_msize(ring_order(in)), exports[i].cache)) };
}

void plan_guest(const struct plan_input *in, struct guest_plan *plan_r)
{
	struct guest_plan plan = GUEST_PLAN_INIT;

	plan.hostname = own(&plan, in->opts->hostname ? xstrdup(in->opts->hostname)
						      : xasprintf("rkt-%s", in->opts->uuid));
	plan.stays = in->opts->mutable_pod;
	plan.nics = (struct guest_nic *)in->nics; /* only read */
	plan.nnics = in->nics ? in->nnics : 0;
	plan.apps = own(&plan, xcalloc(in->pod->napps, sizeof(*plan.apps)));
	plan.napps = in->pod->napps;
	for (size_t i = 0; i < plan.napps; i++) {
		plan_app(in, &plan, &in->pod->apps[i], &plan.apps[i]);
		plan_app_mounts(in, &plan, &in->pod->apps[i], i, &plan.apps[i].mounts);
	}
	plan.nexports = in->mounts && in->mounts->exports_volumes ? 2 : 1;
	plan.exports = own(&plan, xcalloc(plan.nexports, sizeof(*plan.exports)));
	for (size_t i = 0; i < plan.nexports; i++)
		plan_export(in, &plan, i);
	plan_etc(in, &plan);
	plan_listens(in, &plan);
	*plan_r = plan;
}
