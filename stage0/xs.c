/* See xs.h. */
#include "stage0/xs.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

#include "stage1/common/util.h"
#include "stage1/common/xswire.h"

static int receive(int fd, struct xs_message *answer_r, struct err *e)
{
	if (xswire_receive(fd, answer_r) == 0)
		return 0;
	if (errno == EPIPE)
		return err_set(e, ERR_HOST, "xenstored closed the connection");
	if (errno == EMSGSIZE)
		return err_set(e, ERR_HOST, "xenstored: an answer of %u bytes", answer_r->len);
	return err_sys(e, "read from xenstored");
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
	const struct xsd_sockmsg head = { .type = XS_READ, .len = (uint32_t)strlen(node) + 1 };
	struct xs_message answer;
	AUTO_CLOSE int fd = -1;

	if (xs_connect(socket_path, &fd, e) < 0)
		return -1;
	if (send(fd, &head, sizeof(head), MSG_NOSIGNAL) != (ssize_t)sizeof(head) ||
		send(fd, node, head.len, MSG_NOSIGNAL) != (ssize_t)head.len)
		return err_sys(e, "write to xenstored");
	if (receive(fd, &answer, e) < 0)
		return -1;
	if (answer.type != XS_READ)
		return err_set(e, ERR_HOST, "%s: %s", node, answer.type == XS_ERROR ? answer.body : "bad answer");
	if (answer.len >= size)
		return err_set(e, ERR_HOST, "%s: too long", node);
	(void)memcpy(value_r, answer.body, answer.len + 1);
	return 0;
}
