/* What libxl does not tell, read from xenstore. Values may be the guest's: numbers only. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <xen/io/xenbus.h>

#include "stage1/common/util.h"
#include "stage1/xen/internal.h"

enum { BACKEND_WAIT_MS = 60000 };

long store_number(struct xen *xen, const char *path)
{
	AUTO_FREE char *value = NULL;
	unsigned len;
	char *end;
	long n;

	value = xs_read(xen->xs, XBT_NULL, path, &len);
	if (!value)
		return -1;
	errno = 0;
	n = strtol(value, &end, 10);
	return errno || end == value || *end || n < 0 ? -1 : n;
}

int store_wait_backend(struct xen *xen, const char *path, int pidfd, struct err *e)
{
	int64_t deadline = monotonic_ms() + BACKEND_WAIT_MS;
	int ret = 0;

	if (!xs_watch(xen->xs, path, "backend"))
		return err_sys(e, "watch %s", path);
	while (store_number(xen, path) < XenbusStateInitWait) {
		struct pollfd fds[] = { { .fd = xs_fileno(xen->xs), .events = POLLIN },
			{ .fd = pidfd, .events = POLLIN } };
		int64_t left = deadline - monotonic_ms();
		char **event;

		if (left <= 0) {
			ret = err_set(e, ERR_HOST, "the 9p backend did not come up within %d s",
				BACKEND_WAIT_MS / 1000);
			break;
		}
		if (poll(fds, 2, (int)left) > 0)
			while ((event = xs_check_watch(xen->xs)) != NULL)
				free(event);
		if (fds[1].revents) {
			ret = err_set(e, ERR_HOST, "the 9p backend could not start");
			break;
		}
	}
	(void)xs_unwatch(xen->xs, path, "backend");
	return ret;
}
