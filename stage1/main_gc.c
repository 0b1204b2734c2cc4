/*
 * rkt's `gc` entrypoint, in the directory of a pod that has ended however it did: removes the pod's
 * domain when its supervisor could not. A domain is the pod's by its uuid, never by name or number.
 */
#include <stdio.h>

#include "stage1/cli.h"
#include "stage1/common/util.h"
#include "stage1/remove.h"

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct gc_opts opts;

	if (cli_gc(argc, argv, &opts, &e) < 0 || remove_domain(opts.uuid, opts.debug, &e) < 0) {
		fprintf(stderr, "stage1 gc: %s\n", e.msg);
		return 254;
	}
	return 0;
}
