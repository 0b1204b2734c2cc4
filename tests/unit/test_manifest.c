/* stage0's reading of image manifests, its flags, and stage1's argv. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "stage0/cli.h"
#include "stage0/manifest.h"
#include "stage0/runargs.h"
#include "stage1/common/util.h"

#define HEAD "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"example.com/web\","
#define LABELS "\"labels\":[{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"amd64\"}]"
#define OWNER "\"user\":\"0\",\"group\":\"0\""
#define APP(x) HEAD LABELS ",\"app\":{" OWNER x "}}"

static int check(const char *doc, const struct app_opts *opts, struct err *e)
{
	struct image image = IMAGE_INIT;
	int ret = image_parse(doc, strlen(doc), &image, e);

	if (ret == 0)
		ret = image_check_whole(&image, e);
	if (ret == 0)
		ret = image_check_app(&image, opts, e);
	image_dispose(&image);
	return ret;
}

static void says_where_an_image_is_wrong(void **state)
{
	static const struct { const char *doc, *msg; } rows[] = {
		{ "", "image manifest: not JSON: ends too early" },
		{ "[]", "image manifest: expected object, found array" },
		{ "{}", "image manifest.acKind: missing" },
		{ "{\"acKind\":1}", "image manifest.acKind: expected string, found int" },
		{ "{\"acKind\":\"PodManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a\"}",
			"image manifest.acKind: 'PodManifest' is not 'ImageManifest'" },
		{ "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8\",\"name\":\"a\"}",
			"image manifest.acVersion: '0.8' is not a version" },
		{ "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11x\",\"name\":\"a\"}",
			"image manifest.acVersion: '0.8.11x' is not a version" },
		{ "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\"}", "image manifest.name: missing" },
		{ "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"A\"}",
			"image manifest.name: 'A' is not a name for an image" },
		{ "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a//b\"}",
			"image manifest.name: 'a//b' is not a name for an image" },
		{ "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"a/\"}",
			"image manifest.name: 'a/' is not a name for an image" },
		{ HEAD "\"labels\":{}}", "image manifest.labels: expected array, found object" },
		{ HEAD "\"labels\":[7]}", "image manifest.labels[0]: expected object, found int" },
		{ HEAD "\"labels\":[{\"name\":\"os\",\"value\":1}]}",
			"image manifest.labels[0].value: expected string, found int" },
		{ HEAD "\"labels\":[]}", "image manifest.labels: no label 'os'" },
		{ HEAD "\"labels\":[{\"name\":\"os\",\"value\":\"linux\"}]}",
			"image manifest.labels: no label 'arch'" },
		{ HEAD "\"labels\":[{\"name\":\"os\",\"value\":\"freebsd\"}]}",
			"image manifest.labels: os 'freebsd' does not run here" },
		{ HEAD "\"labels\":[{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"aarch64\"}]}",
			"image manifest.labels: arch 'aarch64' does not run here" },
		{ HEAD LABELS "}", "image manifest.app: missing, and no --exec=PROGRAM given" },
		{ HEAD LABELS ",\"app\":null}", "image manifest.app: missing, and no --exec=PROGRAM given" },
		{ HEAD LABELS ",\"app\":[]}", "image manifest.app: expected object, found array" },
		{ HEAD LABELS ",\"annotations\":1}", "image manifest.annotations: expected array, found int" },
		{ HEAD LABELS ",\"dependencies\":[{\"imageName\":\"a\"}]}", "image manifest.dependencies: "
			"it is made on top of other images, which are not fetched here" },
		{ HEAD LABELS ",\"pathWhitelist\":[\"/bin\"]}",
			"image manifest.pathWhitelist: is not supported: more files than these would be there" },
		{ HEAD LABELS ",\"dependencies\":{}}", "image manifest.dependencies: expected array, found object" },
		{ HEAD LABELS ",\"dependencies\":[],\"pathWhitelist\":null,\"app\":{}}",
			"image manifest.app.user: missing" },
		{ HEAD LABELS ",\"app\":{}}", "image manifest.app.user: missing" },
		{ HEAD LABELS ",\"app\":{\"user\":\"0\"}}", "image manifest.app.group: missing" },
		{ HEAD LABELS ",\"app\":{\"user\":\"\",\"group\":\"0\"}}", "image manifest.app.user: empty" },
		{ HEAD LABELS ",\"app\":{\"user\":\"0\",\"group\":\"\"}}", "image manifest.app.group: empty" },
		{ APP(",\"exec\":\"/bin/sh\""), "image manifest.app.exec: expected array, found string" },
		{ APP(",\"exec\":[\"a\",1]"), "image manifest.app.exec[1]: expected string, found int" },
		{ APP(",\"exec\":[\"a\\u0000b\"]"), "image manifest.app.exec[0]: contains a NUL" },
		{ APP(",\"environment\":{}"), "image manifest.app.environment: expected array, found object" },
		{ APP(",\"environment\":[{\"name\":\"a\"}]"), "image manifest.app.environment[0].value: missing" },
		{ APP(",\"workingDirectory\":\"x\""),
			"image manifest.app.workingDirectory: 'x' is not an absolute path" },
	};
	const struct app_opts none = { .name = NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(check(rows[i].doc, &none, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

static void names_apps_after_images(void **state)
{
	static const struct { const char *image, *app; } rows[] = {
		{ "example.com/web", "web" }, { "web", "web" }, { "a/b/c.d_e~f", "c-d-e-f" },
		{ "quay.io/x-y", "x-y" },
	};
	const struct app_opts none = { .name = NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *doc = xasprintf("{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\","
			"\"name\":\"%s\"}", rows[i].image);
		struct image image = IMAGE_INIT;
		struct err e = ERR_INIT;
		char *name = NULL;

		assert_int_equal(image_parse(doc, strlen(doc), &image, &e), 0);
		assert_int_equal(app_name(&image, &none, &name, &e), 0);
		assert_string_equal(name, rows[i].app);
		free(name);
		image_dispose(&image);
	}
}

static void check_argv(const struct run_flags *opts, int version, const char *want, const char *dropped)
{
	struct run_args a = RUN_ARGS_INIT;
	char line[600] = "", lost[100] = "";

	run_args_make("/p/init", opts, version, "UUID", &a);
	for (size_t i = 0; i < a.argc; i++) {
		strcat(line, i ? " " : "");
		strcat(line, a.argv[i]);
	}
	for (size_t i = 0; i < a.ndropped; i++)
		strcat(lost, a.dropped[i]);
	assert_null(a.argv[a.argc]);
	assert_string_equal(line, want);
	assert_string_equal(lost, dropped);
	run_args_dispose(&a);
}

static void passes_what_the_interface_knows(void **state)
{
	const struct run_flags few = { .net = "none" };
	const struct run_flags all = { .debug = true, .interactive = true, .net = "default:IP=1.2.3.4,x",
		.mds_token = "0123", .local_config = "/etc/rkt", .hostname = "h",
		.dns_conf_mode = "resolv=host,hosts=default", .ipc = "private", .no_caps = true,
		.no_paths = true, .no_seccomp = true };

	(void)state;
	check_argv(&few, 1, "/p/init --net=none UUID", "");
	check_argv(&few, 6, "/p/init --net=none UUID", "");
#define ALL "/p/init --debug --net=default:IP=1.2.3.4,x --interactive --mds-token=0123 --local-config=/etc/rkt "
	check_argv(&all, 6, ALL "--hostname=h --dns-conf-mode=resolv=host,hosts=default "
		"--disable-capabilities-restriction --disable-paths --disable-seccomp --ipc=private UUID", "");
	check_argv(&all, 5, ALL "--hostname=h --dns-conf-mode=resolv=host,hosts=default "
		"--disable-capabilities-restriction --disable-paths --disable-seccomp UUID", "--ipc");
	check_argv(&all, 3, ALL "--hostname=h --disable-capabilities-restriction --disable-paths "
		"--disable-seccomp UUID", "--dns-conf-mode--ipc");
	check_argv(&all, 2, ALL "--hostname=h UUID", "--dns-conf-mode--ipc");
	check_argv(&all, 1, ALL "UUID", "--hostname--dns-conf-mode--ipc");
#undef ALL
}

static void reads_interface_versions(void **state)
{
	static const char *const bad[] = { "", "x", "1x", "-1", "9999999", " 1" };
	struct err e = ERR_INIT;
	int v = 0;

	(void)state;
	assert_int_equal(interface_version(NULL, &v, &e), 0);
	assert_int_equal(v, 1);
	assert_int_equal(interface_version("6", &v, &e), 0);
	assert_int_equal(v, 6);
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct err e1 = ERR_INIT;

		assert_int_equal(interface_version(bad[i], &v, &e1), -1);
	}
	assert_int_equal(interface_version("six", &v, &e), -1);
	assert_string_equal(e.msg, "interface version 'six' is not a number");
}

static void reads_insecure_options(void **state)
{
	struct run_flags o = { .net = "none" };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(insecure_options("", &o, &e), 0);
	assert_int_equal(insecure_options("image", &o, &e), 0);
	assert_true(!o.no_caps && !o.no_paths && !o.no_seccomp && o.no_signatures);
	o = (struct run_flags){ .net = "none" };
	assert_int_equal(insecure_options("paths,seccomp", &o, &e), 0);
	assert_true(!o.no_caps && o.no_paths && o.no_seccomp && !o.no_signatures);
	assert_int_equal(insecure_options("all-run", &o, &e), 0);
	assert_true(o.no_caps && o.no_paths && o.no_seccomp && !o.no_signatures);
	assert_int_equal(insecure_options("all-fetch", &o, &e), 0);
	assert_true(o.no_caps && o.no_signatures); /* they add up */
	o = (struct run_flags){ .net = "none" };
	assert_int_equal(insecure_options("all", &o, &e), 0);
	assert_true(o.no_caps && o.no_paths && o.no_seccomp && o.no_signatures);
	assert_int_equal(insecure_options("image,sudo", &o, &e), -1);
	assert_string_equal(e.msg, "--insecure-options: unknown 'sudo'");
}

