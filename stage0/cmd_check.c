/*
 * stage0 check: is this host ready to run pods? One line for each thing that has to be there, with
 * the remedy when it is not. Reads only; nothing is changed or started.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage0/cli.h"
#include "stage0/cmds.h"
#include "stage0/physcap.h"
#include "stage0/xs.h"
#include "stage1/common/util.h"
#include "stage1/net/nft.h"

#ifndef XEN_VERSION
#define XEN_VERSION "4.17"
#endif

enum verdict { OK, WARN, FAIL };

struct check {
	const char *what;
	enum verdict (*fn)(const struct check *c, char *detail, size_t size);
	const char *arg;
	const char *remedy;
};

static const char *stage1_path = STAGE1_PATH_DEFAULT; /* --stage1-path */

#define say(...) ((void)snprintf(detail, size, __VA_ARGS__))

/* A file of one line, without its end; "" and false when it cannot be read. */
static bool read_line(const char *path, char *buf, size_t size)
{
	FILE *f = fopen(path, "re");
	bool ok = f && fgets(buf, (int)size, f);

	if (f)
		(void)fclose(f);
	if (!ok)
		*buf = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return ok;
}

static enum verdict check_root(const struct check *c, char *detail, size_t size)
{
	(void)c;
	if (geteuid() == 0) {
		say("yes");
		return OK;
	}
	say("no: some of what follows cannot be seen");
	return WARN;
}

static enum verdict check_xen(const struct check *c, char *detail, size_t size)
{
	char type[32];

	if (!read_line(c->arg, type, sizeof(type)))
		say("no hypervisor");
	else
		say("%s", type);
	return strcmp(type, "xen") == 0 ? OK : FAIL;
}

static enum verdict check_dom0(const struct check *c, char *detail, size_t size)
{
	char uuid[64];
	bool zero = read_line(c->arg, uuid, sizeof(uuid)) && strspn(uuid, "0-") == strlen(uuid);

	say(zero ? "this is it" : "%s%s", *uuid ? "this is domain " : "not on Xen", uuid);
	return zero ? OK : FAIL;
}

static enum verdict check_version(const struct check *c, char *detail, size_t size)
{
	char major[16], minor[16], extra[64], version[40];

	(void)c;
	if (!read_line("/sys/hypervisor/version/major", major, sizeof(major)) ||
		!read_line("/sys/hypervisor/version/minor", minor, sizeof(minor))) {
		say("unknown");
		return FAIL;
	}
	(void)read_line("/sys/hypervisor/version/extra", extra, sizeof(extra));
	(void)snprintf(version, sizeof(version), "%s.%s", major, minor);
	say("%s%s, built for " XEN_VERSION, version, extra);
	return strcmp(version, XEN_VERSION) == 0 ? OK : FAIL;
}

static enum verdict check_library(const struct check *c, char *detail, size_t size)
{
	void *lib = dlopen(c->arg, RTLD_NOW | RTLD_LOCAL);
	const char *why = lib ? NULL : dlerror();

	say("%s", lib ? "loads" : why ? why : "does not load");
	if (lib)
		(void)dlclose(lib);
	return lib ? OK : FAIL;
}

static enum verdict check_path(const struct check *c, char *detail, size_t size)
{
	struct stat st;

	if (stat(c->arg, &st) < 0) {
		say("%s: %s", c->arg, strerror(errno));
		return FAIL;
	}
	say("%s", c->arg);
	return OK;
}

static enum verdict check_process(const struct check *c, char *detail, size_t size)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	bool found = false;

	while (proc && !found && (d = readdir(proc))) {
		char path[300], name[32];

		(void)snprintf(path, sizeof(path), "/proc/%s/comm", d->d_name);
		found = strspn(d->d_name, "0123456789") == strlen(d->d_name) &&
			read_line(path, name, sizeof(name)) && !strcmp(name, c->arg);
	}
	if (proc)
		(void)closedir(proc);
	say(found ? "running" : "not running");
	return found ? OK : FAIL;
}

static enum verdict check_dom0_node(const struct check *c, char *detail, size_t size)
{
	char value[64];
	struct err e = ERR_INIT;

	if (xs_read_socket("/run/xenstored/socket", c->arg, value, sizeof(value), &e) < 0) {
		say("%s", e.msg);
		return FAIL;
	}
	say("%s is '%s'", c->arg, value);
	return OK;
}

