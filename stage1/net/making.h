/* Networks on their way (net.h). Only for stage1/net. */
#ifndef STAGE1_NET_MAKING_H
#define STAGE1_NET_MAKING_H

#include <sys/types.h>

#include "stage1/net/files.h"
#include "stage1/net/net.h"
#include "stage1/net/ports.h"
#include "stage1/net/select.h"

struct net_plan {
	const struct net_request *request;
	struct net_confs confs;
	struct net_choice *list;
	size_t n;
	char *path; /* of plugins */
	struct net_forward *forwards;
	size_t nforwards;
	struct ports_held held;
};

/* Tells that something was done, to who wants to know. */
#define plan_step(plan, ...) \
	do { \
		if ((plan)->request->step) \
			(plan)->request->step(__VA_ARGS__); \
	} while (0)

struct net_making {
	const struct net_plan *plan;
	char *netns_path;
	int netns;
	char *mappings; /* for plugins that take ports */
	pid_t pid;      /* of the child that runs the plugins; 0: there is none */
	int socket;     /* its other end is the child's: what went wrong comes from it, and it ends early when ours is shut */
};

/* In the child: every plugin, in order; what they make is in the namespace, what they say in the pod's directory. */
int making_call(const struct net_making *m, int cancel, struct err *e);
/* Of what they have made: what the guest is to know, the rules that join it, and the host's ports. */
int making_take(const struct net_making *m, struct net_result *result_r, struct err *e);

#endif