struct parsed {
	bool on;
	const char *s;
	struct cli_list l;
	struct cli_rest rest;
};

static int parse(struct parsed *p, char **argv, struct err *e)
{
	const struct cli_flag flags[] = { { "on", CLI_SWITCH, &p->on, NULL, "" },
		{ "str", CLI_STRING, &p->s, "X", "" }, { "list", CLI_LIST, &p->l, "X", "" } };
	int argc = 0;

	while (argv[argc])
		argc++;
	*p = (struct parsed){ .on = false };
	return cli_parse(flags, COUNT(flags), argc, argv, &p->rest, e);
}

static void reads_flags_as_go_does(void **state)
{
	const char *argv[] = { "cmd", "--on", "a", "--str=1", "-str", "--x", "-list=p", "--list", "q", "b",
		"--on=false", "-", "--", "--str=9", "--", NULL };
	struct err e = ERR_INIT;
	struct parsed p;

	(void)state;
	assert_int_equal(parse(&p, (char **)argv, &e), 0);
	assert_false(p.on);
	assert_string_equal(p.s, "--x"); /* the word behind is the value, whatever it looks like */
	assert_int_equal(p.l.n, 2);
	assert_string_equal(p.l.v[0], "p");
	assert_string_equal(p.l.v[1], "q");
	assert_int_equal(p.rest.words.n, 3);
	assert_string_equal(p.rest.words.v[2], "-");
	assert_int_equal(p.rest.nargs, 2);
	assert_string_equal(p.rest.args[0], "--str=9");
	cli_list_dispose(&p.l);
	cli_rest_dispose(&p.rest);
}

static void refuses_flags_it_does_not_know(void **state)
{
	static struct { const char *argv[4]; const char *msg; } rows[] = {
		{ { "cmd", "--what", NULL }, "unknown flag --what" },
		{ { "cmd", "--o=1", NULL }, "unknown flag --o" },
		{ { "cmd", "--strx", NULL }, "unknown flag --strx" },
		{ { "cmd", "a", "--str", NULL }, "--str needs a value" },
		{ { "cmd", "--on=yes", NULL }, "--on: 'yes' is neither true nor false" },
		{ { "cmd", "--on=", NULL }, "--on: '' is neither true nor false" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;
		struct parsed p;

		assert_int_equal(parse(&p, (char **)rows[i].argv, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
		assert_null(p.rest.words.v);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where_an_image_is_wrong),
		cmocka_unit_test(names_apps_after_images),
		cmocka_unit_test(passes_what_the_interface_knows),
		cmocka_unit_test(reads_interface_versions),
		cmocka_unit_test(reads_insecure_options),
		cmocka_unit_test(reads_flags_as_go_does),
		cmocka_unit_test(refuses_flags_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
