/* See net.h. Nothing is asked of the network: addresses are the guest's without detection of duplicates. */
#include "init/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "stage1/common/netlink.h"
#include "stage1/common/util.h"

enum { LO_INDEX = 1 };

struct net {
	int ask, events;
	int64_t deadline; /* monotonic ms */
};

/* A device that is looked for. */
struct sought {
	const uint8_t *mac;
	int index; /* 0: not found */
	char name[IFNAMSIZ];
};

static int on_link(const struct nlmsghdr *head, void *arg)
{
	const struct rtattr *at[IFLA_IFNAME + 1];
	const struct ifinfomsg *body = nl_body(head, sizeof(*body), at, COUNT(at));
	struct sought *s = arg;
	const void *mac;

	if (head->nlmsg_type != RTM_NEWLINK || !body || body->ifi_type != ARPHRD_ETHER || !at[IFLA_IFNAME])
		return 0;
	mac = nl_data(at[IFLA_ADDRESS], 6);
	if (!mac || memcmp(mac, s->mac, 6) != 0)
		return 0;
	s->index = body->ifi_index;
	(void)snprintf(s->name, sizeof(s->name), "%.*s", (int)RTA_PAYLOAD(at[IFLA_IFNAME]),
		(const char *)RTA_DATA(at[IFLA_IFNAME]));
	return 0;
}

/* Events are only a reason to look again. */
static int on_event(const struct nlmsghdr *head, void *arg)
{
	(void)head;
	(void)arg;
	return 0;
}

static int look(const struct net *net, struct sought *s)
{
	const struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	struct nl_request rq;
	int ret;

	do {
		nl_begin(&rq, RTM_GETLINK, NLM_F_DUMP, &body, sizeof(body));
		ret = nl_talk(net->ask, &rq, on_link, s);
	} while (ret == -EAGAIN);
	return ret;
}

static int find(const struct net *net, struct sought *s)
{
	for (;;) {
		struct pollfd p = { .fd = net->events, .events = POLLIN };
		int64_t left = net->deadline - monotonic_ms();
		int ret = look(net, s);

		if (ret < 0 || s->index > 0)
			return ret;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&p, 1, (int)left) < 0 && errno != EINTR)
			return -errno;
		ret = nl_hear(net->events, on_event, NULL);
		if (ret < 0 && ret != -ENOBUFS) /* some were lost: looks again all the same */
			return ret;
	}
}

static void begin_link(struct nl_request *rq, int index, bool up)
{
	const struct ifinfomsg body = { .ifi_family = AF_UNSPEC, .ifi_index = index,
		.ifi_flags = up ? IFF_UP : 0, .ifi_change = up ? IFF_UP : 0 };

	nl_begin(rq, RTM_NEWLINK, 0, &body, sizeof(body));
}

static int rename_to(const struct net *net, int index, const char *name)
{
	struct nl_request rq;

	begin_link(&rq, index, false);
	nl_put(&rq, IFLA_IFNAME, name, strlen(name) + 1);
	return nl_talk(net->ask, &rq, NULL, NULL);
}

static size_t ip_len(const struct guest_ip *ip)
{
	return ip->family == 6 ? 16 : 4;
}

static uint8_t ip_family(const struct guest_ip *ip)
{
	return ip->family == 6 ? AF_INET6 : AF_INET;
}

/* Routes are the plan's: an address brings none. */
static int add_address(const struct net *net, int index, const struct guest_ip *ip)
{
	const struct ifaddrmsg body = { .ifa_family = ip_family(ip), .ifa_prefixlen = ip->prefix, .ifa_index = (uint32_t)index };
	struct nl_request rq;

	nl_begin(&rq, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &body, sizeof(body));
	nl_put(&rq, IFA_LOCAL, ip->bytes, ip_len(ip));
	nl_put(&rq, IFA_ADDRESS, ip->bytes, ip_len(ip));
	nl_put_u32(&rq, IFA_FLAGS, IFA_F_NODAD | IFA_F_NOPREFIXROUTE);
	if (ip->family == 4 && ip->prefix < 31) {
		uint32_t broadcast;

		memcpy(&broadcast, ip->bytes, sizeof(broadcast));
		nl_put_u32(&rq, IFA_BROADCAST, broadcast | htonl(UINT32_MAX >> ip->prefix));
	}
	return nl_talk(net->ask, &rq, NULL, NULL);
}

static int add_route(const struct net *net, int index, const struct guest_route *r)
{
	const struct rtmsg body = { .rtm_family = ip_family(&r->to), .rtm_dst_len = r->to.prefix, .rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_BOOT, .rtm_scope = r->scope, .rtm_type = RTN_UNICAST,
		.rtm_flags = r->onlink ? RTNH_F_ONLINK : 0 };
	struct nl_request rq;
	size_t metrics;

	/* As plugins do: a network may lead where another one does already. */
	nl_begin(&rq, RTM_NEWROUTE, NLM_F_CREATE, &body, sizeof(body));
	if (r->to.prefix > 0)
		nl_put(&rq, RTA_DST, r->to.bytes, ip_len(&r->to));
	if (r->via.family)
		nl_put(&rq, RTA_GATEWAY, r->via.bytes, ip_len(&r->via));
	if (r->src.family)
		nl_put(&rq, RTA_PREFSRC, r->src.bytes, ip_len(&r->src));
	nl_put_u32(&rq, RTA_OIF, (uint32_t)index);
	if (r->metric)
		nl_put_u32(&rq, RTA_PRIORITY, r->metric);
	if (r->mtu) {
		metrics = nl_nest(&rq, RTA_METRICS);
		nl_put_u32(&rq, RTAX_MTU, r->mtu);
		nl_nest_end(&rq, metrics);
	}
	return nl_talk(net->ask, &rq, NULL, NULL);
}

