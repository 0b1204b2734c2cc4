/*
 * NAME.pod (a manifest) and NAME.flags (the argv of `run`, a word a line) -> NAME.golden: the plans,
 * and what libxl is told, as libxl's own JSON. Writes TAP; with --update it writes the goldens
 * instead. The pod called nics has two. Needs no Xen: what would ask the hypervisor is replaced below.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage1/common/util.h"
#include "stage1/plan/plan.h"
#include "stage1/plan/print.h"
#include "stage1/xen/internal.h"

#define LIBXL_SECTION "libxl "
#define GOLDEN_XEN "4.17" /* libxl's JSON differs between versions: only this one's is kept */

enum { WORDS_MAX = 30, TEXT_MAX = 1 << 20 };

/* libxl asks Xen how many CPUs there are when max_cpus is 0: it never is here. */
int libxl_cpu_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int max_cpus)
{
	(void)ctx;
	map->size = (uint32_t)(max_cpus + 7) / 8;
	map->map = xcalloc(map->size, 1);
	return 0;
}

static void print_libxl(const struct domain_plan *plan, FILE *out)
{
	libxl_domain_config cfg;
	char *json;

	domcfg_fill(NULL, plan, &cfg);
	cfg.nics = xcalloc(plan->nnics, sizeof(*cfg.nics)); /* as libxl has it when they have been added */
	cfg.num_nics = (int)plan->nnics;
	for (uint32_t i = 0; i < plan->nnics; i++)
		domcfg_nic(plan, i, &cfg.nics[i]);
	json = libxl_domain_config_to_json(NULL, &cfg);
	fprintf(out, LIBXL_SECTION "%s\n%s", XEN_VERSION, json ? json : "no JSON\n");
	free(json);
	libxl_domain_config_dispose(&cfg);
}

/* What dom0 has at the source: a stand-in for stage1/export.c. */
static int find(struct volume_plan *v, struct err *e)
{
	if (v->kind == POD_VOLUME_HOST && !strcmp(v->source, "/dev/null"))
		return mounts_found(v, S_IFCHR | 0666, 1, 3, e);
	if (v->kind == POD_VOLUME_HOST && !strcmp(v->source, "/dev/sda"))
		return mounts_found(v, S_IFBLK | 0660, 8, 0, e);
	return mounts_found(v, S_IFDIR | 0755, 0, 0, e);
}

/* What networks leave in dom0: a stand-in for stage1/net. */
static struct guest_ip addrs[] = { { 4, 24, { 172, 16, 28, 2 } }, { 6, 64, { 0xfd, 1, [15] = 2 } } };
static struct guest_route routes[] = {
	{ .to = { 4, 24, { 172, 16, 28, 0 } }, .src = { 4, 0, { 172, 16, 28, 2 } }, .scope = 253 },
	{ .to = { 4, 0, { 0 } }, .via = { 4, 0, { 172, 16, 28, 1 } }, .onlink = true, .mtu = 1400 },
	{ .to = { 6, 0, { 0 } }, .via = { 6, 0, { 0xfd, 1, [15] = 1 } }, .metric = 1024 },
};
static struct guest_nic nics[] = {
	{ .name = (char *)"eth0", .mac = { 2, 0, 0, 0, 0, 0xab }, .mtu = 1500, .addrs = addrs, .naddrs = 2,
		.routes = routes, .nroutes = 3 },
	{ .name = (char *)"eth1", .mac = { 2, 0, 0, 0, 0, 0xac }, .mtu = 9000 },
};

static int print_plans(const struct plan_input *in, FILE *out, struct err *e)
{
	struct plan_warnings warnings = { .n = 0 };
	struct domain_plan domain = DOMAIN_PLAN_INIT;
	struct guest_plan guest = GUEST_PLAN_INIT;
	struct mounts_plan mounts = MOUNTS_PLAN_INIT;
	struct plan_input with_mounts = *in;
	int ret = plan_check(in, &warnings, e);

	if (ret == 0)
		ret = plan_mounts(in->pod, &mounts, &warnings, e);
	for (size_t i = 0; i < mounts.nvolumes && ret == 0; i++)
		ret = find(&mounts.volumes[i], e);
	with_mounts.mounts = &mounts;
	in = &with_mounts;
	if (ret == 0)
		ret = plan_domain(in, &domain, &warnings, e);
	for (size_t i = 0; i < warnings.n; i++)
		fprintf(out, "warning: %s\n", warnings.line[i]);
	plan_warnings_dispose(&warnings);
	if (ret < 0) {
		mounts_plan_dispose(&mounts);
		return -1;
	}
	if (in->nnics > 0)
		plan_domain_nics(&domain, in->nics);
	plan_guest(in, &guest);
	plan_print_domain(&domain, out);
	plan_print_guest(&guest, out);
	print_libxl(&domain, out);
	domain_plan_dispose(&domain);
	guest_plan_dispose(&guest);
	mounts_plan_dispose(&mounts);
	return 0;
}

