/*
 * The pod's networks in dom0, as rkt makes them (rkt networking/networking.go): a network namespace
 * of the pod's own in which unmodified CNI plugins do their work, each leaving an interface ethN. Its
 * frames are then the guest's: join.h has how, takeover.h what the guest takes over.
 *
 * In the pod's directory, which is the current one:
 *   netns              path of the namespace, written before it is made
 *   net/               copies of the selected configurations, written before their plugins run
 *   net/ethN.result    what ADD said, for DEL
 *   net/ethN.ports     the ports its plugins were told of, for DEL
 *   net/ethN.nft       the rules that join ethN to the guest's device (join.h), for stage1/main_vif.c
 *   net/ports.nft      the rules for the host's ports, written before they are in force
 *   net-info.json      as rkt reads it (info.h); an entry is written before its plugins run
 *
 * Each is there before what it tells of is, so that net_remove() finds it, whenever the supervisor was killed.
 */
#ifndef STAGE1_NET_NET_H
#define STAGE1_NET_NET_H

#include <stdbool.h>
#include <stddef.h>

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"
#include "stage1/pod/pod.h"

struct net_request {
	const char *net;          /* the value of --net; not host */
	const char *uuid, *s1root; /* s1root is absolute */
	const char *local_config; /* NULL: /etc/rkt */
	const struct pod *pod;    /* for its ports */
	int timeout_ms;           /* for each plugin; 0: NET_PLUGIN_TIMEOUT_MS */
	void (*step)(const char *fmt, ...) __attribute__((format(printf, 1, 2))); /* is told what has been done; or NULL */
	int cancel;               /* can be read when net_finish() is to wait no longer; -1: none */
};

struct net_plan; /* the networks a pod gets, chosen and checked; nothing is made yet */
struct net_making; /* on their way */

/*
 * Reads the configurations and looks for what they need. *plan_r is NULL for --net=none; else
 * net_plan_free(). Borrows from the request, all of which must outlive it.
 */
int net_plan_make(const struct net_request *request, struct net_plan **plan_r, struct err *e);
void net_plan_free(struct net_plan *plan); /* the host's ports are free then, too */
size_t net_plan_count(const struct net_plan *plan); /* 0 for NULL */
/* The domain that network `i` is in, NULL: dom0; the bridge there, or NULL; its configuration. Borrowed. */
const char *net_plan_backend(const struct net_plan *plan, size_t i, const char **bridge_r, const char **path_r);

/* What has been made. */
struct net_result {
	struct guest_nic *nics; /* index N is ethN; names and addresses are owned here */
	size_t nnics;
	char *resolv_conf;      /* text, of the first plugin that names a server; NULL: none does */
	char *host_ip;          /* the host's address as the pod sees it: gateway of the forwardable network; or NULL */
};

#define NET_RESULT_INIT { .nics = NULL }

/*
 * Begins to make them: the plugins run in a child, beside whatever the caller does meanwhile. *making_r is NULL for a
 * NULL plan: then there is nothing to make, which net-info.json says. From here on net_remove() has something to do.
 */
int net_begin(struct net_plan *plan, struct net_making **making_r, struct err *e);
int net_fd(const struct net_making *making); /* can be read when the plugins have ended; -1 for NULL */
/* Waits for that, and does the rest: all of it or nothing. `making` is freed, and borrowed the plan until then. */
int net_finish(struct net_making *making, struct net_result *result_r, struct err *e);
/* Instead: its plugins are killed, and what they made is left to net_remove(). */
void net_abandon(struct net_making *making);
void net_result_dispose(struct net_result *result);

struct net_removal {
	const char *uuid, *s1root, *local_config; /* as above */
	bool say;     /* each plugin, on stderr */
	bool forget;  /* the copies of configurations go as well: nobody will come again */
	int timeout_ms;
};

/*
 * Undoes whatever net_begin() and net_finish() did, in reverse, by the files; again and again. net-info.json stays, for
 * rkt's list. All of it is tried; the first error is told.
 */
int net_remove(const struct net_removal *removal, struct err *e);

#endif
