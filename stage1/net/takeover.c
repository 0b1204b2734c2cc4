/* See takeover.h. What the kernel says is looked at as if it were a stranger's: it is cheap. */
#include "stage1/net/takeover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>

#include "stage1/common/netlink.h"
#include "stage1/common/util.h"

enum { TRIES = 5, ADDRS_MAX = 64, ROUTES_MAX = 256 };

struct reading {
	const char *ifname;
	int index;
	bool ethernet, arp;
	struct guest_nic nic;
	struct err *e;
};

static int on_link(const struct nlmsghdr *head, void *arg)
{
	const struct rtattr *at[IFLA_MTU + 1];
	const struct ifinfomsg *body = nl_body(head, sizeof(*body), at, COUNT(at));
	struct reading *r = arg;
	const uint8_t *mac;

	if (head->nlmsg_type != RTM_NEWLINK || !body)
		return -EPROTO;
	mac = nl_data(at[IFLA_ADDRESS], sizeof(r->nic.mac));
	r->index = body->ifi_index;
	r->ethernet = body->ifi_type == ARPHRD_ETHER && mac;
	r->arp = !(body->ifi_flags & IFF_NOARP);
	r->nic.mtu = nl_u32(at[IFLA_MTU], 0);
	if (mac)
		memcpy(r->nic.mac, mac, sizeof(r->nic.mac));
	return 0;
}

static size_t ip_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

/* False when the attribute is not an address of this family (AF_*). */
static bool take_ip(const struct rtattr *attr, uint8_t family, uint8_t prefix, struct guest_ip *ip)
{
	const void *bytes = nl_data(attr, ip_len(family));

	*ip = (struct guest_ip){ .family = family == AF_INET ? 4 : 6, .prefix = prefix };
	if (bytes)
		memcpy(ip->bytes, bytes, ip_len(family));
	return bytes;
}

