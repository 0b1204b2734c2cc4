/* See listen.h. */
#include "stage1/listen.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum { FIRST = 3 };

static unsigned long number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	unsigned long n = text ? strtoul(text, &end, 10) : 0;

	return text && *text && !*end ? n : 0;
}

/* The port of a TCP socket that listens; 0: it is another thing. */
static uint16_t port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
	} addr;
	socklen_t len = sizeof(addr), int_len = sizeof(int);
	int listens = 0, type = 0;

	memset(&addr, 0, sizeof(addr));
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &int_len) < 0 || !listens ||
		getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &int_len) < 0 || type != SOCK_STREAM ||
		getsockname(fd, &addr.any, &len) < 0)
		return 0;
	if (addr.any.sa_family == AF_INET)
		return ntohs(addr.four.sin_port);
	return addr.any.sa_family == AF_INET6 ? ntohs(addr.six.sin6_port) : 0;
}

void listen_take(struct listen_sockets *sockets_r)
{
	unsigned long n = number("LISTEN_PID") == (unsigned long)getpid() ? number("LISTEN_FDS") : 0;

	*sockets_r = (struct listen_sockets){ .n = 0 };
	for (int fd = FIRST; n > 0; fd++, n--) {
		uint16_t port = sockets_r->n < COUNT(sockets_r->v) ? port_of(fd) : 0;
		int flags = fcntl(fd, F_GETFL);

		if (flags < 0)
			break; /* it is not there: nobody has kept count */
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		if (!port) {
			sockets_r->nothers++;
			continue;
		}
		(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK); /* others may have it too: they accept as well as we do */
		sockets_r->v[sockets_r->n++] = (struct listen_socket){ .fd = fd, .port = port };
	}
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}
