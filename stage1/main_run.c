/*
 * The ACI's /init: rkt's `run` entrypoint, in dom0. (The guest's PID 1 is another program, built
 * from init/.) rkt execs it: this process is the pod to whoever started rkt, and its exit status is
 * that of `rkt run`.
 */
#include <stdio.h>

#include "stage1/common/util.h"
#include "stage1/host.h"
#include "stage1/poddir.h"
#include "stage1/run.h"
#include "stage1/signals.h"
#include "stage1/trace.h"

enum { STATUS_FAILED = 254 }; /* what rkt's own stage1 exits with (contract 2.1.2) */

int main(int argc, char **argv)
{
	const struct xen_ops *xo;
	struct err e = ERR_INIT;
	struct run_opts opts;
	int signals, status;

	trace_open();
	if (cli_run(argc, argv, &opts, &e) < 0 || signals_open(&signals, &e) < 0 ||
		host_check(&e) < 0 || host_load_xen(PODDIR_S1ROOT, &xo, &e) < 0 ||
		run_pod(&opts, xo, signals, &status, &e) < 0) {
		fprintf(stderr, "stage1 run: %s\n", e.msg);
		return STATUS_FAILED;
	}
	return status;
}
