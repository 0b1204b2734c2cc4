/*
 * An entrypoint of our own, in the directory of a pod that runs: holds the pod's domain, lets it run on, or
 * says what it has used. rkt knows nothing of it; our stage0 finds it by the annotation
 * stage1-xen.org/machine.
 *
 *	machine pause|resume|stats UUID
 *
 * The supervisor is not asked: it works while it hangs. Who ends a pod that is paused lets it run on first
 * (stage1/supervise.c). Of a pod without a domain, yet or any more, stats says nothing.
 */
#include <stdio.h>
#include <string.h>

#include "stage1/cli.h"
#include "stage1/common/util.h"
#include "stage1/host.h"
#include "stage1/poddir.h"
#include "stage1/usage.h"

static int stats(const struct machine_opts *opts, const struct xen_ops *xo, struct xen *xen, uint32_t domid,
	struct err *e)
{
	struct usage u = { .domid = domid };

	if (xo->usage(xen, domid, &u.xen, e) < 0 || usage_read(&u, opts->uuid, e) < 0)
		return -1;
	usage_print(&u, stdout);
	return fflush(stdout) ? err_sys(e, "write to stdout") : 0;
}

/* A domain that is being built is paused as well, and one that ends is to end. */
static int check_ready(struct err *e)
{
	return poddir_is_ready() ? 0 : err_set(e, ERR_HOST, "the pod is not ready: it is starting or ending");
}

static int machine(const struct machine_opts *opts, struct err *e)
{
	const struct xen_ops *xo;
	unsigned char uuid[16];
	struct xen *xen = NULL;
	uint32_t domid;
	int ret;

	if (!uuid_parse(opts->uuid, uuid))
		return err_set(e, ERR_USAGE, "'%s' is not a pod UUID", opts->uuid);
	if (host_check(e) < 0 || host_load_xen(PODDIR_S1ROOT, &xo, e) < 0 || xo->open(false, &xen, e) < 0)
		return -1;
	ret = xo->find(xen, uuid, &domid, e);
	if (ret == 0 && opts->verb != MACHINE_STATS)
		ret = err_set(e, ERR_HOST, "the pod has no domain: it is starting or ending");
	if (ret > 0 && opts->verb == MACHINE_STATS)
		ret = stats(opts, xo, xen, domid, e);
	else if (ret > 0)
		ret = check_ready(e) < 0 ? -1 :
			opts->verb == MACHINE_PAUSE ? xo->pause(xen, domid, e) : xo->resume(xen, domid, e);
	xo->close(xen);
	return ret;
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct machine_opts opts;

	if (cli_machine(argc, argv, &opts, &e) < 0 || machine(&opts, &e) < 0) {
		fprintf(stderr, "stage1 machine: %s\n", e.msg);
		return 254;
	}
	return 0;
}
