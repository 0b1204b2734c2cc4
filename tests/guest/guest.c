/* The guest's PID 1 with real processes: apps, their ends, what they leave, and dom0 going away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "tests/guest/dom0.h"

#define SH(script) { "/bin/sh", "-c", script }

static struct dom0 *d;

static int setup(void **state)
{
	(void)state;
	vm_speed = 1;
	vm_no_export = vm_narrow = false;
	d = xcalloc(1, sizeof(*d));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dom0_dispose(d);
	free(d);
	return 0;
}

static void renew(void)
{
	(void)teardown(NULL);
	(void)setup(NULL);
}

static const char *out(unsigned app, unsigned stream)
{
	return d->apps[app].out[stream] ? d->apps[app].out[stream] : "";
}

static void expect(unsigned app, enum wire_app_state how, uint32_t value, const char *text)
{
	const struct dom0_app *a = &d->apps[app];

	if (!a->over || a->how != how || a->value != value || strcmp(a->text, text) != 0)
		fail_msg("app %u: over %d, state %d, value %u, '%s'; expected %d, %u, '%s'; stderr: %s", app,
			a->over, a->how, a->value, a->text, how, value, text, out(app, WIRE_STDERR));
}

static void one_app(void **state)
{
	static const struct {
		struct app_spec app;
		enum wire_app_state how;
		uint32_t value;
		const char *text, *out, *err;
	} rows[] = {
		{ { .exec = SH("echo out; echo err >&2; exit 7") }, WIRE_APP_EXITED, 7, "", "out\n", "err\n" },
		{ { .exec = SH("echo a; exit 0") }, WIRE_APP_EXITED, 0, "", "a\n", "" },
		{ { .exec = SH("kill -9 $$") }, WIRE_APP_KILLED, 9, "", "", "" },
		{ { .exec = SH("echo b; kill -TERM $$; exec sleep 100") }, WIRE_APP_KILLED, 15, "", "b\n", "" },
		{ { .exec = SH("exit 255") }, WIRE_APP_EXITED, 255, "", "", "" },
		{ { .exec = { "/none" } }, WIRE_APP_FAILED, 203,
			"Error: Unable to open \"/none\": No such file or directory", "", "" },
		{ { .exec = { "/etc/passwd" } }, WIRE_APP_FAILED, 203,
			"Error: Unable to open \"/etc/passwd\": Permission denied", "", "" },
		/* it is there, and what it needs is not */
		{ { .exec = { "dynamic" } }, WIRE_APP_FAILED, 203,
			"Error: Unable to open \"/lib64/ld-linux-x86-64.so.2\": No such file or directory", "", "" },
		{ { .exec = { "script" } }, WIRE_APP_FAILED, 203,
			"Error: Unable to open \"/none/sh\": No such file or directory", "", "" },
		{ { .exec = { "none" } }, WIRE_APP_FAILED, 254, "exec 'none': not found in /:/bin:/usr/bin", "", "" },
		{ { .exec = { "echo", "found" } }, WIRE_APP_EXITED, 0, "", "found\n", "" },
		{ { .exec = { "./cat", "../etc/group" }, .cwd = "/bin" }, WIRE_APP_EXITED, 0, "",
			"root:x:0:\nweb:x:44:\n", "" },
		{ { .exec = { "true" }, .user = "ghost" }, WIRE_APP_FAILED, 254, "\"ghost\" user not found", "", "" },
		{ { .exec = { "true" }, .group = "ghost" }, WIRE_APP_FAILED, 254, "\"ghost\" group not found", "", "" },
		{ { .exec = SH("id -u; id -g"), .user = "www", .group = "web" }, WIRE_APP_EXITED, 0, "", "33\n44\n",
			"" },
		{ { .exec = SH("id -u; id -g"), .user = "www", .group = "www", .docker_group = true }, WIRE_APP_EXITED, 0,
			"", "33\n33\n", "" },
		{ { .exec = SH("id -u; id -g"), .user = "www", .group = "web", .docker_group = true }, WIRE_APP_EXITED, 0,
			"", "33\n44\n", "" },
		{ { .exec = { "true" }, .user = "www", .group = "www" }, WIRE_APP_FAILED, 254, "\"www\" group not found",
			"", "" },
		{ { .exec = { "true" }, .cwd = "/none" }, WIRE_APP_FAILED, 200,
			"working directory '/none': No such file or directory", "", "" },
		{ { .exec = { "pwd" }, .cwd = "/tmp" }, WIRE_APP_EXITED, 0, "", "/tmp\n", "" },
		{ { .exec = SH("cat; echo $?") }, WIRE_APP_EXITED, 0, "", "0\n", "" }, /* stdin is /dev/null */
		{ { .exec = SH("echo *") }, WIRE_APP_EXITED, 0, "", "bin dev etc proc run sys tmp\n", "" },
		/* PID 1's root is not the app's to see */
		{ { .exec = SH("ls /proc/1/root/host 2>/dev/null || echo no") }, WIRE_APP_EXITED, 0, "", "no\n", "" },
		{ { .exec = { "escape" } }, WIRE_APP_EXITED, 0, "", "", "" },
		{ { .exec = SH("test -c /dev/full && ! echo x 2>/dev/null >/dev/full") }, WIRE_APP_EXITED, 0, "", "",
			"" },
		{ { .exec = SH("grep CapBnd /proc/self/status") }, WIRE_APP_EXITED, 0, "", /* contract 4.4.1 */
			"CapBnd:\t00000000a80425fb\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct app_spec app = rows[i].app;

		app.name = "app";
		dom0_start(d, &app, 1, false);
		dom0_to_end(d);
		expect(0, rows[i].how, rows[i].value, rows[i].text);
		assert_string_equal(out(0, WIRE_STDOUT), rows[i].out);
		assert_string_equal(out(0, WIRE_STDERR), rows[i].err);
		assert_string_equal(d->log, "");
		if (rows[i].how != WIRE_APP_FAILED)
			assert_true(d->apps[0].eof[WIRE_STDOUT] && d->apps[0].eof[WIRE_STDERR]);
		renew();
	}
}

static void lose_the_nics(void)
{
	dom0_nics = NULL;
	dom0_nnics = 0;
}

/* The loopback device is there; the plan's devices appear or the apps do not start. */
static void networks(void **state)
{
	static const struct app_spec app = { .name = "app",
		.exec = SH("cd /sys/class/net; echo *; for i in *; do cat $i/mtu $i/flags; done") };
	static struct guest_nic nic = { .name = (char *)"eth0", .mac = { 2, 0, 0, 0, 0, 7 }, .mtu = 1400 };

	(void)state;
	dom0_start(d, &app, 1, false);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");
	assert_string_equal(out(0, WIRE_STDOUT), "lo\n65536\n0x9\n");
	renew();
	dom0_nics = &nic;
	dom0_nnics = 1;
	vm_nic = nic.mac;
	dom0_start(d, &app, 1, false);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");
	assert_string_equal(out(0, WIRE_STDOUT), "eth0 lo veth0\n1400\n0x1003\n65536\n0x9\n1500\n0x1002\n");
	renew();
	vm_nic = NULL;
	dom0_start(d, &app, 1, false);
	dom0_until(d, dom0_ended);
	dom0_to_end(d);
	expect(0, WIRE_APP_FAILED, 254, "network 'eth0': no device with MAC 02:00:00:00:00:07 appears");
	lose_the_nics();
}

static void the_export_cannot_be_mounted(void **state)
{
	(void)state;
	vm_no_export = true;
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = { "true" } }, 1, false);
	dom0_until(d, dom0_ended);
	dom0_say(d, WIRE_BYE, 0, 0, NULL, 0);
	dom0_expect_clean_end(d);
	expect(0, WIRE_APP_FAILED, 254, "no 9p export");
	assert_string_equal(d->log, "no 9p export\n");
}

static void fill(char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (char)('!' + (i * 7 + i / 251) % 90);
}

static bool stdin_room(const struct dom0 *dom0)
{
	return dom0->apps[0].stdin_credit > 0 || dom0->apps[0].over;
}

