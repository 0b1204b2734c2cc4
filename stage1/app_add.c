/* An app more: from the manifest, as it is now, to a plan for the guest and files in the exports. See apps.h. */
#include <stdio.h>
#include <string.h>

#include "stage1/app_files.h"
#include "stage1/apps_internal.h"
#include "stage1/common/util.h"
#include "stage1/plan/isolators.h"
#include "stage1/plan/logs.h"
#include "stage1/plan/size.h"
#include "stage1/plan/streams.h"
#include "stage1/poddir.h"
#include "stage1/terminal.h"

/* What the machine owes to an app, and how large it must be to owe that to all. */
struct promise {
	uint64_t memory, needed_kib; /* in bytes; KiB */
	uint32_t vcpus, needed_vcpus;
};

struct adding {
	struct apps *a;
	const struct pod *pod;
	size_t i; /* the app in it */
	struct mounts_plan mounts; /* of that app */
	struct plan_input in;
	char *entry; /* of its root */
	struct promise promise;
};

static int find_in_manifest(const struct pod *pod, const char *name, size_t *i_r, struct err *e)
{
	for (size_t i = 0; i < pod->napps; i++)
		if (!strcmp(pod->apps[i].name, name)) {
			*i_r = i;
			return 0;
		}
	return err_set(e, ERR_INPUT, "the pod's manifest has no app '%s'", name);
}

/* In bytes, when the machine has that many KiB. */
static uint64_t room_for_apps(const struct machine *m, uint64_t kib)
{
	return kib > m->guest_kib ? (kib - m->guest_kib) << 10 : 0;
}

/*
 * A limit that the machine cannot keep is none: with others' limits it must fit into what there is, or what there may
 * be. Of processors it may have fewer than its limit says.
 */
static int check_limits(const struct apps *a, const struct pod_app *app, struct promise *p, struct err *e)
{
	const struct machine *m = a->in->machine;
	uint64_t room = room_for_apps(m, m->memory_max_kib), taken = 0;
	struct guest_limits limits;

	if (isolators_plan(a->in->plan->opts, app, &limits, NULL, e) < 0)
		return -1;
	isolators_dispose(&limits);
	p->memory = limits.memory_max;
	p->needed_vcpus = p->vcpus = limits.cpu_max / 1000 + (limits.cpu_max % 1000 > 0);
	for (size_t i = 0; i < WIRE_APPS_MAX; i++) {
		if (!a->slots[i].name || a->slots[i].forgotten)
			continue;
		taken += a->slots[i].memory;
		p->needed_vcpus += a->slots[i].vcpus;
	}
	if (limits.memory_max > 0 && (taken > room || limits.memory_max > room - taken))
		return err_set(e, ERR_INPUT, "app '%s': its limit of %llu MiB does not fit: of the %llu MiB that the pod's "
			"machine has for apps %llu are promised. The pod's annotation '" SIZE_NOTE_MEMORY "%s' says how "
			"large that is", app->name, (unsigned long long)(limits.memory_max >> 20), (unsigned long long)(room >> 20),
			(unsigned long long)(taken >> 20), m->memory_max_kib > m->memory_kib ? "-max" : "");
	p->needed_kib = m->memory_kib;
	if (limits.memory_max > 0 && taken + limits.memory_max > room_for_apps(m, m->memory_kib))
		p->needed_kib = m->guest_kib + ((taken + limits.memory_max + (1 << 20) - 1) >> 20 << 10);
	return 0;
}

static int plan_ahead(struct adding *x, struct err *e)
{
	struct plan_warnings warnings = { .n = 0 };
	struct mounts_plan all = MOUNTS_PLAN_INIT;
	int ret = -1;

	if (plan_check_app(&x->in, x->i, &warnings, e) == 0 &&
		check_limits(x->a, &x->pod->apps[x->i], &x->promise, e) == 0)
		ret = plan_mounts(x->pod, &all, NULL, e);
	if (ret == 0) {
		mounts_of_app(&all, x->i, x->a->trees, &x->mounts);
		for (size_t i = 0; i < warnings.n; i++)
			fprintf(stderr, "stage1 run: warning: %s%s", warnings.line[i], terminal_eol());
	}
	mounts_plan_dispose(&all);
	plan_warnings_dispose(&warnings);
	return ret;
}

/* A plan of this app and nothing else. */
static int encode(const struct adding *x, uint8_t **data_r, size_t *len_r, struct err *e)
{
	struct pod view = *x->pod;
	struct plan_input in = x->in;
	struct guest_plan guest = GUEST_PLAN_INIT;
	int ret;

	view.apps = &x->pod->apps[x->i];
	view.napps = 1;
	in.pod = &view;
	in.mounts = &x->mounts;
	in.etc = NULL;
	in.nnics = 0;
	plan_guest(&in, &guest);
	guest.nexports = 0;
	guest.apps[0].root = xasprintf(GUEST_POD_DIR "%s", x->entry + strlen(PLAN_EXPORT_POD));
	ret = guest_plan_encode(&guest, data_r, len_r, e);
	free(guest.apps[0].root);
	guest_plan_dispose(&guest);
	return ret;
}

