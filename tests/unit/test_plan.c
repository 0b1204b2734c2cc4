/* What this version refuses and warns of, and the plans made of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/plan.h"
#include "stage1/plan/logs.h"
#include "stage1/plan/streams.h"

#define CMDLINE "console=hvc0 loglevel=4 noreplace-smp percpu_alloc=page"
#define UUID "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01"
#define OPTS .net = "none", .uuid = UUID
#define TEXT(s) ((char *)s)
#define LIST(...) ((char *[]){ __VA_ARGS__ })
#define APP .name = TEXT("web"), .has_app = true, .exec = LIST(TEXT("/x")), .nexec = 1, \
	.user = TEXT("0"), .group = TEXT("0"), .cwd = TEXT("/")

static const struct host_facts facts = { .free_kib = 1 << 20, .cpus = 2 };

static int check(const struct run_opts *opts, const struct pod *pod, struct plan_warnings *w,
	struct err *e)
{
	const struct plan_input in = { .opts = opts, .pod = pod, .facts = &facts, .s1root = "/s" };

	return plan_check(&in, w, e);
}

static void refuses_flags(void **state)
{
	static const struct { struct run_opts opts; const char *msg; } rows[] = {
		{ { .net = "host", .uuid = UUID }, "--net=host: a virtual machine has no part in the host's network: "
			"use --net=default, with --port to be reached at the host's addresses" },
		{ { .net = "x,host", .uuid = UUID }, "--net=x,host: a virtual machine has no part in the host's "
			"network: use --net=default, with --port to be reached at the host's addresses" },
		{ { .net = "none,x", .uuid = UUID },
			"--net=none,x: none takes no arguments and no other networks" },
		{ { .net = "none:A=b", .uuid = UUID },
			"--net=none:A=b: none takes no arguments and no other networks" },
		{ { OPTS, .mutable_pod = true }, "--mutable: the pod has apps already: to such a pod they are added while it runs" },
		{ { OPTS, .mds_token = "t" }, "--mds-token: with --net=none the metadata service cannot be reached" },
		{ { OPTS, .ipc = "parent" }, "--ipc=parent: a virtual machine cannot share the host's IPC" },
		{ { OPTS, .ipc = "x" }, "--ipc=x: auto, private or parent" },
		{ { OPTS, .ipc = "" }, "--ipc=: auto, private or parent" },
		{ { OPTS, .hostname = "" }, "--hostname=: 1 to 64 bytes" },
		{ { OPTS, .dns_conf_mode = "resolv=up" }, "--dns-conf-mode=resolv=up: "
			"resolv=host|stage0|none|default,hosts=host|stage0|default" },
		{ { OPTS, .hostname = "01234567890123456789012345678901234567890123456789012345678901234" },
			"--hostname=01234567890123456789012345678901234567890123456789012345678901234: "
			"1 to 64 bytes" },
	};
	struct pod_app app = { APP };
	const struct pod pod = { .apps = &app, .napps = 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plan_warnings w = { .n = 0 };
		struct err e = ERR_INIT;

		assert_int_equal(check(&rows[i].opts, &pod, &w, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(w.n, 0);
	}
}

static void passes_flags(void **state)
{
	static const struct { struct run_opts opts; const char *warning; } rows[] = {
		{ { OPTS }, NULL },
		{ { OPTS, .ipc = "auto", .debug = true, .interactive = true }, NULL },
		{ { OPTS, .ipc = "private", .local_config = "/x", .private_users = "1:2" }, NULL },
		{ { OPTS, .disable_paths = true, .disable_seccomp = true, .disable_capabilities = true }, NULL },
		{ { OPTS, .hostname = "0123456789012345678901234567890123456789012345678901234567890123" }, NULL },
		{ { OPTS, .dns_conf_mode = "resolv=host,hosts=stage0" }, NULL },
	};
	struct pod_app app = { APP };
	const struct pod pod = { .apps = &app, .napps = 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plan_warnings w = { .n = 0 };
		struct err e = ERR_INIT;

		if (check(&rows[i].opts, &pod, &w, &e) < 0)
			fail_msg("row %zu: %s", i, e.msg);
		assert_int_equal(w.n, rows[i].warning ? 1 : 0);
		if (rows[i].warning)
			assert_string_equal(w.line[0], rows[i].warning);
		plan_warnings_dispose(&w);
		plan_warnings_dispose(&w);
	}
}

static void refuses_what_a_pod_asks_for(void **state)
{
	static struct pod_handler handler = { .name = TEXT("pre-start") };
	static struct pod_isolator odd[] = { { .name = TEXT("resource/cpu") }, { .name = TEXT("resourc/x") } };
	struct pod_app apps[] = {
		{ .name = TEXT("web") },
		{ .name = TEXT("web"), .has_app = true },
		{ .name = TEXT("web"), .has_app = true, .exec = LIST(TEXT("")), .nexec = 1 },
		{ APP, .handlers = &handler, .nhandlers = 1 },
		{ APP, .isolators = odd, .nisolators = 2 },
	};
	static const char *const msgs[COUNT(apps)] = {
		"app 'web': neither the pod nor the image says what to run",
		"app 'web': nothing to execute, use --exec=BINARY",
		"app 'web': nothing to execute, use --exec=BINARY",
		"app 'web', event handler 'pre-start': nothing to execute",
		"app 'web', isolator 'resourc/x': not known",
	};
	static const struct run_opts opts = { OPTS };

	(void)state;
	for (size_t i = 0; i < COUNT(apps); i++) {
		const struct pod pod = { .apps = &apps[i], .napps = 1 };
		struct plan_warnings w = { .n = 0 };
		struct err e = ERR_INIT;

		assert_int_equal(check(&opts, &pod, &w, &e), -1);
		assert_string_equal(e.msg, msgs[i]);
		assert_int_equal(e.kind, ERR_INPUT);
		plan_warnings_dispose(&w);
	}
}

static void refuses_pods_of_the_wrong_size(void **state)
{
	struct pod_app apps[] = { { APP }, { APP } };
	const struct pod pods[] = {
		{ .apps = apps, .napps = 0 },
		{ .apps = apps, .napps = 2 },
		{ .apps = apps, .napps = 1, .nports = 1 },
	};
	static const char *const msgs[] = {
		"pod.apps: empty",
		"--interactive: the pod has 2 apps, and there is one stdin",
		"pod.ports: with --net=none there is nothing they could lead to",
	};
	static const struct run_opts opts = { OPTS, .interactive = true };

	(void)state;
	for (size_t i = 0; i < COUNT(pods); i++) {
		struct plan_warnings w = { .n = 0 };
		struct err e = ERR_INIT;

		assert_int_equal(check(&opts, &pods[i], &w, &e), -1);
		assert_string_equal(e.msg, msgs[i]);
	}
}

/* rkt's marks lie beside the status files, which carry the apps' names (contract 3.6). */
static void refuses_names_of_marks(void **state)
{
	static const struct { const char *a, *b, *msg; } rows[] = {
		{ "x", "x-created", "app 'x-created': the name is that of rkt's mark for app 'x'" },
		{ "x-started", "x", "app 'x-started': the name is that of rkt's mark for app 'x'" },
		{ "x-created", "x-created-started",
			"app 'x-created-started': the name is that of rkt's mark for app 'x-created'" },
		{ "x", "x-creates", NULL },
		{ "x-created", "y", NULL },
		{ "x", "xx-created", NULL },
	};
	static const struct run_opts opts = { OPTS };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pod_app apps[] = { { APP }, { APP } };
		const struct pod pod = { .apps = apps, .napps = 2 };
		struct plan_warnings w = { .n = 0 };
		struct err e = ERR_INIT;

		apps[0].name = TEXT(rows[i].a);
		apps[1].name = TEXT(rows[i].b);
		assert_int_equal(check(&opts, &pod, &w, &e), rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
	}
}

