/*
 * rkt's crossing entrypoints for the apps of a mutable pod, in the pod's directory: one program under the
 * names app_add, app_start, app_stop and app_rm. The supervisor does the work.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/appctl.h"
#include "stage1/cli.h"
#include "stage1/common/util.h"

enum { STATUS_FAILED = 254 };

static int find_op(const char *program, uint32_t *op_r, struct err *e)
{
	static const struct {
		const char *name;
		enum appctl_op op;
	} ops[] = {
		{ "app_add", APPCTL_ADD }, { "app_start", APPCTL_START }, { "app_stop", APPCTL_STOP },
		{ "app_rm", APPCTL_REMOVE },
	};
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;

	for (size_t i = 0; i < COUNT(ops); i++)
		if (!strcmp(name, ops[i].name)) {
			*op_r = ops[i].op;
			return 0;
		}
	return err_set(e, ERR_USAGE, "'%s': this program is app_add, app_start, app_stop or app_rm", name);
}

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

static int ask(const struct appctl_request *rq, struct err *e)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = APPCTL_SOCKET };
	AUTO_CLOSE int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	AUTO_CLOSE int ns = -1;
	struct appctl_answer answer;
	ssize_t n;

	if (sock < 0)
		return err_sys(e, "make a socket");
	if (connect(sock, (const struct sockaddr *)&addr, sizeof(addr)) < 0)
		return errno == ENOENT || errno == ECONNREFUSED
			? err_set(e, ERR_HOST, "no mutable pod runs here: nobody listens at " APPCTL_SOCKET)
			: err_sys(e, "connect to the pod's supervisor at " APPCTL_SOCKET);
	if (rq->op == APPCTL_ADD) {
		ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
		if (ns < 0)
			return err_sys(e, "open our mount namespace");
	}
	if (send_request(sock, rq, ns, e) < 0)
		return -1;
	do
		n = recv(sock, &answer, sizeof(answer), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(answer))
		return err_set(e, ERR_HOST, "the pod has ended");
	answer.text[sizeof(answer.text) - 1] = '\0';
	return answer.failed ? err_set(e, ERR_HOST, "%s", answer.text) : 0;
}

int main(int argc, char **argv)
{
	struct appctl_request rq = { .op = 0 };
	struct err e = ERR_INIT;
	struct crossing_opts opts;

	if (find_op(argv[0], &rq.op, &e) == 0 && cli_crossing(argc, argv, &opts, &e) == 0) {
		(void)snprintf(rq.app, sizeof(rq.app), "%s", opts.app);
		if (ask(&rq, &e) == 0)
			return 0;
	}
	fprintf(stderr, "stage1 app: %s\n", e.msg);
	return STATUS_FAILED;
}