static bool is_link_local(const struct guest_ip *ip)
{
	return ip->family == 6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

/* What the guest's kernel makes by itself, whatever the network before it is taken for. */
static bool is_of_mac(const struct guest_ip *ip, const uint8_t mac[6])
{
	const struct guest_ip own = guest_ip_of_mac(mac);

	return is_link_local(ip) && !memcmp(ip->bytes + 8, own.bytes + 8, 8);
}

static int on_addr(const struct nlmsghdr *head, void *arg)
{
	const struct rtattr *at[IFA_PROTO + 1];
	const struct ifaddrmsg *body = nl_body(head, sizeof(*body), at, COUNT(at));
	struct reading *r = arg;
	const uint8_t *proto;
	struct guest_ip ip;
	uint32_t flags;

	if (head->nlmsg_type != RTM_NEWADDR || !body || (body->ifa_family != AF_INET && body->ifa_family != AF_INET6) ||
		body->ifa_index != (uint32_t)r->index)
		return 0;
	flags = nl_u32(at[IFA_FLAGS], body->ifa_flags);
	proto = nl_data(at[IFA_PROTO], 1);
	if (!take_ip(at[IFA_LOCAL] ? at[IFA_LOCAL] : at[IFA_ADDRESS], body->ifa_family, body->ifa_prefixlen, &ip))
		return -EPROTO;
	if ((proto && (*proto == IFAPROT_KERNEL_RA || *proto == IFAPROT_KERNEL_LL)) || (flags & IFA_F_TEMPORARY) ||
		is_of_mac(&ip, r->nic.mac))
		return 0; /* the guest's kernel makes its own */
	if (flags & IFA_F_DADFAILED)
		return err_set(r->e, ERR_HOST, "an address is in use by somebody else on its network");
	if (r->nic.naddrs == ADDRS_MAX)
		return err_set(r->e, ERR_INPUT, "over %d addresses", ADDRS_MAX);
	r->nic.addrs = xrealloc(r->nic.addrs, r->nic.naddrs + 1, sizeof(ip));
	r->nic.addrs[r->nic.naddrs++] = ip;
	return 0;
}

/* One that the kernel makes by itself for a link, or that is none of a host. */
static bool of_no_interest(const struct rtmsg *body, const struct guest_route *route)
{
	return body->rtm_type != RTN_UNICAST || (body->rtm_flags & RTM_F_CLONED) || body->rtm_protocol == RTPROT_RA ||
		(body->rtm_protocol == RTPROT_KERNEL && is_link_local(&route->to)) ||
		(route->to.family == 6 && route->to.bytes[0] == 0xff);
}

/*
 * Of a route by several interfaces (IPv6 default routes of two networks are one to the kernel) the hop that is
 * ours: how many there are, and the attributes of the last.
 */
static unsigned our_hops(const struct rtattr *multipath, int index, const struct rtattr **at, size_t n)
{
	const uint8_t *p = RTA_DATA(multipath);
	size_t left = RTA_PAYLOAD(multipath), step;
	unsigned found = 0;

	for (; left >= sizeof(struct rtnexthop); p += step, left -= step) {
		const struct rtnexthop *hop = (const void *)p;
		size_t len = hop->rtnh_len;

		if (len < sizeof(*hop) || len > left)
			break;
		if (hop->rtnh_ifindex == index) {
			nl_attributes(hop + 1, len - sizeof(*hop), at, n);
			found++;
		}
		step = (len + 3) & ~(size_t)3; /* RTNH_ALIGN */
		if (step > left)
			break;
	}
	return found;
}

static int on_route(const struct nlmsghdr *head, void *arg)
{
	static const struct guest_ip none;
	const struct rtattr *at[RTA_VIA + 1], *hop[RTA_VIA + 1], *metrics[RTAX_MTU + 1];
	const struct rtmsg *body = nl_body(head, sizeof(*body), at, COUNT(at));
	struct reading *r = arg;
	struct guest_route route = { .metric = 0 };

	if (head->nlmsg_type != RTM_NEWROUTE || !body || (body->rtm_family != AF_INET && body->rtm_family != AF_INET6) ||
		nl_u32(at[RTA_TABLE], body->rtm_table) != RT_TABLE_MAIN)
		return 0;
	if (at[RTA_MULTIPATH] && body->rtm_type == RTN_UNICAST) {
		unsigned n = our_hops(at[RTA_MULTIPATH], r->index, hop, COUNT(hop));

		if (n > 1)
			return err_set(r->e, ERR_INPUT, "a route with several next hops is not supported");
		if (n == 0)
			return 0;
		at[RTA_GATEWAY] = hop[RTA_GATEWAY];
		at[RTA_VIA] = hop[RTA_VIA];
	} else if (nl_u32(at[RTA_OIF], 0) != (uint32_t)r->index) {
		return 0;
	}
	if (at[RTA_VIA])
		return err_set(r->e, ERR_INPUT, "a route whose next hop is of the other family is not supported");
	if (!take_ip(at[RTA_DST], body->rtm_family, body->rtm_dst_len, &route.to) && body->rtm_dst_len > 0)
		return -EPROTO;
	if (at[RTA_GATEWAY] && !take_ip(at[RTA_GATEWAY], body->rtm_family, (uint8_t)(8 * ip_len(body->rtm_family)), &route.via))
		return -EPROTO;
	if (!take_ip(at[RTA_PREFSRC], body->rtm_family, (uint8_t)(8 * ip_len(body->rtm_family)), &route.src))
		route.src = none;
	if (of_no_interest(body, &route))
		return 0;
	route.scope = body->rtm_scope;
	route.onlink = body->rtm_flags & RTNH_F_ONLINK;
	route.metric = nl_u32(at[RTA_PRIORITY], 0);
	nl_nested(at[RTA_METRICS], metrics, COUNT(metrics));
	route.mtu = nl_u32(metrics[RTAX_MTU], 0);
	if (r->nic.nroutes == ROUTES_MAX)
		return err_set(r->e, ERR_INPUT, "over %d routes", ROUTES_MAX);
	r->nic.routes = xrealloc(r->nic.routes, r->nic.nroutes + 1, sizeof(route));
	r->nic.routes[r->nic.nroutes++] = route;
	return 0;
}

static bool goes_first(const struct guest_route *a, const struct guest_route *b)
{
	if (!a->via.family != !b->via.family)
		return !a->via.family;
	return a->to.prefix > b->to.prefix;
}

static bool same_place(const struct guest_route *a, const struct guest_route *b)
{
	return a->to.family == b->to.family && a->to.prefix == b->to.prefix &&
		!memcmp(a->to.bytes, b->to.bytes, sizeof(a->to.bytes));
}

/*
 * A next hop is found by the routes that have none, so these come first. Of two to one place the kernel names that
 * first which counts, and one that is added goes before those there are: so these change places. Otherwise a stable sort
 * of a few.
 */
static void sort_routes(struct guest_nic *nic)
{
	for (size_t i = 1; i < nic->nroutes; i++) {
		struct guest_route route = nic->routes[i];
		size_t k = i;

		for (; k > 0 && (goes_first(&route, &nic->routes[k - 1]) || same_place(&route, &nic->routes[k - 1])); k--)
			nic->routes[k] = nic->routes[k - 1];
		nic->routes[k] = route;
	}
}

/* The result of nl_talk(), said: a message of ours is in *e already. */
static int said(struct err *e, int ret, const char *what)
{
	if (ret == 0 || e->kind != ERR_NONE)
		return ret < 0 ? -1 : 0;
	errno = -ret;
	return err_sys(e, "%s", what);
}

static int ask_link(struct reading *r, int fd, struct err *e)
{
	const struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nl_request rq;
	int ret;

	nl_begin(&rq, RTM_GETLINK, 0, &body, sizeof(body));
	nl_put(&rq, IFLA_IFNAME, r->ifname, strlen(r->ifname) + 1);
	ret = nl_talk(fd, &rq, on_link, r);
	if (ret == -ENODEV)
		return err_set(e, ERR_HOST, "no such interface in the pod's network namespace");
	if (said(e, ret, "read the interface") < 0)
		return -1;
	if (!r->ethernet)
		return err_set(e, ERR_HOST, "not an Ethernet interface: a virtual machine cannot have it");
	if (!r->arp) /* the guest would ask who has an address, and nobody answers */
		return err_set(e, ERR_HOST, "it has no ARP, as ipvlan of mode l3: a virtual machine needs it (ipvlan: mode l2)");
	return 0;
}

static int ask_all(struct reading *r, int fd, struct err *e)
{
	const struct ifaddrmsg addr = { .ifa_family = AF_UNSPEC };
	const struct rtmsg routes[] = { { .rtm_family = AF_INET }, { .rtm_family = AF_INET6 } };
	struct nl_request rq;
	int ret;

	if (ask_link(r, fd, e) < 0)
		return -1;
	nl_begin(&rq, RTM_GETADDR, NLM_F_DUMP, &addr, sizeof(addr));
	ret = nl_talk(fd, &rq, on_addr, r);
	for (size_t i = 0; ret == 0 && i < COUNT(routes); i++) {
		nl_begin(&rq, RTM_GETROUTE, NLM_F_DUMP, &routes[i], sizeof(routes[i]));
		ret = nl_talk(fd, &rq, on_route, r);
	}
	if (ret == -EAGAIN)
		return 1;
	return said(e, ret, "read addresses and routes");
}

/* A socket belongs to the namespace in which it was opened. */
static int open_in(int netns_fd, struct err *e)
{
	AUTO_CLOSE int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int fd;

	if (home < 0)
		return err_sys(e, "open our network namespace");
	if (setns(netns_fd, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the pod's network namespace");
	fd = nl_open(0);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* whatever comes next would happen to the pod's network */
	if (fd < 0) {
		errno = -fd;
		return err_sys(e, "open rtnetlink");
	}
	return fd;
}

int takeover_read(int netns_fd, const char *ifname, struct guest_nic *nic_r, struct err *e)
{
	AUTO_CLOSE int fd = -1;
	struct reading r;
	int ret = 1;

	if (strlen(ifname) > GUEST_NIC_NAME_MAX)
		return err_set(e, ERR_INPUT, "interface '%s': the name is too long", ifname);
	fd = open_in(netns_fd, e);
	for (int i = 0; fd >= 0 && ret == 1 && i < TRIES; i++) {
		r = (struct reading){ .ifname = ifname, .e = e };
		ret = ask_all(&r, fd, e);
		if (ret != 0)
			guest_nic_dispose(&r.nic);
	}
	if (fd >= 0 && ret == 1)
		(void)err_set(e, ERR_HOST, "its addresses and routes change all the time");
	if (ret != 0)
		return err_prefix(e, "interface '%s'", ifname);
	sort_routes(&r.nic);
	r.nic.name = xstrdup(ifname);
	*nic_r = r.nic;
	return 0;
}
