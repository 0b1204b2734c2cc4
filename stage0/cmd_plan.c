/*
 * `stage0 plan`: what a pod of images would be, without doing anything: the domain plan and the
 * guest plan, made by stage1's own planner from the manifest and the argv that `run` would hand over.
 * Needs neither root nor Xen.
 */
#include <stdio.h>
#include <string.h>

#include "stage0/content.h"
#include "stage0/netplan.h"
#include "stage0/runline.h"
#include "stage0/verify.h"
#include "stage1/cli.h"
#include "stage1/common/util.h"
#include "stage1/etc.h"
#include "stage1/plan/plan.h"
#include "stage1/plan/print.h"
#include "stage1/volumes.h"

#define UNKNOWN_UUID "00000000-0000-0000-0000-000000000000" /* each run has a new one */

/* A plan must not depend on how full this host happens to be. */
static const struct host_facts any_host = { .free_kib = UINT64_MAX, .cpus = UINT32_MAX, .pvh = true };

static int print_plans(struct plan_input *in, const char *image, struct mounts_plan *mounts, struct err *e)
{
	const struct net_sources from = { .net = in->opts->net, .local_config = in->opts->local_config, .image = image,
		.pod = in->pod };
	AUTO_FREE char *networks = NULL;
	struct plan_warnings warnings = { .n = 0 };
	struct domain_plan domain = DOMAIN_PLAN_INIT;
	struct guest_plan guest = GUEST_PLAN_INIT;
	int ret = plan_check(in, &warnings, e);

	if (ret == 0)
		ret = plan_mounts(in->pod, mounts, &warnings, e);
	if (ret == 0)
		ret = volumes_look(mounts, e);
	if (ret == 0)
		ret = netplan(&from, &networks, &in->nnics, e);
	if (ret == 0)
		ret = plan_domain(in, &domain, &warnings, e);
	if (ret == 0) {
		plan_guest(in, &guest);
		plan_print_domain(&domain, stdout);
		(void)fputs(networks, stdout);
		plan_print_guest(&guest, stdout);
	}
	for (size_t i = 0; i < warnings.n; i++)
		fprintf(stderr, "stage0: warning: %s\n", warnings.line[i]);
	plan_warnings_dispose(&warnings);
	domain_plan_dispose(&domain);
	guest_plan_dispose(&guest);
	return ret;
}

/* What stage1 would find of /etc: what launch.c would write for it is shown from the flags. */
static int read_etc(const struct run_line *line, const char *s1root, struct etc_files *etc_r, struct err *e)
{
	struct etc_modes modes;

	if (etc_modes_parse(line->opts.dns_conf_mode, &modes, e) < 0)
		return -1;
	if (modes.resolv == ETC_STAGE0)
		modes.resolv = ETC_DEFAULT;
	if (modes.hosts == ETC_STAGE0)
		modes.hosts = ETC_DEFAULT; /* the fallback, which the entries follow */
	if (etc_read(&modes, s1root, etc_r, e) < 0)
		return -1;
	if (line->dns.resolv && !etc_r->resolv)
		etc_r->resolv = xstrdup(line->dns.resolv);
	if (line->dns.hosts) {
		char *hosts = xasprintf("%s%s", etc_r->hosts, line->dns.hosts);

		free(etc_r->hosts);
		etc_r->hosts = hosts;
	}
	return 0;
}

static int plan_pod(const struct run_line *line, const char *manifest, size_t len, struct err *e)
{
	AUTO_FREE char *s1root = xasprintf("%s/pods/run/" UNKNOWN_UUID "/stage1/rootfs", line->dir);
	struct host_facts facts = any_host;
	struct run_args args;
	struct run_opts opts;
	struct pod pod = POD_INIT;
	struct mounts_plan mounts = MOUNTS_PLAN_INIT;
	struct etc_files etc = { .resolv = NULL };
	int ret;

	run_args_make("run", &line->opts, 6, UNKNOWN_UUID, &args);
	ret = cli_run((int)args.argc, args.argv, &opts, e);
	if (ret == 0)
		ret = pod_parse(manifest, len, &pod, e);
	if (ret == 0)
		ret = read_etc(line, s1root, &etc, e);
	if (ret == 0)
		ret = print_plans(&(struct plan_input){
			.opts = &opts, .pod = &pod, .facts = &facts, .s1root = s1root,
			.mounts = &mounts, .etc = &etc, .kernel_params = getenv(PLAN_KERNEL_PARAMS) }, line->stage1_path, &mounts, e);
	etc_files_dispose(&etc);
	mounts_plan_dispose(&mounts);
	pod_dispose(&pod);
	run_args_dispose(&args);
	return ret;
}

/* A plan is no run: what would stop one is said, and the rest is shown. */
static void warn_of_signatures(const struct run_line *line, const struct content *content)
{
	const struct trust trust = { .all = line->opts.no_signatures, .system = line->system_config,
		.local = line->opts.local_config };

	for (size_t i = 0; i < content->nsources; i++) {
		struct err e = ERR_INIT;

		if (source_verify(&content->sources[i], &trust, &e) < 0)
			(void)fprintf(stderr, "stage0: warning: run would refuse: %s\n", e.msg);
	}
}

static int plan_content(const struct run_line *line, struct err *e)
{
	struct content content = CONTENT_INIT;
	AUTO_FREE char *manifest = NULL;
	size_t len;
	int ret = content_open(&line->pod, line->pod_manifest, false, &content, e);

	if (ret == 0)
		warn_of_signatures(line, &content);
	if (ret == 0)
		ret = content_manifest(&content, &manifest, &len, e);
	if (ret == 0)
		ret = plan_pod(line, manifest, len, e);
	content_dispose(&content);
	return ret;
}

int cmd_plan(int argc, char **argv)
{
	struct run_line line = RUN_LINE_INIT;
	struct err e = ERR_INIT;
	int status = 0;

	if (run_line_read(argc, argv, LINE_PREPARE | LINE_LAUNCH, &line, &e) < 0 ||
		(!line.help && plan_content(&line, &e) < 0))
		status = cmd_fail(&e);
	run_line_dispose(&line);
	return status;
}
