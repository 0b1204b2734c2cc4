/* See usage.h. */
#include "stage1/usage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage1/common/netlink.h"
#include "stage1/common/util.h"
#include "stage1/net/netns.h"

enum { CHILDREN_MAX = 8, NS_PER_S = 1000000000 };

/* The fields 14 and 15, counted from behind the name, which may hold anything. */
static bool times_of(const char *stat, uint64_t *ticks_r)
{
	const char *at = strrchr(stat, ')');
	uint64_t user, kernel;

	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64, &user,
			   &kernel) != 2)
		return false;
	*ticks_r = user + kernel;
	return true;
}

static bool io_of(const char *io, const char *name, uint64_t *bytes_r)
{
	const char *at = strstr(io, name);

	return at && sscanf(at + strlen(name), ": %" SCNu64, bytes_r) == 1;
}

int usage_add_process(struct usage_process *p, const char *stat, const char *statm, const char *io, uint64_t hz,
	uint64_t page, struct err *e)
{
	uint64_t ticks, pages, in, out;

	if (!times_of(stat, &ticks) || sscanf(statm, "%*u %" SCNu64, &pages) != 1 || !io_of(io, "rchar", &in) ||
		!io_of(io, "wchar", &out))
		return err_set(e, ERR_HOST, "/proc does not say what a process uses");
	p->cpu_ns += ticks * (NS_PER_S / hz);
	p->memory_bytes += pages * page;
	p->read_bytes += in;
	p->written_bytes += out;
	return 0;
}

static int read_process(struct usage_process *p, pid_t pid, struct err *e)
{
	static const char *const names[] = { "stat", "statm", "io" };
	char *text[COUNT(names)] = { NULL };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < COUNT(names); i++) {
		AUTO_FREE char *path = xasprintf("/proc/%d/%s", (int)pid, names[i]);
		size_t len;

		ret = read_file_at(AT_FDCWD, path, USAGE_STAT_MAX, &text[i], &len, e);
	}
	if (ret == 0)
		ret = usage_add_process(p, text[0], text[1], text[2], (uint64_t)sysconf(_SC_CLK_TCK),
			(uint64_t)sysconf(_SC_PAGESIZE), e);
	for (size_t i = 0; i < COUNT(names); i++)
		free(text[i]);
	return ret;
}

/* The backend is two processes, the second the first one's child. */
static int read_backend(struct usage_process *p, pid_t pid, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/task/%d/children", (int)pid, (int)pid), *list = NULL;
	size_t len;
	char *at;

	if (read_process(p, pid, e) < 0 || read_file_at(AT_FDCWD, path, USAGE_STAT_MAX, &list, &len, e) < 0)
		return -1;
	at = list;
	for (int i = 0; i < CHILDREN_MAX; i++) {
		char *end;
		long child = strtol(at, &end, 10);

		if (end == at)
			break;
		at = end;
		if (read_process(p, (pid_t)child, e) < 0)
			return -1;
	}
	return 0;
}

/* A device vifDOMID.N: what it has sent, the pod has received. */
static int on_link(const struct nlmsghdr *head, void *arg)
{
	const struct rtattr *at[IFLA_STATS64 + 1];
	struct usage *u = arg;
	struct rtnl_link_stats64 stats;
	char name[IFNAMSIZ] = "";
	unsigned domid, n;
	size_t len;
	int end = 0;

	if (!nl_body(head, sizeof(struct ifinfomsg), at, COUNT(at)) || !at[IFLA_IFNAME] || !at[IFLA_STATS64])
		return 0;
	len = RTA_PAYLOAD(at[IFLA_IFNAME]);
	if (len == 0 || len > sizeof(name))
		return 0;
	memcpy(name, RTA_DATA(at[IFLA_IFNAME]), len - 1);
	if (sscanf(name, "vif%5u.%5u%n", &domid, &n, &end) != 2 || name[end] || domid != u->domid ||
		u->nnics == COUNT(u->nics) || RTA_PAYLOAD(at[IFLA_STATS64]) < offsetof(struct rtnl_link_stats64, rx_errors))
		return 0;
	memset(&stats, 0, sizeof(stats));
	len = RTA_PAYLOAD(at[IFLA_STATS64]);
	memcpy(&stats, RTA_DATA(at[IFLA_STATS64]), len < sizeof(stats) ? len : sizeof(stats));
	u->nics[u->nnics++] = (struct usage_nic){ .n = n, .received_bytes = stats.tx_bytes,
		.received_packets = stats.tx_packets, .sent_bytes = stats.rx_bytes, .sent_packets = stats.rx_packets };
	return 0;
}

