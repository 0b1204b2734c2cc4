/* Sockets that a service manager has handed to us: taken, planned, and what comes to them relayed. */
#include "tests/unit/peers.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/exec_request.h"
#include "stage1/common/util.h"
#include "stage1/listen.h"
#include "stage1/relay.h"

#define TEXT(s) ((char *)(s))

static int listening(uint16_t *port_r)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	*port_r = ntohs(at.sin_port);
	return fd;
}

static int connected(uint16_t port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	return fd;
}

/* In a child, whose descriptors from 3 on are ours to choose. */
static void check_taking(void)
{
	struct listen_sockets got;
	uint16_t port;
	int fd = listening(&port), udp = socket(AF_INET, SOCK_DGRAM, 0), copy = fcntl(fd, F_DUPFD, 20), copy_udp = fcntl(udp, F_DUPFD, 20);
	char pid[20];

	if (dup2(copy, 3) < 0 || dup2(copy_udp, 4) < 0 || dup2(0, 5) < 0)
		_exit(1);
	(void)close(6);
	(void)snprintf(pid, sizeof(pid), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", "1", 1);
	(void)setenv("LISTEN_FDS", "3", 1);
	listen_take(&got); /* another's */
	if (got.n != 0 || got.nothers != 0 || getenv("LISTEN_PID") || getenv("LISTEN_FDS"))
		_exit(2);
	(void)setenv("LISTEN_PID", pid, 1);
	(void)setenv("LISTEN_FDS", "4", 1); /* one more than there are */
	listen_take(&got);
	if (got.n != 1 || got.v[0].fd != 3 || got.v[0].port != port || got.nothers != 2)
		_exit(3);
	if (!(fcntl(3, F_GETFD) & FD_CLOEXEC) || !(fcntl(5, F_GETFD) & FD_CLOEXEC) || getenv("LISTEN_FDS"))
		_exit(4);
	_exit(0);
}

static void takes_what_is_ours(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		check_taking();
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void gives_each_app_its_sockets(void **state)
{
	struct pod_port web[] = { { .name = TEXT("http"), .port = 80, .activated = true }, { .name = TEXT("plain"), .port = 81 },
		{ .name = TEXT("own"), .port = 82, .activated = true } };
	struct pod_port db[] = { { .name = TEXT("sql"), .port = 5432, .activated = true } };
	struct pod_app apps[] = { { .name = TEXT("web"), .ports = web, .nports = 3 }, { .name = TEXT("db"), .ports = db, .nports = 1 } };
	struct pod_host_port *host = xcalloc(3, sizeof(*host));
	struct pod pod = { .apps = apps, .napps = 2, .ports = host, .nports = 3 };
	const struct listen_sockets sockets = { .v = { { 7, 5432 }, { 8, 8080 }, { 9, 9999 } }, .n = 3, .nothers = 1 };
	struct plan_warnings w = { .n = 0 };
	struct listen_plans plans;
	struct err e = ERR_INIT;

	(void)state;
	host[0] = (struct pod_host_port){ .name = xstrdup("plain"), .port = 8080 };
	host[1] = (struct pod_host_port){ .name = xstrdup("http"), .port = 8080 };
	host[2] = (struct pod_host_port){ .name = xstrdup("own"), .port = 8082 };
	assert_int_equal(plan_listen(&pod, &sockets, &plans, &w, &e), 0);
	assert_int_equal(plans.n, 3);
	assert_true(plans.v[0].app == 0 && plans.v[0].port == 8080 && plans.v[0].fd == 8);
	assert_true(plans.v[1].app == 0 && plans.v[1].port == 8082 && plans.v[1].fd == -1);
	assert_true(plans.v[2].app == 1 && plans.v[2].port == 5432 && plans.v[2].fd == 7);
	assert_int_equal(w.n, 3);
	assert_string_equal(w.line[0], "app 'web', port 'own': no socket of ours (LISTEN_FDS) is at port 8082: it is not reached from the host by one");
	assert_string_equal(w.line[1], "LISTEN_FDS: no app has a socket-activated port for the socket at port 9999");
	assert_string_equal(w.line[2], "LISTEN_FDS: 1 descriptors are no TCP sockets that listen: they are ignored");
	plan_warnings_dispose(&w);
	plan_listen_claim(&pod, &plans); /* only what is relayed: one of its name, and its socket is here */
	assert_int_equal(pod.nports, 2);
	assert_string_equal(pod.ports[0].name, "plain");
	assert_string_equal(pod.ports[1].name, "own");
	free(host[0].name);
	free(host[1].name);
	free(host);

	pod.nports = 0;
	db[0].protocol = POD_UDP;
	assert_int_equal(plan_listen(&pod, &sockets, &plans, NULL, &e), -1);
	assert_string_equal(e.msg, "app 'db', port 'sql': only TCP can be socket-activated");
	e = (struct err)ERR_INIT;
	db[0] = (struct pod_port){ .name = TEXT("sql"), .port = 80, .activated = true };
	assert_int_equal(plan_listen(&pod, &sockets, &plans, NULL, &e), -1);
	assert_string_equal(e.msg, "app 'db', port 'sql': port 80 is another socket's already");
}

static struct listen_plans relayed;
static struct relay *relay;

static void relay_turn(void)
{
	do
		turn();
	while (relay_serve(relay, s));
}

/* A connection, as far as the guest has accepted it; its number. */
static unsigned arrives(int *fd_r)
{
	struct exec_request req;
	uint8_t copy[200];
	struct err e = ERR_INIT;
	struct frame f;
	unsigned id;

	*fd_r = connected(relayed.v[0].port);
	relay_turn();
	assert_true(guest_hears(WIRE_EXEC, &f));
	id = f.app;
	assert_in_range(f.len, 1, sizeof(copy));
	memcpy(copy, f.data, f.len);
	assert_int_equal(exec_request_decode(copy, f.len, &req, &e), 0);
	assert_int_equal(req.app, 0);
	assert_int_equal(req.port, relayed.v[0].port);
	exec_request_dispose(&req);
	assert_true(guest_hears(WIRE_START, &f));
	(void)frame_put_app(&guest, id, WIRE_APP_STARTED, 7, "");
	guest_said();
	return id;
}

static void relays_each_connection(void **state)
{
	char buf[10];
	struct frame f;
	unsigned id;
	int fd, waiting;

	(void)state;
	relayed = (struct listen_plans){ .n = 1 };
	relayed.v[0].fd = listening(&relayed.v[0].port);
	assert_int_equal(fcntl(relayed.v[0].fd, F_SETFL, O_NONBLOCK), 0);
	relay = relay_open(&relayed);
	waiting = connected(relayed.v[0].port);
	relay_turn();
	assert_false(guest_hears(WIRE_EXEC, &f)); /* before the app runs nobody is let in */
	(void)close(waiting);
	start_pod();
	relay_turn(); /* that one has gone, but it is accepted first */
	assert_true(guest_hears(WIRE_START, &f));
	assert_true(guest_hears(WIRE_EOF, &f));
	(void)frame_put(&guest, WIRE_EOF, f.app, WIRE_STDOUT, NULL, 0);
	(void)frame_put_app(&guest, f.app, WIRE_APP_EXITED, 0, "");
	guest_said();
	relay_turn();

	id = arrives(&fd);
	assert_int_equal(write(fd, "question", 8), 8);
	relay_turn();
	assert_true(guest_hears(WIRE_DATA, &f));
	assert_int_equal(f.app, id);
	assert_memory_equal(f.data, "question", 8);
	(void)frame_put(&guest, WIRE_DATA, id, WIRE_STDOUT, "answer", 6);
	guest_said();
	relay_turn();
	assert_int_equal(read(fd, buf, sizeof(buf)), 6);
	assert_int_equal(shutdown(fd, SHUT_WR), 0); /* it has asked all it wants to */
	relay_turn();
	assert_true(guest_hears(WIRE_EOF, &f));
	assert_int_equal(f.stream, WIRE_STDIN);
	(void)frame_put(&guest, WIRE_DATA, id, WIRE_STDOUT, "more", 4);
	(void)frame_put(&guest, WIRE_EOF, id, WIRE_STDOUT, NULL, 0);
	(void)frame_put_app(&guest, id, WIRE_APP_EXITED, 0, "");
	guest_said();
	relay_turn();
	assert_int_equal(read(fd, buf, sizeof(buf)), 4);
	assert_int_equal(read(fd, buf, sizeof(buf)), 0);
	(void)close(fd);

	id = arrives(&fd); /* one that is reset takes its guest's end along */
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){ .l_onoff = 1 }, sizeof(struct linger)), 0);
	(void)close(fd);
	relay_turn();
	assert_true(guest_hears(WIRE_KILL, &f));
	assert_int_equal(f.app, id);
	(void)frame_put_app(&guest, id, WIRE_APP_EXITED, 0, "");
	guest_said();

	session_stop(s, 1000); /* nobody more is let in: they are for who comes after us */
	fd = connected(relayed.v[0].port);
	relay_turn();
	assert_false(guest_hears(WIRE_START, &f));
	assert_int_equal(read(fd, buf, 1), -1); /* not hung up either */
	assert_int_equal(errno, EAGAIN);
	(void)close(fd);
	relay_close(relay, s);
	(void)close(relayed.v[0].fd);
}

