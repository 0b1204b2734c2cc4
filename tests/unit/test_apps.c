/* Who asks for something to become of an app of a mutable pod: played against a guest that may be silent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "stage1/app_files.h"
#include "stage1/apps_internal.h"
#include "stage1/common/util.h"

static char dir[] = "/tmp/stage1-xen-apps.XXXXXX";
static struct session *s;
static struct output *output;
static struct control *callers;
static struct apps *apps;
static struct frame_writer guest;
static unsigned removed; /* how often files were */
static int64_t skew_s;
static bool closed;

/* In place of libc's: deadlines pass without waiting for them. */
int clock_gettime(clockid_t id, struct timespec *ts)
{
	long ret = syscall(SYS_clock_gettime, id, ts);

	ts->tv_sec += skew_s;
	return (int)ret;
}

/* Xen, as far as a machine grows. */
static uint64_t free_kib, has_kib, target_kib;

static int fake_facts(struct xen *xen, struct host_facts *facts_r, struct err *e)
{
	(void)xen;
	(void)e;
	*facts_r = (struct host_facts){ .free_kib = free_kib };
	return 0;
}

static int fake_set_memory(struct xen *xen, uint32_t domid, uint64_t kib, struct err *e)
{
	(void)xen;
	(void)domid;
	(void)e;
	target_kib = kib;
	return 0;
}

static int fake_usage(struct xen *xen, uint32_t domid, struct xen_usage *usage_r, struct err *e)
{
	(void)xen;
	(void)domid;
	(void)e;
	*usage_r = (struct xen_usage){ .memory_kib = has_kib };
	return 0;
}

static const struct xen_ops xen = { .facts = fake_facts, .set_memory = fake_set_memory, .usage = fake_usage };
static struct machine machine;

enum { LARGE_KIB = 256 << 10 };
static uint64_t needed_kib; /* what an app whose name begins with 'l' needs the machine to have */

/* In place of app_add.c's: a plan of any bytes, and no files. */
int apps_add(struct apps *a, const char *name, int ns, struct err *e)
{
	unsigned id;

	if (ns < 0)
		return err_set(e, ERR_USAGE, "nothing came along");
	if (*name == 'l' && machine.memory_kib < needed_kib)
		return machine_grow(&machine, needed_kib, e) < 0 ? -1 : 1;
	if (session_add(a->in->session, xcalloc(1, 3), 3, &id, e) < 0)
		return -1;
	a->slots[id] = (struct app_slot){ .name = xstrdup(name) };
	output_app(a->in->output, id, a->slots[id].name);
	return 0;
}

int app_files_remove(int backend, const char *s1root, char *const *entries, size_t n, struct err *e)
{
	(void)backend;
	(void)s1root;
	(void)entries;
	(void)n;
	(void)e;
	removed++;
	return 0;
}

static void keep_quiet(void *arg, const char *line)
{
	(void)arg;
	(void)line;
}

static struct apps_input input;
static struct plan_input plan = { .s1root = "/s1" };