/* All that somebody is to read, as its windows allow. */
static void feed(unsigned id, struct dom0_app *to, bool (*room)(const struct dom0 *), const char *data, size_t len)
{
	for (size_t at = 0, n; at < len; at += n) {
		dom0_until(d, room);
		n = len - at < to->stdin_credit ? len - at : to->stdin_credit;
		n = n < WIRE_PAYLOAD_MAX / 2 ? n : WIRE_PAYLOAD_MAX / 2;
		to->stdin_credit -= n;
		dom0_say(d, WIRE_DATA, id, WIRE_STDIN, data + at, n);
		dom0_until_quiet(d, 0);
	}
	dom0_say(d, WIRE_EOF, id, WIRE_STDIN, NULL, 0);
}

static void stdin_arrives_and_ends(void **state)
{
	enum { LEN = 300000 };
	AUTO_FREE char *data = xmalloc(LEN);

	(void)state;
	fill(data, LEN);
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = SH("cat; exit 3") }, 1, true);
	feed(0, &d->apps[0], stdin_room, data, LEN);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 3, "");
	assert_int_equal(d->apps[0].len[WIRE_STDOUT], LEN);
	assert_memory_equal(out(0, WIRE_STDOUT), data, LEN);
}

static bool stdin_refused(const struct dom0 *dom0)
{
	return dom0->apps[0].eof[WIRE_STDIN];
}

static void stdin_nobody_reads(void **state)
{
	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = SH("exec <&-; while :; do usleep 20000; done") }, 1,
		true);
	dom0_until(d, dom0_all_started);
	while (!stdin_refused(d)) {
		assert_true(d->apps[0].stdin_credit > 0);
		d->apps[0].stdin_credit--;
		dom0_say(d, WIRE_DATA, 0, WIRE_STDIN, "x", 1);
		dom0_until_quiet(d, 20);
	}
	dom0_stop(d, 10000);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 15, "");
}

static bool app_0_ready(const struct dom0 *dom0)
{
	return dom0->apps[0].ready;
}

static bool both_said_up(const struct dom0 *dom0)
{
	return dom0->apps[0].len[WIRE_STDOUT] && dom0->apps[1].len[WIRE_STDOUT];
}

/* The main process alone, and READY=1 alone; what comes along with a message is nobody's. Who has no socket sees none. */
static void an_app_says_that_it_is_ready(void **state)
{
	static const char script[] =
		"notify READY=1 && echo up && read x && exec notify READY=10 XREADY=1 FDSTORE=1 \"$(echo STATUS=x; "
		"echo READY=1; echo A=b)\" READY=1 -- /bin/sh -c 'read x; exit 3'";
	const struct app_spec apps[] = {
		{ .name = "app", .exec = SH(script), .user = "www", .says_ready = true, .streams = "stream",
			.read_only_root = true },
		{ .name = "two", .exec = SH("test -e /run/systemd/notify || echo up $NOTIFY_SOCKET; while :; do usleep 50000; done") },
	};

	(void)state;
	dom0_start(d, apps, 2, false);
	dom0_until(d, both_said_up);
	dom0_until_quiet(d, 200);
	assert_true(dom0_all_started(d));
	assert_false(d->apps[0].ready); /* a child's word */
	dom0_say(d, WIRE_DATA, 0, WIRE_STDIN, "x\n", 2);
	dom0_until(d, app_0_ready);
	dom0_until_quiet(d, 200); /* the second word is not passed on */
	dom0_say(d, WIRE_DATA, 0, WIRE_STDIN, "x\n", 2);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 3, "");
	assert_false(d->apps[1].ready);
	assert_string_equal(out(1, WIRE_STDOUT), "up\n");
}

/* Who never stops to talk stalls himself; who was never heard of has his word told before his end. */
static void ready_in_haste(void **state)
{
	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app", .says_ready = true,
		.exec = SH("while :; do notify X=1 2>&-; done & exec notify READY=1 -- /bin/true") }, 1, false);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");
	assert_true(d->apps[0].ready);
}

/* All processes of a pod are in sight: of another user's nothing but that. Nor does PID 1's root lie open to root. */
static void another_apps_files(void **state)
{
	static const char spy[] = "until test -e /dev/shm/up; do usleep 10000; done; "
		"cat /proc/[0-9]*/root/only-mine /proc/[0-9]*/cwd/only-mine 2>/dev/null; ls /proc/1/root/pod 2>/dev/null; "
		"ls -d /proc/[0-9]* | wc -l >/dev/shm/n; test $(cat /dev/shm/n) -ge 3 && echo nothing; exit 0";
	const struct app_spec apps[] = {
		{ .name = "app", .exec = SH("rm -f /dev/shm/up; echo secret >/only-mine; : >/dev/shm/up; "
			"until test -e /dev/shm/n; do usleep 10000; done; usleep 300000") },
		{ .name = "two", .exec = SH(spy), .user = "www" },
	};

	(void)state;
	dom0_start(d, apps, 2, false);
	dom0_to_end(d);
	expect(1, WIRE_APP_EXITED, 0, "");
	assert_string_equal(out(1, WIRE_STDOUT), "nothing\n");
}

/* 30 processes lose their parent and end; then the app looks for zombies, for a while. */
static void orphans_are_reaped(void **state)
{
	static const char script[] = "for i in $(seq 30); do (true &); done\n"
		"for i in $(seq 200); do grep -l '^State:.Z' /proc/[0-9]*/status >/tmp/z 2>/dev/null\n"
		"test -s /tmp/z || { echo none left; exit 0; }; usleep 50000; done; exit 1";

	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = SH(script) }, 1, false);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");
	assert_string_equal(out(0, WIRE_STDOUT), "none left\n");
}

static bool said_ready(const struct dom0 *dom0)
{
	for (size_t i = 0; i < dom0->napps; i++)
		if (!dom0->apps[i].out[WIRE_STDOUT] || !strstr(dom0->apps[i].out[WIRE_STDOUT], "ready"))
			return false;
	return true;
}

#define STUBBORN "trap '' TERM HUP INT; echo ready; while :; do usleep 50000; done"

static void stop_is_term_and_then_kill(void **state)
{
	struct timespec before, after;
	long ms;

	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app",
		.exec = SH("trap 'echo bye; exit 5' TERM; echo ready; while :; do usleep 20000; done") }, 1, false);
	dom0_until(d, said_ready);
	dom0_stop(d, 60000);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 5, "");
	assert_string_equal(out(0, WIRE_STDOUT), "ready\nbye\n");

	renew();
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = SH(STUBBORN) }, 1, false);
	dom0_until(d, said_ready);
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	dom0_stop(d, 700);
	dom0_to_end(d);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	expect(0, WIRE_APP_KILLED, 9, "");
	assert_in_range(ms, 650, 10000);

	renew(); /* a stopped process hears it too; a second STOP shortens the grace */
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = SH("echo ready; kill -STOP $$") }, 1, false);
	dom0_until(d, said_ready);
	dom0_stop(d, 60000);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 15, "");

	renew();
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = SH(STUBBORN) }, 1, false);
	dom0_until(d, said_ready);
	dom0_stop(d, 60000);
	dom0_stop(d, 100);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 9, "");
}

/* An app that has ended leaves a process that wants no end: it gets 90 s, which pass quickly here. */
static void daemons_end_with_the_pod(void **state)
{
	(void)state;
	vm_speed = 200;
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = SH("rm -f /dev/shm/up; setsid sh -c "
		"\"trap '' TERM; echo ready; : >/dev/shm/up; while :; do usleep 50000; done\" & "
		"while ! test -e /dev/shm/up; do usleep 10000; done; exit 0") }, 1, false);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");
	assert_string_equal(out(0, WIRE_STDOUT), "ready\n");
}

static void many_children(void **state)
{
	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app",
		.exec = SH("for i in $(seq 200); do sleep 1000 & done; echo ready; exit 4") }, 1, false);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 4, "");
}

static const struct app_spec chatty = { .name = "app",
	.exec = SH("setsid sh -c \"trap '' TERM; while :; do usleep 50000; done\" & trap '' TERM; echo ready; cat;"
		" echo more >&2; while :; do usleep 50000; done") };

