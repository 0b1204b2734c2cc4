/* See remove.h. */
#include "stage1/remove.h"

#include <stdio.h>

#include "stage1/cli.h"
#include "stage1/host.h"
#include "stage1/pidnote.h"
#include "stage1/poddir.h"

int remove_domain(const char *uuid_text, bool debug, struct err *e)
{
	const struct xen_ops *xo;
	unsigned char uuid[16];
	struct xen *xen = NULL;
	uint32_t domid;
	int ret;

	if (!uuid_parse(uuid_text, uuid))
		return err_set(e, ERR_USAGE, "'%s' is not a pod UUID", uuid_text);
	ret = host_may_have_domain(PODDIR_S1ROOT, e);
	if (ret <= 0)
		return ret; /* the host was booted anew: of what the pod had outside its files its networks' leases are left */
	if (host_check(e) < 0 || host_load_xen(PODDIR_S1ROOT, &xo, e) < 0 ||
		xo->open(debug, &xen, e) < 0)
		return -1;
	ret = xo->find(xen, uuid, &domid, e);
	if (ret > 0) {
		if (debug)
			fprintf(stderr, "stage1: destroying domain %u\n", domid);
		ret = xo->destroy(xen, domid, e);
	}
	/* It ends with its domain, unless it is stopped or hangs: then it holds the domain's memory. */
	if (ret == 0)
		ret = pidnote_end(PIDNOTE_BACKEND, e);
	if (ret == 0)
		xo->sweep(xen, uuid);
	xo->close(xen);
	return ret;
}
