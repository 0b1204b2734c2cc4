/* A domain's life by libxl: build, let run, find again, destroy. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <termios.h>

#include "stage1/common/util.h"
#include "stage1/xen/internal.h"

#define QEMU "/usr/libexec/xen-qemu-system-i386" /* compiled into Debian's libxenlight */

static int qemu_check(struct err *e)
{
	if (access(QEMU, X_OK) < 0)
		return err_set(e, ERR_HOST, "%s is missing: install the package qemu-system-xen", QEMU);
	return 0;
}

/*
 * libxl keeps a log of each QEMU under the domain's name, which is used once: it would stay for ever.
 * Its last line may be all there is to explain a failure.
 */
static void qemu_log_end(const char *name, struct err *why)
{
	AUTO_FREE char *path = xasprintf("/var/log/xen/qemu-dm-%s.log", name), *text = NULL;
	struct err ignored = ERR_INIT;
	size_t len;

	if (!str_has_prefix(name, "rkt-"))
		return; /* not a domain of ours */
	if (why && read_file_at(AT_FDCWD, path, 1 << 20, &text, &len, &ignored) == 0 && len > 1) {
		char *line;

		text[len - 1] = '\0'; /* the last newline */
		line = strrchr(text, '\n');
		err_append(why, "; QEMU: %.200s", line ? line + 1 : text);
	}
	(void)unlink(path);
}

static int offer_exports(struct xen *xen, const struct domain_plan *plan, uint32_t domid, struct err *e)
{
	int ret = 0;

	if (plan->p9_backend == P9_OWN)
		return p9_offer(xen, plan, domid, e);
	for (uint32_t i = 0; ret == 0 && i < plan->nexports; i++) {
		AUTO_FREE char *path = xasprintf("/local/domain/0/backend/9pfs/%u/%u/state", domid, i);

		ret = store_wait_backend(xen, path, -1, e);
	}
	return ret;
}

/* A failed create may leave half a domain. */
static void destroy_half(struct xen *xen, const struct domain_plan *plan, uint32_t domid)
{
	struct p9_record own = { .pid = -1, .backend_domid = plan->backend_domid };
	bool ours = xen->p9.pid != 0;

	p9_end(xen);
	if (!libxl_domid_valid_guest(domid))
		return;
	(void)libxl_domain_destroy(xen->ctx, domid, NULL);
	if (ours)
		p9_removed(xen, domid, &own);
}

int xen_create(struct xen *xen, const struct domain_plan *plan, uint32_t *domid_r, struct err *e)
{
	uint32_t domid = INVALID_DOMID;
	libxl_domain_config cfg;
	int ret;

	xl_log_forget(xen);
	domcfg_fill(xen->ctx, plan, &cfg);
	/* Before the domain: it readies itself while libxl works. */
	ret = plan->p9_backend == P9_OWN ? p9_spawn(xen, plan, e) : qemu_check(e);
	if (ret == 0 && libxl_domain_create_new(xen->ctx, &cfg, &domid, NULL, NULL))
		ret = err_xl(e, xen, "create domain '%s'", plan->name);
	if (ret == 0)
		ret = offer_exports(xen, plan, domid, e);
	if (ret == 0) {
		*domid_r = domid;
	} else {
		destroy_half(xen, plan, domid);
		qemu_log_end(plan->name, e);
	}
	libxl_domain_config_dispose(&cfg);
	return ret;
}

int domain_look(struct xen *xen, uint32_t domid, libxl_dominfo *info_r)
{
	libxl_dominfo_init(info_r);
	return libxl_domain_info(xen->ctx, info_r, domid);
}

int xen_find(struct xen *xen, const uint8_t uuid[16], uint32_t *domid_r, struct err *e)
{
	libxl_dominfo *list;
	int n, found = 0;

	list = libxl_list_domain(xen->ctx, &n);
	if (!list)
		return err_xl(e, xen, "list the domains");
	for (int i = 0; i < n && !found; i++) {
		if (memcmp(list[i].uuid.uuid, uuid, 16) != 0)
			continue;
		*domid_r = list[i].domid;
		found = 1;
	}
	libxl_dominfo_list_free(list, n);
	return found;
}

int xen_lookup(struct xen *xen, const char *name, uint32_t *domid_r, struct err *e)
{
	if (libxl_name_to_domid(xen->ctx, name, domid_r))
		return err_set(e, ERR_HOST, "there is no domain '%s'", name);
	return 0;
}

