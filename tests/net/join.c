/*
 * The rules that join a pod's interface to its guest's device (stage1/net/join.c): their text, and with
 * veth pairs in place of what plugins and netback make, what of real frames passes them.
 *
 *   host: h0 ----- eth0 :pod: vif1.0 ----- eth0 :guest
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/net/join.h"
#include "tests/net/rooms.h"

#define MAC "02:00:00:00:09:02"
#define HOST_MAC "02:00:00:00:09:01"

enum { PATIENCE_MS = 10000, FRAME_MAX = 100, BULK = 8 << 20 };

static struct guest_ip addrs[] = { { 4, 24, { 10, 9, 0, 2 } }, { 6, 64, { 0xfd, 9, [15] = 2 } }, { 4, 32, { 10, 9, 1, 2 } } };
static const struct guest_nic both = { .name = (char *)"eth0", .mac = { 2, 0, 0, 0, 9, 2 }, .mtu = 9000, .addrs = addrs,
	.naddrs = 3 };
static const struct guest_nic only6 = { .name = (char *)"eth10", .mac = { 2, 0, 0, 0, 9, 2 }, .mtu = 9000, .addrs = addrs + 1,
	.naddrs = 1 };

static const struct { const char *name; const struct guest_nic *nic; struct join_opts opts; } rules[] = {
	{ "both", &both, { .only_to = NULL } },
	{ "only6", &only6, { .only_to = NULL } },
	{ "restricted", &both, { .only_to = "10.9.0.1" } },
	{ "restricted6", &only6, { .only_to = "fd09::1" } },
	{ "any-source", &both, { .any_source = true } },
};

/* JOIN_UPDATE=1 writes what is now. */
static void texts(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		AUTO_FREE char *path = xasprintf("tests/net/rules/%s.nft", rules[i].name);
		AUTO_FREE char *got = join_rules(rules[i].nic, &rules[i].opts), *want = NULL;
		struct err e = ERR_INIT;
		size_t len;

		if (getenv("JOIN_UPDATE") && write_file_atomic(AT_FDCWD, path, got, strlen(got), 0644, &e) < 0)
			fail_msg("%s", e.msg);
		if (read_file_at(AT_FDCWD, path, 1 << 16, &want, &len, &e) < 0)
			fail_msg("%s", e.msg);
		assert_string_equal(got, want);
	}
}

static void load(const struct join_opts *opts)
{
	AUTO_FREE char *text = join_rules(&both, opts);
	FILE *nft;

	room_enter(ROOM_POD);
	nft = popen("nft -D vif=vif1.0 -f -", "w");
	assert_non_null(nft);
	(void)fputs(text, nft);
	assert_int_equal(pclose(nft), 0);
}

static int open_all(void **state)
{
	(void)state;
	if (!rooms_open())
		fail_msg("namespaces: %s", strerror(errno));
	for (int i = 0; i < ROOMS; i++)
		room_do(i, "sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0");
	room_do(ROOM_HOST, "ip link add h0 mtu 9000 address " HOST_MAC " type veth peer name eth0 mtu 9000 address " MAC " netns $POD;"
		"ip link set h0 up; ip addr add 10.9.0.1/24 dev h0; ip addr add fd09::1/64 dev h0");
	room_do(ROOM_POD, "ip link set lo up; ip link set eth0 up; ip addr add 10.9.0.2/24 dev eth0; ip addr add fd09::2/64 dev eth0;"
		"ip link add vif1.0 mtu 9000 type veth peer name eth0 mtu 9000 address " MAC " netns $GUEST; ip link set vif1.0 up");
	room_do(ROOM_GUEST, "ip link set lo up; ip link set eth0 up; ip addr add 10.9.0.2/24 dev eth0; ip addr add fd09::2/64 dev eth0");
	load(&(struct join_opts){ .any_source = false });
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	rooms_close();
	return 0;
}

static void nft_takes_them(void **state)
{
	(void)state;
	room_do(ROOM_POD, "ip link add eth10 type veth peer name other");
	for (size_t i = 0; i < COUNT(rules); i++) {
		AUTO_FREE char *command = xasprintf("nft -c -D vif=vif1.0 -f tests/net/rules/%s.nft", rules[i].name);

		room_do(ROOM_POD, command);
	}
}

static void pings(void **state)
{
	(void)state;
	room_do(ROOM_GUEST, "ping -c 1 -W 5 10.9.0.1; ping -c 1 -W 5 fd09::1; ping -c 1 -W 5 -M do -s 8972 10.9.0.1");
	room_do(ROOM_HOST, "ip neigh flush dev h0; ping -c 1 -W 5 10.9.0.2; ping -c 1 -W 5 fd09::2; ping -c 1 -W 5 -M do -s 8952 fd09::2;"
		"ping -c 1 -W 5 fe80::ff:fe00:902%h0");
}

