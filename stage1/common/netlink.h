/*
 * Little of rtnetlink(7): requests, their answers, and attributes that are looked at before they are
 * used. For dom0's side and for the guest's PID 1, where libnl would be four times as much code as all
 * of init. Results are 0 or a negative errno; nothing is allocated.
 */
#ifndef STAGE1_COMMON_NETLINK_H
#define STAGE1_COMMON_NETLINK_H

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NL_REQUEST_MAX = 512, NL_ANSWER_MAX = 32 << 10 };

/* A request under construction. Too much of it shows when it is sent: -EMSGSIZE. */
struct nl_request {
	bool full;
	union {
		struct nlmsghdr head;
		uint8_t bytes[NL_REQUEST_MAX];
	} u;
};

/* A socket in the calling thread's network namespace; groups: RTMGRP_*, 0 for requests. */
int nl_open(uint32_t groups);

/* flags beside NLM_F_REQUEST; `body` is the ifinfomsg or whatever the type has. */
void nl_begin(struct nl_request *rq, uint16_t type, uint16_t flags, const void *body, size_t len);
void nl_put(struct nl_request *rq, uint16_t attr, const void *data, size_t len);
void nl_put_u32(struct nl_request *rq, uint16_t attr, uint32_t value);
/* An attribute that has those put before nl_nest_end() in it. */
size_t nl_nest(struct nl_request *rq, uint16_t attr);
void nl_nest_end(struct nl_request *rq, size_t nest);

/* Called with each message of an answer; what is not 0 ends the conversation and is its result. */
typedef int nl_message_fn(const struct nlmsghdr *head, void *arg);

/*
 * Sends and hears the answer out: acknowledgement, or a dump when the request's flags have NLM_F_DUMP.
 * fn may be NULL. -EAGAIN: the dump is inconsistent, for things changed meanwhile.
 */
int nl_talk(int fd, struct nl_request *rq, nl_message_fn *fn, void *arg);

/* Reads what there is on a socket of groups. fn as above. */
int nl_hear(int fd, nl_message_fn *fn, void *arg);

/*
 * The body of a message, or NULL when it is shorter; its attributes of types below n into table[n],
 * NULL where there is none. Never looks beyond the message.
 */
const void *nl_body(const struct nlmsghdr *head, size_t body_len, const struct rtattr **table, size_t n);
/* The same for the attributes in `len` bytes, and for those in an attribute. */
void nl_attributes(const void *data, size_t len, const struct rtattr **table, size_t n);
void nl_nested(const struct rtattr *attr, const struct rtattr **table, size_t n);
/* An attribute of exactly this length, or NULL; a number, or `otherwise`. */
const void *nl_data(const struct rtattr *attr, size_t len);
uint32_t nl_u32(const struct rtattr *attr, uint32_t otherwise);

#endif
