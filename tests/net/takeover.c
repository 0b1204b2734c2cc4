/*
 * What a plugin left in the pod's namespace, read by dom0 (stage1/net/takeover.c) and made again by the
 * guest's PID 1 (init/net.c), with real devices.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "init/net.h"
#include "stage1/common/util.h"
#include "stage1/net/takeover.h"
#include "tests/net/rooms.h"

#define QUIET "sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.default.accept_ra=0"
#define MAC0 "02:00:00:00:00:a0"
#define MAC1 "02:00:00:00:00:a1"

static void put_ip(FILE *out, const struct guest_ip *ip, bool prefix)
{
	char text[INET6_ADDRSTRLEN];

	(void)inet_ntop(ip->family == 4 ? AF_INET : AF_INET6, ip->bytes, text, sizeof(text));
	fputs(text, out);
	if (prefix)
		fprintf(out, "/%u", ip->prefix);
}

/* As one text, to compare. */
static char *print(const struct guest_nic *nic)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	fprintf(out, "%s mtu %u\n", nic->name, nic->mtu);
	for (size_t i = 0; i < nic->naddrs; i++) {
		put_ip(out, &nic->addrs[i], true);
		fputc('\n', out);
	}
	for (size_t i = 0; i < nic->nroutes; i++) {
		const struct guest_route *r = &nic->routes[i];

		put_ip(out, &r->to, true);
		if (r->via.family) {
			fputs(" via ", out);
			put_ip(out, &r->via, false);
		}
		if (r->src.family) {
			fputs(" src ", out);
			put_ip(out, &r->src, false);
		}
		fprintf(out, " scope %u metric %u mtu %u%s\n", r->scope, r->metric, r->mtu, r->onlink ? " onlink" : "");
	}
	(void)fclose(out);
	return text;
}

static int open_all(void **state)
{
	(void)state;
	if (!rooms_open())
		fail_msg("namespaces: %s", strerror(errno));
	for (int i = 0; i < ROOMS; i++)
		room_do(i, QUIET);
	room_do(ROOM_HOST, "ip link add h0 type veth peer name eth0 address " MAC0 " netns $POD; ip link set h0 mtu 9000 up");
	room_do(ROOM_POD, "ip link set eth0 mtu 9000 up");
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	rooms_close();
	return 0;
}

static void read_it(int room, const char *ifname, struct guest_nic *nic)
{
	struct err e = ERR_INIT;

	if (takeover_read(room_fd[room], ifname, nic, &e) < 0)
		fail_msg("%s", e.msg);
}

/* Read in the pod, made in the guest, read there: the same. */
static void make_again(const char *want)
{
	AUTO_FREE char *read = NULL, *made = NULL;
	struct guest_nic nic, again;
	struct err e = ERR_INIT;

	read_it(ROOM_POD, "eth0", &nic);
	read = print(&nic);
	assert_string_equal(read, want);
	room_do(ROOM_GUEST, "ip link add dev0 address " MAC0 " type veth peer name other; ip link set other mtu 9000 up");
	if (net_up(&(struct guest_plan){ .nics = &nic, .nnics = 1 }, 0, &e) < 0)
		fail_msg("%s", e.msg);
	room_enter(ROOM_HOST);
	read_it(ROOM_GUEST, "eth0", &again);
	made = print(&again);
	assert_string_equal(made, want);
	assert_memory_equal(again.mac, "\2\0\0\0\0\xa0", 6);
	guest_nic_dispose(&nic);
	guest_nic_dispose(&again);
}

