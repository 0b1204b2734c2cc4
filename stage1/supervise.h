/*
 * The supervisor's loop: from the unpaused domain until the pod has ended and its last byte is
 * written. Moves bytes between the guest's channel, our descriptors and the console; what they mean
 * is stage1/session.h's.
 */
#ifndef STAGE1_SUPERVISE_H
#define STAGE1_SUPERVISE_H

#include "stage1/apps.h"
#include "stage1/control.h"
#include "stage1/output.h"
#include "stage1/relay.h"
#include "stage1/session.h"
#include "stage1/xen/xen.h"

struct supervise_input {
	const struct xen_ops *xo;
	struct xen *xen;
	uint32_t domid;
	struct session *session;
	int signals;    /* stage1/signals.h */
	int backend;    /* pidfd of the export's server */
	int console;    /* the console's terminal, or -1; taken */
	int networks;   /* can be read when the pod's networks are there; -1: it has none to wait for */
	/* Then: the session gets its plan, which is sent before the domain gets its devices. */
	int (*plan)(void *arg, struct err *e);
	int (*attach)(void *arg, struct err *e);
	struct control *control; /* those who enter the pod */
	struct apps *apps;       /* of a mutable pod, else NULL */
	struct relay *relay;     /* those who come to the host's sockets */
	bool debug;     /* show the console and what happens */
	struct output *output; /* of the session's apps */
	int stdin_app;  /* index of the app that our stdin is for; -1: of none */
	bool terminal;  /* it is lent ours (stage1/terminal.h) while it runs */
	void (*ready)(void *arg, bool ready); /* all apps are; the pod begins to end */
	void *arg;      /* of these functions */
	bool *crashed_r; /* set when the guest's kernel did */
};

enum {
	SUPERVISE_ESCAPED = 1, /* the user typed the escape: the pod is to be destroyed */
	SUPERVISE_UNBORN = 2,  /* it was asked to stop when its networks were not there yet: likewise */
};

/*
 * 0 when the guest has ended the pod by the protocol: then the session knows every app's status.
 * Or one of the above. -1 with *e when it died, misbehaved, or had to be given up; the caller destroys the domain.
 */
int supervise(const struct supervise_input *in, struct err *e);

#endif