/*
 * Addresses are the plan's only: one that a router's advertisement made would be chosen to send from,
 * and dom0 lets no others pass. Without IPv6 in the kernel there is nothing to switch off.
 */
static int no_advertisements(const char *name, struct err *e)
{
	char path[64];
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/accept_ra", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : err_sys(e, "open %s", path);
	if (write_all(fd, "0", 1) < 0)
		(void)err_sys(e, "write %s", path);
	(void)close(fd);
	return e->kind == ERR_NONE ? 0 : -1;
}

static int said(struct err *e, int ret, const char *what)
{
	if (ret == 0)
		return 0;
	errno = -ret;
	return err_sys(e, "%s", what);
}

static int said_ip(struct err *e, int ret, const char *what, const struct guest_ip *ip)
{
	char address[INET6_ADDRSTRLEN] = "", text[100];

	(void)inet_ntop(ip_family(ip), ip->bytes, address, sizeof(address));
	(void)snprintf(text, sizeof(text), "%s %s/%u", what, address, ip->prefix);
	return said(e, ret, text);
}

static int set_nic(const struct net *net, const struct guest_nic *nic, int index, struct err *e)
{
	struct nl_request rq;
	int ret = 0;

	if (no_advertisements(nic->name, e) < 0)
		return -1;
	begin_link(&rq, index, true);
	nl_put_u32(&rq, IFLA_MTU, nic->mtu);
	if (said(e, nl_talk(net->ask, &rq, NULL, NULL), "set its MTU and switch it on") < 0)
		return -1;
	for (size_t i = 0; ret == 0 && i < nic->naddrs; i++)
		ret = said_ip(e, add_address(net, index, &nic->addrs[i]), "add address", &nic->addrs[i]);
	for (size_t i = 0; ret == 0 && i < nic->nroutes; i++)
		ret = said_ip(e, add_route(net, index, &nic->routes[i]), "add the route to", &nic->routes[i].to);
	return ret;
}

/* Names are the kernel's choice, by order of appearance: first they are all given up, then taken. */
static int set_names(const struct net *net, const struct guest_plan *plan, struct sought *found, struct err *e)
{
	char name[32];
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < plan->nnics; i++) {
		if (!strcmp(found[i].name, plan->nics[i].name))
			continue;
		(void)snprintf(name, sizeof(name), "nic%zu", i);
		ret = rename_to(net, found[i].index, name);
	}
	for (size_t i = 0; ret == 0 && i < plan->nnics; i++) {
		if (!strcmp(found[i].name, plan->nics[i].name))
			continue;
		ret = rename_to(net, found[i].index, plan->nics[i].name);
	}
	return said(e, ret, "name the network devices");
}

static int set_nics(const struct net *net, const struct guest_plan *plan, struct sought *found, struct err *e)
{
	for (size_t i = 0; i < plan->nnics; i++) {
		const struct guest_nic *nic = &plan->nics[i];
		int ret;

		found[i].mac = nic->mac;
		ret = find(net, &found[i]);
		if (ret == -ETIMEDOUT)
			return err_set(e, ERR_HOST, "network '%s': no device with MAC %02x:%02x:%02x:%02x:%02x:%02x appears",
				nic->name, nic->mac[0], nic->mac[1], nic->mac[2], nic->mac[3], nic->mac[4], nic->mac[5]);
		if (said(e, ret, "look for its device") < 0)
			return err_prefix(e, "network '%s'", nic->name);
	}
	if (set_names(net, plan, found, e) < 0)
		return -1;
	for (size_t i = 0; i < plan->nnics; i++)
		if (set_nic(net, &plan->nics[i], found[i].index, e) < 0)
			return err_prefix(e, "network '%s'", plan->nics[i].name);
	return 0;
}

int net_up(const struct guest_plan *plan, int wait_ms, struct err *e)
{
	AUTO_CLOSE int ask = nl_open(0);
	AUTO_CLOSE int events = nl_open(RTMGRP_LINK); /* before the first look, so that none is missed */
	const struct net net = { .ask = ask, .events = events, .deadline = monotonic_ms() + wait_ms };
	struct nl_request rq;
	struct sought *found;
	int ret;

	if (ask < 0 || events < 0)
		return said(e, ask < 0 ? ask : events, "open rtnetlink");
	begin_link(&rq, LO_INDEX, true);
	if (said(e, nl_talk(ask, &rq, NULL, NULL), "switch the loopback device on") < 0)
		return -1;
	found = calloc(plan->nnics + 1, sizeof(*found));
	ret = found ? set_nics(&net, plan, found, e) : err_set(e, ERR_SYSTEM, "no memory for %zu networks", plan->nnics);
	free(found);
	return ret;
}
