/* See ports.h. */
#include "stage1/net/ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "stage1/common/netlink.h"
#include "stage1/common/util.h"
#include "stage1/net/localnet.h"
#include "stage1/net/nft.h"

/* -1 with errno. The address need not be the host's yet: it may move between hosts. */
static int bind_port(const struct net_forward *f, int family)
{
	AUTO_CLOSE int fd = socket(family == 4 ? AF_INET : AF_INET6,
		(f->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(f->host_port) };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(f->host_port) };
	const int on = 1;
	int ret;

	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_IP, IP_FREEBIND, &on, sizeof(on));
	if (family == 6)
		(void)setsockopt(fd, SOL_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (*f->ip)
		(void)inet_pton(family == 4 ? AF_INET : AF_INET6, f->ip,
			family == 4 ? (void *)&v4.sin_addr : (void *)&v6.sin6_addr);
	ret = family == 4 ? bind(fd, (struct sockaddr *)&v4, sizeof(v4)) : bind(fd, (struct sockaddr *)&v6, sizeof(v6));
	return ret < 0 ? -1 : STEAL_FD(fd);
}

static int hold(const struct net_forward *f, int family, struct ports_held *held, struct err *e)
{
	const char *protocol = f->udp ? "udp" : "tcp";
	int fd;

	if (f->family && f->family != family)
		return 0;
	fd = bind_port(f, family);
	if (fd < 0 && errno == EAFNOSUPPORT && !f->family)
		return 0; /* a host without IPv6 */
	if (fd < 0 && errno == EADDRINUSE)
		return err_set(e, ERR_HOST, "port '%s': the host's %s port %s%s%u is in use by another pod or program",
			f->name, protocol, f->ip, *f->ip ? " " : "", f->host_port);
	if (fd < 0)
		return err_sys(e, "port '%s': hold the host's %s port %u", f->name, protocol, f->host_port);
	held->fds[held->n++] = fd;
	return 0;
}

int ports_hold(const struct net_forward *list, size_t n, struct ports_held *held_r, struct err *e)
{
	struct ports_held held = { .fds = xcalloc(2 * n, sizeof(int)) };

	for (size_t i = 0; i < n; i++)
		if (hold(&list[i], 4, &held, e) < 0 || hold(&list[i], 6, &held, e) < 0) {
			ports_release(&held);
			return -1;
		}
	*held_r = held;
	return 0;
}

void ports_release(struct ports_held *held)
{
	for (size_t i = 0; i < held->n; i++)
		(void)close(held->fds[i]);
	free(held->fds);
	*held = (struct ports_held){ .fds = NULL };
}

static int on_route(const struct nlmsghdr *head, void *arg)
{
	const struct rtattr *at[RTA_OIF + 1];
	const struct rtmsg *body = nl_body(head, sizeof(*body), at, COUNT(at));

	if (head->nlmsg_type == RTM_NEWROUTE && body)
		*(uint32_t *)arg = nl_u32(at[RTA_OIF], 0);
	return 0;
}

/* The device the host reaches an IPv4 address by. */
static int find_device(const char *ip4, char name_r[IF_NAMESIZE], struct err *e)
{
	const struct rtmsg body = { .rtm_family = AF_INET, .rtm_dst_len = 32 };
	AUTO_CLOSE int fd = nl_open(0);
	struct nl_request rq;
	struct in_addr ip;
	uint32_t index = 0;
	int ret;

	(void)inet_pton(AF_INET, ip4, &ip);
	nl_begin(&rq, RTM_GETROUTE, 0, &body, sizeof(body));
	nl_put(&rq, RTA_DST, &ip, sizeof(ip));
	ret = fd < 0 ? fd : nl_talk(fd, &rq, on_route, &index);
	if (ret < 0 || !if_indextoname(index, name_r)) {
		errno = ret < 0 ? -ret : errno;
		return err_sys(e, "find the host's way to the pod, %s", ip4);
	}
	return 0;
}

int ports_lead(const char *uuid, const struct net_forward *list, size_t n, const char *ip4, const char *ip6,
	struct err *e)
{
	char device[IF_NAMESIZE];
	struct net_target to = { .ip4 = ip4, .ip6 = ip6 };
	AUTO_FREE char *rules = NULL;

	if (net_forwards_check(list, n, &to, e) < 0 || (ip4 && find_device(ip4, device, e) < 0))
		return -1;
	to.device = ip4 ? device : NULL;
	rules = net_forward_rules(uuid, list, n, &to);
	if (write_file_atomic(AT_FDCWD, PORTS_FILE, rules, strlen(rules), 0644, e) < 0)
		return -1;
	if (nft_load(rules, NULL, e) < 0)
		return err_prefix(e, "lead the host's ports to the pod");
	return ip4 ? localnet_set(uuid, device, e) : 0;
}

int ports_unlead(const char *uuid, struct err *e)
{
	AUTO_FREE char *rules = net_forward_removal(uuid);

	if (access(PORTS_FILE, F_OK) < 0 && errno == ENOENT)
		return 0;
	/* the table keeps the host's loopback shut: it goes last */
	if (localnet_unset(uuid, e) < 0 || nft_load(rules, NULL, e) < 0)
		return err_prefix(e, "take the pod's ports away");
	return unlink(PORTS_FILE) < 0 && errno != ENOENT ? err_sys(e, "remove %s", PORTS_FILE) : 0;
}
