/* A domain's life by libxl: build, let run, find again, destroy. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <termios.h>

#include "stage1/common/util.h"
#include "stage1/xen/internal.h"

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

int xen_create(struct xen *xen, const struct domain_plan *plan, uint32_t *domid_r, struct err *e)
{
	uint32_t domid = INVALID_DOMID;
	libxl_domain_config cfg;
	int ret;

	xl_log_forget(xen);
	domcfg_fill(xen->ctx, plan, &cfg);
	if (libxl_domain_create_new(xen->ctx, &cfg, &domid, NULL, NULL)) {
		ret = err_xl(e, xen, "create domain '%s'", plan->name);
		goto out;
	}
	ret = 0;
	for (uint32_t i = 0; ret == 0 && i < plan->nexports; i++)
		ret = store_wait_backend(xen, domid, i, e);
	if (ret < 0)
		goto out;
	*domid_r = domid;
	domid = INVALID_DOMID; /* the caller's now */
out:
	if (libxl_domid_valid_guest(domid)) /* a failed create may leave half a domain */
		(void)libxl_domain_destroy(xen->ctx, domid, NULL);
	if (ret < 0)
		qemu_log_end(plan->name, e);
	libxl_domain_config_dispose(&cfg);
	return ret;
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

int xen_unpause(struct xen *xen, uint32_t domid, struct err *e)
{
	xl_log_forget(xen);
	if (libxl_domain_unpause(xen->ctx, domid, NULL))
		return err_xl(e, xen, "let domain %u run", domid);
	return 0;
}

int xen_destroy(struct xen *xen, uint32_t domid, struct err *e)
{
	AUTO_FREE char *name = libxl_domid_to_name(xen->ctx, domid);
	AUTO_FREE char *model = xasprintf("/local/domain/0/device-model/%u", domid);
	int rc;

	xl_log_forget(xen);
	rc = libxl_domain_destroy(xen->ctx, domid, NULL);
	if (name)
		qemu_log_end(name, NULL);
	if (rc && rc != ERROR_DOMAIN_NOTFOUND && rc != ERROR_DOMAIN_DESTROYED)
		return err_xl(e, xen, "destroy domain %u", domid);
	/* Stays when whoever built the domain was killed before QEMU was up. */
	if (libxl_domid_valid_guest(domid))
		(void)xs_rm(xen->xs, XBT_NULL, model);
	return 0;
}

int xen_backend(struct xen *xen, uint32_t domid, int *pidfd_r, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/local/domain/%u/image/device-model-pid", domid);
	long pid = store_number(xen, path);
	int fd;

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
	bool taken = true;

	libxl_dominfo_init(&info);
	if (libxl_domain_info(xen->ctx, &info, domid) == 0)
		taken = info.paused || info.dying;
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
