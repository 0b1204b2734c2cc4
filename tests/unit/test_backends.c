/* PID 1 and xenstore, which is a thread here at the other end of a socket. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include "init/backends.h"
#include "stage1/common/util.h"

enum { SHORT_MS = 100, LONG_MS = 20000 };

static char eth0[] = "eth0", eth1[] = "eth1";
static struct guest_nic nics[2] = { { .name = eth0 }, { .name = eth1 } };
static const struct guest_plan plan = { .nics = nics, .nnics = 2 };

/* What there is; a value NULL is not there (yet). */
static struct {
	const char *mac[2];
	const char *state[2];
	bool connects;      /* once it is watched */
	uint32_t size;      /* of answers, when it is not theirs */
	char written[400];  /* the last WRITE, path=value; */
} store;
static int ends[2];
static pthread_t xenstored;

static void answer(uint32_t type, const char *body, size_t len)
{
	const struct xsd_sockmsg head = { .type = type, .len = store.size ? store.size : (uint32_t)len };

	if (write_all(ends[1], &head, sizeof(head)) == 0)
		(void)write_all(ends[1], body, len);
}

static void answer_read(const char *path)
{
	const char *value = NULL;
	char backend[40];
	unsigned n;

	if (sscanf(path, "device/vif/%u/mac", &n) == 1 && strstr(path, "/mac")) {
		value = store.mac[n];
	} else if (sscanf(path, "device/vif/%u/backend", &n) == 1 && strstr(path, "/backend")) {
		(void)snprintf(backend, sizeof(backend), "/backend/%u", n);
		value = backend;
	} else if (sscanf(path, "/backend/%u/state", &n) == 1) {
		value = store.state[n];
	}
	if (value)
		answer(XS_READ, value, strlen(value));
	else
		answer(XS_ERROR, "ENOENT", sizeof("ENOENT"));
}

static void take_watch(const char *path)
{
	char event[100];
	int len = snprintf(event, sizeof(event), "%s%cn", path, '\0') + 1;
	unsigned n = path[strlen("/backend/")] - '0';

	answer(XS_WATCH, "OK", sizeof("OK"));
	answer(XS_WATCH_EVENT, event, (size_t)len);
	if (!store.connects)
		return;
	store.state[n] = "4";
	answer(XS_WATCH_EVENT, event, (size_t)len);
}

static void *serve(void *arg)
{
	struct xsd_sockmsg head;
	char body[300];

	while (recv(ends[1], &head, sizeof(head), MSG_WAITALL) == (ssize_t)sizeof(head) && head.len < sizeof(body) &&
		recv(ends[1], body, head.len, MSG_WAITALL) == (ssize_t)head.len) {
		body[head.len] = '\0';
		if (head.type == XS_READ) {
			answer_read(body);
		} else if (head.type == XS_WATCH) {
			take_watch(body);
		} else if (head.type == XS_WRITE) {
			(void)snprintf(store.written, sizeof(store.written), "%s=%s;", body, body + strlen(body) + 1);
			answer(XS_WRITE, "OK", sizeof("OK"));
		}
	}
	return arg;
}

static int begin(void **state)
{
	(void)state;
	memset(&store, 0, sizeof(store));
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 || pthread_create(&xenstored, NULL, serve, NULL) != 0;
}

static int end(void **state)
{
	(void)state;
	(void)shutdown(ends[0], SHUT_RDWR);
	(void)pthread_join(xenstored, NULL);
	(void)close(ends[0]);
	(void)close(ends[1]);
	return 0;
}

static void reminds_of_those_that_are_there(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	store.mac[1] = "02:00:00:00:00:01";
	assert_int_equal(backends_remind(ends[0], &plan, &e), 0);
	assert_string_equal(store.written, "device/vif/1/mac=02:00:00:00:00:01;");
}

static void waits_until_both_are_joined(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	store.state[0] = "4";
	store.state[1] = "2";
	store.connects = true;
	assert_int_equal(backends_wait(ends[0], &plan, LONG_MS, &e), 0);
	assert_string_equal(store.state[1], "4");
}

static void names_the_one_that_is_not_joined(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	store.state[0] = "4";
	store.state[1] = "2";
	assert_int_equal(backends_wait(ends[0], &plan, SHORT_MS, &e), -1);
	assert_string_equal(e.msg, "network 'eth1': its backend has not joined it to anything");
}

static void a_message_too_large_is_an_error(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	store.mac[0] = "02:00:00:00:00:01";
	store.size = XENSTORE_PAYLOAD_MAX + 1;
	assert_int_equal(backends_remind(ends[0], &plan, &e), -1);
	assert_non_null(strstr(e.msg, "network 'eth0': remind the kernel of its device: "));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(reminds_of_those_that_are_there, begin, end),
		cmocka_unit_test_setup_teardown(waits_until_both_are_joined, begin, end),
		cmocka_unit_test_setup_teardown(names_the_one_that_is_not_joined, begin, end),
		cmocka_unit_test_setup_teardown(a_message_too_large_is_an_error, begin, end),
	};

	(void)signal(SIGPIPE, SIG_IGN); /* it may answer one who has gone */
	return cmocka_run_group_tests_name("backends", tests, NULL, NULL);
}