/* n null, p pipe, t terminal; the app's annotations; with our own terminal or not. */
static void gives_each_app_its_streams(void **state)
{
#define NOTE(stream) TEXT("coreos.com/rkt/stage2/" stream)
	static const struct { const char *in, *out, *err; bool interactive, terminal; const char *kinds, *term;
		uint32_t endpoints; } rows[] = {
		{ NULL, NULL, NULL, false, false, "npp", NULL, 0 },
		{ NULL, NULL, NULL, false, true, "npp", NULL, 0 },
		{ NULL, NULL, NULL, true, false, "ppp", NULL, 0 },
		{ NULL, NULL, NULL, true, true, "ttt", "xterm", 0 },
		{ "null", "null", "null", true, true, "ttt", "xterm", 0 },
		{ "null", "null", "null", false, false, "nnn", NULL, 0 },
		{ "stream", "stream", "log", false, false, "ppp", NULL, ENDPOINT_STDIN | ENDPOINT_STDOUT },
		{ "log", "what", "", false, false, "npp", NULL, 0 },
		{ "tty", "tty", "tty", false, false, "ttt", "vt100", ENDPOINT_TTY_IN | ENDPOINT_TTY_OUT },
		{ "tty", "tty", "stream", false, true, "ttp", "xterm", ENDPOINT_TTY_IN | ENDPOINT_TTY_OUT | ENDPOINT_STDERR },
		{ "tty", "null", "null", false, false, "tnn", "vt100", ENDPOINT_TTY_IN | ENDPOINT_TTY_OUT },
		{ "tty", "log", "tty", false, false, "ppp", NULL, ENDPOINT_STDIN | ENDPOINT_STDERR }, /* its output is stdout's: there is none */
		{ "null", "tty", "null", false, false, "ntn", "vt100", ENDPOINT_TTY_OUT },
		{ "interactive", "interactive", "log", false, true, "ttp", "xterm", 0 },
		{ "interactive", "interactive", "log", false, false, "ppp", NULL, 0 },
	};
	static const struct plan_terminal terminal = { .rows = 24, .cols = 80, .term = "xterm" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pod_pair notes[] = { { NOTE("stdin"), TEXT(rows[i].in) }, { NOTE("stdout"), TEXT(rows[i].out) },
			{ NOTE("stderr"), TEXT(rows[i].err) } };
		struct pod_app app = { APP, .notes = notes, .nnotes = rows[i].in ? 3 : 0 };
		const struct pod pod = { .apps = &app, .napps = 1 };
		const struct run_opts opts = { OPTS, .interactive = rows[i].interactive };
		const struct plan_input in = { .opts = &opts, .pod = &pod, .s1root = "/s",
			.terminal = rows[i].terminal ? &terminal : NULL };
		struct guest_plan plan = GUEST_PLAN_INIT;
		char kinds[] = "???";
		const char *term = NULL;
		const struct stream_modes modes = plan_streams(&in, &app);

		plan_guest(&in, &plan);
		if (plan_endpoints(&modes, &plan.apps[0].io) != rows[i].endpoints)
			fail_msg("row %zu has endpoints %x", i, plan_endpoints(&modes, &plan.apps[0].io));
		for (int k = 0; k < 3; k++)
			kinds[k] = "npt"[plan.apps[0].io.kind[k]];
		for (size_t k = 0; k < plan.apps[0].nenv; k++)
			if (!strncmp(plan.apps[0].env[k], "TERM=", 5))
				term = plan.apps[0].env[k] + 5;
		if (strcmp(kinds, rows[i].kinds) != 0)
			fail_msg("row %zu gives %s", i, kinds);
		assert_true(guest_io_valid(&plan.apps[0].io));
		assert_int_equal(plan.apps[0].io.cols, rows[i].term && rows[i].terminal ? 80 : 0);
		assert_string_equal(term ? term : "none", rows[i].term ? rows[i].term : "none");
		guest_plan_dispose(&plan);
	}
}

