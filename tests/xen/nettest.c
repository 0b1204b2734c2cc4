/*
 * A network's two ends, for cases and benchmark; static, as an app's program, in dom0, or as PID 1 of a
 * plain domain.
 *
 *   nettest serve PORT            prints "up" when it listens; answers clients, one after the other
 *   nettest talk PORT             says what is on stdin to 127.0.0.1, prints what comes back
 *   nettest activate PORT COMMAND...
 *                                 starts it with a socket that listens at the port of 127.0.0.1
 *   nettest hear PORT             prints one UDP datagram
 *   nettest client ADDRESS PORT MIB
 *                                 bytes there and back one by one, then MIB each way, checked; prints
 *                                 "rtt US", "up KIB/S", "down KIB/S"
 *   nettest frames IFNAME HEX...  sends frames as they are
 *   nettest watch IFNAME HEX      prints "watching", then each frame that comes in, to the one that is HEX
 *
 * As PID 1 it has eth0 with MAC 02:00:00:00:09:02 and 10.9.0.2/24, is a client of 10.9.0.1, or as many as
 * clients= on the kernel's command line says, side by side, and powers off.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init/net.h"
#include "stage1/common/util.h"

enum { ROUND_TRIPS = 500, CHUNK = 64 << 10, PORT = 5001, MIB = 32 };

static void die(const char *what) __attribute__((noreturn));

static void die(const char *what)
{
	fprintf(stderr, "nettest: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The same bytes at each end; no two blocks alike. */
static void fill(uint64_t *state, uint64_t buf[CHUNK / 8])
{
	uint64_t x = *state;

	for (size_t i = 0; i < CHUNK / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		buf[i] = x;
	}
	*state = x;
}

static void send_all(int fd, uint32_t mib)
{
	static uint64_t buf[CHUNK / 8];
	uint64_t state = 0x9e3779b97f4a7c15;

	for (uint32_t i = 0; i < mib << 4; i++) {
		fill(&state, buf);
		if (write_all(fd, buf, CHUNK) < 0)
			die("send");
	}
}

static void receive(int fd, void *buf, size_t len)
{
	ssize_t n = recv(fd, buf, len, MSG_WAITALL);

	if (n != (ssize_t)len)
		die(n < 0 ? "receive" : "receive: it ended early");
}

static void receive_all(int fd, uint32_t mib)
{
	static uint64_t buf[CHUNK / 8], want[CHUNK / 8];
	uint64_t state = 0x9e3779b97f4a7c15;

	for (uint32_t i = 0; i < mib << 4; i++) {
		receive(fd, buf, CHUNK);
		fill(&state, want);
		if (memcmp(buf, want, CHUNK) != 0) {
			errno = EBADMSG;
			die("what arrived is not what was sent");
		}
	}
}

static uint64_t now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* A client says how much; then round trips, its bytes, ours; a byte ends each part. */
static void serve_one(int fd)
{
	uint32_t mib;
	char byte;

	(void)option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	receive(fd, &mib, sizeof(mib));
	mib = ntohl(mib);
	for (int i = 0; i < ROUND_TRIPS; i++) {
		receive(fd, &byte, 1);
		if (write_all(fd, &byte, 1) < 0)
			die("answer");
	}
	receive_all(fd, mib);
	if (write_all(fd, "k", 1) < 0)
		die("answer");
	send_all(fd, mib);
	receive(fd, &byte, 1);
}

/* Prints a datagram, as a line. */
static int hear(const char *port)
{
	const struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);
	char text[100];
	ssize_t n;

	(void)option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 || (n = recv(fd, text, sizeof(text), 0)) < 0)
		die("hear");
	return printf("%.*s\n", (int)n, text) < 0;
}

static int serve(const char *port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	(void)option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	(void)option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 5) < 0)
		die("listen");
	(void)puts("up");
	(void)fflush(stdout);
	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			die("accept");
		if (fork() == 0) {
			serve_one(client);
			_exit(0);
		}
		(void)close(client);
	}
}

static int talk(const char *port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	static char buf[CHUNK];
	ssize_t n;

	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) < 0)
		die("connect");
	if (fork() == 0) {
		while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0)
			if (write_all(fd, buf, (size_t)n) < 0)
				die("send");
		_exit(shutdown(fd, SHUT_WR) < 0);
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write_all(STDOUT_FILENO, buf, (size_t)n) < 0)
			die("print");
	return n < 0;
}

/* As systemd does for a socket unit. */
static int activate(const char *port, char **command)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char pid[20];

	(void)option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 5) < 0 || (fd != 3 && dup2(fd, 3) < 0))
		die("listen");
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", pid, 1);
	(void)setenv("LISTEN_FDS", "1", 1);
	(void)execvp(*command, command);
	die(*command);
}