static int setup(void **state)
{
	static const char *const dirs[] = { "stage1", "stage1/rootfs", "stage1/rootfs/rkt", "stage1/rootfs/rkt/status" };
	struct err e = ERR_INIT;

	(void)state;
	removed = 0;
	closed = false;
	skew_s = 0;
	if (!mkdtemp(dir) || chdir(dir) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return -1;
	s = xmalloc(sizeof(*s));
	output = xmalloc(sizeof(*output));
	memset(&guest, 0, sizeof(guest));
	session_init(s, NULL, 0, 0, keep_quiet, NULL);
	session_let_come_and_go(s);
	output_open(output, s, &(struct output_ends){ .out = STDOUT_FILENO, .err = STDERR_FILENO, .journal = "/none", .pod = "",
		.writer = "/none", .root = "" });
	if (control_open(&callers, &e) < 0)
		return -1;
	input = (struct apps_input){ .plan = &plan, .control = callers, .session = s, .output = output, .backend = -1,
		.machine = &machine };
	machine = (struct machine){ .xo = &xen, .memory_kib = 128 << 10, .memory_max_kib = LARGE_KIB };
	free_kib = 1 << 20;
	needed_kib = LARGE_KIB;
	has_kib = target_kib = 128 << 10;
	return apps_open(&apps, &input, &e);
}

static int teardown(void **state)
{
	AUTO_FREE char *clean = xasprintf("rm -r %s", dir);

	(void)state;
	apps_close(closed ? NULL : apps);
	output_close(output);
	output_dispose(output);
	control_close(callers, s);
	apps_free(apps);
	session_dispose(s);
	free(output);
	free(s);
	if (chdir("/") < 0 || system(clean) != 0) /* NOLINT(concurrency-mt-unsafe,cert-env33-c) */
		return -1;
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	return 0;
}

/* What the guest says now, and what the session then has to say: thrown away. */
static void exchange(void)
{
	size_t len, room;
	const uint8_t *data = frame_queued(&guest, &len);
	struct err e = ERR_INIT;

	memcpy(frame_space(&s->rd, &room), data, len);
	frame_added(&s->rd, len);
	frame_sent(&guest, len);
	if (session_receive(s, &e) < 0)
		fail_msg("%s", e.msg);
	do {
		session_produce(s);
		(void)frame_queued(&s->wr, &len);
		frame_sent(&s->wr, len);
	} while (len > 0);
}

static void guest_says(unsigned app, enum wire_app_state state, uint32_t value)
{
	assert_true(frame_put_app(&guest, app, state, value, state == WIRE_APP_FAILED ? "no such program" : ""));
	exchange();
	(void)apps_serve(apps);
	exchange();
}

static int ask(enum appctl_op op, const char *name, int fd)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = APPCTL_SOCKET };
	struct appctl_request rq = { .op = op };
	struct iovec iov = { .iov_base = &rq, .iov_len = sizeof(rq) };
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { .room = { 0 } };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	(void)snprintf(rq.app, sizeof(rq.app), "%s", name);
	assert_int_equal(connect(sock, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control.room);
		control.head = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	assert_int_equal(sendmsg(sock, &msg, 0), sizeof(rq));
	(void)apps_serve(apps);
	exchange();
	return sock;
}

static void unanswered(int sock)
{
	char byte;

	assert_int_equal(recv(sock, &byte, 1, MSG_PEEK), -1);
}

/* And nothing more. */
static void answered(int sock, const char *text)
{
	struct appctl_answer answer;

	assert_int_equal(recv(sock, &answer, sizeof(answer), 0), sizeof(answer));
	assert_string_equal(answer.text, text);
	assert_int_equal(answer.failed, *text != '\0');
	assert_int_equal(recv(sock, &answer, sizeof(answer), 0), 0);
	(void)close(sock);
}

static void numbered(int sock, uint32_t number)
{
	struct appctl_answer answer;

	assert_int_equal(recv(sock, &answer, sizeof(answer), 0), sizeof(answer));
	assert_true(!answer.failed && answer.number == number);
	(void)close(sock);
}

static void greet(void)
{
	assert_true(frame_put_hello(&guest));
	exchange();
}

static void add(const char *name)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	answered(ask(APPCTL_ADD, name, null), "");
	(void)close(null);
}

static void expect_status(const char *name, const char *want)
{
	AUTO_FREE char *path = xasprintf("stage1/rootfs/rkt/status/%s", name), *text = NULL;
	struct err e = ERR_INIT;
	size_t len;

	if (read_file_at(AT_FDCWD, path, 64, &text, &len, &e) < 0)
		assert_null(want);
	else
		assert_string_equal(text, want ? want : "(none)");
}

static void a_life(void **state)
{
	int one, two;

	(void)state;
	greet();
	answered(ask(APPCTL_ADD, "web", -1), "nothing came along");
	answered(ask(APPCTL_START, "web", -1), "the pod has no app 'web'");
	answered(ask(APPCTL_NUMBER, "web", -1), "the pod has no app 'web'");
	add("first");
	add("web");
	one = ask(APPCTL_START, "web", -1);
	two = ask(APPCTL_STOP, "web", -1); /* before it runs */
	unanswered(one);
	guest_says(1, WIRE_APP_STARTED, 5);
	answered(one, "");
	answered(ask(APPCTL_START, "web", -1), ""); /* it runs already */
	numbered(ask(APPCTL_NUMBER, "web", -1), 1);
	answered(ask(APPCTL_REMOVE, "web", -1), "app 'web': it is running: stop it first");
	unanswered(two);
	expect_status("web", NULL);
	guest_says(1, WIRE_APP_KILLED, 15);
	expect_status("web", "15\n");
	answered(two, "");
	answered(ask(APPCTL_STOP, "web", -1), "");
	assert_int_equal(unlink("stage1/rootfs/rkt/status/web"), 0); /* as stage0 does */
	one = ask(APPCTL_START, "web", -1);
	unanswered(one);
	expect_status("web", NULL);
	guest_says(1, WIRE_APP_GONE, 0);
	expect_status("web", NULL); /* the old end is nobody's any more */
	guest_says(1, WIRE_APP_FAILED, 203);
	answered(one, "no such program");
	expect_status("web", "203\n");
	one = ask(APPCTL_REMOVE, "web", -1);
	unanswered(one);
	assert_int_equal(removed, 0);
	guest_says(1, WIRE_APP_GONE, 0);
	answered(one, "");
	assert_int_equal(removed, 1);
	assert_int_equal(apps_find(apps, "web"), -1);
	add("web");
	assert_int_equal(apps_find(apps, "web"), 1);
}

