/* See netlink.h. */
#include "stage1/common/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int nl_open(uint32_t groups)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK, .nl_groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
		int err = -errno;

		(void)close(fd);
		return err;
	}
	return fd;
}

static void append(struct nl_request *rq, const void *data, size_t len)
{
	size_t at = NLMSG_ALIGN(rq->u.head.nlmsg_len);

	if (rq->full || len > sizeof(rq->u.bytes) - NLA_ALIGNTO || at > sizeof(rq->u.bytes) - NLA_ALIGNTO - len) {
		rq->full = true;
		return;
	}
	if (len > 0)
		memcpy(rq->u.bytes + at, data, len);
	rq->u.head.nlmsg_len = (uint32_t)(at + len);
}

void nl_begin(struct nl_request *rq, uint16_t type, uint16_t flags, const void *body, size_t len)
{
	memset(rq, 0, sizeof(*rq));
	rq->u.head = (struct nlmsghdr){
		.nlmsg_len = NLMSG_HDRLEN, .nlmsg_type = type, .nlmsg_flags = (uint16_t)(flags | NLM_F_REQUEST),
	};
	append(rq, body, len);
}

void nl_put(struct nl_request *rq, uint16_t attr, const void *data, size_t len)
{
	const struct rtattr head = { .rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = attr };

	if (len > NL_REQUEST_MAX) {
		rq->full = true;
		return;
	}
	append(rq, &head, sizeof(head));
	append(rq, data, len);
}

void nl_put_u32(struct nl_request *rq, uint16_t attr, uint32_t value)
{
	nl_put(rq, attr, &value, sizeof(value));
}

size_t nl_nest(struct nl_request *rq, uint16_t attr)
{
	size_t at = NLMSG_ALIGN(rq->u.head.nlmsg_len);

	nl_put(rq, attr, NULL, 0);
	return at;
}

void nl_nest_end(struct nl_request *rq, size_t nest)
{
	uint16_t len = (uint16_t)(rq->u.head.nlmsg_len - nest);

	if (!rq->full)
		memcpy(rq->u.bytes + nest + offsetof(struct rtattr, rta_len), &len, sizeof(len));
}

/* One datagram, from the kernel and whole. */
static int receive(int fd, void *buf, size_t size, size_t *len_r, int flags)
{
	struct sockaddr_nl from = { .nl_family = 0 };
	struct iovec iov = { .iov_base = buf, .iov_len = size };
	struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	do {
		n = recvmsg(fd, &msg, flags);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return -EMSGSIZE;
	*len_r = from.nl_pid == 0 ? (size_t)n : 0; /* another process may send to us, too */
	return 0;
}

/* The message at *at, which moves on; NULL at the end, or where what follows is none. */
static const struct nlmsghdr *next(const uint8_t *buf, size_t len, size_t *at)
{
	const struct nlmsghdr *head;

	if (*at > len || len - *at < sizeof(*head))
		return NULL;
	head = (const void *)(buf + *at);
	if (head->nlmsg_len < sizeof(*head) || head->nlmsg_len > len - *at)
		return NULL;
	*at += NLMSG_ALIGN(head->nlmsg_len);
	return head;
}

/* 1: the answer goes on. */
static int take(const struct nlmsghdr *head, const struct nl_request *rq, nl_message_fn *fn, void *arg)
{
	int err;

	if (head->nlmsg_seq != rq->u.head.nlmsg_seq)
		return 1; /* of a request that was given up */
	if (head->nlmsg_flags & NLM_F_DUMP_INTR)
		return -EAGAIN;
	switch (head->nlmsg_type) {
	case NLMSG_DONE:
		return 0;
	case NLMSG_ERROR:
		if (head->nlmsg_len < NLMSG_LENGTH(sizeof(struct nlmsgerr)))
			return -EPROTO;
		err = ((const struct nlmsgerr *)NLMSG_DATA(head))->error;
		return err > 0 ? -EPROTO : err;
	default:
		err = fn ? fn(head, arg) : 0;
		return err ? err : 1;
	}
}

int nl_talk(int fd, struct nl_request *rq, nl_message_fn *fn, void *arg)
{
	static uint32_t sequence; /* programs here have one thread */
	_Alignas(NLMSG_ALIGNTO) uint8_t buf[NL_ANSWER_MAX];
	int ret = 1;

	if (rq->full)
		return -EMSGSIZE;
	if ((rq->u.head.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		rq->u.head.nlmsg_flags |= NLM_F_ACK;
	rq->u.head.nlmsg_seq = ++sequence;
	if (send(fd, &rq->u, rq->u.head.nlmsg_len, 0) < 0)
		return -errno;
	while (ret == 1) {
		const struct nlmsghdr *head;
		size_t len = 0, at = 0;

		ret = receive(fd, buf, sizeof(buf), &len, 0);
		if (ret < 0)
			return ret;
		for (ret = 1; ret == 1 && (head = next(buf, len, &at)) != NULL;)
			ret = take(head, rq, fn, arg);
	}
	return ret;
}

int nl_hear(int fd, nl_message_fn *fn, void *arg)
{
	_Alignas(NLMSG_ALIGNTO) uint8_t buf[NL_ANSWER_MAX];
	int ret = 0;

	while (ret == 0) {
		const struct nlmsghdr *head;
		size_t len = 0, at = 0;

		ret = receive(fd, buf, sizeof(buf), &len, MSG_DONTWAIT);
		if (ret == -EAGAIN)
			return 0;
		while (ret == 0 && (head = next(buf, len, &at)) != NULL)
			ret = fn(head, arg);
	}
	return ret;
}

void nl_attributes(const void *data, size_t len, const struct rtattr **table, size_t n)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < n; i++)
		table[i] = NULL;
	while (len >= sizeof(struct rtattr)) {
		const struct rtattr *attr = (const void *)p;
		size_t step;

		if (attr->rta_len < sizeof(*attr) || attr->rta_len > len)
			return;
		if ((attr->rta_type & NLA_TYPE_MASK) < n)
			table[attr->rta_type & NLA_TYPE_MASK] = attr;
		step = RTA_ALIGN((size_t)attr->rta_len);
		if (step > len)
			return;
		p += step;
		len -= step;
	}
}

const void *nl_body(const struct nlmsghdr *head, size_t body_len, const struct rtattr **table, size_t n)
{
	size_t len = head->nlmsg_len - NLMSG_HDRLEN, start = NLMSG_ALIGN(body_len);
	const uint8_t *body = NLMSG_DATA(head);

	nl_attributes(body + start, len > start ? len - start : 0, table, n);
	return len >= body_len ? body : NULL;
}

void nl_nested(const struct rtattr *attr, const struct rtattr **table, size_t n)
{
	nl_attributes(attr ? RTA_DATA(attr) : NULL, attr ? RTA_PAYLOAD(attr) : 0, table, n);
}

const void *nl_data(const struct rtattr *attr, size_t len)
{
	return attr && RTA_PAYLOAD(attr) == len ? RTA_DATA(attr) : NULL;
}

uint32_t nl_u32(const struct rtattr *attr, uint32_t otherwise)
{
	const void *data = nl_data(attr, sizeof(otherwise));

	if (data)
		memcpy(&otherwise, data, sizeof(otherwise));
	return otherwise;
}
