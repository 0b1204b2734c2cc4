/*
 * What the guest is to do, complete: each default is filled in by the planner in dom0
 * (stage1/plan), the guest carries it out. Encoded for the wire by guest_plan_encode().
 */
#ifndef STAGE1_COMMON_GUEST_PLAN_H
#define STAGE1_COMMON_GUEST_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stage1/common/err.h"

/* A tree of dom0's; number N of the plan is device /sys/bus/xen/devices/9pfs-N. */
struct guest_export {
	char *tag;
	char *dir;     /* where PID 1 mounts it, absolute */
	char *options; /* of the 9p client */
};

/* Where PID 1 mounts the exports. */
#define GUEST_POD_DIR "/pod"
#define GUEST_VOLUMES_DIR "/volumes"

/* The socket of an app with `notify`, in its root: rkt's place for it, and the value of its NOTIFY_SOCKET. */
#define GUEST_NOTIFY "/run/systemd/notify"

/* Something more to see in an app's root. */
struct guest_mount {
	char *source;    /* a path of PID 1's, in an export or in /dev */
	char *target;    /* absolute and clean; links on the way are followed inside the app's root */
	bool read_only;
	bool copy_image; /* source is a directory: while it is empty it takes what the image has at target */
};

struct guest_mounts {
	struct guest_mount *list; /* in this order */
	size_t n;
	bool sysfs;          /* /sys is the kernel's */
	bool protect_paths;  /* of /proc and /sys, see init/view.h */
	bool read_only_root; /* the root itself, not what is mounted in it */
};

enum guest_io_kind { GUEST_IO_NULL, GUEST_IO_PIPE, GUEST_IO_TTY };
enum { GUEST_IO_STREAMS = 3 };

/*
 * Where a process's descriptors 0 to 2 lead. All that are a terminal are the same one, the
 * controlling terminal of the process; its output travels as stdout.
 */
struct guest_io {
	uint32_t kind[GUEST_IO_STREAMS]; /* enum guest_io_kind */
	uint32_t rows, cols;             /* of the terminal; 0: unknown */
};

enum {
	GUEST_CPU_MAX = 1024000,       /* thousandths of a cpu */
	GUEST_FILTER_MAX = 4096 * 8,   /* bytes: BPF_MAXINSNS instructions */
};

/* What an app may use and do; carried out by init/limits.c. */
struct guest_limits {
	uint64_t caps;       /* the bounding set: bit n is capability n; bits of unknown ones mean them too */
	bool no_new_privs;   /* a filter for a user other than root turns it on as well */
	int32_t oom_score_adj;
	uint64_t memory_max; /* bytes, 0 without limit */
	uint32_t cpu_max;    /* thousandths of a cpu, 0 without limit */
	uint32_t cpu_weight; /* 1 to 10000, 0 for the default (100) */
	uint8_t *filter;     /* the seccomp program, instructions of 8 bytes; none when filter_len is 0 */
	size_t filter_len;
	char *filter_summary; /* for people, not sent; NULL without filter */
};

struct guest_app {
	char *name;
	char *root;         /* a path of PID 1's, in an export */
	char **exec;        /* exec[0] is looked up in the guest, see init/app.h */
	size_t nexec;       /* at least 1 */
	char *user, *group; /* "0", a name of the image's /etc/passwd, or "/path" whose owner is meant */
	bool group_or_uid;  /* no such group: the user's number is the group's too */
	uint32_t *gids;     /* the supplementary groups, exactly */
	size_t ngids;
	char *cwd;          /* absolute */
	char **env;         /* "NAME=VALUE", the whole environment */
	size_t nenv;
	char *search_path;  /* directories for a plain exec[0], ':' between; relative ones below cwd */
	struct guest_io io;
	char **pre_start, **post_stop; /* event handlers; none when npre_start (npost_stop) is 0 */
	size_t npre_start, npost_stop;
	bool notify;        /* it says itself when it is ready: sd_notify(3), at GUEST_NOTIFY */
	struct guest_mounts mounts;
	struct guest_limits limits;
};

/* In network order; IPv4 uses the first 4 bytes, the others are 0. */
struct guest_ip {
	uint8_t family; /* 4 or 6 */
	uint8_t prefix; /* bits */
	uint8_t bytes[16];
};

/* The one of the link that a kernel makes of a MAC (RFC 4291, appendix A). */
struct guest_ip guest_ip_of_mac(const uint8_t mac[6]);

struct guest_route {
	struct guest_ip to;  /* prefix 0: the default route */
	struct guest_ip via; /* family 0: on the link */
	struct guest_ip src; /* the address to send from; family 0: the kernel chooses */
	uint8_t scope;       /* RT_SCOPE_*, as in rtnetlink(7) */
	bool onlink;         /* `via` need not be reachable by another route */
	uint32_t metric, mtu; /* 0: none */
};

enum { GUEST_NIC_NAME_MAX = 15 }; /* bytes: IFNAMSIZ - 1 */

/* A network interface, complete: the guest asks nobody for more. */
struct guest_nic {
	char *name;     /* "ethN"; N is the number of its device in dom0 */
	uint8_t mac[6]; /* what the guest knows the device by */
	uint32_t mtu;
	struct guest_ip *addrs; /* with the prefix of their network; the routes say the rest */
	size_t naddrs;
	struct guest_route *routes; /* in an order in which they can be added */
	size_t nroutes;
};

enum { GUEST_LISTENS_MAX = 16 }; /* of one app */

/* A TCP port of every address of the guest, at which PID 1 listens for an app (sd_listen_fds(3)). */
struct guest_listen {
	uint32_t app;  /* index into the plan's apps, which get their sockets in this order */
	uint32_t port; /* 1 to 65535 */
};

struct guest_plan {
	char *hostname;
	bool stays; /* its apps come and go (WIRE_ADD), and it ends by STOP only; not so: with its apps */
	struct guest_nic *nics;
	size_t nnics;
	struct guest_app *apps;
	size_t napps;
	struct guest_export *exports;
	size_t nexports;
	char *resolv_conf;    /* text of the apps' /etc/resolv.conf; NULL: the image's own, as below */
	char *hosts;          /* of /etc/hosts */
	char *hosts_fallback; /* of /etc/hosts in images that have none */
	struct guest_listen *listens;
	size_t nlistens;
	void **owned; /* what guest_plan_dispose() frees: strings and arrays live here or are borrowed */
	size_t nowned;
};

#define GUEST_PLAN_INIT { .hostname = NULL }

/* A malloc'ed encoding, the caller's. Errors only when it would exceed WIRE_PLAN_MAX. */
int guest_plan_encode(const struct guest_plan *plan, uint8_t **data_r, size_t *len_r,
	struct err *e);
/*
 * Strings of *plan_r are borrowed from `data`, which must outlive it. Never aborts: the guest's
 * PID 1 calls this.
 */
int guest_plan_decode(uint8_t *data, size_t len, struct guest_plan *plan_r, struct err *e);
void guest_plan_dispose(struct guest_plan *plan);

/* Frees what a nic owns that is no part of a plan: name and lists. */
void guest_nic_dispose(struct guest_nic *nic);

/* Makes the plan the owner of p. False (and p is freed) when there is no memory. */
bool guest_plan_own(struct guest_plan *plan, void *p);

/* One of the three is a terminal; none names another kind. */
bool guest_io_has_tty(const struct guest_io *io);
bool guest_io_valid(const struct guest_io *io);

#endif