static int print_pod(bool nets, char *flags, const char *manifest, size_t len, FILE *out, struct err *e)
{
	static const struct host_facts facts = { .free_kib = 1 << 20, .cpus = 2, .pvh = true, .npools = 2,
		.pools = { { .name = "Pool-0", .cpus = { { 3 } } }, { .id = 7, .name = "pods", .cpus = { { 14 } } } } };
	char *argv[WORDS_MAX + 1], *save = NULL;
	struct run_opts opts;
	struct pod pod = POD_INIT;
	int argc = 0, ret;

	for (char *w = strtok_r(flags, "\n", &save); w && argc < WORDS_MAX; w = strtok_r(NULL, "\n", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	ret = cli_run(argc, argv, &opts, e);
	if (ret == 0)
		ret = pod_parse(manifest, len, &pod, e);
	if (ret == 0)
		ret = print_plans(&(struct plan_input){ .opts = &opts, .pod = &pod, .facts = &facts,
			.nics = nets ? nics : NULL, .nnics = nets ? COUNT(nics) : 0,
			.s1root = "/var/lib/rkt/pods/run/UUID/stage1/rootfs",
			.etc = &(struct etc_files){ .hosts = (char *)"127.0.0.1\tlocalhost\n" } }, out, e);
	pod_dispose(&pod);
	return ret;
}

/* What the golden of this pod should be; malloc'ed. */
static char *make(const char *dir, const char *name, struct err *e)
{
	AUTO_FREE char *pod_path = xasprintf("%s/%s.pod", dir, name);
	AUTO_FREE char *flags_path = xasprintf("%s/%s.flags", dir, name);
	AUTO_FREE char *manifest = NULL;
	AUTO_FREE char *flags = NULL;
	struct err refusal = ERR_INIT;
	size_t len, flags_len, text_len;
	char *text = NULL;
	FILE *out;

	if (read_file_at(AT_FDCWD, pod_path, TEXT_MAX, &manifest, &len, e) < 0 ||
		read_file_at(AT_FDCWD, flags_path, TEXT_MAX, &flags, &flags_len, e) < 0)
		return NULL;
	out = open_memstream(&text, &text_len);
	if (print_pod(!strcmp(name, "nics"), flags, manifest, len, out, &refusal) < 0)
		fprintf(out, "refused: %s\n", refusal.msg);
	(void)fclose(out);
	return text;
}

/* The first line that differs, from 1; 0 when none does. */
static int first_difference(char *got, char *want)
{
	int line = 1;

	if (strcmp(XEN_VERSION, GOLDEN_XEN) != 0) {
		char *g = strstr(got, LIBXL_SECTION), *w = strstr(want, LIBXL_SECTION);

		if (g && w)
			*g = *w = '\0';
	}
	for (; *got == *want; got++, want++) {
		if (!*got)
			return 0;
		line += *got == '\n';
	}
	return line;
}

static void print_line(const char *title, const char *text, int line)
{
	while (--line > 0 && *text)
		text += strcspn(text, "\n") + 1;
	printf("# %s: %.*s\n", title, (int)strcspn(text, "\n"), text);
}

static int compare(const char *dir, const char *name, int number, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/%s.golden", dir, name);
	AUTO_FREE char *got = make(dir, name, e);
	AUTO_FREE char *want = NULL;
	size_t len;
	int line;

	if (!got || read_file_at(AT_FDCWD, path, TEXT_MAX, &want, &len, e) < 0)
		return -1;
	line = first_difference(got, want);
	printf("%sok %d - %s\n", line ? "not " : "", number, name);
	if (line) {
		printf("# line %d of %s; `make golden-update` writes what is now\n", line, path);
		print_line("want", want, line);
		print_line("got ", got, line);
	}
	return line ? 1 : 0;
}

static int update(const char *dir, const char *name, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/%s.golden", dir, name);
	AUTO_FREE char *text = make(dir, name, e);

	return text ? write_file_atomic(AT_FDCWD, path, text, strlen(text), 0644, e) : -1;
}

static int is_pod(const struct dirent *d)
{
	const char *dot = strrchr(d->d_name, '.');

	return dot && !strcmp(dot, ".pod");
}

int main(int argc, char **argv)
{
	const char *dir = "tests/golden";
	bool writing = argc > 1 && !strcmp(argv[1], "--update");
	struct dirent **list;
	int n = scandir(dir, &list, is_pod, alphasort), bad = 0;

	for (int i = 0; i < n; i++) {
		AUTO_FREE char *name = xstrndup(list[i]->d_name, strlen(list[i]->d_name) - 4);
		struct err e = ERR_INIT;
		int ret = writing ? update(dir, name, &e) : compare(dir, name, i + 1, &e);

		if (ret < 0)
			printf("not ok %d - %s: %s\n", i + 1, name, e.msg);
		bad += ret != 0;
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	printf("1..%d\n", n);
	return n <= 0 || bad > 0;
}
