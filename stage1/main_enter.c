/*
 * rkt's `enter` entrypoint, in the directory of a running pod (and from the tree store's copy of the
 * image: nothing beside this program is looked for). Needs no Xen: the pod's supervisor does the work.
 */
#include <stdio.h>

#include "stage1/cli.h"
#include "stage1/enter.h"
#include "stage1/signals.h"

enum { STATUS_FAILED = 254 };

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct enter_opts opts;
	int signals, status;

	if (cli_enter(argc, argv, &opts, &e) < 0 || signals_open(&signals, &e) < 0 ||
		enter_pod(&opts, signals, &status, &e) < 0) {
		fprintf(stderr, "stage1 enter: %s\n", e.msg);
		return STATUS_FAILED;
	}
	return status;
}