/* The channel closes after frame k, for each k: every process ends, also those that will not. */
static void dom0_vanishes(void **state)
{
	int k;

	(void)state;
	for (k = 1; k < 100; k++) {
		vm_speed = 100; /* of the 10 s that apps have then */
		d->hang_up_after = k;
		dom0_start(d, &chatty, 1, true);
		if (!d->gone) {
			dom0_until(d, said_ready);
			dom0_say(d, WIRE_DATA, 0, WIRE_STDIN, "hello", 5);
			dom0_say(d, WIRE_EOF, 0, WIRE_STDIN, NULL, 0);
			dom0_until(d, stdin_room);
		}
		if (!d->gone)
			dom0_stop(d, 1000);
		while (!d->gone && !d->ended)
			dom0_until_quiet(d, 100);
		if (!d->gone)
			break;
		dom0_expect_clean_end(d);
		renew();
	}
	dom0_to_end(d);
	assert_in_range(k, 10, 99);
}

static void dom0_talks_nonsense(void **state)
{
	(void)state;
	vm_speed = 100;
	dom0_start(d, &chatty, 1, true);
	dom0_until(d, said_ready);
	assert_int_equal(write(d->vm.fd, "\377\377\377\377\377\377\377\377", 8), 8);
	dom0_expect_clean_end(d);
}

static bool first_is_over(const struct dom0 *dom0)
{
	return dom0->apps[0].over;
}

static bool window_is_full(const struct dom0 *dom0)
{
	return dom0->apps[0].len[WIRE_STDOUT] >= WIRE_WINDOW;
}

static void output_waits_for_credit(void **state)
{
	enum { LEN = 1000000 };

	(void)state;
	d->stingy = true;
	dom0_start(d, &(struct app_spec){ .name = "app",
		.exec = SH("yes | head -c 1000000; echo done >&2") }, 1, false);
	dom0_until(d, window_is_full);
	dom0_until_quiet(d, 500);
	assert_int_equal(d->apps[0].len[WIRE_STDOUT], WIRE_WINDOW);
	assert_string_equal(out(0, WIRE_STDERR), "");
	d->stingy = false;
	dom0_say(d, WIRE_CREDIT, 0, WIRE_STDOUT, "\0\0\1\0", 4); /* 64 KiB */
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");
	assert_int_equal(d->apps[0].len[WIRE_STDOUT], LEN);
	for (size_t i = 0; i < LEN; i++)
		if (out(0, WIRE_STDOUT)[i] != "y\n"[i % 2])
			fail_msg("byte %zu is wrong", i);
	assert_string_equal(out(0, WIRE_STDERR), "done\n");
}

/* The app is over, and somebody reads on later: no deadline passes again and again meanwhile, and none takes it. */
static void output_outlives_its_app(void **state)
{
	enum { LEN = 100000 }; /* the window, and what fits into a pipe */
	const struct app_spec app = { .name = "app", .exec = SH("head -c 100000 /bin/busybox") };

	(void)state;
	vm_speed = 200;
	d->stingy = true;
	dom0_start(d, &app, 1, false);
	dom0_until(d, first_is_over);
	dom0_until_quiet(d, 700); /* 140 s there: both deadlines of the stop are past */
	assert_int_equal(d->apps[0].len[WIRE_STDOUT], WIRE_WINDOW);
	assert_in_range(vm_report->turns, 1, 1000);
	d->stingy = false;
	dom0_say(d, WIRE_CREDIT, 0, WIRE_STDOUT, "\0\0\1\0", 4); /* 64 KiB */
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");
	assert_int_equal(d->apps[0].len[WIRE_STDOUT], LEN);
}

/* Dom0 wants no more of a stream: the app is told by SIGPIPE. */
static void output_nobody_reads(void **state)
{
	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = { "yes", "ready" } }, 1, false);
	dom0_until(d, said_ready);
	dom0_say(d, WIRE_EOF, 0, WIRE_STDOUT, NULL, 0);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 13, "");
}

static void apps_end_together(void **state)
{
	(void)state;
	dom0_start(d, (struct app_spec[]){ { .name = "app", .exec = SH("echo ready; exit 0") },
		{ .name = "two", .exec = SH("echo ready; usleep 300000; echo late") },
		{ .name = "three", .exec = SH("echo ready >&2; exit 0") } }, 3, false);
	dom0_to_end(d);
	for (unsigned i = 0; i < 3; i++)
		expect(i, WIRE_APP_EXITED, 0, "");
	assert_string_equal(out(1, WIRE_STDOUT), "ready\nlate\n");
	assert_string_equal(out(2, WIRE_STDERR), "ready\n");

	renew(); /* one fails: the others are told to end, and 90 s later killed */
	vm_speed = 20;
	dom0_start(d, (struct app_spec[]){ { .name = "app", .exec = SH(STUBBORN) },
		{ .name = "two", .exec = SH("trap 'exit 0' TERM; echo ready; while :; do usleep 20000; done") },
		{ .name = "three", .exec = SH("echo ready; usleep 500000; exit 9") } }, 3, false);
	dom0_until(d, said_ready);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 9, "");
	expect(1, WIRE_APP_EXITED, 0, "");
	expect(2, WIRE_APP_EXITED, 9, "");

	renew();
	dom0_start(d, (struct app_spec[]){ { .name = "app", .exec = SH("exec sleep 1000") },
		{ .name = "two", .exec = { "/none" } } }, 2, false);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 15, "");
	expect(1, WIRE_APP_FAILED, 203, "Error: Unable to open \"/none\": No such file or directory");
}

static void spoil(const char *root, const char *path, const char *link)
{
	AUTO_FREE char *full = xasprintf("%s/%s/%s", vm_export(), root, path);

	(void)unlink(full);
	if (rmdir(full) < 0 && errno == ENOTEMPTY) {
		AUTO_FREE char *away = xasprintf("%s.away", full);

		assert_int_equal(rename(full, away), 0);
	}
	assert_int_equal(link ? symlink(link, full) : mkfifo(full, 0644), 0);
}