static void leaves_room_for_those_who_enter(void **state)
{
	struct pollfd fds[RELAY_POLL_MAX];
	int conns[RELAY_MAX + 1];
	struct frame f;

	(void)state;
	relayed = (struct listen_plans){ .n = 1 };
	relayed.v[0].fd = listening(&relayed.v[0].port);
	assert_int_equal(fcntl(relayed.v[0].fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(listen(relayed.v[0].fd, 100), 0);
	relay = relay_open(&relayed);
	start_pod();
	for (int i = 0; i <= RELAY_MAX; i++) {
		conns[i] = connected(relayed.v[0].port);
		relay_turn();
		while (guest_hears(WIRE_START, &f))
			;
	}
	assert_int_equal(session_exec_room(s), WIRE_EXEC_COUNT - RELAY_MAX);
	assert_int_equal(relay_prepare(relay, s, fds), 1 + RELAY_MAX);
	assert_int_equal(fds[0].fd, -1);
	for (int i = 0; i <= RELAY_MAX; i++)
		(void)close(conns[i]);
	relay_close(relay, s);
	(void)close(relayed.v[0].fd);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, peers_setup, peers_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_is_ours),
		cmocka_unit_test(gives_each_app_its_sockets),
		TEST(relays_each_connection),
		TEST(leaves_room_for_those_who_enter),
	};

	return cmocka_run_group_tests(tests, enter_dir, leave_dir);
}