/* What is to be taken away with it: its root, and host volumes. */
static void keep_entries(const struct adding *x, struct app_slot *slot)
{
	slot->entries = xcalloc(x->mounts.nvolumes + 1, sizeof(*slot->entries));
	slot->entries[slot->nentries++] = xstrdup(x->entry);
	for (size_t i = 0; i < x->mounts.nvolumes; i++)
		if (x->mounts.volumes[i].kind == POD_VOLUME_HOST && x->mounts.volumes[i].entry)
			slot->entries[slot->nentries++] = xstrdup(x->mounts.volumes[i].entry);
}

static void open_output(struct apps *a, const struct adding *x, unsigned id)
{
	const struct stream_modes modes = plan_streams(&x->in, &x->pod->apps[x->i]);
	const struct guest_io io = plan_io(&x->in, &modes);
	uint32_t endpoints = plan_endpoints(&modes, &io);
	struct output_app *out = &a->in->output->apps[id];

	output_app(a->in->output, id, a->slots[id].name);
	out->cri = a->slots[id].cri;
	control_attachable(a->in->control, id, a->slots[id].name, endpoints);
	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
		out->mode[k] = endpoint_of_output(endpoints, k) ? OUTPUT_GIVEN
			: modes.mode[k] == STREAM_LOG ? OUTPUT_LINES : OUTPUT_RAW;
}

static int open_crilog(const struct adding *x, struct app_slot *slot, struct err *e)
{
	const struct pod_app *app = &x->pod->apps[x->i];
	struct log_plan log;

	if (plan_check_logs(&x->in, e) < 0)
		return -1;
	if (plan_log(&x->in, app, &log, e) < 0 || (log.dir && crilog_open(log.dir, log.name, &slot->cri, e) < 0))
		return err_prefix(e, "app '%s'", app->name);
	return 0;
}

static int add_planned(struct adding *x, int ns, struct err *e)
{
	struct apps *a = x->a;
	const struct pod_app *app = &x->pod->apps[x->i];
	const struct app_files files = { .caller = ns, .backend = a->in->backend, .s1root = x->in.s1root,
		.shift = &x->in.opts->shift, .app = app, .entry = x->entry, .mounts = &x->mounts };
	struct err warning = ERR_INIT;
	struct app_slot slot = { .memory = x->promise.memory, .vcpus = x->promise.vcpus };
	uint8_t *data;
	size_t len;
	unsigned id;

	if (open_crilog(x, &slot, e) < 0)
		return -1;
	if (app_files_add(&files, &warning, e) < 0) {
		apps_slot_dispose(&slot);
		return -1;
	}
	if (warning.kind != ERR_NONE)
		fprintf(stderr, "stage1 run: warning: %s%s", warning.msg, terminal_eol());
	keep_entries(x, &slot);
	if (encode(x, &data, &len, e) < 0 || session_add(a->in->session, data, len, &id, e) < 0) {
		struct err ignored = ERR_INIT;

		(void)app_files_remove(files.backend, files.s1root, slot.entries, slot.nentries, &ignored);
		apps_slot_dispose(&slot);
		return -1;
	}
	slot.name = xstrdup(app->name);
	a->slots[id] = slot;
	if (app->says_ready)
		session_awaits_ready(a->in->session, id);
	open_output(a, x, id);
	return 0;
}

static int add_of(struct apps *a, const struct pod *pod, const char *name, int ns, struct err *e)
{
	struct adding x = { .a = a, .pod = pod, .in = *a->in->plan };
	struct machine *m = a->in->machine;
	int ret = -1;

	x.in.pod = pod;
	if (find_in_manifest(pod, name, &x.i, e) < 0 || plan_ahead(&x, e) < 0)
		return -1;
	if (x.promise.needed_kib > m->memory_kib) {
		mounts_plan_dispose(&x.mounts);
		return machine_grow(m, x.promise.needed_kib, e) < 0 ? err_prefix(e, "app '%s'", name) : 1;
	}
	if (machine_use(m, x.promise.needed_vcpus, e) < 0) {
		mounts_plan_dispose(&x.mounts);
		return err_prefix(e, "app '%s'", name);
	}
	if (x.promise.needed_vcpus > m->vcpus)
		fprintf(stderr, "stage1 run: warning: app '%s': the pod's apps may use %u cpus, its machine has %u%s", name,
			x.promise.needed_vcpus, m->vcpus, terminal_eol());
	x.entry = xasprintf(PLAN_EXPORT_POD "/" PLAN_POD_APPS "/%s.%u", name, a->trees);
	a->trees += 1 + (unsigned)x.mounts.nvolumes;
	ret = add_planned(&x, ns, e);
	mounts_plan_dispose(&x.mounts);
	free(x.entry);
	return ret;
}

int apps_add(struct apps *a, const char *name, int ns, struct err *e)
{
	struct pod pod = POD_INIT;
	char *s1root = NULL;
	int ret;

	if (ns < 0)
		return err_set(e, ERR_USAGE, "app '%s': no mount namespace came along", name);
	if (apps_find(a, name) >= 0)
		return err_set(e, ERR_INPUT, "app '%s': it is there already", name);
	if (poddir_read(&pod, &s1root, e) < 0)
		return -1;
	ret = add_of(a, &pod, name, ns, e);
	pod_dispose(&pod);
	free(s1root);
	return ret;
}
