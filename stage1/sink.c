/* See sink.h. */
#include "stage1/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

void sink_open(struct sink *sink, int fd)
{
	char path[40];
	struct stat st;
	int own;

	*sink = (struct sink){ .fd = fd, .chunk = SSIZE_MAX };
	if (fstat(fd, &st) < 0)
		return;
	sink->socket = S_ISSOCK(st.st_mode);
	if (!S_ISFIFO(st.st_mode) && !S_ISCHR(st.st_mode))
		return; /* files do not block, sockets have MSG_DONTWAIT */
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own >= 0) {
		sink->fd = own;
		sink->own = true;
	} else {
		sink->chunk = PIPE_BUF; /* what poll's POLLOUT promises of a pipe */
	}
}

void sink_close(struct sink *sink)
{
	if (sink->own)
		(void)close(sink->fd);
	*sink = (struct sink){ .fd = -1 };
}

ssize_t sink_write(struct sink *sink, const void *data, size_t len)
{
	struct pollfd room = { .fd = sink->fd, .events = POLLOUT };
	ssize_t n;

	if (len > sink->chunk)
		len = sink->chunk;
	if (sink->chunk == PIPE_BUF && poll(&room, 1, 0) <= 0)
		return 0; /* it blocks: only as much as poll promises, and only when it does */
	do
		n = sink->socket ? send(sink->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL)
				 : write(sink->fd, data, len);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return 0;
	return n;
}