static void plans_logs_for_kubelet(void **state)
{
#define CRI(name) TEXT("coreos.com/rkt/experiment/" name)
	static const struct { const char *mode, *dir, *path, *out; const char *msg; bool logs; } rows[] = {
		{ NULL, "/log", "web_0.log", "stream", NULL, false },
		{ "other", "/log", "web_0.log", "stream", NULL, false },
		{ "k8s-plain", "/log", "web_0.log", "stream", NULL, true },
		{ "k8s-plain", "/log", "web_0.log", "log", NULL, false }, /* as with rkt */
		{ "k8s-plain", NULL, NULL, "tty", NULL, false },
		{ "k8s-plain", "/log", NULL, "stream", "app 'web': annotation coreos.com/rkt/experiment/kubernetes-log-path is "
			"missing, for coreos.com/rkt/experiment/logmode is k8s-plain", false },
		{ "k8s-plain", NULL, "x", "stream", "pod.annotations: coreos.com/rkt/experiment/logmode is k8s-plain, and "
			"coreos.com/rkt/experiment/kubernetes-log-dir is no absolute path", false },
		{ "k8s-plain", "log", "x", "stream", "pod.annotations: coreos.com/rkt/experiment/logmode is k8s-plain, and "
			"coreos.com/rkt/experiment/kubernetes-log-dir is no absolute path", false },
		{ "k8s-plain", "/log", "../x", "stream", "app 'web': annotation "
			"coreos.com/rkt/experiment/kubernetes-log-path: '../x' is not the name of a file", false },
		{ "k8s-plain", "/log", "..", "stream", "app 'web': annotation "
			"coreos.com/rkt/experiment/kubernetes-log-path: '..' is not the name of a file", false },
		{ "k8s-plain", "/log", "", "stream", "app 'web': annotation "
			"coreos.com/rkt/experiment/kubernetes-log-path: '' is not the name of a file", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pod_pair pod_notes[] = { { CRI("logmode"), TEXT(rows[i].mode) },
			{ CRI("kubernetes-log-dir"), TEXT(rows[i].dir) } };
		struct pod_pair notes[] = { { NOTE("stdout"), TEXT(rows[i].out) },
			{ CRI("kubernetes-log-path"), TEXT(rows[i].path) } };
		struct pod_app app = { APP, .notes = notes, .nnotes = 2 };
		const struct pod pod = { .apps = &app, .napps = 1, .notes = pod_notes, .nnotes = 2 };
		const struct run_opts opts = { OPTS };
		const struct plan_input in = { .opts = &opts, .pod = &pod };
		struct err e = ERR_INIT;
		struct log_plan log = { .dir = NULL };

		app.name = TEXT("web");
		assert_int_equal(plan_check(&in, NULL, &e), rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
		if (!rows[i].msg)
			assert_int_equal(plan_log(&in, &app, &log, &e), 0);
		assert_int_equal(log.dir != NULL, rows[i].logs);
	}
	{
		struct pod_pair pod_notes[] = { { CRI("logmode"), TEXT("k8s-plain") }, { CRI("kubernetes-log-dir"), TEXT("/log") } };
		struct pod_pair notes[] = { { NOTE("stderr"), TEXT("stream") }, { CRI("kubernetes-log-path"), TEXT("x") } };
		struct pod_app apps[] = { { APP, .notes = notes, .nnotes = 2 }, { APP, .notes = notes, .nnotes = 2 } };
		const struct pod pod = { .apps = apps, .napps = 2, .notes = pod_notes, .nnotes = 2 };
		const struct run_opts opts = { OPTS };
		const struct plan_input in = { .opts = &opts, .pod = &pod };
		struct err e = ERR_INIT;

		apps[0].name = TEXT("web");
		apps[1].name = TEXT("db");
		assert_int_equal(plan_check(&in, NULL, &e), -1);
		assert_string_equal(e.msg, "app 'db': annotation coreos.com/rkt/experiment/kubernetes-log-path: app 'web' has the same");
	}
}

static void finds_the_app_that_has_our_stdin(void **state)
{
	struct pod_pair note = { NOTE("stdin"), TEXT("interactive") };
	struct pod_app apps[] = { { APP }, { APP, .notes = &note, .nnotes = 1 }, { APP } };
	struct pod pod = { .apps = apps, .napps = 3 };
	struct run_opts opts = { OPTS };
	const struct plan_input in = { .opts = &opts, .pod = &pod, .s1root = "/s" };

	(void)state;
	assert_int_equal(plan_stdin_app(&in), 1);
	opts.interactive = true;
	assert_int_equal(plan_stdin_app(&in), 0);
	opts.interactive = false;
	pod.napps = 1;
	assert_int_equal(plan_stdin_app(&in), -1);
}

static void plans_event_handlers(void **state)
{
	struct pod_handler handlers[] = { { TEXT("post-stop"), LIST(TEXT("/b"), TEXT("c")), 2 },
		{ TEXT("pre-start"), LIST(TEXT("/a")), 1 } };
	struct pod_app app = { APP, .handlers = handlers, .nhandlers = 2 };
	const struct pod pod = { .apps = &app, .napps = 1 };
	static const struct run_opts opts = { OPTS };
	const struct plan_input in = { .opts = &opts, .pod = &pod, .s1root = "/s" };
	struct guest_plan plan = GUEST_PLAN_INIT;

	(void)state;
	plan_guest(&in, &plan);
	assert_int_equal(plan.apps[0].npre_start, 1);
	assert_string_equal(plan.apps[0].pre_start[0], "/a");
	assert_int_equal(plan.apps[0].npost_stop, 2);
	assert_string_equal(plan.apps[0].post_stop[1], "c");
	guest_plan_dispose(&plan);
}

static void warns_of_isolators(void **state)
{
	static struct pod_isolator isolators[PLAN_WARNINGS_MAX + 2];
	struct pod_app app = { APP, .isolators = isolators, .nisolators = COUNT(isolators) };
	const struct pod pod = { .apps = &app, .napps = 1 };
	static const struct run_opts opts = { OPTS };
	struct plan_warnings w = { .n = 0 };
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(isolators); i++)
		isolators[i].name = TEXT("os/unix/sysctl");
	assert_int_equal(check(&opts, &pod, &w, &e), 0);
	assert_int_equal(w.n, PLAN_WARNINGS_MAX);
	assert_string_equal(w.line[0], "app 'web', isolator 'os/unix/sysctl': not honoured, as in rkt");
	assert_string_equal(w.line[PLAN_WARNINGS_MAX - 1], "3 more warnings are not shown");
	plan_warnings_dispose(&w);
}

static void plans_the_domain(void **state)
{
	static const uint8_t uuid[16] = { 0x67, 0x33, 0xc0, 0xb5, 0x5f, 0x2c, 0x4a, 0x4b, 0x8a, 0x4c,
		0x2f, 0x3f, 0x4b, 0x1f, 0x9c, 0x01 };
	struct run_opts opts = { OPTS };
	const struct pod pod = POD_INIT;
	const struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/p/s1" };
	struct domain_plan plan;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), 0);
	assert_string_equal(plan.name, "rkt-" UUID);
	assert_memory_equal(plan.uuid, uuid, sizeof(uuid));
	assert_string_equal(plan.kernel, "/p/s1/boot/vmlinux");
	assert_string_equal(plan.ramdisk, "/p/s1/boot/initramfs");
	assert_string_equal(plan.cmdline, CMDLINE);
	assert_int_equal(plan.memory_kib, 128 << 10);
	assert_int_equal(plan.vcpus, 1);
	assert_int_equal(plan.event_channels, 127);
	assert_int_equal(plan.grant_frames, 8);
	assert_int_equal(plan.maptrack_frames, 0);
	assert_int_equal(plan.nexports, 1);
	assert_string_equal(plan.exports[0].tag, "pod");
	assert_string_equal(plan.exports[0].path, "/p/s1/export/pod");
	assert_string_equal(plan.exports[0].security, "passthrough");
	domain_plan_dispose(&plan);
	domain_plan_dispose(&plan);

	opts.debug = true;
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), 0);
	assert_string_equal(plan.cmdline, "console=hvc0 loglevel=7 noreplace-smp percpu_alloc=page");
	domain_plan_dispose(&plan);
}

