/*
 * In an app: notify MESSAGE... -- PROGRAM ARG...: says each to NOTIFY_SOCKET, as sd_notify(3) does, and
 * becomes the program. With a message that begins with FD goes a descriptor.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int say(int fd, const char *message)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct iovec iov = { .iov_base = (void *)message, .iov_len = strlen(message) };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct msghdr msg = { .msg_name = &addr, .msg_namelen = sizeof(addr), .msg_iov = &iov, .msg_iovlen = 1 };
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || strlen(path) >= sizeof(addr.sun_path))
		return -1;
	memcpy(addr.sun_path, path, strlen(path));
	if (!strncmp(message, "FD", 2)) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
	}
	return sendmsg(fd, &msg, 0) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--")) {
			(void)execv(argv[i + 1], argv + i + 1);
			return 127;
		}
		if (say(fd, argv[i]) < 0) {
			perror("notify");
			return 1;
		}
	}
	return 0;
}