static int listening(int room, int family, int type, struct sockaddr_storage *at)
{
	socklen_t len = sizeof(*at);
	int fd;

	room_enter(room);
	fd = socket(family, type | SOCK_CLOEXEC, 0);
	*at = (struct sockaddr_storage){ .ss_family = (sa_family_t)family };
	assert_int_equal(bind(fd, (struct sockaddr *)at, family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	assert_true(type == SOCK_DGRAM || listen(fd, 1) == 0);
	return fd;
}

static int connected(int room, struct sockaddr_storage *to, int type, int last_byte)
{
	int fd;

	if (to->ss_family == AF_INET)
		((struct sockaddr_in *)to)->sin_addr.s_addr = htonl(0x0a090000 + (uint32_t)last_byte);
	else
		((struct sockaddr_in6 *)to)->sin6_addr = (struct in6_addr){ .s6_addr = { 0xfd, 9, [15] = (uint8_t)last_byte } };
	room_enter(room);
	fd = socket(to->ss_family, type | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)to, to->ss_family == AF_INET ? sizeof(struct sockaddr_in) :
		sizeof(struct sockaddr_in6)), 0);
	return fd;
}

static uint8_t byte_at(size_t i)
{
	return (uint8_t)((i * 2654435761u) >> 11);
}

/* Sent by a child, so that both ends go on at once. */
static void bulk(int from, int to, int family, int to_byte)
{
	AUTO_FREE uint8_t *buf = xmalloc(BULK);
	struct sockaddr_storage at;
	AUTO_CLOSE int listener = listening(to, family, SOCK_STREAM, &at), in = -1;
	size_t got = 0;
	int status;
	pid_t pid;
	ssize_t n;

	for (size_t i = 0; i < BULK; i++)
		buf[i] = byte_at(i);
	pid = fork();
	if (pid == 0)
		_exit(write_all(connected(from, &at, SOCK_STREAM, to_byte), buf, BULK) < 0);
	in = accept(listener, NULL, NULL);
	memset(buf, 0, BULK);
	while ((n = read(in, buf + got, BULK - got)) > 0)
		got += (size_t)n;
	assert_int_equal(got, BULK);
	for (size_t i = 0; i < BULK; i++)
		if (buf[i] != byte_at(i))
			fail_msg("byte %zu differs", i);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Large segments, and checksums that nobody has computed yet. */
static void streams(void **state)
{
	(void)state;
	bulk(ROOM_GUEST, ROOM_HOST, AF_INET, 1);
	bulk(ROOM_HOST, ROOM_GUEST, AF_INET, 2);
	bulk(ROOM_GUEST, ROOM_HOST, AF_INET6, 1);
	bulk(ROOM_HOST, ROOM_GUEST, AF_INET6, 2);
}

static void datagrams(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	(void)state;
	for (size_t i = 0; i < COUNT(families); i++) {
		struct sockaddr_storage at;
		AUTO_CLOSE int in = listening(ROOM_HOST, families[i], SOCK_DGRAM, &at);
		AUTO_CLOSE int out = connected(ROOM_GUEST, &at, SOCK_DGRAM, 1);
		struct pollfd p = { .fd = in, .events = POLLIN };
		static uint8_t data[30000]; /* in fragments */

		assert_int_equal(send(out, data, sizeof(data), 0), sizeof(data));
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		assert_int_equal(recv(in, data, sizeof(data), 0), sizeof(data));
	}
}

/* A frame, as bytes in hexadecimal with words for what is long. */
struct frame {
	const char *what, *hex;
	bool passes;
};

#define TO_HOST "020000000901"
#define TO_ALL "ffffffffffff"
#define OWN "020000000902"
#define OTHER "020000000903"
#define FENCE "88b5" /* EtherType of experiments */
#define IP4(from, to) "0800" "45000014" "00004000" "40fd0000" from to
#define IP6(next, len, from, to) "86dd" "60000000" len next "ff" from to
#define V4_OWN "0a090002"
#define V4_SECOND "0a090102"
#define V4_OTHER "0a090003"
#define V4_HOST "0a090001"
#define V6(low) "fd0900000000000000000000000000" low
#define V6_ANY "00000000000000000000000000000000"
#define V6_ALL "ff020000000000000000000000000001"
#define LL_OWN "fe80000000000000000000fffe000902"
#define LL_OTHER "fe80000000000000000000fffe000903"
#define ARP(op, mac, ip, to) "0806" "0001080006040" op mac ip "000000000000" to
#define ND(type, from, to, target) IP6("3a", "0018", from, to) type "000000" "20000000" target

static size_t parse_hex(const char *hex, uint8_t *bytes)
{
	size_t n = strlen(hex) / 2;

	assert_true(n <= FRAME_MAX && strlen(hex) % 2 == 0);
	for (size_t i = 0; i < n; i++) {
		unsigned byte;

		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		bytes[i] = (uint8_t)byte;
	}
	return n;
}

static int packets(int room, const char *ifname)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd;

	room_enter(room);
	at.sll_ifindex = (int)if_nametoindex(ifname);
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* Did this very frame come before the fence? */
static bool seen(int fd, const uint8_t *frame, size_t len, const uint8_t *fence, size_t fence_len)
{
	bool found = false;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint8_t buf[2 * FRAME_MAX];
		ssize_t n;

		if (poll(&p, 1, PATIENCE_MS) != 1)
			fail_msg("nothing comes through any more");
		n = recv(fd, buf, sizeof(buf), 0);
		if (n == (ssize_t)len && !memcmp(buf, frame, len))
			found = true;
		if (n == (ssize_t)fence_len && !memcmp(buf, fence, fence_len))
			return found;
	}
}

