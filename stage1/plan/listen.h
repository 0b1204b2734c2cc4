/*
 * Which app gets which of the sockets that our service manager has handed to us (stage1/listen.h): those of its ports
 * that are socketActivated (appc; rkt stage1/init/common/units.go). Pure.
 */
#ifndef STAGE1_PLAN_LISTEN_H
#define STAGE1_PLAN_LISTEN_H

#include "stage1/plan/plan.h"

enum { LISTEN_MAX = 64 };

struct listen_socket {
	int fd;
	uint16_t port; /* the host's */
};

struct listen_sockets {
	struct listen_socket v[LISTEN_MAX];
	size_t n;
	size_t nothers; /* were handed to us, but are no TCP sockets that listen */
};

/* A socket of an app: in the guest it is at the host's port too, as rkt's, which is the host's. */
struct listen_plan {
	size_t app;
	uint16_t port;
	int fd; /* of the host's socket; -1: we have none, and the app listens in its guest only */
};

struct listen_plans {
	struct listen_plan v[LISTEN_MAX];
	size_t n;
};

/*
 * In the order of apps and of their ports. Warns of sockets that are for none of them, and of ports for which there is
 * no socket. An error: too many, or a protocol that is not TCP.
 */
int plan_listen(const struct pod *pod, const struct listen_sockets *sockets, struct listen_plans *plans_r,
	struct plan_warnings *w, struct err *e);
/* Ports of the host that are such a socket's lead nowhere else: they are taken off the pod's list. */
void plan_listen_claim(struct pod *pod, const struct listen_plans *plans);

#endif