/* ptp replaces the route to its subnet by one to the gateway and others by it. */
static void as_ptp_makes_it(void **state)
{
	(void)state;
	room_do(ROOM_POD, "ip addr add 172.16.28.2/24 dev eth0; ip route del 172.16.28.0/24;"
		"ip route add 172.16.28.1 dev eth0 src 172.16.28.2 scope link;"
		"ip route add 172.16.28.0/24 via 172.16.28.1 dev eth0 src 172.16.28.2;"
		"ip route add default via 172.16.28.1; ip addr add fd01::2/64 dev eth0;"
		"ip -6 route del fd01::/64; ip -6 route add fd01::1 dev eth0; ip -6 route add fd01::/64 via fd01::1 dev eth0;"
		"ip -6 route add default via fd01::1");
	make_again("eth0 mtu 9000\n172.16.28.2/24\nfd01::2/64\n"
		"fd01::1/128 scope 0 metric 1024 mtu 0\n"
		"172.16.28.1/32 src 172.16.28.2 scope 253 metric 0 mtu 0\n"
		"fd01::/64 via fd01::1 scope 0 metric 1024 mtu 0\n"
		"172.16.28.0/24 via 172.16.28.1 src 172.16.28.2 scope 0 metric 0 mtu 0\n"
		"0.0.0.0/0 via 172.16.28.1 scope 0 metric 0 mtu 0\n"
		"::/0 via fd01::1 scope 0 metric 1024 mtu 0\n");
}

static void as_bridge_makes_it(void **state)
{
	(void)state;
	room_do(ROOM_POD, "ip addr add 10.1.0.5/16 dev eth0; ip addr add fd02::5/64 dev eth0; ip route add default via 10.1.0.1;"
		"ip route add 192.168.7.0/24 via 10.1.0.9 metric 7 mtu 1400; ip route add 10.9.9.9 via 10.2.0.1 dev eth0 onlink;"
		"ip -6 route add default via fd02::1 mtu 1280; ip link set lo up; ip route add 10.8.0.0/24 dev lo;"
		"ip route add blackhole 10.7.0.0/24; ip route add 10.6.0.0/24 dev eth0 table 7");
	make_again("eth0 mtu 9000\n10.1.0.5/16\nfd02::5/64\n"
		"fd02::/64 scope 0 metric 256 mtu 0\n"
		"10.1.0.0/16 src 10.1.0.5 scope 253 metric 0 mtu 0\n"
		"10.9.9.9/32 via 10.2.0.1 scope 0 metric 0 mtu 0 onlink\n"
		"192.168.7.0/24 via 10.1.0.9 scope 0 metric 7 mtu 1400\n"
		"0.0.0.0/0 via 10.1.0.1 scope 0 metric 0 mtu 0\n"
		"::/0 via fd02::1 scope 0 metric 1024 mtu 1280\n");
}

/*
 * The second of two networks, each with a default route. For IPv4 the last one made counts; for IPv6 the kernel
 * makes one route with two hops of them. In the guest they come to the same.
 */
static void as_two_networks_make_it(void **state)
{
	struct guest_nic nics[2], again;
	struct err e = ERR_INIT;
	AUTO_FREE char *text = NULL, *made = NULL;
	static const char want[] = "eth1 mtu 1500\n10.2.0.5/16\nfd02::5/64\n"
		"fd02::/64 scope 0 metric 256 mtu 0\n"
		"10.2.0.0/16 src 10.2.0.5 scope 253 metric 0 mtu 0\n"
		"0.0.0.0/0 via 10.2.0.1 scope 0 metric 0 mtu 0\n"
		"::/0 via fd02::1 scope 0 metric 1024 mtu 0\n";

	(void)state;
	room_do(ROOM_HOST, "ip link add h1 type veth peer name eth1 address " MAC1 " netns $POD; ip link set h1 up");
	room_do(ROOM_POD, "ip link set eth1 up; ip addr add 10.1.0.5/16 dev eth0; ip addr add fd01::5/64 dev eth0;"
		"ip route add default via 10.1.0.1; ip -6 route add default via fd01::1");
	read_it(ROOM_POD, "eth0", &nics[0]);
	room_do(ROOM_POD, "ip addr add 10.2.0.5/16 dev eth1; ip addr add fd02::5/64 dev eth1;"
		"ip route prepend default via 10.2.0.1; ip -6 route append default via fd02::1");
	read_it(ROOM_POD, "eth1", &nics[1]);
	text = print(&nics[1]);
	assert_string_equal(text, want);
	room_do(ROOM_GUEST, "ip link add dev0 address " MAC0 " type veth peer name other0; ip link set other0 up;"
		"ip link add dev1 address " MAC1 " type veth peer name other1; ip link set other1 up");
	if (net_up(&(struct guest_plan){ .nics = nics, .nnics = 2 }, 0, &e) < 0)
		fail_msg("%s", e.msg);
	room_do(ROOM_GUEST, "ip route get 9.9.9.9 | grep -q 'via 10.2.0.1 dev eth1'");
	room_enter(ROOM_HOST);
	read_it(ROOM_GUEST, "eth1", &again);
	made = print(&again);
	assert_string_equal(made, want);
	for (int i = 0; i < 2; i++)
		guest_nic_dispose(&nics[i]);
	guest_nic_dispose(&again);
}

