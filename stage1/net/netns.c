/* See netns.h. */
#include "stage1/net/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "stage1/common/util.h"

#define OURS "/proc/thread-self/ns/net"

char *netns_path(const char *uuid)
{
	return xasprintf(NETNS_DIR "/cni-%s", uuid);
}

/*
 * A mount point of its own that is shared: a mount made in it, or taken away, is so in every mount
 * namespace. The lock is that of `ip netns add`, which does the same.
 */
static int make_dir(struct err *e)
{
	AUTO_CLOSE int fd = -1;

	if (mkdir(NETNS_DIR, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", NETNS_DIR);
	fd = open(NETNS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return err_sys(e, "lock %s", NETNS_DIR);
	if (mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) == 0)
		return 0;
	if (errno != EINVAL || mount(NETNS_DIR, NETNS_DIR, "none", MS_BIND | MS_REC, NULL) < 0 ||
		mount("", NETNS_DIR, "none", MS_SHARED | MS_REC, NULL) < 0)
		return err_sys(e, "make %s a mount point", NETNS_DIR);
	return 0;
}

/* What follows is for the current thread's namespace. */

static int set_flags(const char *ifname, short flags, struct err *e)
{
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq rq = { .ifr_flags = 0 };

	(void)snprintf(rq.ifr_name, sizeof(rq.ifr_name), "%s", ifname);
	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &rq) < 0)
		return err_sys(e, "interface %s", ifname);
	rq.ifr_flags = (short)(rq.ifr_flags | flags);
	return ioctl(fd, SIOCSIFFLAGS, &rq) < 0 ? err_sys(e, "interface %s", ifname) : 0;
}

/* Interfaces here are the guest's to speak for: no link-local addresses, no router's advice. */
static void be_quiet(void)
{
	static const char *const settings[][2] = { { "accept_ra", "0" }, { "autoconf", "0" }, { "addr_gen_mode", "1" } };

	for (size_t i = 0; i < COUNT(settings); i++) {
		AUTO_FREE char *path = xasprintf("/proc/sys/net/ipv6/conf/default/%s", settings[i][0]);
		AUTO_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

		if (fd >= 0) /* a host may have no IPv6 */
			(void)write_all(fd, settings[i][1], 1);
	}
}

static int fill(const char *path, struct err *e)
{
	if (mount(OURS, path, "none", MS_BIND, NULL) < 0)
		return err_sys(e, "name the network namespace %s", path);
	be_quiet();
	return set_flags("lo", IFF_UP, e);
}

static int go_back(int home, struct err *e)
{
	return setns(home, CLONE_NEWNET) < 0 ? err_sys(e, "return to the host's network namespace") : 0;
}

int netns_create(const char *path, struct err *e)
{
	AUTO_CLOSE int home = open(OURS, O_RDONLY | O_CLOEXEC);
	AUTO_CLOSE int file = -1;
	struct err undo = ERR_INIT;
	int ret;

	if (home < 0)
		return err_sys(e, "open %s", OURS);
	if (make_dir(e) < 0)
		return -1;
	file = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (file < 0)
		return err_sys(e, "make %s", path);
	ret = unshare(CLONE_NEWNET) < 0 ? err_sys(e, "make a network namespace") : fill(path, e);
	if (go_back(home, e) < 0)
		ret = -1;
	if (ret < 0)
		(void)netns_remove(path, &undo);
	return ret;
}

int netns_remove(const char *path, struct err *e)
{
	while (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) == 0)
		;
	if (errno != EINVAL && errno != ENOENT)
		return err_sys(e, "unmount %s", path);
	/* this takes its mounts away in other mount namespaces */
	return unlink(path) < 0 && errno != ENOENT ? err_sys(e, "remove %s", path) : 0;
}

int netns_open(const char *path, int *fd_r, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "open %s", path);
	*fd_r = fd;
	return 0;
}

int netns_hear_multicast(int netns, const char *ifname, struct err *e)
{
	AUTO_CLOSE int home = open(OURS, O_RDONLY | O_CLOEXEC);
	int ret;

	if (home < 0 || setns(netns, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the pod's network namespace");
	ret = set_flags(ifname, IFF_ALLMULTI, e);
	return go_back(home, e) < 0 ? -1 : ret;
}