static void adds_to_the_kernels_command_line(void **state)
{
	static char longest[DOMAIN_CMDLINE_MAX];
	struct run_opts opts = { OPTS };
	const struct pod pod = POD_INIT;
	struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/p/s1", .kernel_params = "" };
	struct domain_plan plan;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), 0);
	assert_string_equal(plan.cmdline, CMDLINE);
	domain_plan_dispose(&plan);
	in.kernel_params = "mitigations=off loglevel=5";
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), 0);
	assert_string_equal(plan.cmdline, CMDLINE " mitigations=off loglevel=5");
	domain_plan_dispose(&plan);
	in.kernel_params = longest;
	memset(longest, 'x', DOMAIN_CMDLINE_MAX - sizeof(CMDLINE));
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), 0);
	assert_int_equal(strlen(plan.cmdline), DOMAIN_CMDLINE_MAX);
	domain_plan_dispose(&plan);
	longest[DOMAIN_CMDLINE_MAX - sizeof(CMDLINE)] = 'x';
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), -1);
	assert_string_equal(e.msg, "RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS: the kernel's command line would have 1024 bytes, and "
		"1023 fit");
}

static void exports_volumes_by_a_device_of_their_own(void **state)
{
	const struct run_opts opts = { OPTS };
	const struct pod pod = POD_INIT;
	const struct mounts_plan mounts = { .exports_volumes = true };
	const struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/p/s1",
		.mounts = &mounts };
	struct domain_plan plan;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), 0);
	assert_int_equal(plan.nexports, 2);
	assert_string_equal(plan.exports[1].tag, "volumes");
	assert_string_equal(plan.exports[1].path, "/p/s1/export/volumes");
	assert_int_equal(plan.grant_frames, 11); /* 2 * 1026 + 33 + some, of 512 */
	assert_int_equal(plan.memory_kib, 132 << 10); /* its rings are nobody's to miss */
	domain_plan_dispose(&plan);
}