static void with_no_address(void **state)
{
	(void)state;
	make_again("eth0 mtu 9000\n");
}

/* The guest's kernel makes the one of the MAC by itself, as this one's would have. */
static void with_addresses_of_the_link(void **state)
{
	(void)state;
	room_do(ROOM_POD, "ip link set eth0 addrgenmode none; ip -6 addr flush dev eth0; ip addr add fe80::ff:fe00:a0/64 dev eth0;"
		"ip addr add fe80::5/64 dev eth0; ip -6 route add fd03::/64 via fe80::1 dev eth0");
	make_again("eth0 mtu 9000\nfe80::5/64\nfd03::/64 via fe80::1 scope 0 metric 1024 mtu 0\n");
}

static void what_cannot_be_taken_over(void **state)
{
	static const struct { const char *commands, *ifname, *msg; } rows[] = {
		{ "true", "eth7", "interface 'eth7': no such interface in the pod's network namespace" },
		{ "true", "lo", "interface 'lo': not an Ethernet interface: a virtual machine cannot have it" },
		{ "true", "a-name-of-16-byte", "interface 'a-name-of-16-byte': the name is too long" },
		{ "ip addr add 10.1.0.5/16 dev eth0; ip route add 10.2.0.0/16 nexthop via 10.1.0.1 nexthop via 10.1.0.2", "eth0",
			"interface 'eth0': a route with several next hops is not supported" },
		{ "ip route flush table main; ip route add 10.3.0.0/16 via inet6 fe80::1 dev eth0", "eth0",
			"interface 'eth0': a route whose next hop is of the other family is not supported" },
		{ "ip link set eth0 arp off", "eth0",
			"interface 'eth0': it has no ARP, as ipvlan of mode l3: a virtual machine needs it (ipvlan: mode l2)" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guest_nic nic;
		struct err e = ERR_INIT;

		room_do(ROOM_POD, rows[i].commands);
		assert_int_equal(takeover_read(room_fd[ROOM_POD], rows[i].ifname, &nic, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

static void stays_in_its_own_namespace(void **state)
{
	struct guest_nic nic;

	(void)state;
	room_enter(ROOM_HOST);
	read_it(ROOM_POD, "eth0", &nic);
	guest_nic_dispose(&nic);
	if (system("ip link show h0 >/dev/null") != 0)
		fail_msg("left in the pod's namespace");
}

/* By MAC: the kernel's names are crossed, and one of another is in the way of nobody. */
static void devices_are_known_by_mac(void **state)
{
	struct guest_nic nics[] = {
		{ .name = (char *)"eth0", .mac = { 2, [5] = 0xa0 }, .mtu = 1400 },
		{ .name = (char *)"eth1", .mac = { 2, [5] = 0xa1 }, .mtu = 1300 },
	};
	AUTO_FREE char *said = NULL;
	struct err e = ERR_INIT;

	(void)state;
	room_do(ROOM_GUEST, "ip link add eth1 address " MAC0 " type veth peer name x; ip link add eth0 address " MAC1
		" type veth peer name y");
	if (net_up(&(struct guest_plan){ .nics = nics, .nnics = 2 }, 0, &e) < 0)
		fail_msg("%s", e.msg);
	(void)room_ask(ROOM_GUEST, "ip -o link show up | sed -n 's/^[0-9]*: \\([^@:]*\\).* mtu \\([0-9]*\\).*/\\1 \\2/p' | sort;"
		"sysctl -n net.ipv6.conf.eth0.accept_ra net.ipv6.conf.eth1.accept_ra", &said);
	assert_string_equal(said, "eth0 1400\neth1 1300\nlo 65536\n0\n0\n");
}

static void what_the_guest_cannot_make(void **state)
{
	struct guest_ip addr = { 4, 24, { 10, 1, 0, 2 } };
	struct guest_route far = { .to = { 6, 64, { 0xfd, 1 } }, .via = { 6, 128, { 0xfd, 2, [15] = 1 } } };
	struct {
		struct guest_nic nic;
		const char *msg;
	} rows[] = {
		{ { .name = (char *)"eth0", .mac = { 2, 0, 0, 0, 0xa, 0xb }, .mtu = 1500 },
			"network 'eth0': no device with MAC 02:00:00:00:0a:0b appears" },
		{ { .name = (char *)"lo", .mac = { 2, [5] = 0xa0 }, .mtu = 1500 }, "name the network devices: File exists" },
		{ { .name = (char *)"eth0", .mac = { 2, [5] = 0xa0 }, .mtu = 70000 },
			"network 'eth0': set its MTU and switch it on: Invalid argument" },
		{ { .name = (char *)"eth0", .mac = { 2, [5] = 0xa0 }, .mtu = 1500, .routes = &far, .nroutes = 1 },
			"network 'eth0': add the route to fd01::/64: No route to host" },
		{ { .name = (char *)"eth0", .mac = { 2, [5] = 0xa0 }, .mtu = 1500, .addrs = (struct guest_ip[]){ addr, addr },
			.naddrs = 2 }, "network 'eth0': add address 10.1.0.2/24: File exists" },
	};

	(void)state;
	room_do(ROOM_GUEST, "ip link add dev0 address " MAC0 " type veth peer name x");
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(net_up(&(struct guest_plan){ .nics = &rows[i].nic, .nnics = 1 }, 20, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

static bool in_poll(pid_t pid)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/syscall", pid);
	char text[16] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;

	(void)close(fd);
	return n > 0 && atoi(text) == SYS_poll;
}

static void waits_for_a_device(void **state)
{
	struct guest_nic nic = { .name = (char *)"eth0", .mac = { 2, [5] = 0xa0 }, .mtu = 1500 };
	int status;
	pid_t pid;

	(void)state;
	room_enter(ROOM_GUEST);
	pid = fork();
	if (pid == 0) {
		struct err e = ERR_INIT;

		_exit(net_up(&(struct guest_plan){ .nics = &nic, .nnics = 1 }, 30000, &e) < 0);
	}
	while (!in_poll(pid))
		(void)sched_yield();
	room_do(ROOM_GUEST, "ip link add other type veth peer name x"); /* not for us */
	room_do(ROOM_GUEST, "ip link add late address " MAC0 " type veth peer name y");
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	room_do(ROOM_GUEST, "ip link show up eth0 | grep -q eth0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)
		T(as_ptp_makes_it),
		T(as_bridge_makes_it),
		T(as_two_networks_make_it),
		T(with_no_address),
		T(with_addresses_of_the_link),
		T(what_cannot_be_taken_over),
		T(stays_in_its_own_namespace),
		T(devices_are_known_by_mac),
		T(what_the_guest_cannot_make),
		T(waits_for_a_device),
	};

	if (!rooms_open()) {
		printf("ok 1 - interfaces taken over # SKIP namespaces: %s\n1..1\n", strerror(errno));
		return 0;
	}
	rooms_close();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
