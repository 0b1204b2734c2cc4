/* Messages and attributes of rtnetlink: none is looked at beyond its end. The kernel's side: tests/net. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "stage1/common/netlink.h"
#include "stage1/common/util.h"

enum { TYPES = 4 };

/* Attributes `bytes` in a message of a body of 4 bytes, in memory of just this size; "1:AB 3:" is said of them. */
static char *parse(const char *bytes, size_t len, uint32_t claimed)
{
	size_t size = NLMSG_HDRLEN + len;
	AUTO_FREE struct nlmsghdr *head = xmalloc(size);
	const struct rtattr *table[TYPES];
	char *said = xstrdup("");

	*head = (struct nlmsghdr){ .nlmsg_len = claimed };
	memcpy(NLMSG_DATA(head), bytes, len);
	if (!nl_body(head, 4, table, TYPES)) {
		free(said);
		return xstrdup("short");
	}
	for (int i = 0; i < TYPES; i++) {
		char *more;

		if (!table[i])
			continue;
		more = xasprintf("%s%s%d:%.*s", said, *said ? " " : "", i, (int)RTA_PAYLOAD(table[i]), (char *)RTA_DATA(table[i]));
		free(said);
		said = more;
	}
	return said;
}

static void looks_at_attributes_within_bounds(void **state)
{
	static const struct { const char *bytes; size_t len; const char *want; } rows[] = {
#define ROW(bytes, want) { bytes, sizeof(bytes) - 1, want }
		ROW("", "short"),
		ROW("bod", "short"),
		ROW("body", ""),
		ROW("body\6\0\1\0AB\0\0\4\0\3\0", "1:AB 3:"),
		ROW("body\6\0\1\0AB", "1:AB"), /* the last one's padding may be missing */
		ROW("body\6\0\1\0AB\0", "1:AB"),
		ROW("body\5\0\1\0A\0\0\0\5\0\1\0B", "1:B"), /* the last one counts */
		ROW("body\5\0\1\200A", "1:A"), /* a nest's flag is no part of its type */
		ROW("body\5\0\4\0A\0\0\0\5\0\2\0B", "2:B"), /* one that nobody asked for */
		ROW("body\7\0\1\0AB", ""), /* longer than the message */
		ROW("body\377\377\1\0AB\0\0", ""),
		ROW("body\3\0\1\0\5\0\2\0B", ""), /* shorter than its head */
		ROW("body\0\0\1\0\5\0\2\0B", ""),
		ROW("body\5\0\1", ""),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *got = parse(rows[i].bytes, rows[i].len, (uint32_t)(NLMSG_HDRLEN + rows[i].len));

		if (strcmp(got, rows[i].want) != 0)
			fail_msg("row %zu: '%s'", i, got);
	}
}

static void takes_data_of_the_right_length_only(void **state)
{
	_Alignas(4) static const char bytes[] = "\10\0\1\0\1\2\0\0";
	const struct rtattr *attr = (const void *)bytes, *table[2];

	(void)state;
	assert_int_equal(nl_u32(attr, 7), 0x201);
	assert_int_equal(nl_u32(NULL, 7), 7);
	assert_ptr_equal(nl_data(attr, 4), bytes + 4);
	assert_null(nl_data(attr, 3));
	assert_null(nl_data(attr, 5));
	assert_null(nl_data(NULL, 0));
	nl_nested(NULL, table, 2);
	assert_null(table[1]);
}

/* In whatever way it becomes too long, it is not sent. */
static void does_not_send_what_does_not_fit(void **state)
{
	static const uint8_t much[NL_REQUEST_MAX + 100];
	struct nl_request rq;

	(void)state;
	nl_begin(&rq, RTM_GETLINK, 0, much, 16);
	nl_put(&rq, 1, much, sizeof(much));
	assert_int_equal(nl_talk(-1, &rq, NULL, NULL), -EMSGSIZE);
	nl_begin(&rq, RTM_GETLINK, 0, much, 16);
	for (int i = 0; i < 100; i++)
		nl_put_u32(&rq, 1, 5);
	assert_int_equal(nl_talk(-1, &rq, NULL, NULL), -EMSGSIZE);
	assert_true(rq.u.head.nlmsg_len <= sizeof(rq.u.bytes));
	nl_begin(&rq, RTM_GETLINK, 0, much, 16);
	nl_put(&rq, 1, much, 300);
	nl_put(&rq, 1, much, 300);
	nl_nest_end(&rq, nl_nest(&rq, 2));
	assert_int_equal(nl_talk(-1, &rq, NULL, NULL), -EMSGSIZE);
	nl_begin(&rq, RTM_GETLINK, 0, much, 16);
	assert_int_equal(nl_talk(-1, &rq, NULL, NULL), -EBADF);
}

static int ends(const struct nlmsghdr *head, void *arg)
{
	(void)head;
	(*(int *)arg)++;
	return 3;
}

/* The kernel's answers: an error of its own, an answer that somebody ends, and the next one after it. */
static void talks_to_the_kernel(void **state)
{
	const struct rtgenmsg any = { .rtgen_family = 0 };
	const struct { struct ifinfomsg body; } lo = { { .ifi_index = 1 } }, none = { { .ifi_index = INT32_MAX } };
	struct nl_request rq;
	int fd = nl_open(0), calls = 0;

	(void)state;
	assert_true(fd >= 0);
	nl_begin(&rq, RTM_GETLINK, 0, &none, sizeof(none));
	assert_int_equal(nl_talk(fd, &rq, ends, &calls), -ENODEV);
	assert_int_equal(calls, 0);
	nl_begin(&rq, RTM_GETADDR, NLM_F_DUMP, &any, sizeof(any));
	assert_int_equal(nl_talk(fd, &rq, ends, &calls), 3);
	assert_int_equal(calls, 1);
	nl_begin(&rq, RTM_GETLINK, 0, &lo, sizeof(lo));
	assert_int_equal(nl_talk(fd, &rq, NULL, NULL), 0); /* what was left of the dump is none of its */
	assert_int_equal(nl_hear(fd, ends, &calls), 0);
	(void)close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(looks_at_attributes_within_bounds),
		cmocka_unit_test(takes_data_of_the_right_length_only),
		cmocka_unit_test(does_not_send_what_does_not_fit),
		cmocka_unit_test(talks_to_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
