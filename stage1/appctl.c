/* See appctl.h. */
#include "stage1/appctl.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "stage1/common/util.h"

/* `fd`: what goes along, or -1 */
static int send_request(int sock, const struct appctl_request *rq, int fd, struct err *e)
{
	struct iovec iov = { .iov_base = (void *)rq, .iov_len = sizeof(*rq) };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.room);
		control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
			.cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	return sendmsg(sock, &msg, MSG_NOSIGNAL) < 0 ? err_sys(e, "ask the pod's supervisor") : 0;
}

int appctl_ask(const struct appctl_request *rq, int fd, struct appctl_answer *answer_r, struct err *e)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = APPCTL_SOCKET };
	AUTO_CLOSE int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	ssize_t n;

	if (sock < 0)
		return err_sys(e, "make a socket");
	if (connect(sock, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return errno == ENOENT || errno == ECONNREFUSED
			? err_set(e, ERR_HOST, "no mutable pod runs here: nobody listens at " APPCTL_SOCKET)
			: err_sys(e, "connect to the pod's supervisor at " APPCTL_SOCKET);
	if (send_request(sock, rq, fd, e) < 0)
		return -1;
	do
		n = recv(sock, answer_r, sizeof(*answer_r), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*answer_r))
		return err_set(e, ERR_HOST, "the pod has ended");
	answer_r->text[sizeof(answer_r->text) - 1] = '\0';
	return answer_r->failed ? err_set(e, ERR_HOST, "%s", answer_r->text) : 0;
}