/* What always passes, and comes after whatever was sent before it. */
#define FENCE_HEX TO_HOST OWN IP4(V4_OWN, V4_HOST) "fe"

static void try_frames(const struct frame *rows, size_t n)
{
	AUTO_CLOSE int out = packets(ROOM_GUEST, "eth0"), in = packets(ROOM_HOST, "h0");
	uint8_t fence[FRAME_MAX], frame[FRAME_MAX];
	size_t fence_len = parse_hex(FENCE_HEX, fence);

	for (size_t i = 0; i < n; i++) {
		size_t len = parse_hex(rows[i].hex, frame);

		assert_int_equal(send(out, frame, len, 0), len);
		assert_int_equal(send(out, fence, fence_len, 0), fence_len);
		if (seen(in, frame, len, fence, fence_len) != rows[i].passes)
			fail_msg("%s: %s", rows[i].what, rows[i].passes ? "dropped" : "passed");
	}
}

static void lies(void **state)
{
	static const struct frame rows[] = {
		{ "IPv4", TO_HOST OWN IP4(V4_OWN, V4_HOST), true },
		{ "IPv4 of the other address", TO_HOST OWN IP4(V4_SECOND, V4_HOST), true },
		{ "a MAC of somebody else's", TO_HOST OTHER IP4(V4_OWN, V4_HOST), false },
		{ "an IPv4 address of somebody else's", TO_HOST OWN IP4(V4_OTHER, V4_HOST), false },
		{ "no IPv4 address", TO_ALL OWN IP4("00000000", "ffffffff"), false },
		{ "the host's loopback", TO_HOST OWN IP4(V4_OWN, "7f000001"), false },
		{ "from loopback", TO_HOST OWN IP4("7f000001", V4_HOST), false },
		{ "ARP request", TO_ALL OWN ARP("001", OWN, V4_OWN, V4_HOST), true },
		{ "ARP probe", TO_ALL OWN ARP("001", OWN, "00000000", V4_OWN), true },
		{ "ARP reply", TO_HOST OWN ARP("002", OWN, V4_OWN, V4_HOST), true },
		{ "ARP reply for another address", TO_HOST OWN ARP("002", OWN, V4_OTHER, V4_HOST), false },
		{ "ARP reply for the gateway", TO_ALL OWN ARP("002", OWN, V4_HOST, V4_HOST), false },
		{ "ARP reply with another MAC", TO_HOST OWN ARP("002", OTHER, V4_OWN, V4_HOST), false },
		{ "ARP reply of another MAC", TO_HOST OTHER ARP("002", OTHER, V4_OWN, V4_HOST), false },
		{ "ARP of another kind", TO_HOST OWN "0806" "0006080006040002" OWN V4_OWN "000000000000" V4_HOST, false },
		{ "IPv6", TO_HOST OWN IP6("3b", "0000", V6("02"), V6("01")), true },
		{ "IPv6 of the link", TO_HOST OWN IP6("3b", "0000", LL_OWN, V6("01")), true },
		{ "an IPv6 address of somebody else's", TO_HOST OWN IP6("3b", "0000", V6("03"), V6("01")), false },
		{ "somebody else's of the link", TO_HOST OWN IP6("3b", "0000", LL_OTHER, V6("01")), false },
		{ "no IPv6 address", TO_HOST OWN IP6("3b", "0000", V6_ANY, V6("01")), false },
		{ "is it free?", "3333ff000002" OWN ND("87", V6_ANY, V6_ALL, V6("02")), true },
		{ "advertisement", TO_HOST OWN ND("88", V6("02"), V6_ALL, V6("02")), true },
		{ "advertisement for the link", TO_HOST OWN ND("88", V6("02"), V6_ALL, LL_OWN), true },
		{ "advertisement for the gateway", TO_HOST OWN ND("88", V6("02"), V6_ALL, V6("01")), false },
		{ "advertisement of nobody", TO_HOST OWN ND("88", V6_ANY, V6_ALL, V6("02")), false },
		{ "a router", TO_HOST OWN ND("86", LL_OWN, V6_ALL, V6_ANY), false },
		{ "a redirect", TO_HOST OWN ND("89", LL_OWN, V6("01"), V6_ANY), false },
		{ "a VLAN", TO_HOST OWN "81000001" IP4(V4_OWN, V4_HOST), false },
		{ "another protocol", TO_HOST OWN FENCE "0000", false },
	};

	(void)state;
	try_frames(rows, COUNT(rows));
}