static void gives_the_domain_its_nics(void **state)
{
	struct guest_nic nics[DOMAIN_NICS_MAX + 1] = {
		{ .name = (char *)"eth0", .mac = { 2, 0, 0, 0, 0, 1 }, .mtu = 1500 },
		{ .name = (char *)"eth1", .mac = { 2, 0, 0, 0, 0, 2 }, .mtu = 9000 },
	};
	const struct run_opts opts = { OPTS };
	struct pod pod = POD_INIT;
	const struct host_facts many = { .free_kib = 1 << 20, .cpus = 8 };
	struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &many, .s1root = "/p/s1",
		.nnics = 2 };
	struct pod_pair eight = { (char *)"stage1-xen/vcpus", (char *)"8" };
	struct domain_plan plan;
	struct guest_plan guest;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), 0);
	plan_domain_nics(&plan, nics);
	assert_int_equal(plan.nnics, 2);
	assert_memory_equal(plan.nics[1].mac, nics[1].mac, 6);
	assert_int_equal(plan.nics[1].mtu, 9000);
	assert_true(plan.nics[0].backend_domid == 0 && plan.nics[1].backend_domid == 0);
	assert_string_equal(plan.nic_script, "/p/s1/vif");
	assert_string_equal(plan.cmdline, CMDLINE);
	assert_int_equal(plan.event_channels, 127 + 2 * 2);
	assert_int_equal(plan.grant_frames, 8 + 2 * 2); /* 514 entries each, of 512 a frame */
	assert_int_equal(plan.memory_kib, (128 + 2 * 2) << 10);
	plan_domain_backend(&plan, 1, 7, "xenbr0");
	assert_int_equal(plan.nics[1].backend_domid, 7);
	assert_string_equal(plan.nics[1].bridge, "xenbr0");
	domain_plan_dispose(&plan);
	plan_guest(&in, &guest); /* they are not there yet */
	assert_int_equal(guest.nnics, 0);
	guest_plan_dispose(&guest);
	in.nics = nics;
	plan_guest(&in, &guest);
	assert_int_equal(guest.nnics, 2);
	assert_ptr_equal(guest.nics, nics);
	guest_plan_dispose(&guest);

	pod.notes = &eight; /* more vCPUs than queues */
	pod.nnotes = 1;
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), 0);
	assert_string_equal(plan.cmdline, CMDLINE " xen_netfront.max_queues=2");
	assert_int_equal(plan.event_channels, 127 + 2 * 2 * 2);
	assert_int_equal(plan.grant_frames, 8 + 3 * 2);
	domain_plan_dispose(&plan);

	in.nnics = DOMAIN_NICS_MAX + 1;
	assert_int_equal(plan_domain(&in, &plan, NULL, &e), -1);
	assert_string_equal(e.msg, "the pod has 17 networks, over 16");
}

