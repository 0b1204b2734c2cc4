/* See remote.h. */
#include "stage1/net/remote.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"

enum { MTU_DEFAULT = 1500, ROUTES_MAX = 256 };

static size_t bits(uint8_t family)
{
	return family == 6 ? 128 : 32;
}

static bool read_ip(const char *text, struct guest_ip *ip)
{
	ip->family = strchr(text, ':') ? 6 : 4;
	ip->prefix = (uint8_t)bits(ip->family);
	return inet_pton(ip->family == 6 ? AF_INET6 : AF_INET, text, ip->bytes) == 1;
}

/* What the prefix leaves of it. */
static struct guest_ip network_of(const struct guest_ip *ip, uint8_t prefix)
{
	struct guest_ip net = { .family = ip->family, .prefix = prefix };

	for (size_t i = 0; i < prefix; i++)
		net.bytes[i / 8] |= ip->bytes[i / 8] & (0x80 >> i % 8);
	return net;
}

/* "NETWORK/LEN" */
static bool read_network(const char *text, struct guest_ip *net)
{
	size_t len = strcspn(text, "/");
	AUTO_FREE char *address = xstrndup(text, len);
	const char *number = text + len + (text[len] == '/');
	struct guest_ip ip = { .family = 0 };
	unsigned long prefix;

	if (!*number || strlen(number) > 3 || number[strspn(number, "0123456789")] || !read_ip(address, &ip))
		return false;
	prefix = strtoul(number, NULL, 10);
	if (prefix > bits(ip.family))
		return false;
	*net = network_of(&ip, (uint8_t)prefix);
	return true;
}

static bool is_near(const struct guest_nic *nic, const struct guest_ip *ip)
{
	for (size_t i = 0; i < nic->naddrs; i++) {
		const struct guest_ip own = network_of(&nic->addrs[i], nic->addrs[i].prefix);
		const struct guest_ip its = network_of(ip, own.prefix);

		if (own.family == ip->family && !memcmp(own.bytes, its.bytes, sizeof(own.bytes)))
			return true;
	}
	return false;
}

static void put_route(struct guest_nic *nic, const struct guest_ip *to, const struct guest_ip *via)
{
	struct guest_route *r = &nic->routes[nic->nroutes++];

	*r = (struct guest_route){ .to = *to };
	if (via)
		r->via = *via;
	else if (to->family == 4)
		r->scope = RT_SCOPE_LINK;
	r->onlink = via && !is_near(nic, via);
}

/* The first one of the family that the plugin names; false: none. */
static bool find_gateway(const struct net_add *add, uint8_t family, struct guest_ip *via)
{
	for (size_t i = 0; i < add->nips; i++)
		if (add->ips[i].family == family && *add->ips[i].gateway)
			return read_ip(add->ips[i].gateway, via);
	return false;
}

static int take_route(const struct jnode *at, const struct net_add *add, struct guest_nic *nic, struct err *e)
{
	struct guest_ip to = { .family = 0 }, via = { .family = 0 };
	const char *dst, *gw = "";
	bool has_gateway;

	if (jnode_str(at, "dst", &dst, e) < 0 || jnode_opt_str(at, "gw", &gw, e) < 0)
		return -1;
	if (!read_network(dst, &to))
		return jnode_err(e, at, "'%s' is no network", dst);
	has_gateway = *gw ? read_ip(gw, &via) : find_gateway(add, to.family, &via);
	if (*gw && (!has_gateway || via.family != to.family))
		return jnode_err(e, at, "'%s' is no gateway to %s", gw, dst);
	put_route(nic, &to, has_gateway ? &via : NULL);
	return 0;
}

static int take_routes(const struct jnode *at, const struct net_add *add, struct guest_nic *nic, struct err *e)
{
	struct jnode list, item;
	int ret = jnode_opt(at, "routes", json_type_array, &list, e);

	if (ret <= 0)
		return ret;
	if (jnode_len(&list) + nic->nroutes > ROUTES_MAX - 2)
		return jnode_err(e, &list, "over %d routes", ROUTES_MAX);
	for (size_t i = 0; i < jnode_len(&list); i++)
		if (jnode_item(&list, i, json_type_object, &item, e) < 0 || take_route(&item, add, nic, e) < 0)
			return -1;
	return 0;
}

/* Of CNI 0.1.0 and 0.2.0 each family has its own. */
static int take_all_routes(const struct net_add *add, struct guest_nic *nic, struct err *e)
{
	static const char *const families[] = { "ip4", "ip6" };
	json_object *doc = NULL;
	struct jnode root, child;
	int ret = json_parse(add->text, strlen(add->text), "result", &doc, e);

	if (ret < 0)
		return -1;
	root = jnode_root(doc, "result");
	ret = take_routes(&root, add, nic, e);
	for (size_t i = 0; ret == 0 && i < COUNT(families); i++) {
		ret = jnode_opt(&root, families[i], json_type_object, &child, e);
		if (ret > 0)
			ret = take_routes(&child, add, nic, e);
	}
	json_object_put(doc);
	return ret;
}

static bool leads_everywhere(const struct guest_nic *nic, uint8_t family)
{
	for (size_t i = 0; i < nic->nroutes; i++)
		if (nic->routes[i].to.family == family && nic->routes[i].to.prefix == 0)
			return true;
	return false;
}

static void add_default(const struct net_add *add, uint8_t family, struct guest_nic *nic)
{
	const struct guest_ip everywhere = { .family = family };
	struct guest_ip via = { .family = 0 };

	if (!leads_everywhere(nic, family) && find_gateway(add, family, &via))
		put_route(nic, &everywhere, &via);
}

static int fill(const struct net_conf *conf, const struct net_add *add, struct guest_nic *nic, struct err *e)
{
	for (size_t i = 0; i < add->nips; i++) {
		struct guest_ip ip = { .family = 0 };

		if (!read_ip(add->ips[i].ip, &ip))
			return err_set(e, ERR_INPUT, "'%s' is no address", add->ips[i].ip);
		ip.prefix = (uint8_t)add->ips[i].prefix;
		nic->addrs[nic->naddrs++] = ip;
	}
	if (nic->naddrs == 0)
		return err_set(e, ERR_INPUT, "the plugin for addresses gave none");
	for (size_t i = 0; i < nic->naddrs; i++) { /* first: others lead by them */
		const struct guest_ip net = network_of(&nic->addrs[i], nic->addrs[i].prefix);

		if (net.prefix < bits(net.family))
			put_route(nic, &net, NULL);
	}
	if (take_all_routes(add, nic, e) < 0)
		return -1;
	if (conf->default_gateway) {
		add_default(add, 4, nic);
		add_default(add, 6, nic);
	}
	return 0;
}

int net_remote_nic(const struct net_conf *conf, const char *uuid, size_t index, const struct net_add *add,
	struct guest_nic *nic_r, struct err *e)
{
	struct guest_nic nic = { .name = xasprintf("eth%zu", index), .mtu = conf->mtu ? conf->mtu : MTU_DEFAULT,
		.mac = { 0x02 }, .addrs = xcalloc(add->nips, sizeof(*nic.addrs)), .routes = xcalloc(ROUTES_MAX, sizeof(*nic.routes)) };
	unsigned n = 0;

	(void)sscanf(uuid, "%8x", &n); /* random */
	for (size_t i = 0; i < 4; i++)
		nic.mac[1 + i] = (uint8_t)(n >> 8 * i);
	nic.mac[5] = (uint8_t)index;
	if (fill(conf, add, &nic, e) < 0) {
		guest_nic_dispose(&nic);
		return -1;
	}
	*nic_r = nic;
	return 0;
}
