/* See forward.h. */
#include "stage1/net/forward.h"

#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"

/*
 * IPv6 has no route_localnet: what comes from ::1 never leaves the host. So it is not led anywhere, and
 * refused at once: programs that know "localhost" try 127.0.0.1 next.
 */
#define NO_WAY_OUT "::1"

static const char *protocol(const struct net_forward *f)
{
	return f->udp ? "udp" : "tcp";
}

/* The one port of that name in all apps. */
static int find_port(const struct pod *pod, const struct pod_host_port *host, const struct pod_port **port_r,
	struct err *e)
{
	const struct pod_app *owner = NULL;

	*port_r = host->pod_port;
	for (size_t i = 0; i < pod->napps && !host->pod_port; i++)
		for (size_t k = 0; k < pod->apps[i].nports; k++) {
			if (strcmp(pod->apps[i].ports[k].name, host->name) != 0)
				continue;
			if (owner)
				return err_set(e, ERR_INPUT, "port '%s': apps '%s' and '%s' have one of that name",
					host->name, owner->name, pod->apps[i].name);
			owner = &pod->apps[i];
			*port_r = &owner->ports[k];
		}
	return *port_r ? 0 : err_set(e, ERR_INPUT, "port '%s': no app has one of that name", host->name);
}

static bool clash(const struct net_forward *a, const struct net_forward *b)
{
	if (a->udp != b->udp || a->host_port != b->host_port)
		return false;
	if (a->family && b->family && a->family != b->family)
		return false;
	return !*a->ip || !*b->ip || !strcmp(a->ip, b->ip);
}

int net_forwards(const struct pod *pod, struct net_forward **list_r, size_t *n_r, struct err *e)
{
	AUTO_FREE struct net_forward *list = xcalloc(pod->nports, sizeof(*list));

	for (size_t i = 0; i < pod->nports; i++) {
		const struct pod_host_port *host = &pod->ports[i];
		const struct pod_port *port;

		if (find_port(pod, host, &port, e) < 0)
			return -1;
		if (port->protocol == POD_OTHER)
			return err_set(e, ERR_INPUT, "port '%s': its protocol is neither tcp nor udp", host->name);
		if (!strcmp(host->ip, NO_WAY_OUT))
			return err_set(e, ERR_INPUT, "port '%s': connections to " NO_WAY_OUT " cannot leave the host, "
				"127.0.0.1 can be led to the pod", host->name);
		list[i] = (struct net_forward){ .name = host->name, .ip = host->ip, .family = host->family,
			.udp = port->protocol == POD_UDP, .host_port = host->port, .pod_port = port->port };
		for (size_t k = 0; k < i; k++)
			if (clash(&list[k], &list[i]))
				return err_set(e, ERR_INPUT, "ports '%s' and '%s': both are the host's %s port %u",
					list[k].name, list[i].name, protocol(&list[i]), list[i].host_port);
	}
	*list_r = STEAL(list);
	*n_r = pod->nports;
	return 0;
}

int net_forwards_check(const struct net_forward *list, size_t n, const struct net_target *to, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct net_forward *f = &list[i];
		bool reached = (f->family != 6 && to->ip4) || (f->family != 4 && to->ip6);

		if (!reached && f->family)
			return err_set(e, ERR_INPUT, "port '%s': the pod has no IPv%d address that the host's %s%s%u "
				"could lead to", f->name, f->family, f->ip, *f->ip ? " port " : "port ", f->host_port);
		if (!reached)
			return err_set(e, ERR_INPUT, "port '%s': the pod's network gave it no address", f->name);
	}
	return 0;
}

static void put_forward(FILE *out, const struct net_forward *f, int family, const char *pod_ip)
{
	const char *kind = family == 4 ? "ip" : "ip6";

	if (!pod_ip || (f->family && f->family != family))
		return;
	fprintf(out, "\t\tmeta nfproto ipv%d ", family);
	if (*f->ip)
		fprintf(out, "%s daddr %s ", kind, f->ip);
	else if (family == 6)
		fputs("ip6 daddr != " NO_WAY_OUT " ", out);
	fprintf(out, family == 4 ? "%s dport %u dnat ip to %s:%u\n" : "%s dport %u dnat ip6 to [%s]:%u\n", protocol(f),
		f->host_port, pod_ip, f->pod_port);
}

/*
 * What the pod could not answer by itself: the host's own connections, which may come from an address
 * that means the host everywhere, and the pod's own, which come back to it.
 */
static void put_masquerade(FILE *out, const char *kind, const char *pod_ip)
{
	if (!pod_ip)
		return;
	fprintf(out, "\t\tct status dnat %s daddr %s fib saddr type local masquerade\n", kind, pod_ip);
	fprintf(out, "\t\tct status dnat %s daddr %s %s saddr %s masquerade\n", kind, pod_ip, kind, pod_ip);
}

/* Connections from 127.0.0.1 need route_localnet on the device; what it lets in is kept out here. */
static void put_guard(FILE *out, const char *device)
{
	if (!device)
		return;
	fprintf(out, "\tchain loopback {\n\t\ttype filter hook prerouting priority -300; policy accept;\n"
		"\t\tiifname \"%s\" ip daddr 127.0.0.0/8 counter drop\n"
		"\t\tiifname \"%s\" ip saddr 127.0.0.0/8 counter drop\n\t}\n", device, device);
}

char *net_forward_rules(const char *uuid, const struct net_forward *list, size_t n, const struct net_target *to)
{
	AUTO_FREE char *removal = net_forward_removal(uuid);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		abort();
	fprintf(out, "%stable inet stage1-xen-%s {\n\tchain ports {\n", removal, uuid);
	for (size_t i = 0; i < n; i++) {
		put_forward(out, &list[i], 4, to->ip4);
		put_forward(out, &list[i], 6, to->ip6);
	}
	fputs("\t}\n\tchain prerouting {\n\t\ttype nat hook prerouting priority -100; policy accept;\n"
		"\t\tfib daddr type local jump ports\n\t}\n"
		"\tchain output {\n\t\ttype nat hook output priority -100; policy accept;\n"
		"\t\tfib daddr type local jump ports\n\t}\n"
		"\tchain postrouting {\n\t\ttype nat hook postrouting priority 100; policy accept;\n", out);
	put_masquerade(out, "ip", to->ip4);
	put_masquerade(out, "ip6", to->ip6);
	fputs("\t}\n", out);
	put_guard(out, to->ip4 ? to->device : NULL);
	fputs("}\n", out);
	(void)fclose(out);
	return text;
}

char *net_forward_removal(const char *uuid)
{
	return xasprintf("add table inet stage1-xen-%s\ndelete table inet stage1-xen-%s\n", uuid, uuid);
}

char *net_forward_mappings(const struct net_forward *list, size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *out;

	if (n == 0)
		return NULL;
	out = open_memstream(&text, &len);
	if (!out)
		abort();
	for (size_t i = 0; i < n; i++)
		fprintf(out, "%s{ \"hostPort\": %u, \"containerPort\": %u, \"protocol\": \"%s\", \"hostIP\": \"%s\" }",
			i ? ", " : "[ ", list[i].host_port, list[i].pod_port, protocol(&list[i]), list[i].ip);
	fputs(" ]", out);
	(void)fclose(out);
	return text;
}