static void hostile_roots(void **state)
{
	static const struct {
		const char *path, *link; /* in the image: a link to there, or a FIFO */
		struct app_spec app;
		enum wire_app_state how;
		uint32_t value;
		const char *text;
	} rows[] = {
		{ "etc/passwd", NULL, { .exec = { "true" }, .user = "www" }, WIRE_APP_FAILED, 254,
			"\"www\" user not found: /etc/passwd is not a regular file" },
		{ "etc/passwd", "/dev/zero", { .exec = { "true" }, .user = "www" }, WIRE_APP_FAILED, 254,
			"\"www\" user not found: /etc/passwd is not a regular file" },
		{ "etc/passwd", "/etc/passwd", { .exec = { "true" }, .user = "www" }, WIRE_APP_FAILED, 254,
			"\"www\" user not found: /etc/passwd: Too many levels of symbolic links" },
		{ "etc/passwd", "/proc/1/root/pod/apps/two/etc/passwd", { .exec = { "true" }, .user = "www" },
			WIRE_APP_FAILED, 254, "\"www\" user not found: /etc/passwd: Too many levels of symbolic links" },
		{ "other", "/proc/1/root/pod/apps/two", { .exec = { "true" }, .user = "/other" }, WIRE_APP_FAILED, 254,
			"user by the owner of '/other': Too many levels of symbolic links" },
		{ "bin/tool", NULL, { .exec = { "tool" } }, WIRE_APP_FAILED, 254,
			"exec 'tool': not found in /:/bin:/usr/bin" },
		{ "bin/tool", NULL, { .exec = { "/bin/tool" } }, WIRE_APP_FAILED, 203,
			"Error: Unable to open \"/bin/tool\": Permission denied" },
		/* links are followed in the image, and lead nowhere else */
		{ "dev", "/etc", { .exec = SH("test -c /etc/null && test ! -e /etc/passwd") }, WIRE_APP_EXITED, 0,
			"" },
		{ "dev", "/../../host", { .exec = SH("test -c /host/null") }, WIRE_APP_EXITED, 0, "" },
		{ "proc", "/host", { .exec = SH("test -e /host/self/status") }, WIRE_APP_EXITED, 0, "" },
		{ "sys", "/none/sys", { .exec = SH("test -d /none/sys/class") }, WIRE_APP_EXITED, 0, "" },
		{ "proc", "/tmp", { .exec = SH("test -e /tmp/self/status") }, WIRE_APP_EXITED, 0, "" },
		{ "sys", "/bin/busybox", { .exec = { "true" } }, WIRE_APP_FAILED, 254, 
			"mount '/sys': a directory cannot take the place of a file" },
		{ "tmp", "/../../../host/app", { .exec = SH("test $(ls /host/app | wc -l) = 0"), .cwd = "/tmp" },
			WIRE_APP_EXITED, 0, "" },
		{ "etc", "/proc/1/root/etc", { .exec = { "true" } }, WIRE_APP_FAILED, 254,
			"mount '/etc/hostname': its place: Too many levels of symbolic links" },
		{ "etc/hostname", NULL, { .exec = SH("test \"$(cat /etc/hostname)\" = guest-test") }, WIRE_APP_EXITED, 0, "" },
		{ "etc/hostname", "/proc/self/fd/0", { .exec = { "true" } }, WIRE_APP_FAILED, 254,
			"mount '/etc/hostname': its place: Too many levels of symbolic links" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *name = xasprintf("hostile%zu", i);
		struct app_spec app = rows[i].app;

		vm_make_root(name);
		spoil(name, rows[i].path, rows[i].link);
		app.name = name;
		dom0_start(d, &app, 1, false);
		dom0_to_end(d);
		expect(0, rows[i].how, rows[i].value, rows[i].text);
		renew();
	}
}

#define DIR_AT(path) { .source = (char *)"/pod/v/dir", .target = (char *)(path) }
#define EMPTY_AT(path) { .source = (char *)"/pod/v/empty", .target = (char *)(path) }
#define FILE_AT(path) { .source = (char *)"/pod/v/file", .target = (char *)(path) }
#define MOUNTS(...) .mounts = (struct guest_mount[]){ __VA_ARGS__ }, \
	.nmounts = COUNT(((struct guest_mount[]){ __VA_ARGS__ }))

static void volumes_in_hostile_roots(void **state)
{
	static const char loops[] = ": its place: Too many levels of symbolic links";
	const struct {
		const char *path, *link; /* in the image: a link to there, or a FIFO; or nothing */
		struct app_spec app;
		const char *text; /* NULL: the app exits with 0 */
	} rows[] = {
		{ NULL, NULL, { .exec = SH("grep -q volume /srv/inside"), MOUNTS(DIR_AT("/srv")) }, NULL },
		{ "out", "/../../../host/new", { .exec = SH("grep -q volume /host/new/x/inside"),
			MOUNTS(DIR_AT("/out/x")) }, NULL },
		{ "etc/hosts", "../run/h/hosts", { .exec = SH("grep -q file /run/h/hosts && grep -q file /etc/hosts"),
			MOUNTS(FILE_AT("/etc/hosts")) }, NULL },
		{ "bin/fifo", NULL, { .exec = SH("grep -q file /bin/fifo"), MOUNTS(FILE_AT("/bin/fifo")) }, NULL },
		{ NULL, NULL, { .exec = { "true" }, MOUNTS(DIR_AT("/bin/busybox")) },
			"mount '/bin/busybox': a directory cannot take the place of a file" },
		{ NULL, NULL, { .exec = { "true" }, MOUNTS(FILE_AT("/bin")) },
			"mount '/bin': a file cannot take the place of a directory" },
		{ NULL, NULL, { .exec = { "true" }, MOUNTS({ .source = (char *)"/pod/v/none", .target = (char *)"/x" }) },
			"mount '/x': copy the mount /pod/v/none: No such file or directory" },
		/* nor by links that the kernel follows by itself */
		{ "pod", "/proc/1/root/pod", { .exec = { "true" }, MOUNTS(DIR_AT("/pod/v")) }, loops },
		{ "fd", "/proc/self/fd/3", { .exec = { "true" }, MOUNTS(DIR_AT("/fd/x")) }, loops },
		{ "cwd", "/proc/self/cwd", { .exec = { "true" }, MOUNTS(DIR_AT("/cwd/x")) }, loops },
		{ NULL, NULL, { .exec = { "true" }, MOUNTS(DIR_AT("/proc/x")) },
			"mount '/proc/x': its place: No such file or directory" },
		/* in the order of the list */
		{ NULL, NULL, { .exec = SH("test -e /a/inside && test ! -e /a/b/inside"),
			MOUNTS(DIR_AT("/a/b"), EMPTY_AT("/a"), DIR_AT("/a")) }, NULL },
		{ NULL, NULL, { .exec = SH("test -e /a/b/inside && test ! -e /a/inside"),
			MOUNTS(EMPTY_AT("/a"), DIR_AT("/a/b")) }, NULL },
		{ NULL, NULL, { .exec = SH("test -e /dev/v/inside && test -c /dev/null && test -c /n"),
			MOUNTS(DIR_AT("/dev/v"), { .source = (char *)"/dev/null", .target = (char *)"/n" }) }, NULL },
		{ NULL, NULL, { .exec = SH("test -e /sys/x/inside && test ! -e /sys/class"), .no_sysfs = true,
			MOUNTS(DIR_AT("/sys/x")) }, NULL },
		/* what is read-only, and what is not */
		{ NULL, NULL, { .exec = SH("! (echo x >/srv/new) 2>/dev/null && echo x >/tmp/new"),
			MOUNTS({ .source = (char *)"/pod/v/dir", .target = (char *)"/srv", .read_only = true }) }, NULL },
		{ NULL, NULL, { .exec = SH("! (echo x >/tmp/x) 2>/dev/null && echo x >/srv/new && echo x >/dev/shm/x"),
			.read_only_root = true, MOUNTS(DIR_AT("/srv")) }, NULL },
		{ NULL, NULL, { .exec = SH("grep -q root /etc/passwd"), MOUNTS({ .source = (char *)"/pod/v/copy",
			.target = (char *)"/etc", .copy_image = true }) }, NULL },
	};

	(void)state;
	vm_make_volumes();
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *name = xasprintf("volumes%zu", i);
		AUTO_FREE char *copy = xasprintf("%s/../v/copy", vm_export());
		struct app_spec app = rows[i].app;

		vm_make_root(name);
		if (rows[i].path)
			spoil(name, rows[i].path, rows[i].link);
		(void)mkdir(copy, 0700);
		app.name = name;
		dom0_start(d, &app, 1, false);
		dom0_to_end(d);
		if (!rows[i].text)
			expect(0, WIRE_APP_EXITED, 0, "");
		else if (rows[i].text != loops)
			expect(0, WIRE_APP_FAILED, 254, rows[i].text);
		else if (!strstr(d->apps[0].text, loops))
			fail_msg("row %zu: '%s'", i, d->apps[0].text);
		renew();
	}
}

static void a_root_that_is_not_there(void **state)
{
	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "missing", .exec = { "true" } }, 1, false);
	dom0_to_end(d);
	expect(0, WIRE_APP_FAILED, 254, "enter the root file system: No such file or directory");
}

/* Handlers are root in the app's root, environment and directory; their output is the app's. */
static void event_handlers(void **state)
{
	static const char *const rows[][4] = {
		/* pre-start, the app, post-stop, what comes out */
		{ "echo pre $(id -u) $(pwd) $AC_APP_NAME", "echo main $(id -u)", "echo post $(id -u) $(pwd)",
			"pre 0 /tmp app\nmain 33\npost 0 /tmp\n" },
		{ NULL, "echo main", "echo post", "main\npost\n" },
		{ "echo pre", "echo main", NULL, "pre\nmain\n" },
		{ "echo pre; cat; echo x >/tmp/left", "cat /tmp/left; cat", "cat", "pre\nx\n" }, /* no stdin */
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct app_spec app = { .name = "app", .user = "www", .cwd = "/tmp",
			.exec = { "/bin/sh", "-c", rows[i][1] } };

		if (rows[i][0])
			memcpy(app.pre_start, (const char *[]){ "/bin/sh", "-c", rows[i][0] }, 3 * sizeof(char *));
		if (rows[i][2])
			memcpy(app.post_stop, (const char *[]){ "/bin/sh", "-c", rows[i][2] }, 3 * sizeof(char *));
		dom0_start(d, &app, 1, false);
		dom0_to_end(d);
		expect(0, WIRE_APP_EXITED, 0, "");
		assert_string_equal(out(0, WIRE_STDOUT), rows[i][3]);
		assert_int_equal(d->apps[0].handlers, (rows[i][0] != NULL) + (rows[i][2] != NULL));
		renew();
	}
}

