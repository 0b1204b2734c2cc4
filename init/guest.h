/*
 * The guest's supervisor: speaks the protocol of stage1/common/wire.h over a transport, starts the
 * apps of the plan it is given, carries their streams, reaps everything, and ends when the pod has.
 *
 * When the pod ends (rkt's rules, contract 6.2): all apps have exited, or one failed, or dom0 said
 * STOP, or dom0's supervisor is gone. Then every process gets TERM, and KILL at the deadline.
 */
#ifndef INIT_GUEST_H
#define INIT_GUEST_H

#include "stage1/common/err.h"
#include "stage1/common/guest_plan.h"
#include "stage1/common/transport.h"

struct guest_ops {
	/* After the plan has arrived, before the first app: mounts, host name. */
	int (*prepare)(const struct guest_plan *plan, struct err *e);
	/* Before an app that was added begins: the machine may have grown for it. May be NULL. */
	void (*grown)(void);
	/* In a process of its own, when an app is gone: no file of it is to be known here any more. May be NULL. */
	void (*let_go)(void);
	/* After the last process is gone: what was written reaches dom0. */
	void (*finish)(void);
};

/*
 * Runs until dom0 has said BYE or is gone. `sigfd` is a signalfd of SIGCHLD and of SIGTERM, SIGINT
 * and SIGPWR, which mean STOP. Only the process that reaps (PID 1, or a subreaper in tests) calls it:
 * it signals and waits for every process it can see.
 */
void guest_run(const struct transport *io, int sigfd, const struct guest_ops *ops);

#endif
