/* Command lines of the entrypoints, in Go's flag syntax. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "stage1/attach_request.h"
#include "stage1/cli.h"
#include "stage1/common/util.h"

#define UUID "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01"

enum { WORDS = 20 };

static int count(const char *const *argv)
{
	int n = 0;

	while (argv[n])
		n++;
	return n;
}

static int run(const char *const *argv, struct run_opts *o, struct err *e)
{
	return cli_run(count(argv), (char **)argv, o, e);
}

static void reads_what_stage0_writes(void **state)
{
	static const char *const few[] = { "init", "--net=none", UUID, NULL };
	static const char *const all[] = {
		"init", "--debug", "--net=default:IP=1.2.3.4", "--interactive", "--private-users=0:65536",
		"--mds-token=tok", "--local-config=/etc/rkt", "--hostname=web", "--dns-conf-mode=resolv=host",
		"--disable-capabilities-restriction", "--disable-paths", "--disable-seccomp", "--mutable",
		"--ipc=private", UUID, NULL
	};
	struct err e = ERR_INIT;
	struct run_opts o;

	(void)state;
	assert_int_equal(run(few, &o, &e), 0);
	assert_string_equal(o.net, "none");
	assert_string_equal(o.uuid, UUID);
	assert_false(o.debug || o.interactive || o.mutable_pod || o.disable_capabilities ||
		o.disable_paths || o.disable_seccomp);
	assert_true(!o.private_users && !o.mds_token && !o.local_config && !o.hostname &&
		!o.dns_conf_mode && !o.ipc);

	assert_int_equal(run(all, &o, &e), 0);
	assert_true(o.debug && o.interactive && o.mutable_pod && o.disable_capabilities &&
		o.disable_paths && o.disable_seccomp);
	assert_string_equal(o.net, "default:IP=1.2.3.4");
	assert_string_equal(o.private_users, "0:65536");
	assert_int_equal(o.shift.first, 0);
	assert_int_equal(o.shift.count, 65536);
	assert_string_equal(o.mds_token, "tok");
	assert_string_equal(o.local_config, "/etc/rkt");
	assert_string_equal(o.hostname, "web");
	assert_string_equal(o.dns_conf_mode, "resolv=host");
	assert_string_equal(o.ipc, "private");
}

static void reads_flags_as_go_does(void **state)
{
	static const struct { const char *argv[WORDS]; bool debug; const char *net; } rows[] = {
		{ { "init", UUID }, false, "default" },
		{ { "init", "-debug", UUID }, true, "default" },
		{ { "init", "--debug=true", UUID }, true, "default" },
		{ { "init", "-debug=1", UUID }, true, "default" },
		{ { "init", "--debug=false", UUID }, false, "default" },
		{ { "init", "--debug", "--debug=0", UUID }, false, "default" },
		{ { "init", "--net", "none", UUID }, false, "none" },
		{ { "init", "-net", "none", UUID }, false, "none" },
		{ { "init", "-net=none", UUID }, false, "none" },
		{ { "init", "--net=", UUID }, false, "" },
		{ { "init", "--net=a=b", UUID }, false, "a=b" },
		{ { "init", "--net", "--debug", UUID }, false, "--debug" },
		{ { "init", "--net=a", "--net=b", UUID }, false, "b" },
		{ { "init", "--debug", "--", UUID }, true, "default" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;
		struct run_opts o;

		if (run(rows[i].argv, &o, &e) < 0)
			fail_msg("row %zu: %s", i, e.msg);
		assert_int_equal(o.debug, rows[i].debug);
		assert_string_equal(o.net, rows[i].net);
	}
}

static void says_what_is_wrong_with_a_command_line(void **state)
{
	static const struct { const char *argv[WORDS]; const char *msg; } rows[] = {
		{ { "init" }, "one pod UUID is expected, found 0" },
		{ { "init", "--debug" }, "one pod UUID is expected, found 0" },
		{ { "init", "--" }, "one pod UUID is expected, found 0" },
		{ { "init", UUID, UUID }, "one pod UUID is expected, found 2" },
		{ { "init", UUID, "--debug" }, "one pod UUID is expected, found 2" }, /* flags come first */
		{ { "init", "web" }, "'web' is not a pod UUID" },
		{ { "init", "-" }, "'-' is not a pod UUID" },
		{ { "init", "" }, "'' is not a pod UUID" },
		{ { "init", "6733C0B5-5F2C-4A4B-8A4C-2F3F4B1F9C01" },
			"'6733C0B5-5F2C-4A4B-8A4C-2F3F4B1F9C01' is not a pod UUID" },
		{ { "init", "--private-users=", UUID }, "--private-users= is not SHIFT:COUNT" },
		{ { "init", "--private-users=7", UUID }, "--private-users=7 is not SHIFT:COUNT" },
		{ { "init", "--private-users=7:", UUID }, "--private-users=7: is not SHIFT:COUNT" },
		{ { "init", "--private-users=:7", UUID }, "--private-users=:7 is not SHIFT:COUNT" },
		{ { "init", "--private-users=7:8:9", UUID }, "--private-users=7:8:9 is not SHIFT:COUNT" },
		{ { "init", "--private-users=-7:8", UUID }, "--private-users=-7:8 is not SHIFT:COUNT" },
		{ { "init", "--private-users=99999999999:1", UUID }, "--private-users=99999999999:1 is not SHIFT:COUNT" },
		{ { "init", "--private-users=4294967295:1", UUID }, "--private-users=4294967295:1 goes beyond the last user" },
		{ { "init", "--what", UUID }, "unknown flag '--what'" },
		{ { "init", "--what=1", UUID }, "unknown flag '--what=1'" },
		{ { "init", "---debug", UUID }, "unknown flag '---debug'" },
		{ { "init", "--=1", UUID }, "unknown flag '--=1'" },
		{ { "init", "--debu", UUID }, "unknown flag '--debu'" },
		{ { "init", "--debugs", UUID }, "unknown flag '--debugs'" },
		{ { "init", "--d\033[2J", UUID }, "unknown flag '--d?[2J'" },
		{ { "init", "--debug=yes", UUID }, "--debug=yes: true or false" },
		{ { "init", "--debug=", UUID }, "--debug=: true or false" },
		{ { "init", "--net" }, "--net needs a value" },
		{ { "init", "--net", UUID }, "one pod UUID is expected, found 0" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct run_opts o = { .net = "untouched" };
		struct err e = ERR_INIT;

		assert_int_equal(run(rows[i].argv, &o, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(e.kind, ERR_USAGE);
		assert_string_equal(o.net, "untouched");
	}
}

static void reads_what_machine_is_called_with(void **state)
{
	static const struct {
		const char *argv[5];
		const char *msg; /* NULL: fine */
		int verb;
	} rows[] = {
		{ { "machine", "pause", UUID }, NULL, MACHINE_PAUSE },
		{ { "machine", "resume", UUID }, NULL, MACHINE_RESUME },
		{ { "machine", "stats", UUID }, NULL, MACHINE_STATS },
		{ { "machine" }, "usage: machine pause|resume|stats UUID", 0 },
		{ { "machine", UUID, "pause" }, "usage: machine pause|resume|stats UUID", 0 },
		{ { "machine", "pause" }, "one pod UUID is expected, found 0", 0 },
		{ { "machine", "pause", "x" }, "'x' is not a pod UUID", 0 },
		{ { "machine", "pause", "--force", UUID }, "unknown flag '--force'", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct machine_opts o = { .uuid = NULL };
		struct err e = ERR_INIT;
		int ret = cli_machine(count(rows[i].argv), (char **)rows[i].argv, &o, &e);

		assert_int_equal(ret, rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
		if (rows[i].msg)
			continue;
		assert_int_equal(o.verb, rows[i].verb);
		assert_string_equal(o.uuid, UUID);
	}
}

static void gc_and_stop_have_flags_of_their_own(void **state)
{
	static const char *const gc[] = { "gc", "--debug", "--local-config=/c", UUID, NULL };
	static const char *const stop[] = { "stop", "--force", UUID, NULL };
	struct err e = ERR_INIT;
	struct gc_opts g;
	struct stop_opts s;

	(void)state;
	assert_int_equal(cli_gc(count(gc), (char **)gc, &g, &e), 0);
	assert_true(g.debug);
	assert_string_equal(g.local_config, "/c");
	assert_string_equal(g.uuid, UUID);
	assert_int_equal(cli_stop(count(stop), (char **)stop, &s, &e), 0);
	assert_true(s.force);
	assert_string_equal(s.uuid, UUID);
	assert_int_equal(cli_stop(2, (char **)(stop + 1), &s, &e), 0); /* "--force" is the program */
	assert_false(s.force);

	assert_int_equal(cli_gc(count(stop), (char **)stop, &g, &e), -1);
	assert_string_equal(e.msg, "unknown flag '--force'");
	e = (struct err)ERR_INIT;
	assert_int_equal(cli_stop(count(gc), (char **)gc, &s, &e), -1);
	assert_string_equal(e.msg, "unknown flag '--debug'");
}

static void knows_uuids(void **state)
{
	static const unsigned char want[16] = { 0x67, 0x33, 0xc0, 0xb5, 0x5f, 0x2c, 0x4a, 0x4b, 0x8a, 0x4c,
		0x2f, 0x3f, 0x4b, 0x1f, 0x9c, 0x01 };
	static const char *const bad[] = {
		"", "6733c0b55f2c4a4b8a4c2f3f4b1f9c01", UUID "0", "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c0",
		"6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c0g", "6733c0b555f2c-4a4b-8a4c-2f3f4b1f9c01",
		"-733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01", "{733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c0}",
	};
	unsigned char uuid[16];

	(void)state;
	assert_true(uuid_parse(UUID, uuid));
	assert_memory_equal(uuid, want, sizeof(want));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(uuid_parse(bad[i], uuid));
}

static void reads_what_attach_is_called_with(void **state)
{
	static const char *const list[] = { "attach", "--action=list", "--app=web", "--debug=false", NULL };
	static const char *const all[] = { "attach", "--action=auto-attach", "--app=web", "--debug=true", NULL };
	static const char *const some[] = { "attach", "--action=custom-attach", "--tty-in=false", "--tty-out=false",
		"--stdin=true", "--stdout=true", "--stderr=false", "--app=web", "--debug=false", NULL };
	static const char *const tty[] = { "attach", "--action=custom-attach", "--tty-in=true", "--tty-out=true",
		"--stdin=false", "--stdout=false", "--stderr=false", "--app=web", "--debug=false", NULL };
	static const struct { const char *argv[5]; const char *msg; } wrong[] = {
		{ { "attach", "--action=list" }, "--app is missing" },
		{ { "attach", "--action=detach", "--app=web" }, "--action=detach: list, auto-attach or custom-attach" },
		{ { "attach", "--action=custom-attach", "--app=web" }, "--action=custom-attach: no endpoint is given" },
		{ { "attach", "--action=custom-attach", "--tty-in", "--stdout", "--app=web" },
			"--action=custom-attach: a terminal and streams cannot be mixed" },
		{ { "attach", "--app=web", "more" }, "'more' is too much" },
	};
	struct attach_opts o;

	(void)state;
	{
		struct err e = ERR_INIT;

		assert_int_equal(cli_attach(count(list), (char **)list, &o, &e), 0);
		assert_int_equal(o.endpoints, ATTACH_LIST);
		assert_string_equal(o.app, "web");
		assert_int_equal(cli_attach(count(all), (char **)all, &o, &e), 0);
		assert_int_equal(o.endpoints, ATTACH_AUTO);
		assert_true(o.debug);
		assert_int_equal(cli_attach(count(some), (char **)some, &o, &e), 0);
		assert_int_equal(o.endpoints, ENDPOINT_STDIN | ENDPOINT_STDOUT);
		assert_int_equal(cli_attach(count(tty), (char **)tty, &o, &e), 0);
		assert_int_equal(o.endpoints, ENDPOINT_TTY_IN | ENDPOINT_TTY_OUT);
	}
	for (size_t i = 0; i < COUNT(wrong); i++) {
		struct err e = ERR_INIT;
		int n = 0;

		while (n < 5 && wrong[i].argv[n])
			n++;
		assert_int_equal(cli_attach(n, (char **)wrong[i].argv, &o, &e), -1);
		assert_string_equal(e.msg, wrong[i].msg);
	}
}

static void reads_what_enter_is_called_with(void **state)
{
	static const char *const rkt[] = { "enter", "--pid=12", "--appname=web", "--", "/bin/sh", "-c", "a b", NULL };
	static const char *const own[] = { "enter", "--pid=12", "--app=web", "--", "ls", NULL };
	static const char *const bare[] = { "enter", "--pid", "12", "ls", "--pid=7", NULL };
	static const char *const none[] = { "enter", "--pid=12", "--", NULL };
	static const char *const odd[] = { "enter", "--debug", "--", "ls", NULL };
	struct enter_opts o;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cli_enter(count(rkt), (char **)rkt, &o, &e), 0);
	assert_string_equal(o.app, "web");
	assert_int_equal(o.argc, 3);
	assert_string_equal(o.argv[2], "a b");
	assert_null(o.argv[3]);
	assert_int_equal(cli_enter(count(own), (char **)own, &o, &e), 0);
	assert_string_equal(o.app, "web");
	assert_int_equal(cli_enter(count(bare), (char **)bare, &o, &e), 0);
	assert_null(o.app);
	assert_int_equal(o.argc, 2);
	assert_int_equal(cli_enter(count(none), (char **)none, &o, &e), -1);
	assert_string_equal(e.msg, "no command to run");
	e = (struct err)ERR_INIT;
	assert_int_equal(cli_enter(count(odd), (char **)odd, &o, &e), -1);
	assert_string_equal(e.msg, "unknown flag '--debug'");
}

static void reads_what_the_entrypoints_for_apps_are_called_with(void **state)
{
	static const char *const add[] = { "app_add", "--debug=false", "--uuid=" "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01", "--app=web", NULL };
	static const char *const stop[] = { "app_stop", "--debug=true", "--app=web", NULL };
	static const char *const none[] = { "app_rm", "--debug=true", NULL };
	static const char *const more[] = { "app_rm", "--app=web", "db", NULL };
	struct crossing_opts o;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(cli_crossing(count(add), (char **)add, &o, &e), 0);
	assert_string_equal(o.app, "web");
	assert_string_equal(o.uuid, "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01");
	assert_false(o.debug);
	assert_int_equal(cli_crossing(count(stop), (char **)stop, &o, &e), 0);
	assert_true(o.debug && !o.uuid);
	assert_int_equal(cli_crossing(count(none), (char **)none, &o, &e), -1);
	assert_string_equal(e.msg, "no app: --app=NAME");
	e = (struct err)ERR_INIT;
	assert_int_equal(cli_crossing(count(more), (char **)more, &o, &e), -1);
	assert_string_equal(e.msg, "'db' is too much");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_attach_is_called_with),
		cmocka_unit_test(reads_what_enter_is_called_with),
		cmocka_unit_test(reads_what_the_entrypoints_for_apps_are_called_with),
		cmocka_unit_test(reads_what_stage0_writes),
		cmocka_unit_test(reads_flags_as_go_does),
		cmocka_unit_test(says_what_is_wrong_with_a_command_line),
		cmocka_unit_test(gc_and_stop_have_flags_of_their_own),
		cmocka_unit_test(reads_what_machine_is_called_with),
		cmocka_unit_test(knows_uuids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
