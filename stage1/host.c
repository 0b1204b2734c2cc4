/* See host.h. */
#include "stage1/host.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "stage1/common/util.h"

static int read_sys(const char *name, char **text_r, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/sys/hypervisor/%s", name);
	size_t len;

	if (read_file_at(AT_FDCWD, path, 4096, text_r, &len, e) < 0)
		return -1;
	(*text_r)[strcspn(*text_r, "\n")] = '\0';
	return 0;
}

int host_check(struct err *e)
{
	AUTO_FREE char *type = NULL, *uuid = NULL;
	struct err why = ERR_INIT;

	if (geteuid() != 0)
		return err_set(e, ERR_HOST, "must be run by root");
	if (read_sys("type", &type, &why) < 0 || strcmp(type, "xen") != 0)
		return err_set(e, ERR_HOST, "this host does not run on Xen (%s)",
			type ? type : "no /sys/hypervisor/type");
	if (read_sys("uuid", &uuid, &why) == 0 && uuid[strspn(uuid, "0-")])
		return err_set(e, ERR_HOST, "this is a guest of Xen, pods are started in dom0");
	return 0;
}

/* Of the Xen that runs, "4.17", the caller's. */
static int read_version(char **version_r, struct err *e)
{
	AUTO_FREE char *major = NULL, *minor = NULL;

	if (read_sys("version/major", &major, e) < 0 || read_sys("version/minor", &minor, e) < 0)
		return -1;
	*version_r = xasprintf("%s.%s", major, minor);
	return 0;
}

static char *module_path(const char *s1root, const char *version)
{
	return xasprintf("%s/lib/stage1-xen/xen-%s.so", s1root, version);
}

int host_may_have_domain(const char *s1root, struct err *e)
{
	AUTO_FREE char *type = NULL, *version = NULL, *path = NULL;
	struct err why = ERR_INIT;

	if (access("/sys/kernel", F_OK) < 0)
		return err_sys(e, "see whether this host runs on Xen: /sys/kernel");
	if (read_sys("type", &type, &why) < 0 || strcmp(type, "xen") != 0)
		return 0;
	if (read_version(&version, e) < 0)
		return -1;
	path = module_path(s1root, version);
	return access(path, F_OK) == 0 || errno != ENOENT;
}

int host_load_xen(const char *s1root, const struct xen_ops **ops_r, struct err *e)
{
	AUTO_FREE char *version = NULL, *path = NULL;
	const struct xen_ops *ops;
	void *module;

	if (read_version(&version, e) < 0)
		return -1;
	path = module_path(s1root, version);
	if (access(path, F_OK) < 0)
		return err_set(e, ERR_HOST, "this stage1 image was not built for Xen %s, which is running", version);
	module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!module)
		return err_set(e, ERR_HOST, "the libraries of Xen %s cannot be used: %s", version, dlerror());
	ops = dlsym(module, XEN_OPS_SYMBOL);
	if (!ops || ops->abi != XEN_OPS_ABI)
		return err_set(e, ERR_HOST, "%s is not a module of this stage1", path);
	*ops_r = ops;
	return 0;
}
