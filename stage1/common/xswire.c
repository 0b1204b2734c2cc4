/* See xswire.h. */
#include "stage1/common/xswire.h"

#include <errno.h>
#include <unistd.h>

static int read_full(int fd, void *buf, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = read(fd, (char *)buf + done, len - done);

		if (n == 0)
			errno = EPIPE;
		if (n == 0 || (n < 0 && errno != EINTR))
			return -1;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int xswire_receive(int fd, struct xs_message *m)
{
	struct xsd_sockmsg head;

	if (read_full(fd, &head, sizeof(head)) < 0)
		return -1;
	m->type = head.type;
	m->len = head.len;
	if (head.len > XENSTORE_PAYLOAD_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	m->body[head.len] = '\0';
	return read_full(fd, m->body, head.len);
}