static void handlers_that_fail(void **state)
{
	static const struct {
		struct app_spec app;
		enum wire_app_state how;
		uint32_t value;
		const char *text, *out, *log;
	} rows[] = {
		{ { .exec = SH("echo main"), .pre_start = SH("exit 3"), .post_stop = SH("echo post") }, WIRE_APP_FAILED, 3,
			"the pre-start handler exited with status 3", "post\n", "" },
		{ { .exec = SH("echo main"), .pre_start = SH("kill -9 $$") }, WIRE_APP_FAILED, 137,
			"the pre-start handler was killed by signal 9", "", "" },
		{ { .exec = SH("echo main"), .pre_start = { "/none" } }, WIRE_APP_FAILED, 203,
			"pre-start handler: Error: Unable to open \"/none\": No such file or directory", "", "" },
		{ { .exec = SH("echo main; exit 5"), .post_stop = SH("echo post; exit 6") }, WIRE_APP_EXITED, 5, "",
			"main\npost\n", "app 'app': the post-stop handler exited with status 6\n" },
		{ { .exec = { "/none" }, .post_stop = SH("echo post") }, WIRE_APP_FAILED, 203,
			"Error: Unable to open \"/none\": No such file or directory", "post\n", "" },
		{ { .exec = SH("exit 0"), .post_stop = { "/none" } }, WIRE_APP_EXITED, 0, "", "",
			"app 'app': post-stop handler: Error: Unable to open \"/none\": No such file or directory\n"
			"app 'app': the post-stop handler exited with status 255\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct app_spec app = rows[i].app;

		app.name = "app";
		dom0_start(d, &app, 1, false);
		dom0_to_end(d);
		expect(0, rows[i].how, rows[i].value, rows[i].text);
		assert_string_equal(out(0, WIRE_STDOUT), rows[i].out);
		assert_string_equal(d->log, rows[i].log);
		renew();
	}
}

/* At the pod's end post-stop has the rest of the grace, and apps that have not begun never do. */
static void handlers_at_the_end_of_the_pod(void **state)
{
	(void)state;
	dom0_start(d, (struct app_spec[]){ { .name = "app", .exec = SH("echo ready; exec sleep 1000"),
		.post_stop = SH("usleep 200000; echo post") },
		{ .name = "two", .exec = SH("echo main"), .pre_start = SH("echo ready; exec sleep 1000"),
			.post_stop = SH("echo post") } }, 2, false);
	dom0_until(d, said_ready);
	dom0_stop(d, 60000);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 15, "");
	expect(1, WIRE_APP_KILLED, 15, "");
	assert_string_equal(out(0, WIRE_STDOUT), "ready\npost\n");
	assert_string_equal(out(1, WIRE_STDOUT), "ready\npost\n");

	renew(); /* and no more than that */
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = SH("echo ready; exec sleep 1000"),
		.post_stop = SH("echo post; exec sleep 1000") }, 1, false);
	dom0_until(d, said_ready);
	dom0_stop(d, 3000);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 15, "");
	assert_string_equal(out(0, WIRE_STDOUT), "ready\npost\n");
}

static const char *awaited;

static bool said_awaited(const struct dom0 *dom0)
{
	return dom0->apps[0].out[WIRE_STDOUT] && strstr(dom0->apps[0].out[WIRE_STDOUT], awaited);
}

static void until_said(const char *text)
{
	awaited = text;
	dom0_until(d, said_awaited);
}

/* Between an app's end and post-stop: what it left gets TERM, and KILL 90 s later; the pod goes on meanwhile. */
static void what_an_app_leaves_ends_with_it(void **state)
{
	static const char leaves[] = "(trap 'echo told; exit' TERM; : >/tmp/leaves; while :; do usleep 9000; done) & "
				     "until test -e /tmp/leaves; do usleep 9000; done; echo left; exit 0";
	static const char stays[] = "(trap '' TERM; : >/tmp/stays; while :; do usleep 9000; done) & "
				    "until test -e /tmp/stays; do usleep 9000; done; echo ready; exit 0";

	(void)state;
	dom0_start(d, (struct app_spec[]){ { .name = "app", .exec = SH(leaves), .post_stop = SH("echo post") },
		{ .name = "two", .exec = SH("read x; echo late") } }, 2, true);
	until_said("post\n");
	dom0_say(d, WIRE_EOF, 1, WIRE_STDIN, NULL, 0);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");
	assert_string_equal(out(0, WIRE_STDOUT), "left\ntold\npost\n");
	assert_string_equal(out(1, WIRE_STDOUT), "late\n");

	renew();
	vm_speed = 100;
	dom0_start(d, (struct app_spec[]){ { .name = "app", .exec = SH(stays), .post_stop = SH("echo post") },
		{ .name = "two", .exec = SH("read x; echo late") } }, 2, true);
	until_said("post\n");
	dom0_say(d, WIRE_EOF, 1, WIRE_STDIN, NULL, 0);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");
	assert_string_equal(out(0, WIRE_STDOUT), "ready\npost\n");
	assert_string_equal(out(1, WIRE_STDOUT), "late\n");

	renew(); /* at the pod's end post-stop still has its turn: leftovers get half of the time */
	dom0_start(d, (struct app_spec[]){ { .name = "app", .exec = SH("trap 'echo bye; exit 3' TERM; "
		"(trap '' TERM; echo ready; while :; do usleep 9000; done) & while :; do usleep 9000; done"), .post_stop = SH("echo post") } }, 1, false);
	dom0_until(d, said_ready);
	dom0_stop(d, 2000);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 3, "");
	assert_string_equal(out(0, WIRE_STDOUT), "ready\nbye\npost\n");
}

static void type(unsigned id, const char *keys)
{
	dom0_say(d, WIRE_DATA, id, WIRE_STDIN, keys, strlen(keys));
}

static void an_app_at_a_terminal(void **state)
{
	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app", .streams = "tty", .user = "www", .exec = SH(
		"tty; test -t 0 && test -t 1 && test -t 2 && echo three; : >/dev/tty && echo mine; echo $TERM; echo err >&2;"
		"trap 'stty size' WINCH; trap 'echo intr; go=1' INT; echo ready; while test -z \"$go\"; do usleep 9000; done; "
		"read line; echo got $line; "
		"cat; echo end; exit 4") }, 1, false);
	until_said("ready\r\n");
	assert_string_equal(out(0, WIRE_STDOUT), "/dev/pts/0\r\nthree\r\nmine\r\nvt100\r\nerr\r\nready\r\n");
	dom0_say(d, WIRE_WINSIZE, 0, 0, "\62\0\0\0\204\0\0\0", 8);
	until_said("50 132\r\n");
	type(0, "\003"); /* ^C */
	until_said("intr\r\n");
	type(0, "line\r");
	until_said("line\r\ngot line\r\n");
	type(0, "more\r\004"); /* ^D ends the input */
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 4, "");
	assert_non_null(strstr(out(0, WIRE_STDOUT), "more\r\nend\r\n"));

	renew(); /* the sender's end of stdin is ^D too */
	dom0_start(d, &(struct app_spec){ .name = "app", .streams = "tty", .exec = SH("echo ready; cat; echo end") }, 1,
		false);
	dom0_until(d, said_ready);
	dom0_say(d, WIRE_EOF, 0, WIRE_STDIN, NULL, 0);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 0, "");

	renew(); /* a shell at a terminal ignores TERM, not HUP */
	dom0_start(d, &(struct app_spec){ .name = "app", .streams = "tty",
		.exec = SH("trap '' TERM; echo ready; cat") }, 1, false);
	dom0_until(d, said_ready);
	dom0_stop(d, 60000);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 1, "");

	renew(); /* who does not ignore it has its time: half of it, until it is hung up after all */
	dom0_start(d, &(struct app_spec){ .name = "app", .streams = "tty",
		.exec = SH("trap 'usleep 300000; echo bye; exit 3' TERM; echo ready; while :; do usleep 9000; done") }, 1, false);
	dom0_until(d, said_ready);
	dom0_stop(d, 60000);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 3, "");
	assert_non_null(strstr(out(0, WIRE_STDOUT), "bye\r\n"));

	renew();
	vm_speed = 20;
	dom0_start(d, &(struct app_spec){ .name = "app", .streams = "tty",
		.exec = SH("trap 'echo bye' TERM; trap 'echo hung up; exit 4' HUP; echo ready; while :; do usleep 9000; done") }, 1, false);
	dom0_until(d, said_ready);
	dom0_stop(d, 60000);
	dom0_to_end(d);
	expect(0, WIRE_APP_EXITED, 4, "");
	assert_non_null(strstr(out(0, WIRE_STDOUT), "bye\r\n"));
	assert_non_null(strstr(out(0, WIRE_STDOUT), "hung up\r\n"));
}

