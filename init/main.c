/*
 * The guest's PID 1 (not the ACI's /init, which runs in dom0 and is built from stage1/). It never
 * exits: every path ends in power-off. Not as PID 1 it is `poweroff` and `reboot`, which the kernel
 * runs when dom0 asks for one through xenstore: a pod is not started again, so both stop it in order.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "init/backends.h"
#include "init/cpus.h"
#include "init/guest.h"
#include "init/mounts.h"
#include "init/net.h"
#include "init/server.h"
#include "init/signals.h"
#include "stage1/common/util.h"

/* For the network devices that dom0 has promised: as long as libxl waits for its side of them. */
enum { NET_WAIT_MS = 40000 };

static void power_off(void) __attribute__((noreturn));

static void power_off(void)
{
	sync();
	for (;;) {
		(void)reboot(RB_POWER_OFF);
		(void)pause();
	}
}

/* Before the channel is open the console is the only way to be heard: dom0 shows its last lines. */
static void die(const struct err *e) __attribute__((noreturn));

static void die(const struct err *e)
{
	(void)dprintf(STDERR_FILENO, "stage1-xen init: %s\n", e->msg);
	(void)tcdrain(STDERR_FILENO);
	power_off();
}

static int join_networks(const struct guest_plan *plan, struct err *e)
{
	AUTO_CLOSE int xs = plan->nnics > 0 ? backends_open(e) : -1;

	if (plan->nnics > 0 && (xs < 0 || backends_remind(xs, plan, e) < 0))
		return -1;
	if (net_up(plan, NET_WAIT_MS, e) < 0)
		return -1;
	return backends_wait(xs, plan, NET_WAIT_MS, e);
}

static int prepare(const struct guest_plan *plan, struct err *e)
{
	if (sethostname(plan->hostname, strlen(plan->hostname)) < 0)
		return err_sys(e, "set the host name '%s'", plan->hostname);
	if (mounts_exports(plan, e) < 0)
		return -1;
	return mounts_etc(plan, e) < 0 ? -1 : join_networks(plan, e);
}

int main(void)
{
	static const struct guest_ops ops = { .prepare = prepare, .grown = cpus_up, .let_go = mounts_let_go,
		.finish = mounts_exports_end };
	struct err e = ERR_INIT;
	struct transport io;
	int sigfd;

	if (getpid() != 1)
		return kill(1, SIGTERM) < 0;
	(void)umask(0022);
	/* From here on: descriptors 0 to 2 are the console, as the kernel opened them. */
	if (mounts_base(&e) < 0)
		die(&e);
	/* /proc, /sys and /dev are there, and / is a tmpfs. */
	sigfd = signals_open(&e);
	if (sigfd < 0 || server_open(&io, &e) < 0)
		die(&e);
	/* Dom0 can hear us: from here on it is told of every failure. */
	guest_run(&io, sigfd, &ops);
	/* The apps are gone and what they wrote is in dom0. */
	power_off();
}