static int client(const char *address, const char *port, uint32_t mib)
{
	struct sockaddr_in at4 = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_port = at4.sin_port };
	bool is4 = inet_pton(AF_INET, address, &at4.sin_addr) == 1;
	uint32_t wire = htonl(mib);
	uint64_t start, us;
	char byte = 'x';
	int fd;

	if (!is4 && inet_pton(AF_INET6, address, &at6.sin6_addr) != 1)
		die(address);
	fd = socket(is4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);
	if (connect(fd, is4 ? (struct sockaddr *)&at4 : (struct sockaddr *)&at6, is4 ? sizeof(at4) : sizeof(at6)) < 0)
		die("connect");
	(void)option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (write_all(fd, &wire, sizeof(wire)) < 0)
		die("ask");
	start = now_us();
	for (int i = 0; i < ROUND_TRIPS; i++) {
		if (write_all(fd, &byte, 1) < 0)
			die("send");
		receive(fd, &byte, 1);
	}
	printf("rtt %llu\n", (unsigned long long)(now_us() - start) / ROUND_TRIPS);
	start = now_us();
	send_all(fd, mib);
	receive(fd, &byte, 1);
	us = now_us() - start;
	printf("up %llu\n", (unsigned long long)((uint64_t)mib * 1024 * 1000000 / us));
	start = now_us();
	receive_all(fd, mib);
	us = now_us() - start;
	printf("down %llu\n", (unsigned long long)((uint64_t)mib * 1024 * 1000000 / us));
	(void)write_all(fd, "k", 1);
	return 0;
}

static int frames(char **argv)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[0]) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);

	if (fd < 0 || at.sll_ifindex == 0)
		die(argv[0]);
	while (*++argv) {
		uint8_t frame[1514];
		size_t len = strlen(*argv) / 2;

		for (size_t i = 0; i < len && i < sizeof(frame); i++)
			(void)sscanf(*argv + 2 * i, "%2hhx", &frame[i]);
		if (sendto(fd, frame, len, 0, (struct sockaddr *)&at, sizeof(at)) != (ssize_t)len)
			die("send a frame");
	}
	return 0;
}

static int watch(const char *ifname, const char *last)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(ifname) };
	int fd = socket(AF_PACKET, SOCK_RAW, 0);
	char hex[2 * 128 + 1] = "";

	if (fd < 0 || at.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		die(ifname);
	printf("watching\n");
	do {
		struct sockaddr_ll from = { .sll_family = AF_PACKET };
		socklen_t from_len = sizeof(from);
		uint8_t frame[128];
		ssize_t n = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &from_len);

		if (n < 0)
			die("receive a frame");
		for (ssize_t i = 0; i < n; i++)
			(void)sprintf(hex + 2 * i, "%02x", frame[i]);
		hex[2 * n] = '\0';
		if (from.sll_pkttype != PACKET_OUTGOING)
			printf("%s\n", hex);
	} while (strcmp(hex, last) != 0);
	return 0;
}

/* With the product's own way to set the device up. */
static void be_init(void)
{
	struct guest_ip addr = { 4, 24, { 10, 9, 0, 2 } };
	struct guest_route route = { .to = { 4, 24, { 10, 9, 0, 0 } }, .scope = 253 };
	struct guest_nic nic = { .name = (char *)"eth0", .mac = { 2, 0, 0, 0, 9, 2 }, .mtu = 1500, .addrs = &addr, .naddrs = 1,
		.routes = &route, .nroutes = 1 };
	struct err e = ERR_INIT;
	const char *clients = getenv("clients");
	int n = clients ? atoi(clients) : 1;

	(void)mkdir("/proc", 0755);
	(void)mount("proc", "/proc", "proc", 0, NULL);
	if (net_up(&(struct guest_plan){ .nics = &nic, .nnics = 1 }, 40000, &e) < 0)
		fprintf(stderr, "nettest: %s\n", e.msg);
	else
		while (n-- > 0)
			if (fork() == 0)
				exit(client("10.9.0.1", "5001", MIB));
	while (wait(NULL) > 0)
		;
	printf("end\n");
	(void)fflush(stdout);
	for (;;) {
		(void)sleep(1); /* the console is drained */
		(void)reboot(RB_POWER_OFF);
	}
}

int main(int argc, char **argv)
{
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (getpid() == 1)
		be_init();
	if (argc == 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2]);
	if (argc == 3 && !strcmp(argv[1], "talk"))
		return talk(argv[2]);
	if (argc > 3 && !strcmp(argv[1], "activate"))
		return activate(argv[2], argv + 3);
	if (argc == 3 && !strcmp(argv[1], "hear"))
		return hear(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "client"))
		return client(argv[2], argv[3], (uint32_t)atoi(argv[4]));
	if (argc > 2 && !strcmp(argv[1], "frames"))
		return frames(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "watch"))
		return watch(argv[2], argv[3]);
	fprintf(stderr, "usage: nettest serve PORT | talk PORT | activate PORT COMMAND... | hear PORT | client ADDRESS PORT MIB | frames IFNAME HEX... | watch IFNAME HEX\n");
	return 2;
}
