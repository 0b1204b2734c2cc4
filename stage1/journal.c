/* See journal.h. */
#include "stage1/journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/common/util.h"

void journal_open(struct journal *j, const char *path, const char *pod)
{
	*j = (struct journal){ .fd = -1, .path = path, .pod = pod };
	if (access(path, W_OK) == 0)
		j->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

/* To the path each time: a journal that was started anew has another socket there. */
static ssize_t send_to(const struct journal *j, struct iovec *parts, size_t n)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	struct msghdr msg = { .msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = parts, .msg_iovlen = n };
	ssize_t ret;

	(void)snprintf(to.sun_path, sizeof(to.sun_path), "%s", j->path);
	do
		ret = sendmsg(j->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (ret < 0 && errno == EINTR);
	return ret;
}

size_t journal_fields(char fields[JOURNAL_FIELDS_MAX], const char *pod, const struct journal_entry *entry)
{
	return (size_t)snprintf(fields, JOURNAL_FIELDS_MAX,
		"PRIORITY=6\nSYSLOG_IDENTIFIER=%.255s\nSYSLOG_PID=%u\nRKT_POD=%.64s\nRKT_APP=%.255s\nRKT_STREAM=%s\nMESSAGE\n",
		entry->app, entry->pid, pod, entry->app, entry->stream);
}

void journal_size(uint8_t size[8], size_t len)
{
	for (size_t i = 0; i < 8; i++)
		size[i] = (uint8_t)((uint64_t)len >> (8 * i));
}

void journal_send(struct journal *j, const struct journal_entry *entry)
{
	char fields[JOURNAL_FIELDS_MAX];
	uint8_t size[8];

	if (j->fd < 0)
		return;
	journal_size(size, entry->len);
	if (send_to(j, (struct iovec[]){ { fields, journal_fields(fields, j->pod, entry) }, { size, sizeof(size) },
			       { (void *)(uintptr_t)entry->text, entry->len }, { (char *)(uintptr_t)"\n", 1 } }, 4) < 0)
		j->lost++;
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		(void)close(j->fd);
	j->fd = -1;
}