static void refuses_a_domain_without_memory(void **state)
{
	static const struct { uint64_t free_kib; const char *msg; } rows[] = {
		{ 0, "the pod needs 132 MiB of memory, Xen has 0 MiB free" },
		{ 100 << 10, "the pod needs 132 MiB of memory, Xen has 100 MiB free" },
		{ (132 << 10) - 1, "the pod needs 132 MiB of memory, Xen has 131 MiB free" },
		{ 132 << 10, "" },
		{ UINT64_MAX, "" },
	};
	const struct run_opts opts = { OPTS };
	const struct pod pod = POD_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct host_facts little = { .free_kib = rows[i].free_kib };
		const struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &little, .s1root = "/" };
		struct domain_plan plan = DOMAIN_PLAN_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(plan_domain(&in, &plan, NULL, &e), *rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(e.kind, *rows[i].msg ? ERR_HOST : ERR_NONE);
		domain_plan_dispose(&plan);
	}
}

static void check_env(const struct guest_app *app, const char *const *want, size_t n)
{
	assert_int_equal(app->nenv, n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(app->env[i], want[i]);
	assert_null(app->env[n]);
}

static void plans_the_guest(void **state)
{
	static const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "SHELL=/bin/sh",
		"USER=root", "LOGNAME=root", "HOME=/root", "AC_APP_NAME=web",
	};
	uint32_t gids[] = { 7, 8 };
	struct pod_app app = { APP, .gids = gids, .ngids = 2 };
	const struct pod pod = { .apps = &app, .napps = 1 };
	struct run_opts opts = { OPTS };
	const struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s" };
	struct guest_plan plan;

	(void)state;
	app.cwd = TEXT("/srv");
	app.user = TEXT("www");
	plan_guest(&in, &plan);
	assert_string_equal(plan.hostname, "rkt-" UUID);
	assert_int_equal(plan.napps, 1);
	assert_string_equal(plan.apps[0].name, "web");
	assert_string_equal(plan.apps[0].root, "/pod/apps/web");
	assert_int_equal(plan.nexports, 1);
	assert_string_equal(plan.exports[0].dir, "/pod");
	assert_true(plan.apps[0].mounts.sysfs);
	assert_true(plan.apps[0].mounts.protect_paths);
	assert_false(plan.apps[0].mounts.read_only_root);
	assert_null(plan.hosts);
	assert_null(plan.hosts_fallback);
	assert_null(plan.resolv_conf);
	assert_int_equal(plan.apps[0].nexec, 1);
	assert_string_equal(plan.apps[0].exec[0], "/x");
	assert_string_equal(plan.apps[0].user, "www");
	assert_string_equal(plan.apps[0].group, "0");
	assert_int_equal(plan.apps[0].ngids, 2);
	assert_int_equal(plan.apps[0].gids[1], 8);
	assert_string_equal(plan.apps[0].cwd, "/srv");
	assert_string_equal(plan.apps[0].search_path, "/srv:/bin:/usr/bin");
	assert_int_equal(plan.apps[0].io.kind[0], GUEST_IO_NULL);
	check_env(&plan.apps[0], env, COUNT(env));
	guest_plan_dispose(&plan);

	opts.interactive = true;
	opts.hostname = "box";
	opts.disable_paths = true;
	app.read_only_root = true;
	plan_guest(&in, &plan);
	assert_false(plan.apps[0].mounts.protect_paths);
	assert_true(plan.apps[0].mounts.read_only_root);
	assert_string_equal(plan.hostname, "box");
	assert_int_equal(plan.apps[0].io.kind[0], GUEST_IO_PIPE);
	guest_plan_dispose(&plan);
}