static bool first_over(const struct dom0 *dom0)
{
	return dom0->entered[0].over;
}

static bool second_over(const struct dom0 *dom0)
{
	return dom0->entered[1].over;
}

static bool second_ready(const struct dom0 *dom0)
{
	return dom0->entered[1].out[WIRE_STDOUT] && strstr(dom0->entered[1].out[WIRE_STDOUT], "ready");
}

static bool first_at_prompt(const struct dom0 *dom0)
{
	return dom0->entered[0].out[WIRE_STDOUT] && strstr(dom0->entered[0].out[WIRE_STDOUT], "10 20\r\n");
}

static void expect_entered(unsigned i, enum wire_app_state how, uint32_t value, const char *text, const char *stdout_)
{
	const struct dom0_app *x = &d->entered[i];

	if (!x->over || x->how != how || x->value != value)
		fail_msg("entered %u: over %d, state %d, value %u, '%s'", i, x->over, x->how, x->value, x->text);
	assert_string_equal(x->text, text);
	assert_string_equal(x->out[WIRE_STDOUT] ? x->out[WIRE_STDOUT] : "", stdout_);
}

static void again(unsigned i)
{
	for (int k = 0; k < WIRE_STREAMS; k++)
		free(d->entered[i].out[k]);
	d->entered[i] = (struct dom0_app){ .over = false };
}

#define ARGV(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void processes_enter_an_app(void **state)
{
	static const struct { const char *const argv[4]; enum wire_app_state how; uint32_t value; const char *text, *out; } rows[] = {
		{ { "sh", "-c", "id -u; pwd; echo $TERM $HOME $AC_APP_NAME $USER; cat; exit 9" }, WIRE_APP_EXITED, 9, "",
			"0\n/\ndumb /tmp app root\n" },
		{ { "sh", "-c", "cat /tmp/mark; ls /host 2>/dev/null; ls -d /proc/self/fd | head -n 1" }, WIRE_APP_EXITED, 0,
			"", "the app's\n/proc/self/fd\n" },
		{ { "sh", "-c", "kill -TERM $$" }, WIRE_APP_KILLED, 15, "", "" },
		{ { "/none" }, WIRE_APP_FAILED, 203, "Error: Unable to open \"/none\": No such file or directory", "" },
		{ { "none" }, WIRE_APP_FAILED, 254,
			"exec 'none': not found in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "" },
		/* what it leaves behind holds its streams, and does not keep it */
		{ { "sh", "-c", "sleep 1000 & echo out; exit 2" }, WIRE_APP_EXITED, 2, "", "out\n" },
	};

	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app", .user = "www", .cwd = "/tmp",
		.pre_start = SH("echo \"the app's\" >mark"), .exec = SH("echo ready; exec sleep 1000") }, 1, false);
	dom0_until(d, said_ready);
	for (size_t i = 0; i < COUNT(rows); i++) {
		dom0_exec(d, WIRE_EXEC_FIRST, GUEST_IO_PIPE, rows[i].argv);
		dom0_say(d, WIRE_EOF, WIRE_EXEC_FIRST, WIRE_STDIN, NULL, 0);
		dom0_until(d, first_over);
		expect_entered(0, rows[i].how, rows[i].value, rows[i].text, rows[i].out);
		again(0);
	}
	/* a terminal of its own, while another one runs; a signal */
	dom0_exec(d, WIRE_EXEC_FIRST + 1, GUEST_IO_PIPE, ARGV("sh", "-c", "trap 'exit 6' HUP; echo ready; while :; do usleep 9000; done"));
	dom0_exec(d, WIRE_EXEC_FIRST, GUEST_IO_TTY, ARGV("sh", "-c", "tty; stty size; read x; echo $x"));
	dom0_until(d, second_ready);
	dom0_until(d, first_at_prompt);
	type(WIRE_EXEC_FIRST, "typed\r");
	dom0_until(d, first_over);
	expect_entered(0, WIRE_APP_EXITED, 0, "", "/dev/pts/0\r\n10 20\r\ntyped\r\ntyped\r\n");
	dom0_say(d, WIRE_KILL, WIRE_EXEC_FIRST + 1, 0, "\1\0\0\0", 4);
	again(0);
	dom0_exec(d, WIRE_EXEC_FIRST, GUEST_IO_PIPE, ARGV("true"));
	dom0_until(d, first_over);
	dom0_until(d, second_over);
	expect_entered(1, WIRE_APP_EXITED, 6, "", "ready\n");
	again(1);
	/* those that stay end with the pod, which does not wait for them */
	dom0_exec(d, WIRE_EXEC_FIRST + 1, GUEST_IO_PIPE, ARGV("sh", "-c", STUBBORN));
	dom0_until(d, second_ready);
	dom0_stop(d, 60000);
	again(0);
	dom0_exec(d, WIRE_EXEC_FIRST, GUEST_IO_PIPE, ARGV("true"));
	dom0_to_end(d);
	expect_entered(0, WIRE_APP_FAILED, 254, "the pod is ending", "");
	expect_entered(1, WIRE_APP_KILLED, 9, "", "ready\n");
	expect(0, WIRE_APP_KILLED, 15, "");
}

/* Frames that dom0 does not send, and some that cross the end of what they are about. */
static bool first_heard(const struct dom0 *dom0)
{
	return dom0->entered[0].len[WIRE_STDOUT] >= 6;
}

static bool second_heard(const struct dom0 *dom0)
{
	return dom0->entered[1].len[WIRE_STDOUT] >= 5;
}

static bool said_up(const struct dom0 *dom0)
{
	return dom0->apps[0].len[WIRE_STDOUT] >= 3;
}

static void nothing_is_said_after_the_end(void **state)
{
	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = { "true" } }, 1, false);
	dom0_until(d, dom0_ended);
	dom0_exec(d, WIRE_EXEC_FIRST, GUEST_IO_PIPE, ARGV("true")); /* asked before the end was heard of */
	dom0_say(d, WIRE_BYE, 0, 0, NULL, 0);
	dom0_until_quiet(d, 10000); /* until it has closed its channel */
	assert_true(d->gone);
	dom0_expect_clean_end(d);
}

/* Connections that dom0 relays to a socket that the app has from the start. */
static void sockets_are_open_when_the_app_starts(void **state)
{
	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app", .user = "www", .listens = 8080, .exec = { "sockecho" } }, 1, false);
	dom0_until(d, said_up);
	dom0_connect(d, WIRE_EXEC_FIRST, 8080);
	dom0_say(d, WIRE_DATA, WIRE_EXEC_FIRST, WIRE_STDIN, "hello\n", 6);
	dom0_until(d, first_heard);
	dom0_say(d, WIRE_EOF, WIRE_EXEC_FIRST, WIRE_STDIN, NULL, 0);
	dom0_until(d, first_over);
	expect_entered(0, WIRE_APP_EXITED, 0, "", "hello\n");
	again(0);
	dom0_connect(d, WIRE_EXEC_FIRST, 8081); /* nobody listens there */
	dom0_until(d, first_over);
	expect_entered(0, WIRE_APP_EXITED, 0, "", "");
	again(0);
	/* one that dom0 lets go; one that waits for its turn */
	dom0_connect(d, WIRE_EXEC_FIRST, 8080);
	dom0_say(d, WIRE_DATA, WIRE_EXEC_FIRST, WIRE_STDIN, "again\n", 6);
	dom0_until(d, first_heard);
	dom0_connect(d, WIRE_EXEC_FIRST + 1, 8080);
	dom0_say(d, WIRE_DATA, WIRE_EXEC_FIRST + 1, WIRE_STDIN, "quit\n", 5);
	dom0_until_quiet(d, 100);
	assert_int_equal(d->entered[1].len[WIRE_STDOUT], 0);
	dom0_say(d, WIRE_KILL, WIRE_EXEC_FIRST, 0, "\1\0\0\0", 4);
	dom0_until(d, first_over);
	dom0_until(d, second_heard);
	/* the app ends when it does, with a connection that nobody has closed: the pod does not wait for it */
	again(0);
	dom0_connect(d, WIRE_EXEC_FIRST, 8080);
	dom0_say(d, WIRE_EOF, WIRE_EXEC_FIRST + 1, WIRE_STDIN, NULL, 0);
	dom0_to_end(d);
	expect_entered(1, WIRE_APP_EXITED, 0, "", "quit\n");
	expect(0, WIRE_APP_EXITED, 0, "");
}