/* What is stopped while its next start is still to come does not begin: who waits is told, and the old end stands. */
static void a_start_is_taken_back(void **state)
{
	int start;

	(void)state;
	greet();
	add("web");
	(void)close(ask(APPCTL_START, "web", -1));
	guest_says(0, WIRE_APP_STARTED, 5);
	assert_true(frame_put(&guest, WIRE_DATA, 0, WIRE_STDOUT, "unread", 6));
	guest_says(0, WIRE_APP_EXITED, 3);
	for (int gone = 0; gone < 2; gone++) { /* before the guest has forgotten it; then, while what it wrote is unread */
		assert_int_equal(unlink("stage1/rootfs/rkt/status/web"), 0); /* as stage0 does */
		start = ask(APPCTL_START, "web", -1);
		unanswered(start);
		answered(ask(APPCTL_STOP, "web", -1), "");
		(void)apps_serve(apps);
		answered(start, "it was stopped before it began");
		expect_status("web", "3\n");
		if (!gone)
			guest_says(0, WIRE_APP_GONE, 0);
	}
	start = ask(APPCTL_START, "web", -1);
	unanswered(start);
	session_wrote(&s->apps[0].out[WIRE_STDOUT], 6);
	exchange();
	guest_says(0, WIRE_APP_STARTED, 5);
	answered(start, "");
}

static void what_is_not_there_is_stopped_and_gone(void **state)
{
	(void)state;
	greet();
	answered(ask(APPCTL_STOP, "web", -1), "");
	answered(ask(APPCTL_REMOVE, "web", -1), "");
	assert_int_equal(removed, 0);
	add("web"); /* never begun: the guest does not know it */
	answered(ask(APPCTL_STOP, "web", -1), "");
	answered(ask(APPCTL_REMOVE, "web", -1), "");
	assert_int_equal(removed, 1);
}

static void a_guest_that_does_nothing(void **state)
{
	int start, stop, gone;

	(void)state;
	greet();
	add("web");
	add("db");
	start = ask(APPCTL_START, "web", -1);
	skew_s += 121;
	(void)apps_serve(apps);
	answered(start, "app 'web': the guest does not start it");
	stop = ask(APPCTL_STOP, "web", -1);
	skew_s += 131;
	(void)apps_serve(apps);
	answered(stop, "app 'web': the guest does not stop it");
	start = ask(APPCTL_START, "db", -1);
	guest_says(1, WIRE_APP_HANDLER, 6); /* its pre-start takes the time it takes */
	(void)apps_serve(apps);
	skew_s += 121;
	unanswered(start);
	(void)apps_serve(apps);
	unanswered(start);
	guest_says(1, WIRE_APP_STARTED, 7);
	guest_says(1, WIRE_APP_EXITED, 0);
	answered(start, "");
	gone = ask(APPCTL_REMOVE, "db", -1);
	unanswered(gone);
	skew_s += 31;
	(void)apps_serve(apps);
	answered(gone, ""); /* its files are taken away all the same */
	assert_int_equal(removed, 1);
	assert_int_equal(apps_find(apps, "db"), -1);
	add("db"); /* under another number */
	assert_int_equal(apps_find(apps, "db"), 2);
}

