/* See physcap.h. stage0 is not linked to Xen's libraries: it runs on hosts of another version too. */
#include "stage0/physcap.h"

#include <dlfcn.h>
#include <string.h>
#include <xenctrl.h>

#include "stage1/common/util.h"

struct calls {
	__typeof__(&xc_interface_open) open;
	__typeof__(&xc_interface_close) close;
	__typeof__(&xc_physinfo) physinfo;
};

static int ask(const struct calls *xc, bool *can_r, struct err *e)
{
	const uint32_t needed = XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap;
	xc_interface *handle = xc->open(NULL, NULL, 0);
	xc_physinfo_t info;
	int ret = 0;

	if (!handle)
		return err_sys(e, "cannot talk to Xen");
	memset(&info, 0, sizeof(info));
	if (xc->physinfo(handle, &info) != 0)
		ret = err_sys(e, "ask Xen about the host");
	else
		*can_r = (info.capabilities & needed) == needed;
	(void)xc->close(handle);
	return ret;
}

int physcap_pvh(const char *library, bool *can_r, struct err *e)
{
	void *lib = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	const char *why = lib ? NULL : dlerror();
	struct calls xc;
	int ret;

	if (!lib)
		return err_set(e, ERR_HOST, "%s", why ? why : "does not load");
	*(void **)&xc.open = dlsym(lib, "xc_interface_open");
	*(void **)&xc.close = dlsym(lib, "xc_interface_close");
	*(void **)&xc.physinfo = dlsym(lib, "xc_physinfo");
	ret = xc.open && xc.close && xc.physinfo ? ask(&xc, can_r, e) : err_set(e, ERR_HOST, "%s: not libxenctrl", library);
	(void)dlclose(lib);
	return ret;
}