static enum verdict check_image(const struct check *c, char *detail, size_t size)
{
	(void)c;
	if (access(stage1_path, R_OK) < 0) {
		say("%s: %s", stage1_path, strerror(errno));
		return FAIL;
	}
	say("%s", stage1_path);
	return OK;
}

/* One of several places, ':' between. Pods without networks need none of it. */
static enum verdict check_for_networks(const struct check *c, char *detail, size_t size)
{
	AUTO_FREE char *places = xstrdup(c->arg);
	char *rest = places;

	for (const char *place = strsep(&rest, ":"); place; place = strsep(&rest, ":"))
		if (access(place, X_OK) == 0) {
			say("%s", place);
			return OK;
		}
	say("not there: pods run with --net=none only");
	return WARN;
}

/* A choice that pods have, not a need. */
static enum verdict check_pvh(const struct check *c, char *detail, size_t size)
{
	struct err e = ERR_INIT;
	bool can;

	if (physcap_pvh(c->arg, &can, &e) < 0) {
		say("not known (%s)", e.msg);
		return WARN;
	}
	say(can ? "the CPU can" : "the CPU cannot: pods are PV guests only");
	return can ? OK : WARN;
}

static const struct check checks[] = {
	{ "root", check_root, NULL, "run this as root" },
	{ "xen", check_xen, "/sys/hypervisor/type", "install the hypervisor and boot with it" },
	{ "dom0", check_dom0, "/sys/hypervisor/uuid", "run pods from the control domain" },
	{ "xen version", check_version, NULL, "use a build for this Xen" },
	{ "libxenlight", check_library, "libxenlight.so." XEN_VERSION, "install libxenmisc" XEN_VERSION },
	{ "PVH guests", check_pvh, "libxenctrl.so." XEN_VERSION, "switch VT-x or AMD-V on in the firmware, if it is there" },
	{ "privcmd", check_path, "/dev/xen/privcmd", "modprobe xen-privcmd" },
	{ "evtchn", check_path, "/dev/xen/evtchn", "modprobe xen-evtchn" },
	{ "gntdev", check_path, "/dev/xen/gntdev", "modprobe xen-gntdev" },
	{ "xenstored", check_path, "/run/xenstored/socket", "start the xen service" },
	{ "dom0 initialised", check_dom0_node, "/local/domain/0/name", "run xen-init-dom0" },
	{ "xenconsoled", check_process, "xenconsoled", "start the xen service" },
	{ "nft", check_for_networks, NFT_PATHS, "install nftables" },
	{ "CNI plugins", check_for_networks, "/opt/cni/bin/ptp:/usr/lib/cni/ptp:/usr/lib/rkt/plugins/net/ptp",
		"install containernetworking-plugins" },
	{ "stage1 image", check_image, NULL, "install it there, or use --stage1-path" },
};

static int check_all(void)
{
	static const char *const words[] = { [OK] = "ok", [WARN] = "warn", [FAIL] = "FAIL" };
	int count[3] = { 0 };

	for (size_t i = 0; i < COUNT(checks); i++) {
		char detail[300];
		enum verdict v = checks[i].fn(&checks[i], detail, sizeof(detail));

		count[v]++;
		(void)printf("%-4s  %s: %s%s%s\n", words[v], checks[i].what, detail,
			v == OK ? "" : "; ", v == OK ? "" : checks[i].remedy);
	}
	(void)printf("%s: %d ok, %d to look at, %d missing\n", count[FAIL] ? "not ready" : "ready",
		count[OK], count[WARN], count[FAIL]);
	return count[FAIL] ? 1 : 0;
}

int cmd_check(int argc, char **argv)
{
	bool help = false;
	const struct cli_flag flags[] = {
		{ "stage1-path", CLI_STRING, &stage1_path, "ACI", "stage1 image (" STAGE1_PATH_DEFAULT ")" },
		{ "help", CLI_SWITCH, &help, NULL, "print this" },
	};
	struct cli_rest rest = CLI_REST_INIT;
	struct err e = ERR_INIT;
	int status;

	if (cli_parse(flags, COUNT(flags), argc, argv, &rest, &e) == 0 && (rest.words.n || rest.args))
		(void)err_set(&e, ERR_USAGE, "check: takes no arguments");
	if (e.kind != ERR_NONE) {
		status = cmd_fail(&e);
	} else if (help) {
		(void)puts("usage: stage0 check [FLAGS]\n");
		cli_help(flags, COUNT(flags), stdout);
		status = 0;
	} else {
		status = check_all();
	}
	cli_rest_dispose(&rest);
	return status;
}