int xen_attach(struct xen *xen, const struct domain_plan *plan, uint32_t domid, struct err *e)
{
	xl_log_forget(xen);
	for (uint32_t i = 0; i < plan->nnics; i++) {
		libxl_device_nic nic;
		int rc;

		domcfg_nic(plan, i, &nic);
		rc = libxl_device_nic_add(xen->ctx, domid, &nic, NULL);
		libxl_device_nic_dispose(&nic);
		if (rc)
			return err_xl(e, xen, "give domain '%s' its network device %u", plan->name, i);
	}
	return 0;
}

int xen_unpause(struct xen *xen, uint32_t domid, struct err *e)
{
	xl_log_forget(xen);
	if (libxl_domain_unpause(xen->ctx, domid, NULL))
		return err_xl(e, xen, "let domain %u run", domid);
	return 0;
}

/* One that a destroy which was killed still takes away may go while libxl is at it: that fails then, with all done. */
static bool is_there(struct xen *xen, uint32_t domid)
{
	libxl_dominfo info;
	int rc = domain_look(xen, domid, &info);

	libxl_dominfo_dispose(&info);
	return rc != ERROR_DOMAIN_NOTFOUND;
}

int xen_destroy(struct xen *xen, uint32_t domid, struct err *e)
{
	AUTO_FREE char *name = libxl_domid_to_name(xen->ctx, domid);
	AUTO_FREE char *model = xasprintf("/local/domain/0/device-model/%u", domid);
	struct p9_record p9;
	int rc;

	xl_log_forget(xen);
	p9_record_read(xen, domid, &p9);
	if (xen->p9.pid != 0) /* ours: whatever somebody else has removed of the domain by now */
		p9 = (struct p9_record){ .pid = -1, .backend_domid = xen->p9.backend_domid };
	p9_end(xen);
	rc = libxl_domain_destroy(xen->ctx, domid, NULL);
	if (name)
		qemu_log_end(name, NULL);
	if (rc && rc != ERROR_DOMAIN_DESTROYED && is_there(xen, domid))
		return err_xl(e, xen, "destroy domain %u", domid);
	/* Stays when whoever built the domain was killed before QEMU was up. */
	if (libxl_domid_valid_guest(domid))
		(void)xs_rm(xen->xs, XBT_NULL, model);
	p9_removed(xen, domid, &p9);
	return 0;
}

int xen_dump(struct xen *xen, uint32_t domid, const char *path, struct err *e)
{
	xl_log_forget(xen);
	if (libxl_domain_core_dump(xen->ctx, domid, path, NULL))
		return err_xl(e, xen, "dump the core of domain %u", domid);
	return 0;
}

int xen_backend(struct xen *xen, uint32_t domid, int *pidfd_r, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/local/domain/%u/image/device-model-pid", domid);
	long pid;
	int fd;

	if (xen->p9.pid != 0) {
		fd = fcntl(xen->p9.pidfd, F_DUPFD_CLOEXEC, 3);
		if (fd < 0)
			return err_sys(e, "the process that serves the export");
		*pidfd_r = fd;
		return 0;
	}
	pid = store_number(xen, path);
	if (pid <= 1)
		return err_set(e, ERR_HOST, "domain %u has no process that serves its export", domid);
	fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd < 0)
		return err_sys(e, "the process that serves the export, %ld", pid);
	*pidfd_r = fd;
	return 0;
}

bool xen_taken(struct xen *xen, uint32_t domid)
{
	libxl_dominfo info;
	bool taken = domain_look(xen, domid, &info) != 0 || info.paused || info.dying;

	libxl_dominfo_dispose(&info);
	return taken;
}

int xen_console(struct xen *xen, uint32_t domid, int *fd_r, struct err *e)
{
	AUTO_CLOSE int fd = -1;
	AUTO_FREE char *path = NULL;
	struct termios tio;

	xl_log_forget(xen);
	if (libxl_console_get_tty(xen->ctx, domid, 0, LIBXL_CONSOLE_TYPE_PV, &path))
		return err_xl(e, xen, "find the console of domain %u", domid);
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open the console of domain %u", domid);
	if (tcgetattr(fd, &tio) == 0) { /* an echo would come back to the guest as input */
		cfmakeraw(&tio);
		(void)tcsetattr(fd, TCSANOW, &tio);
	}
	*fd_r = STEAL_FD(fd);
	return 0;
}