static bool connection_room(const struct dom0 *dom0)
{
	return dom0->entered[0].stdin_credit > 0 || dom0->entered[0].over;
}

/* More than dom0 has room for, of an app that then ends. Who does not read is waited for as long as an app would be. */
static void what_is_said_at_a_socket_outlives_its_app(void **state)
{
	enum { LEN = 90000 };
	static const char credit[] = { 0, 0, 1, 0 }; /* 64 KiB */
	AUTO_FREE char *data = xcalloc(LEN + 1, 1);

	(void)state;
	fill(data, LEN);
	for (int reads = 1; reads >= 0; reads--) {
		vm_speed = reads ? 1 : 100;
		d->stingy = true;
		dom0_start(d, &(struct app_spec){ .name = "app", .listens = 8080, .exec = { "sockecho" } }, 1, false);
		dom0_until(d, said_up);
		dom0_connect(d, WIRE_EXEC_FIRST, 8080);
		d->entered[0].stdin_credit = WIRE_WINDOW;
		feed(WIRE_EXEC_FIRST, &d->entered[0], connection_room, data, LEN);
		dom0_connect(d, WIRE_EXEC_FIRST + 1, 8080); /* its turn comes when the first one was answered */
		dom0_say(d, WIRE_DATA, WIRE_EXEC_FIRST + 1, WIRE_STDIN, "quit\n", 5);
		dom0_say(d, WIRE_EOF, WIRE_EXEC_FIRST + 1, WIRE_STDIN, NULL, 0);
		dom0_until(d, first_is_over);
		d->stingy = false;
		if (reads)
			dom0_say(d, WIRE_CREDIT, WIRE_EXEC_FIRST, WIRE_STDOUT, credit, sizeof(credit));
		dom0_to_end(d);
		data[reads ? LEN : WIRE_WINDOW] = '\0';
		expect_entered(0, WIRE_APP_EXITED, 0, "", data);
		expect_entered(1, WIRE_APP_EXITED, 0, "", "quit\n");
		renew();
	}
}

static void nonsense_about_processes(void **state)
{
	(void)state;
	dom0_start(d, &(struct app_spec){ .name = "app", .exec = SH("echo ready; exec sleep 1000") }, 1, false);
	dom0_until(d, said_ready);
	dom0_say(d, WIRE_START, WIRE_EXEC_FIRST, 0, NULL, 0);
	dom0_say(d, WIRE_DATA, WIRE_EXEC_FIRST + 63, WIRE_STDIN, "x", 1);
	dom0_say(d, WIRE_KILL, 65535, 0, "\11\0\0\0", 4);
	dom0_say(d, WIRE_EXEC, WIRE_EXEC_FIRST + 64, 0, "x", 1);
	dom0_say(d, WIRE_EXEC, 0, 0, "x", 1);
	dom0_say(d, WIRE_START, 0, 0, NULL, 0);
	dom0_say(d, WIRE_EXEC, WIRE_EXEC_FIRST, 0, "garbage", 7);
	dom0_say(d, WIRE_KILL, WIRE_EXEC_FIRST, 0, "\11\0\0\0", 4);
	dom0_say(d, WIRE_START, WIRE_EXEC_FIRST, 0, NULL, 0);
	dom0_say(d, WIRE_EXEC, WIRE_EXEC_FIRST + 1, 0, "left incomplete", 15);
	dom0_until(d, first_over);
	expect_entered(0, WIRE_APP_FAILED, 254, "the exec request is malformed", "");
	dom0_stop(d, 1000);
	dom0_to_end(d);
}

/* Isolators in app_spec.isolators; what the app then is and may do. Cgroups: tests/guest/cgroup.c, and the rig. */
static bool first_runs(const struct dom0 *dom0)
{
	return dom0->apps[0].out[WIRE_STDOUT] && strstr(dom0->apps[0].out[WIRE_STDOUT], "ready");
}

static bool second_runs(const struct dom0 *dom0)
{
	return dom0->apps[1].out[WIRE_STDOUT] && strstr(dom0->apps[1].out[WIRE_STDOUT], "ready");
}

static bool second_is_over(const struct dom0 *dom0)
{
	return dom0->apps[1].over;
}

static bool first_is_gone(const struct dom0 *dom0)
{
	return dom0->apps[0].gone;
}

static bool second_is_gone(const struct dom0 *dom0)
{
	return dom0->apps[1].gone;
}

/* The pod stays whatever becomes of them; each is stopped, started again and forgotten on its own. */
static void apps_come_and_go(void **state)
{
	const struct app_spec waits = { .name = "two", .exec = SH("trap 'echo bye; exit 5' TERM; echo ready; while :; do usleep 9000; done"),
		.post_stop = { "/bin/echo", "post" } };

	(void)state;
	dom0_start_empty(d);
	dom0_until_quiet(d, 200);
	assert_false(d->ended);
	dom0_add(d, 0, &(struct app_spec){ .name = "app", .exec = SH("echo first; exit 3") });
	dom0_until(d, first_is_over);
	expect(0, WIRE_APP_EXITED, 3, "");
	dom0_add(d, 1, &waits);
	dom0_until(d, second_runs);
	dom0_remove(d, 1, true); /* it runs: not yet */
	dom0_remove(d, 0, false);
	dom0_until(d, first_is_gone);
	assert_string_equal(out(0, WIRE_STDOUT), "first\n");
	assert_int_equal(vm_report->let_go, 0);
	dom0_add(d, 0, &(struct app_spec){ .name = "app", .exec = SH("echo again; echo ready; sleep 1000") });
	dom0_until(d, first_runs);
	dom0_exec(d, WIRE_EXEC_FIRST, GUEST_IO_PIPE, ARGV("true")); /* app 0: the new one */
	dom0_until(d, first_over);
	expect_entered(0, WIRE_APP_EXITED, 0, "", "");
	dom0_stop_app(d, 1, 60000);
	dom0_until(d, second_is_over);
	expect(1, WIRE_APP_EXITED, 5, "");
	assert_string_equal(out(1, WIRE_STDOUT), "ready\nbye\npost\n");
	dom0_remove(d, 1, true);
	dom0_until(d, second_is_gone);
	assert_int_equal(vm_report->let_go, 1);
	dom0_stop_app(d, 1, 1); /* there is none */
	dom0_remove(d, 1, true);
	dom0_say(d, WIRE_KILL, 3, 0, "\t\0\0\0", 4);
	dom0_stop(d, 60000);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 15, "");
	assert_string_equal(d->log, "");
}

/* Its process is there and in no cgroup yet (tests/guest/cgroup.c): TERM finds it all the same. */
static void an_app_is_stopped_before_it_is_in_its_cgroup(void **state)
{
	(void)state;
	dom0_start_empty(d);
	dom0_add(d, 1, &(struct app_spec){ .name = "two", .streams = "stream", .exec = SH(
		"until test -e /dev/shm/waits; do usleep 9000; done; echo ready; read x; rm /dev/shm/gate; read x") });
	dom0_add(d, 0, &(struct app_spec){ .name = "late", .pre_start = SH(": >/dev/shm/gate"), .exec = { "true" } });
	dom0_until(d, second_runs);
	dom0_stop_app(d, 0, 60000);
	dom0_say(d, WIRE_DATA, 1, WIRE_STDIN, "x\n", 2); /* opens the gate: when that is heard the stop was */
	dom0_until(d, first_is_over);
	expect(0, WIRE_APP_KILLED, 15, "");
	dom0_stop(d, 60000);
	dom0_to_end(d);
}

/* Until PID 1 has nothing more that it could do, while nobody here reads. */
static void until_it_rests(void)
{
	unsigned turns;

	do {
		turns = vm_report->turns;
		(void)usleep(200000);
	} while (turns != vm_report->turns);
}

