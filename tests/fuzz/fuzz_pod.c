/*
 * A manifest -> plans. The first byte chooses flags. What is refused is refused in one harmless line;
 * what is not makes plans that can be encoded and decoded.
 */
#include "stage1/common/util.h"
#include "stage1/plan/plan.h"
#include "tests/fuzz/fuzz.h"

static void must_decode(uint8_t *bytes, size_t len, const struct guest_plan *want)
{
	struct guest_plan got;
	struct err e = ERR_INIT;

	MUST(guest_plan_decode(bytes, len, &got, &e) == 0);
	MUST(got.napps == want->napps && !strcmp(got.hostname, want->hostname));
	for (size_t i = 0; i < got.napps; i++) {
		const struct guest_app *a = &got.apps[i], *w = &want->apps[i];

		MUST(!strcmp(a->name, w->name) && !strcmp(a->cwd, w->cwd) && a->cwd[0] == '/');
		MUST(!strcmp(a->user, w->user) && !strcmp(a->group, w->group));
		MUST(a->nexec == w->nexec && a->nenv == w->nenv && a->ngids == w->ngids);
		for (size_t k = 0; k < a->nexec; k++)
			MUST(!strcmp(a->exec[k], w->exec[k]));
		for (size_t k = 0; k < a->nenv; k++)
			MUST(!strcmp(a->env[k], w->env[k]) && strchr(a->env[k], '='));
		MUST(a->limits.caps == w->limits.caps && a->limits.memory_max == w->limits.memory_max);
		MUST(a->limits.filter_len == w->limits.filter_len &&
			(a->limits.filter_len == 0 ||
				!memcmp(a->limits.filter, w->limits.filter, a->limits.filter_len)));
		MUST(a->exec[a->nexec] == NULL && a->env[a->nenv] == NULL);
	}
	guest_plan_dispose(&got);
}

/* A target is absolute and clean, whatever the manifest said; a volume's kept name is one word. */
static void check_mounts(const struct mounts_plan *plan, const struct pod *pod)
{
	MUST(plan->napps == pod->napps && plan->nvolumes <= PLAN_VOLUMES_MAX);
	for (size_t i = 0; i < plan->napps; i++)
		for (size_t k = 0; k < plan->apps[i].n; k++) {
			const struct mount_plan *m = &plan->apps[i].list[k];
			AUTO_FREE char *again = path_clean(m->target);
			AUTO_FREE char *framed = xasprintf("%s/", m->target);

			MUST(m->target[0] == '/' && m->target[1] && !strcmp(again, m->target));
			MUST(!strstr(framed, "/../") && !strstr(framed, "/./") && !strstr(framed, "//"));
			MUST(m->volume < plan->nvolumes);
			MUST(m->read_only || !plan->volumes[m->volume].read_only);
		}
	for (size_t i = 0; i < plan->nvolumes; i++) {
		const struct volume_plan *v = &plan->volumes[i];

		MUST(v->kind == POD_VOLUME_HOST ? v->source[0] == '/' : acname_valid(v->source));
		for (size_t k = 0; k < i && v->kind == POD_VOLUME_EMPTY; k++)
			MUST(plan->volumes[k].kind != v->kind || strcmp(plan->volumes[k].source, v->source) != 0);
	}
}

static void plan(struct plan_input with)
{
	struct mounts_plan mounts = MOUNTS_PLAN_INIT;
	struct plan_warnings warnings = { .n = 0 };
	struct domain_plan domain = DOMAIN_PLAN_INIT;
	struct guest_plan guest = GUEST_PLAN_INIT;
	struct err e = ERR_INIT;
	uint8_t *bytes = NULL;
	size_t len;
	int ret = plan_check(&with, &warnings, &e);

	if (ret == 0) {
		MUST(e.kind == ERR_NONE);
		ret = plan_mounts(with.pod, &mounts, &warnings, &e);
	}
	if (ret == 0)
		check_mounts(&mounts, with.pod);
	with.mounts = &mounts;
	if (ret == 0)
		ret = plan_domain(&with, &domain, &warnings, &e);
	for (size_t i = 0; i < warnings.n; i++)
		must_be_harmless(warnings.line[i]);
	plan_warnings_dispose(&warnings);
	if (ret == 0) {
		MUST(e.kind == ERR_NONE);
		MUST(strlen(domain.cmdline) < 1024);
		MUST(domain.vcpus >= 1 && domain.vcpus <= with.facts->cpus && domain.memory_kib <= with.facts->free_kib);
		MUST(domain.vcpus_max >= domain.vcpus && domain.vcpus_max <= with.facts->cpus);
		MUST(domain.memory_max_kib >= domain.memory_kib);
		plan_guest(&with, &guest);
		if (guest_plan_encode(&guest, &bytes, &len, &e) == 0)
			must_decode(bytes, len, &guest);
	}
	MUST((e.kind == ERR_NONE) == (bytes != NULL));
	MUST(e.kind == ERR_NONE || *e.msg);
	must_be_harmless(e.msg);
	free(bytes);
	guest_plan_dispose(&guest);
	domain_plan_dispose(&domain);
	mounts_plan_dispose(&mounts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct host_facts facts = { .free_kib = 1 << 20, .cpus = 2 };
	struct run_opts opts = { .net = "none", .uuid = "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01" };
	struct pod pod = POD_INIT;
	struct err e = ERR_INIT;
	const char *text;

	if (size == 0)
		return 0;
	opts.interactive = data[0] & 1;
	opts.debug = data[0] & 2;
	opts.hostname = data[0] & 4 ? "box" : NULL;
	opts.disable_seccomp = data[0] & 8;
	opts.disable_capabilities = data[0] & 16;
	text = (const char *)data + 1;
	if (pod_parse(text, size - 1, &pod, &e) < 0) {
		MUST(e.kind == ERR_INPUT && *e.msg && pod.napps == 0);
		must_be_harmless(e.msg);
		return 0;
	}
	MUST(e.kind == ERR_NONE);
	for (size_t i = 0; i < pod.napps; i++) {
		MUST(acname_valid(pod.apps[i].name));
		/* as an image's manifest the same bytes do no harm either */
		if ((!pod.apps[i].has_app && pod_app_from_image(&pod.apps[i], text, size - 1, &e) < 0) ||
			pod_app_know_image(&pod.apps[i], text, size - 1, &e) < 0) {
			must_be_harmless(e.msg);
			pod_dispose(&pod);
			return 0;
		}
	}
	plan((struct plan_input){ .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s" });
	pod_dispose(&pod);
	return 0;
}
