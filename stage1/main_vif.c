/*
 * libxl's hotplug script of a pod's network device (xen-facts 4.1): `vif online|offline type_if=vif`, in
 * the pod's directory, the environment says which device. It moves dom0's end of the device into the
 * pod's network namespace and joins it to its interface there (stage1/net/join.h). What it says to
 * libxl it says by xenstore; nothing is to be undone, for the device ends with the domain.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <xenstore.h>

#include "stage1/common/netlink.h"
#include "stage1/common/util.h"
#include "stage1/net/child.h"
#include "stage1/net/nft.h"

enum { NETNS_MAX = 4096, RULES_MAX = 1 << 20, ADDR_GEN_NONE = 1 };

struct vif {
	const char *name;     /* "vifDOMID.N" */
	char eth[IFNAMSIZ];   /* "ethN" */
	const char *xenstore; /* of its backend, below dom0's directory */
};

static int err_netlink(struct err *e, int ret, const char *what)
{
	errno = -ret;
	return err_sys(e, "%s", what);
}

static int vif_read(struct vif *vif, struct err *e)
{
	unsigned domid, n;
	int end = 0;

	vif->name = getenv("vif");
	vif->xenstore = getenv("XENBUS_PATH");
	if (!vif->name || !vif->xenstore)
		return err_set(e, ERR_USAGE, "vif or XENBUS_PATH is not set: this is for libxl to run");
	if (sscanf(vif->name, "vif%5u.%5u%n", &domid, &n, &end) != 2 || vif->name[end] || end >= IFNAMSIZ)
		return err_set(e, ERR_USAGE, "vif='%.40s' is not vifDOMID.N", vif->name);
	(void)snprintf(vif->eth, sizeof(vif->eth), "eth%u", n);
	return 0;
}

static int open_netns(struct err *e)
{
	AUTO_FREE char *path = NULL;
	size_t len;
	int fd;

	if (read_file_at(AT_FDCWD, "netns", NETNS_MAX, &path, &len, e) < 0)
		return -1;
	path[strcspn(path, "\n")] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 ? fd : err_sys(e, "open the pod's network namespace %s", path);
}

static int move(const struct vif *vif, int netns, struct err *e)
{
	const struct ifinfomsg body = { .ifi_family = AF_UNSPEC };
	AUTO_CLOSE int fd = nl_open(0);
	struct nl_request rq;
	int ret = fd;

	nl_begin(&rq, RTM_NEWLINK, 0, &body, sizeof(body));
	nl_put(&rq, IFLA_IFNAME, vif->name, strlen(vif->name) + 1);
	nl_put_u32(&rq, IFLA_NET_NS_FD, (uint32_t)netns);
	if (fd >= 0)
		ret = nl_talk(fd, &rq, NULL, NULL);
	return ret < 0 ? err_netlink(e, ret, "move it into the pod's network namespace") : 0;
}

static int on_mtu(const struct nlmsghdr *head, void *arg)
{
	const struct rtattr *at[IFLA_MTU + 1];

	if (nl_body(head, sizeof(struct ifinfomsg), at, COUNT(at)))
		*(uint32_t *)arg = nl_u32(at[IFLA_MTU], 0);
	return 0;
}

/* Up, as large as its other end, and without an address: also the kernel is not to give it one. */
static int set_up(const struct vif *vif, struct err *e)
{
	const struct ifinfomsg any = { .ifi_family = AF_UNSPEC };
	const struct ifinfomsg up = { .ifi_family = AF_UNSPEC, .ifi_flags = IFF_UP, .ifi_change = IFF_UP };
	const uint8_t none = ADDR_GEN_NONE;
	AUTO_CLOSE int fd = nl_open(0);
	struct nl_request rq;
	size_t spec, inet6;
	uint32_t mtu = 0;
	int ret;

	if (fd < 0)
		return err_netlink(e, fd, "open rtnetlink");
	nl_begin(&rq, RTM_GETLINK, 0, &any, sizeof(any));
	nl_put(&rq, IFLA_IFNAME, vif->eth, strlen(vif->eth) + 1);
	ret = nl_talk(fd, &rq, on_mtu, &mtu);
	if (ret < 0 || mtu == 0) {
		errno = ret < 0 ? -ret : EPROTO;
		return err_sys(e, "read interface '%s' of the pod's network namespace", vif->eth);
	}
	nl_begin(&rq, RTM_NEWLINK, 0, &up, sizeof(up));
	nl_put(&rq, IFLA_IFNAME, vif->name, strlen(vif->name) + 1);
	nl_put_u32(&rq, IFLA_MTU, mtu);
	spec = nl_nest(&rq, IFLA_AF_SPEC);
	inet6 = nl_nest(&rq, AF_INET6);
	nl_put(&rq, IFLA_INET6_ADDR_GEN_MODE, &none, sizeof(none));
	nl_nest_end(&rq, inet6);
	nl_nest_end(&rq, spec);
	ret = nl_talk(fd, &rq, NULL, NULL);
	return ret < 0 ? err_netlink(e, ret, "set its MTU and switch it on") : 0;
}

static int join(const struct vif *vif, struct err *e)
{
	AUTO_FREE char *path = xasprintf("net/%s.nft", vif->eth), *define = xasprintf("vif=%s", vif->name);
	AUTO_FREE char *rules = NULL;
	AUTO_CLOSE int netns = open_netns(e);
	size_t len;

	if (netns < 0 || read_file_at(AT_FDCWD, path, RULES_MAX, &rules, &len, e) < 0)
		return -1;
	if (move(vif, netns, e) < 0)
		return -1;
	if (setns(netns, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the pod's network namespace");
	if (nft_load(rules, define, e) < 0) /* first: nothing passes without them */
		return -1;
	return set_up(vif, e);
}

static bool tell(struct xs_handle *xs, const struct vif *vif, const char *node, const char *text)
{
	AUTO_FREE char *path = xasprintf("%s/%s", vif->xenstore, node);

	return xs_write(xs, XBT_NULL, path, text, (unsigned)strlen(text));
}

/* What is wrong goes to xenstore, for libxl to say; only when it cannot go there, to *e. */
static int online(const struct vif *vif, struct err *e)
{
	struct err why = ERR_INIT;
	struct xs_handle *xs = xs_open(0);
	int ret;

	if (!xs)
		return err_sys(e, "open xenstore");
	ret = join(vif, &why);
	if (ret < 0) {
		(void)err_prefix(&why, "device %s", vif->name);
		if (!tell(xs, vif, "hotplug-error", why.msg) || !tell(xs, vif, "hotplug-status", "error"))
			*e = why;
	} else if (!tell(xs, vif, "hotplug-status", "connected")) {
		ret = err_sys(e, "device %s: tell xenstore that it is connected", vif->name);
	}
	xs_close(xs);
	return ret;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	struct err e = ERR_INIT;
	struct vif vif;
	int ret = 0;

	child_hear_no_end();
	if (!strcmp(verb, "online"))
		ret = vif_read(&vif, &e) < 0 ? -1 : online(&vif, &e);
	else if (strcmp(verb, "offline") != 0)
		ret = err_set(&e, ERR_USAGE, "usage: vif online|offline");
	if (e.kind != ERR_NONE)
		fprintf(stderr, "stage1 vif: %s\n", e.msg);
	return ret < 0;
}