/* An app is forgotten while dom0 hears nothing for a while, and then never again: what waits to be said holds nothing up. */
static void dom0_vanishes_deaf(void **state)
{
	(void)state;
	vm_narrow = true;
	dom0_start_empty(d);
	dom0_add(d, 0, &(struct app_spec){ .name = "app", .exec = { "true" } });
	dom0_until(d, first_is_over);
	dom0_add(d, 1, &(struct app_spec){ .name = "two", .exec = SH("yes >&2 & exec yes") });
	until_it_rests();
	dom0_remove(d, 0, false);
	until_it_rests();
	dom0_hang_up(d);
	dom0_expect_clean_end(d);
	assert_false(d->apps[0].gone);
}

/* KILL at its time; a plan that is none; one that cannot begin; the end of the pod in the middle of all that. */
static void added_apps_that_are_trouble(void **state)
{
	const struct app_spec stubborn = { .name = "app", .exec = { "sh", "-c", STUBBORN } };

	(void)state;
	dom0_start_empty(d);
	dom0_add(d, 0, &stubborn);
	dom0_until(d, first_runs);
	dom0_stop_app(d, 0, 60000);
	dom0_stop_app(d, 0, 300); /* the sooner one counts */
	dom0_stop_app(d, 0, 60000);
	dom0_until(d, first_is_over);
	expect(0, WIRE_APP_KILLED, 9, "");
	dom0_remove(d, 0, true);
	dom0_until(d, first_is_gone);
	d->apps[0] = (struct dom0_app){ .out[WIRE_STDOUT] = d->apps[0].out[WIRE_STDOUT] };
	dom0_say(d, WIRE_ADD, 0, 0, "nonsense", 8);
	dom0_say(d, WIRE_START, 0, 0, NULL, 0);
	dom0_until(d, first_is_over);
	expect(0, WIRE_APP_FAILED, 254, "the guest plan is malformed");
	dom0_remove(d, 0, true);
	dom0_until(d, first_is_gone);
	dom0_add(d, 1, &(struct app_spec){ .name = "unwanted", .exec = { "true" } });
	dom0_until(d, second_is_over);
	expect(1, WIRE_APP_FAILED, 254, "make the cgroup unwanted");
	dom0_add(d, 0, &stubborn);
	dom0_until(d, first_runs);
	dom0_say(d, WIRE_ADD, 2, 0, "unfinished", 10);
	dom0_remove(d, 1, true);
	dom0_stop(d, 300);
	dom0_to_end(d);
	expect(0, WIRE_APP_KILLED, 9, "");
}

static void limits(void **state)
{
#define SEE "grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status; ulimit -n; ulimit -c; umask"
#define SEEN(eff, bnd, nnp, mode) "CapEff:\t" eff "\nCapBnd:\t" bnd "\nNoNewPrivs:\t" nnp "\nSeccomp:\t" mode \
	"\n1024\n0\n0022\n"
#define KILL_ONE(name) "{\"name\":\"os/linux/capabilities-retain-set\",\"value\":{\"set\":[\"CAP_KILL\"]}}," \
	"{\"name\":\"os/linux/seccomp-remove-set\",\"value\":{\"set\":[\"" name "\"]}}"
	static const struct {
		struct app_spec app;
		enum wire_app_state how;
		uint32_t value;
		const char *text, *out;
	} rows[] = {
		{ { .exec = SH(SEE) }, WIRE_APP_EXITED, 0, "", SEEN("00000000a80425fb", "00000000a80425fb", "0", "2") },
		{ { .exec = SH(SEE), .user = "www" }, WIRE_APP_EXITED, 0, "",
			SEEN("0000000000000000", "00000000a80425fb", "1", "2") },
		{ { .exec = SH(SEE), .isolators = KILL_ONE("reboot") }, WIRE_APP_EXITED, 0, "",
			SEEN("0000000000000020", "0000000000000020", "0", "2") },
		{ { .exec = SH(SEE), .user = "www", .isolators = KILL_ONE("reboot") }, WIRE_APP_EXITED, 0, "",
			SEEN("0000000000000000", "0000000000000020", "1", "2") },
		{ { .exec = SH("echo a; cat /proc/self/oom_score_adj; kill -0 $$; kill -HUP $$"), .isolators =
			"{\"name\":\"os/linux/oom-score-adj\",\"value\":700},"
			"{\"name\":\"os/linux/no-new-privileges\",\"value\":true}" }, WIRE_APP_KILLED, 1, "", "a\n700\n" },
		{ { .exec = SH("echo a; kill -0 $$; echo b"), .isolators = KILL_ONE("kill") }, WIRE_APP_KILLED, 31, "", "a\n" },
		{ { .exec = SH("kill -0 1 2>&1; echo b"), .isolators =
			"{\"name\":\"os/linux/seccomp-remove-set\",\"value\":{\"set\":[\"kill\"],\"errno\":\"EXFULL\"}}" },
			WIRE_APP_EXITED, 0, "", "sh: can't kill pid 1: Exchange full\nb\n" },
		{ { .exec = { "none" }, .isolators = KILL_ONE("write") }, WIRE_APP_FAILED, 254,
			"exec 'none': not found in /:/bin:/usr/bin", "" },
		{ { .exec = { "true" }, .isolators =
			"{\"name\":\"os/linux/seccomp-retain-set\",\"value\":{\"set\":[\"read\"]}}" }, WIRE_APP_KILLED, 31, "", "" },
		/* handlers: the same, but for the user */
		{ { .exec = { "true" }, .pre_start = SH(SEE), .user = "www", .isolators = KILL_ONE("reboot") }, WIRE_APP_EXITED, 0,
			"", SEEN("0000000000000020", "0000000000000020", "1", "2") },
		{ { .name = "hungry", .exec = SH("exit 3") }, WIRE_APP_EXITED, 3, "out of memory (limit 1 MiB)", "" },
		{ { .name = "hungry", .exec = SH("kill -9 $$") }, WIRE_APP_KILLED, 9, "out of memory (limit 1 MiB)", "" },
		{ { .name = "unwanted", .exec = { "true" } }, WIRE_APP_FAILED, 254, "make the cgroup unwanted", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct app_spec app = rows[i].app;

		app.name = app.name ? app.name : "app";
		dom0_start(d, &app, 1, false);
		dom0_to_end(d);
		expect(0, rows[i].how, rows[i].value, rows[i].text);
		assert_string_equal(out(0, WIRE_STDOUT), rows[i].out);
		renew();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(one_app),
		T(networks),
		T(the_export_cannot_be_mounted),
		T(stdin_arrives_and_ends),
		T(stdin_nobody_reads),
		T(an_app_says_that_it_is_ready),
		T(ready_in_haste),
		T(another_apps_files),
		T(orphans_are_reaped),
		T(stop_is_term_and_then_kill),
		T(daemons_end_with_the_pod),
		T(many_children),
		T(dom0_vanishes),
		T(dom0_talks_nonsense),
		T(output_waits_for_credit),
		T(output_outlives_its_app),
		T(output_nobody_reads),
		T(apps_end_together),
		T(event_handlers),
		T(handlers_that_fail),
		T(handlers_at_the_end_of_the_pod),
		T(what_an_app_leaves_ends_with_it),
		T(an_app_at_a_terminal),
		T(processes_enter_an_app),
		T(nothing_is_said_after_the_end),
		T(sockets_are_open_when_the_app_starts),
		T(what_is_said_at_a_socket_outlives_its_app),
		T(nonsense_about_processes),
		T(apps_come_and_go),
		T(an_app_is_stopped_before_it_is_in_its_cgroup),
		T(dom0_vanishes_deaf),
		T(added_apps_that_are_trouble),
		T(hostile_roots),
		T(volumes_in_hostile_roots),
		T(a_root_that_is_not_there),
		T(limits),
	};
	int failed;

	if (!vm_open()) {
		printf("ok 1 - the guest's PID 1 # SKIP namespaces: %s\n1..1\n", strerror(errno));
		return 0;
	}
	vm_make_root("app");
	vm_make_root("two");
	vm_make_root("three");
	vm_make_root("hungry");
	vm_make_root("late");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	vm_shut();
	return failed;
}