static void nonsense(void **state)
{
	int sock = ask(77, "web", -1), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = APPCTL_SOCKET };
	struct appctl_request rq;
	struct pollfd fds[APPS_POLL_MAX];
	int timeout = -1;
	char byte;

	(void)state;
	greet();
	answered(sock, "request 77 is not known");
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(sock, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	(void)apps_serve(apps);
	assert_int_equal(apps_prepare(apps, fds, &timeout), 2);
	assert_int_equal(timeout, -1);
	assert_int_equal(send(sock, "x", 1, 0), 1);
	(void)apps_serve(apps);
	assert_int_equal(recv(sock, &byte, 1, 0), 0);
	(void)close(sock);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(sock, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	memset(&rq, 'x', sizeof(rq)); /* a name without its end */
	assert_int_equal(send(sock, &rq, sizeof(rq), 0), sizeof(rq));
	(void)apps_serve(apps);
	assert_int_equal(recv(sock, &byte, 1, 0), 0);
	(void)close(sock);
	(void)close(null);
	assert_int_equal(apps_prepare(apps, fds, &timeout), 1);
}

static void the_machine_grows_first(void **state)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), large, other;
	struct pollfd fds[APPS_POLL_MAX];
	int timeout = -1;

	(void)state;
	greet();
	free_kib = 127 << 10;
	answered(ask(APPCTL_ADD, "large", null), "the pod needs 128 MiB more of memory, Xen has 127 MiB free");
	assert_int_equal(target_kib, 128 << 10);
	free_kib = 128 << 10;
	large = ask(APPCTL_ADD, "large", null);
	assert_int_equal(target_kib, LARGE_KIB);
	other = ask(APPCTL_ADD, "other", null); /* has its turn when it is known what there is */
	unanswered(large);
	unanswered(other);
	assert_int_equal(apps_prepare(apps, fds, &timeout), 3);
	assert_int_equal(timeout, MACHINE_LOOK_MS);
	assert_true(fds[1].fd < 0 && fds[2].fd < 0);
	skew_s += 21;
	(void)apps_serve(apps);
	answered(large, "app 'large': the guest does not take the memory that it is given: it has 128 of 256 MiB");
	assert_int_equal(target_kib, 128 << 10);
	assert_int_equal(apps_find(apps, "large"), -1);
	(void)apps_serve(apps);
	answered(other, "");
	large = ask(APPCTL_ADD, "large", null);
	has_kib = LARGE_KIB - 100; /* a guest's count of pages may differ a little */
	unanswered(large);
	(void)apps_serve(apps);
	answered(large, "");
	assert_int_equal(apps_find(apps, "large"), 1);
	assert_int_equal(machine.memory_kib, LARGE_KIB);
	answered(ask(APPCTL_ADD, "last", null), "");
	/* by the time it has grown the app needs more */
	needed_kib = LARGE_KIB + 1024;
	free_kib = 2 << 10;
	large = ask(APPCTL_ADD, "larger", null);
	unanswered(large);
	needed_kib += 1024;
	has_kib = LARGE_KIB + 1024;
	(void)apps_serve(apps);
	unanswered(large);
	assert_int_equal(target_kib, needed_kib);
	has_kib = needed_kib;
	(void)apps_serve(apps);
	answered(large, "");
	(void)close(null);
}

/* With one that waits for the machine. */
static void the_pod_ends_while_it_grows(void **state)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), large;
	char byte;

	(void)state;
	greet();
	large = ask(APPCTL_ADD, "large", null);
	unanswered(large);
	apps_close(apps);
	closed = true;
	assert_int_equal(recv(large, &byte, 1, 0), 0);
	(void)close(large);
	(void)close(null);
}

static void the_pod_ends(void **state)
{
	int stop, gone;
	struct appctl_answer answer;

	(void)state;
	greet();
	add("web");
	add("db");
	(void)close(ask(APPCTL_START, "web", -1));
	(void)close(ask(APPCTL_START, "db", -1));
	guest_says(0, WIRE_APP_STARTED, 5);
	guest_says(1, WIRE_APP_EXITED, 0);
	stop = ask(APPCTL_STOP, "web", -1);
	gone = ask(APPCTL_REMOVE, "db", -1);
	session_stop(s, 5);
	answered(ask(APPCTL_START, "db", -1), "the pod is ending");
	guest_says(0, WIRE_APP_KILLED, 9);
	answered(stop, "");
	expect_status("web", "0\n"); /* by the pod's end (contract 6.3) */
	apps_close(apps);
	closed = true;
	assert_int_equal(recv(gone, &answer, sizeof(answer), 0), 0);
	(void)close(gone);
	assert_int_equal(access(APPCTL_SOCKET, F_OK), -1);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_life),
		T(a_start_is_taken_back),
		T(what_is_not_there_is_stopped_and_gone),
		T(a_guest_that_does_nothing),
		T(nonsense),
		T(the_machine_grows_first),
		T(the_pod_ends_while_it_grows),
		T(the_pod_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