static void keeps_the_environment_of_the_manifest(void **state)
{
	static struct pod_pair given[] = {
		{ TEXT("ZED"), TEXT("1=2") }, { TEXT("HOME"), TEXT("") }, { TEXT("PATH"), TEXT("/opt:bin") },
		{ TEXT("USER"), TEXT("u") }, { TEXT("LOGNAME"), TEXT("l") }, { TEXT("SHELL"), TEXT("s") },
		{ TEXT("AC_APP_NAME"), TEXT("other") },
	};
	static const char *const env[] = {
		"ZED=1=2", "HOME=", "PATH=/opt:bin", "USER=u", "LOGNAME=l", "SHELL=s", "AC_APP_NAME=web",
	};
	struct pod_app app = { APP, .env = given, .nenv = COUNT(given) };
	const struct pod pod = { .apps = &app, .napps = 1 };
	const struct run_opts opts = { OPTS };
	const struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s" };
	struct guest_plan plan;

	(void)state;
	plan_guest(&in, &plan);
	check_env(&plan.apps[0], env, COUNT(env));
	assert_string_equal(plan.apps[0].search_path, "/opt:bin");
	guest_plan_dispose(&plan);
}

/* As rkt: where it is to say that it is ready, unless its manifest knows better. */
static void an_app_may_say_that_it_is_ready(void **state)
{
	static struct pod_pair given[] = { { TEXT("NOTIFY_SOCKET"), TEXT("/mine") } };
	const struct { struct pod_app app; const char *socket; } rows[] = {
		{ { APP, .says_ready = true }, "NOTIFY_SOCKET=/run/systemd/notify" },
		{ { APP, .says_ready = true, .env = given, .nenv = 1 }, "NOTIFY_SOCKET=/mine" },
		{ { APP }, NULL },
	};
	const struct run_opts opts = { OPTS };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pod_app app = rows[i].app;
		const struct pod pod = { .apps = &app, .napps = 1 };
		const struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s" };
		struct guest_plan plan;
		const char *found = NULL;

		plan_guest(&in, &plan);
		assert_int_equal(plan.apps[0].notify, app.says_ready);
		for (size_t k = 0; k < plan.apps[0].nenv; k++) {
			if (!str_has_prefix(plan.apps[0].env[k], "NOTIFY_SOCKET="))
				continue;
			assert_null(found);
			found = plan.apps[0].env[k];
		}
		assert_string_equal(found ? found : "none", rows[i].socket ? rows[i].socket : "none");
		guest_plan_dispose(&plan);
	}
}

