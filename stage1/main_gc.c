/*
 * rkt's `gc` entrypoint, in the directory of a pod that has ended however it did: removes the pod's
 * domain when its supervisor could not, and its networks. A domain is the pod's by its uuid, never by
 * name or number. With --debug the last lines are those of the networks: rkt's tests look there.
 */
#include <stdio.h>

#include "stage1/cli.h"
#include "stage1/common/util.h"
#include "stage1/net/net.h"
#include "stage1/poddir.h"
#include "stage1/remove.h"

static int gc_networks(const struct gc_opts *opts, struct err *e)
{
	AUTO_FREE char *cwd = getcwd(NULL, 0);
	AUTO_FREE char *s1root = cwd ? xasprintf("%s/" PODDIR_S1ROOT, cwd) : NULL;

	if (!s1root)
		return err_sys(e, "find the pod's directory");
	return net_remove(&(struct net_removal){ .uuid = opts->uuid, .s1root = s1root,
		.local_config = opts->local_config, .say = opts->debug, .forget = true }, e);
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct gc_opts opts;

	if (cli_gc(argc, argv, &opts, &e) < 0 || remove_domain(opts.uuid, opts.debug, &e) < 0 ||
		gc_networks(&opts, &e) < 0) {
		fprintf(stderr, "stage1 gc: %s\n", e.msg);
		return 254;
	}
	return 0;
}
