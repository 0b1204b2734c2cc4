/* See xs.h. The protocol is in Xen's public/io/xs_wire.h. */
#include "stage0/xs.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "stage1/common/util.h"

enum { XS_READ = 2, XS_ERROR = 16, XS_PAYLOAD_MAX = 4096 };

struct xs_header {
	uint32_t type, req_id, tx_id, len;
};

static int read_exactly(int fd, void *buf, size_t len, struct err *e)
{
	char *p = buf;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read from xenstored");
		if (n == 0)
			return err_set(e, ERR_HOST, "xenstored closed the connection");
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

static int xs_connect(const char *path, int *fd_r, struct err *e)
{
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct timeval patience = { .tv_sec = 2 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path))
		return err_set(e, ERR_USAGE, "%s: too long for a socket", path);
	memcpy(addr.sun_path, path, strlen(path));
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
		connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_sys(e, "connect to %s", path);
	*fd_r = STEAL_FD(fd);
	return 0;
}

int xs_read_socket(const char *socket_path, const char *node, char *value_r, size_t size,
	struct err *e)
{
	struct xs_header h = { .type = XS_READ, .len = (uint32_t)strlen(node) + 1 };
	char payload[XS_PAYLOAD_MAX + 1];
	AUTO_CLOSE int fd = -1;

	if (xs_connect(socket_path, &fd, e) < 0)
		return -1;
	if (send(fd, &h, sizeof(h), MSG_NOSIGNAL) != (ssize_t)sizeof(h) ||
		send(fd, node, h.len, MSG_NOSIGNAL) != (ssize_t)h.len)
		return err_sys(e, "write to xenstored");
	if (read_exactly(fd, &h, sizeof(h), e) < 0)
		return -1;
	if (h.len > XS_PAYLOAD_MAX)
		return err_set(e, ERR_HOST, "xenstored: an answer of %u bytes", h.len);
	if (read_exactly(fd, payload, h.len, e) < 0)
		return -1;
	payload[h.len] = '\0';
	if (h.type != XS_READ)
		return err_set(e, ERR_HOST, "%s: %s", node, h.type == XS_ERROR ? payload : "bad answer");
	if (h.len >= size)
		return err_set(e, ERR_HOST, "%s: too long", node);
	(void)memcpy(value_r, payload, h.len + 1);
	return 0;
}