static void restricted(void **state)
{
	static const struct frame rows[] = {
		{ "the host", TO_HOST OWN IP4(V4_OWN, V4_HOST), true },
		{ "who is the host?", TO_ALL OWN ARP("001", OWN, V4_OWN, V4_HOST), true },
		{ "another pod", TO_HOST OWN IP4(V4_OWN, V4_OTHER), false },
		{ "everybody", TO_ALL OWN IP4(V4_OWN, "0a0900ff"), false },
		{ "who is the other pod?", TO_ALL OWN ARP("001", OWN, V4_OWN, V4_OTHER), false },
		{ "IPv6", TO_HOST OWN IP6("3b", "0000", V6("02"), V6("01")), false },
		{ "a lie", TO_HOST OWN IP4(V4_OTHER, V4_HOST), false },
	};

	(void)state;
	load(&(struct join_opts){ .only_to = "10.9.0.1" });
	try_frames(rows, COUNT(rows));
}

static void unfiltered(void **state)
{
	static const struct frame rows[] = {
		{ "a MAC and an address of somebody else's", TO_HOST OTHER IP4(V4_OTHER, V4_HOST), true },
		{ "ARP reply for another address", TO_HOST OWN ARP("002", OTHER, V4_OTHER, V4_HOST), true },
		{ "a router", TO_HOST OWN ND("86", LL_OTHER, V6_ALL, V6_ANY), true },
		{ "another protocol", TO_HOST OWN FENCE "0000", true },
		{ "the host's loopback", TO_HOST OWN IP4(V4_OWN, "7f000001"), false },
		{ "from loopback", TO_HOST OWN IP4("7f000001", V4_HOST), false },
	};

	(void)state;
	load(&(struct join_opts){ .any_source = true });
	try_frames(rows, COUNT(rows));
}

/* What the pod's namespace says by itself is nobody's: the guest has its addresses. */
static void the_namespace_is_mute(void **state)
{
	AUTO_CLOSE int host = packets(ROOM_HOST, "h0"), guest = packets(ROOM_GUEST, "eth0");
	AUTO_CLOSE int eth0 = packets(ROOM_POD, "eth0"), vif = packets(ROOM_POD, "vif1.0");
	uint8_t fence[FRAME_MAX], back[FRAME_MAX], own[FRAME_MAX];
	size_t fence_len = parse_hex(FENCE_HEX, fence), len = parse_hex(TO_HOST OWN IP4(V4_OWN, V4_HOST), own);
	size_t back_len = parse_hex(OWN TO_HOST IP4(V4_HOST, V4_OWN), back);

	(void)state;
	(void)send(eth0, own, len, 0); /* a packet socket passes the egress hook as any other */
	(void)send(vif, own, len, 0);
	assert_int_equal(send(guest, fence, fence_len, 0), fence_len);
	assert_false(seen(host, own, len, fence, fence_len));
	assert_int_equal(send(host, back, back_len, 0), back_len);
	assert_false(seen(guest, own, len, back, back_len));
	room_do(ROOM_POD, "! ping -c 1 -W 0.1 10.9.0.1");
	room_do(ROOM_GUEST, "ip link set eth0 down");
	room_do(ROOM_HOST, "! ping -c 1 -W 0.1 10.9.0.2"); /* and deaf, though the address is there as well */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)
		T(nft_takes_them),
		T(pings),
		T(streams),
		T(datagrams),
		T(lies),
		T(restricted),
		T(unfiltered),
		T(the_namespace_is_mute),
	};
	const struct CMUnitTest pure[] = { cmocka_unit_test(texts) };
	int failed = cmocka_run_group_tests(pure, NULL, NULL);

	if (!rooms_open()) {
		printf("ok 2 - frames that pass # SKIP namespaces: %s\n", strerror(errno));
		return failed;
	}
	rooms_close();
	return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
