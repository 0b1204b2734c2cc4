/*
 * rkt's `attach` entrypoint, in the directory of a running pod. Needs no Xen: the pod's supervisor does the work.
 */
#include <stdio.h>

#include "stage1/attach.h"
#include "stage1/cli.h"
#include "stage1/signals.h"

enum { STATUS_FAILED = 254 };

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct attach_opts opts;
	int signals;

	if (cli_attach(argc, argv, &opts, &e) < 0 || signals_open(&signals, &e) < 0 || attach_pod(&opts, signals, &e) < 0) {
		fprintf(stderr, "stage1 attach: %s\n", e.msg);
		return STATUS_FAILED;
	}
	return 0;
}
