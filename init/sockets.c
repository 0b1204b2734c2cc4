/* See sockets.h. */
#include "init/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage1/common/guest_plan.h"
#include "stage1/common/util.h"

enum { FIRST = 3 };

static int listen_at(int family, uint16_t port)
{
	const struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	const struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
	AUTO_CLOSE int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1, off = 0;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if ((family == AF_INET6 ? bind(fd, (const struct sockaddr *)&six, sizeof(six))
				: bind(fd, (const struct sockaddr *)&four, sizeof(four))) < 0 ||
		listen(fd, SOMAXCONN) < 0)
		return -1;
	return STEAL_FD(fd);
}

int sockets_listen(uint16_t port, int *fd_r, struct err *e)
{
	int fd = listen_at(AF_INET6, port); /* of both kinds, as systemd's */

	if (fd < 0 && errno == EAFNOSUPPORT)
		fd = listen_at(AF_INET, port);
	if (fd < 0)
		return err_sys(e, "listen at port %u", port);
	*fd_r = fd;
	return 0;
}

int sockets_connect(uint16_t port, int *fd_r, struct err *e)
{
	const struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	AUTO_CLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 || (connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS))
		return err_sys(e, "connect to port %u", port);
	*fd_r = STEAL_FD(fd);
	return 0;
}

static int move_up(int *fd, int first, struct err *e)
{
	*fd = fcntl(*fd, F_DUPFD_CLOEXEC, first); /* the old one goes when the program comes */
	return *fd < 0 ? err_sys(e, "set up descriptors") : 0;
}

int sockets_hand_over(const int *fds, unsigned n, int *const keep[], unsigned nkeep, struct err *e)
{
	int moved[GUEST_LISTENS_MAX];

	for (unsigned i = 0; i < nkeep && n > 0; i++)
		if (move_up(keep[i], FIRST + (int)n, e) < 0)
			return -1;
	for (unsigned i = 0; i < n; i++) {
		moved[i] = fds[i];
		if (move_up(&moved[i], FIRST + (int)n, e) < 0)
			return -1;
	}
	for (unsigned i = 0; i < n; i++)
		if (dup2(moved[i], FIRST + (int)i) < 0) /* without CLOEXEC */
			return err_sys(e, "set up descriptor %u", FIRST + i);
	return 0;
}