static int by_number(const void *a, const void *b)
{
	const struct usage_nic *x = a, *y = b;

	return x->n < y->n ? -1 : x->n > y->n;
}

/* This process has nothing else to do in dom0's own network: it stays in the pod's. */
static int read_nics(struct usage *u, const char *uuid, struct err *e)
{
	const struct ifinfomsg any = { .ifi_family = AF_UNSPEC };
	AUTO_FREE char *path = netns_path(uuid);
	AUTO_CLOSE int netns = -1, fd = -1;
	struct nl_request rq;
	int ret;

	if (access(path, F_OK) < 0)
		return 0; /* a pod without networks */
	if (netns_open(path, &netns, e) < 0)
		return -1;
	if (setns(netns, CLONE_NEWNET) < 0)
		return err_sys(e, "enter the pod's network namespace");
	fd = nl_open(0);
	nl_begin(&rq, RTM_GETLINK, NLM_F_DUMP, &any, sizeof(any));
	ret = fd < 0 ? fd : nl_talk(fd, &rq, on_link, u);
	if (ret < 0) {
		errno = -ret;
		return err_sys(e, "read the pod's network devices");
	}
	qsort(u->nics, u->nnics, sizeof(*u->nics), by_number);
	return 0;
}

int usage_read(struct usage *u, const char *uuid, struct err *e)
{
	if (u->xen.backend != 0 && read_backend(&u->files, u->xen.backend, e) < 0)
		return -1;
	return read_nics(u, uuid, e);
}

void usage_print(const struct usage *u, FILE *out)
{
	(void)fprintf(out, "{\"state\":\"%s\",\"domid\":%" PRIu32 ",\"cpu\":{\"total_ns\":%" PRIu64 ",\"vcpus_ns\":[",
		u->xen.paused ? "paused" : "running", u->domid, u->xen.cpu_ns);
	for (uint32_t i = 0; i < u->xen.nvcpus; i++)
		(void)fprintf(out, "%s%" PRIu64, i ? "," : "", u->xen.vcpu_ns[i]);
	(void)fprintf(out, "]},\"memory\":{\"bytes\":%" PRIu64 ",\"max_bytes\":%" PRIu64 "},\"networks\":[",
		u->xen.memory_kib << 10, u->xen.memory_max_kib << 10);
	for (size_t i = 0; i < u->nnics; i++)
		(void)fprintf(out, "%s{\"name\":\"eth%" PRIu32 "\",\"received_bytes\":%" PRIu64
			",\"received_packets\":%" PRIu64 ",\"sent_bytes\":%" PRIu64 ",\"sent_packets\":%" PRIu64 "}",
			i ? "," : "", u->nics[i].n, u->nics[i].received_bytes, u->nics[i].received_packets,
			u->nics[i].sent_bytes, u->nics[i].sent_packets);
	(void)fprintf(out, "],\"files\":{\"pid\":%d,\"cpu_ns\":%" PRIu64 ",\"memory_bytes\":%" PRIu64
		",\"read_bytes\":%" PRIu64 ",\"written_bytes\":%" PRIu64 "}}\n", (int)u->xen.backend, u->files.cpu_ns,
		u->files.memory_bytes, u->files.read_bytes, u->files.written_bytes);
}