static void gives_the_files_of_etc(void **state)
{
	static const struct { const char *modes, *hosts, *fallback; } rows[] = {
		{ NULL, NULL, "127.0.0.1 localhost box\n" },
		{ "hosts=default", NULL, "127.0.0.1 localhost box\n" },
		{ "hosts=stage0", "127.0.0.1 localhost box\n", NULL },
		{ "hosts=host,resolv=none", "127.0.0.1 localhost\n", NULL },
	};
	const struct etc_files etc = { .resolv = TEXT("nameserver 9.9.9.9\n"),
		.hosts = TEXT("127.0.0.1 localhost\n") };
	struct pod_app app = { APP };
	const struct pod pod = { .apps = &app, .napps = 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct run_opts opts = { OPTS, .hostname = "box", .dns_conf_mode = rows[i].modes };
		const struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s",
			.etc = &etc };
		struct guest_plan plan;

		plan_guest(&in, &plan);
		assert_string_equal(plan.resolv_conf, etc.resolv);
		assert_string_equal(plan.hosts ? plan.hosts : "-", rows[i].hosts ? rows[i].hosts : "-");
		assert_string_equal(plan.hosts_fallback ? plan.hosts_fallback : "-",
			rows[i].fallback ? rows[i].fallback : "-");
		guest_plan_dispose(&plan);
	}
}

/* A network's servers are for those who did not say where theirs are; the gateway has the metadata service. */
static void takes_names_and_metadata_from_networks(void **state)
{
	static const struct { const char *modes, *resolv; } rows[] = {
		{ NULL, "nameserver 10.0.0.1\n" }, { "hosts=host", "nameserver 10.0.0.1\n" }, { "resolv=none", NULL },
		{ "resolv=stage0", "nameserver 9.9.9.9\n" },
	};
	struct etc_files etc = { .hosts = TEXT("127.0.0.1 localhost\n") };
	struct pod_app app = { APP };
	const struct pod pod = { .apps = &app, .napps = 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct run_opts opts = { .net = "lan", .uuid = UUID, .dns_conf_mode = rows[i].modes, .mds_token = "tok" };
		const struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s", .etc = &etc,
			.net_resolv = "nameserver 10.0.0.1\n", .net_host = "10.0.0.1" };
		struct guest_plan plan;

		etc.resolv = i == 3 ? TEXT("nameserver 9.9.9.9\n") : NULL;
		plan_guest(&in, &plan);
		assert_string_equal(plan.resolv_conf ? plan.resolv_conf : "-", rows[i].resolv ? rows[i].resolv : "-");
		assert_string_equal(plan.apps[0].env[plan.apps[0].nenv - 1],
			"AC_METADATA_URL=http://10.0.0.1:18112/tok");
		guest_plan_dispose(&plan);
	}
}

/* The rings are a part of the guest's memory: a small one has small ones, and messages that fit in. */
static void gives_a_small_guest_small_rings(void **state)
{
	static const struct {
		const char *memory, *msize;
		uint32_t order;
	} rows[] = { { "64Mi", ",msize=524288,", 9 }, { "63Mi", ",msize=65536,", 6 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct run_opts opts = { OPTS };
		struct pod_pair note = { (char *)"stage1-xen/memory", (char *)rows[i].memory };
		const struct pod pod = { .notes = &note, .nnotes = 1 };
		const struct plan_input in = { .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/p/s1" };
		struct domain_plan plan;
		struct guest_plan guest;
		struct err e = ERR_INIT;

		assert_int_equal(plan_domain(&in, &plan, NULL, &e), 0);
		plan_guest(&in, &guest);
		assert_int_equal(plan.exports[0].ring_order, rows[i].order);
		assert_non_null(strstr(guest.exports[0].options, rows[i].msize));
		domain_plan_dispose(&plan);
		guest_plan_dispose(&guest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_a_small_guest_small_rings),
		cmocka_unit_test(takes_names_and_metadata_from_networks),
		cmocka_unit_test(refuses_flags),
		cmocka_unit_test(passes_flags),
		cmocka_unit_test(refuses_what_a_pod_asks_for),
		cmocka_unit_test(refuses_pods_of_the_wrong_size),
		cmocka_unit_test(refuses_names_of_marks),
		cmocka_unit_test(gives_each_app_its_streams),
		cmocka_unit_test(plans_logs_for_kubelet),
		cmocka_unit_test(finds_the_app_that_has_our_stdin),
		cmocka_unit_test(plans_event_handlers),
		cmocka_unit_test(warns_of_isolators),
		cmocka_unit_test(plans_the_domain),
		cmocka_unit_test(adds_to_the_kernels_command_line),
		cmocka_unit_test(exports_volumes_by_a_device_of_their_own),
		cmocka_unit_test(gives_the_files_of_etc),
		cmocka_unit_test(gives_the_domain_its_nics),
		cmocka_unit_test(refuses_a_domain_without_memory),
		cmocka_unit_test(plans_the_guest),
		cmocka_unit_test(keeps_the_environment_of_the_manifest),
		cmocka_unit_test(an_app_may_say_that_it_is_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
