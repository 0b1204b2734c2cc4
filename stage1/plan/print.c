/* See print.h. */
#include "stage1/plan/print.h"

#include <arpa/inet.h>

#include "stage1/common/util.h"
#include "stage1/plan/caps.h"
#include "stage1/plan/place.h"
#include "stage1/plan/type.h"

/* Arguments are bytes: what is not printable ASCII is shown as \xNN, so that a line stays a line. */
static void print_string(const char *name, const char *s, FILE *out)
{
	fprintf(out, "%s\"", name);
	for (; *s; s++) {
		unsigned char byte = (unsigned char)*s;

		if (byte == '"' || byte == '\\')
			fprintf(out, "\\%c", byte);
		else if (byte < 0x20 || byte >= 0x7f)
			fprintf(out, "\\x%02x", byte);
		else
			fputc(byte, out);
	}
	fputs("\"", out);
}

static void print_field(const char *name, const char *s, FILE *out)
{
	print_string(name, s, out);
	fputc('\n', out);
}

static void print_mac(const char *name, const uint8_t mac[6], FILE *out)
{
	fprintf(out, "%s%02x:%02x:%02x:%02x:%02x:%02x", name, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void plan_print_domain(const struct domain_plan *plan, FILE *out)
{
	fprintf(out, "domain\n");
	print_field("  name             ", plan->name, out);
	fprintf(out, "  uuid             ");
	for (size_t i = 0; i < sizeof(plan->uuid); i++)
		fprintf(out, "%02x", plan->uuid[i]);
	fputc('\n', out);
	fprintf(out, "  type             %s\n", type_name(plan->type));
	print_field("  kernel           ", plan->kernel, out);
	print_field("  ramdisk          ", plan->ramdisk, out);
	print_field("  cmdline          ", plan->cmdline, out);
	fprintf(out, "  memory           %llu KiB\n", (unsigned long long)plan->memory_kib);
	if (plan->memory_max_kib > plan->memory_kib)
		fprintf(out, "  grows to         %llu KiB\n", (unsigned long long)plan->memory_max_kib);
	fprintf(out, "  vcpus            %u\n", plan->vcpus);
	if (plan->vcpus_max > plan->vcpus)
		fprintf(out, "  and up to        %u\n", plan->vcpus_max);
	if (plan->pinned) {
		AUTO_FREE char *cpus = cpu_set_text(&plan->cpus);

		fprintf(out, "  on cpus          %s\n", cpus);
	}
	if (plan->pool_name)
		print_field("  cpupool          ", plan->pool_name, out);
	fprintf(out, "  event channels   %u\n", plan->event_channels);
	fprintf(out, "  grant frames     %u\n", plan->grant_frames);
	fprintf(out, "  maptrack frames  %u\n", plan->maptrack_frames);
	for (uint32_t i = 0; i < plan->nexports; i++) {
		print_field("  export           ", plan->exports[i].tag, out);
		print_field("    path           ", plan->exports[i].path, out);
		print_field("    security       ", plan->exports[i].security, out);
		fprintf(out, "    ring order     %u\n", plan->exports[i].ring_order);
	}
	for (uint32_t i = 0; i < plan->nnics; i++) {
		if (plan->nics[i].mtu == 0) {
			fprintf(out, "  nic              known when its network is made\n");
			continue;
		}
		print_mac("  nic              ", plan->nics[i].mac, out);
		fprintf(out, ", mtu %u, backend ", plan->nics[i].mtu);
		if (plan->nics[i].backend_domid == 0)
			fputs("trusted\n", out);
		else
			fprintf(out, "domain %u, not trusted, bridge \"%s\"\n", plan->nics[i].backend_domid,
				plan->nics[i].bridge ? plan->nics[i].bridge : "");
	}
	if (plan->nic_script)
		print_field("  nic script       ", plan->nic_script, out);
}

static void print_list(const char *name, char *const *list, size_t n, FILE *out)
{
	fprintf(out, "%s", name);
	for (size_t i = 0; i < n; i++)
		print_string(i ? " " : "", list[i], out);
	fputc('\n', out);
}

static void print_mounts(const struct guest_mounts *mounts, FILE *out)
{
	fprintf(out, "    root is        %s\n", mounts->read_only_root ? "read-only" : "writable");
	fprintf(out, "    /sys is        %s\n", mounts->sysfs ? "the kernel's" : "the image's");
	fprintf(out, "    paths are      %s\n", mounts->protect_paths ? "protected" : "open");
	for (size_t i = 0; i < mounts->n; i++) {
		const struct guest_mount *m = &mounts->list[i];

		print_string("    mount          ", m->target, out);
		print_string(" from ", m->source, out);
		fprintf(out, "%s%s\n", m->read_only ? ", read-only" : "",
			m->copy_image ? ", filled from the image" : "");
	}
}

static void print_io(const struct guest_io *io, FILE *out)
{
	static const char *const kinds[] = { "null", "pipe", "terminal" };

	fprintf(out, "    streams        stdin %s, stdout %s, stderr %s\n", kinds[io->kind[0]],
		kinds[io->kind[1]], kinds[io->kind[2]]);
	if (io->rows || io->cols)
		fprintf(out, "    terminal       %u rows, %u columns\n", io->rows, io->cols);
}

static void print_limits(const struct guest_limits *l, FILE *out)
{
	fprintf(out, "    capabilities  ");
	for (unsigned n = 0; caps_name(n) && l->caps != CAPS_ALL; n++)
		if (l->caps & UINT64_C(1) << n)
			fprintf(out, " %s", caps_name(n));
	fprintf(out, "%s\n", l->caps == CAPS_ALL ? " all" : l->caps ? "" : " none");
	fprintf(out, "    seccomp        %s\n", l->filter_summary ? l->filter_summary : "no filter");
	if (l->no_new_privs)
		fprintf(out, "    privileges     no new ones\n");
	if (l->memory_max)
		fprintf(out, "    memory         %llu bytes at most\n", (unsigned long long)l->memory_max);
	if (l->cpu_max)
		fprintf(out, "    cpu            %u.%03u at most\n", l->cpu_max / 1000, l->cpu_max % 1000);
	if (l->cpu_weight)
		fprintf(out, "    cpu weight     %u\n", l->cpu_weight);
	if (l->oom_score_adj)
		fprintf(out, "    oom score      %+d\n", l->oom_score_adj);
}

static void print_ip(const struct guest_ip *ip, bool prefix, FILE *out)
{
	char text[INET6_ADDRSTRLEN] = "?";

	(void)inet_ntop(ip->family == 6 ? AF_INET6 : AF_INET, ip->bytes, text, sizeof(text));
	fputs(text, out);
	if (prefix)
		fprintf(out, "/%u", ip->prefix);
}

static void print_nic(const struct guest_nic *nic, FILE *out)
{
	print_field("  nic              ", nic->name, out);
	print_mac("    mac            ", nic->mac, out);
	fprintf(out, ", mtu %u\n", nic->mtu);
	for (size_t i = 0; i < nic->naddrs; i++) {
		fputs("    address        ", out);
		print_ip(&nic->addrs[i], true, out);
		fputc('\n', out);
	}
	for (size_t i = 0; i < nic->nroutes; i++) {
		const struct guest_route *r = &nic->routes[i];

		fputs("    route          ", out);
		print_ip(&r->to, true, out);
		if (r->via.family) {
			fputs(" via ", out);
			print_ip(&r->via, false, out);
		}
		if (r->src.family) {
			fputs(" src ", out);
			print_ip(&r->src, false, out);
		}
		fprintf(out, " scope %u", r->scope);
		if (r->metric)
			fprintf(out, " metric %u", r->metric);
		if (r->mtu)
			fprintf(out, " mtu %u", r->mtu);
		fprintf(out, "%s\n", r->onlink ? " onlink" : "");
	}
}

void plan_print_guest(const struct guest_plan *plan, FILE *out)
{
	fprintf(out, "guest\n");
	print_field("  hostname         ", plan->hostname, out);
	for (size_t i = 0; i < plan->nnics; i++)
		print_nic(&plan->nics[i], out);
	for (size_t i = 0; i < plan->napps; i++) {
		const struct guest_app *app = &plan->apps[i];

		print_field("  app              ", app->name, out);
		print_field("    root           ", app->root, out);
		print_list("    exec           ", app->exec, app->nexec, out);
		print_field("    search path    ", app->search_path, out);
		print_field("    user           ", app->user, out);
		print_field("    group          ", app->group, out);
		if (app->group_or_uid)
			fprintf(out, "                   (or the user's number)\n");
		fprintf(out, "    groups        ");
		for (size_t k = 0; k < app->ngids; k++)
			fprintf(out, " %u", app->gids[k]);
		fputc('\n', out);
		print_field("    directory      ", app->cwd, out);
		for (size_t k = 0; k < app->nenv; k++)
			print_field("    environment    ", app->env[k], out);
		print_io(&app->io, out);
		if (app->notify)
			fprintf(out, "    readiness      said by the app\n");
		if (app->npre_start)
			print_list("    pre-start      ", app->pre_start, app->npre_start, out);
		if (app->npost_stop)
			print_list("    post-stop      ", app->post_stop, app->npost_stop, out);
		print_mounts(&app->mounts, out);
		print_limits(&app->limits, out);
	}
	for (size_t i = 0; i < plan->nexports; i++) {
		print_field("  export           ", plan->exports[i].tag, out);
		print_field("    mounted at     ", plan->exports[i].dir, out);
		print_field("    options        ", plan->exports[i].options, out);
	}
	for (size_t i = 0; i < plan->nlistens; i++)
		fprintf(out, "  listen            %s, port %u\n", plan->apps[plan->listens[i].app].name, plan->listens[i].port);
	if (plan->resolv_conf)
		print_field("  resolv.conf      ", plan->resolv_conf, out);
	if (plan->hosts)
		print_field("  hosts            ", plan->hosts, out);
	if (plan->hosts_fallback)
		print_field("  hosts, if none   ", plan->hosts_fallback, out);
}
