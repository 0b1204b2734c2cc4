/* Command lines of run, and the pod manifests they make of images: exact JSON, exact messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "stage0/runline.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"

#define NAMED(n) "{\"acKind\":\"ImageManifest\",\"acVersion\":\"0.8.11\",\"name\":\"" n "\"," LABELS
#define LABELS "\"labels\":[{\"name\":\"os\",\"value\":\"linux\"},{\"name\":\"arch\",\"value\":\"amd64\"}]"
#define OWNER "\"user\":\"0\",\"group\":\"0\""

/* What the words of a command line that are images stand for. */
static const struct { const char *path, *doc; } images[] = {
	{ "web.aci", NAMED("example.com/web") ",\"app\":{\"exec\":[\"/bin/web\",\"-v\"]," OWNER "}}" },
	{ "db.aci", NAMED("example.com/db") ",\"app\":{\"exec\":[\"/bin/db\"]," OWNER "}}" },
	{ "none.aci", NAMED("example.com/none") "}" },
	{ "empty.aci", NAMED("example.com/empty") ",\"app\":{\"exec\":[]," OWNER "}}" },
	/* all there is, in another order and spelling, and with members nobody knows */
	{ "full.aci", NAMED("example.com/full") ",\"annotations\":[{\"name\":\"appc.io/docker/repository\","
		"\"value\":\"x\"}],\"app\":{\"isolators\":[{\"value\":{\"limit\":\"1\"},\"name\":\"resource/cpu\"},"
		"{\"name\":\"os/linux/cpu-shares\",\"value\":7},"
		"{\"name\":\"os/linux/capabilities-remove-set\",\"value\":{\"set\":[\"CAP_KILL\"]}},"
		"{\"name\":\"os/linux/seccomp-retain-set\",\"value\":{\"set\":[\"read\"]}},"
		"{\"name\":\"os/linux/oom-score-adj\",\"value\":1}],\"Group\":\"g\",\"user\":\"u\","
		"\"ports\":[{\"port\":80,\"protocol\":\"tcp\",\"name\":\"http\"}],\"strange\":1,"
		"\"mountPoints\":[{\"path\":\"/data\",\"name\":\"data\",\"readOnly\":false}],"
		"\"ENVIRONMENT\":[{\"value\":\"1\",\"name\":\"A\"}],\"workingDirectory\":\"/w\","
		"\"eventHandlers\":[{\"exec\":[\"/pre\"],\"name\":\"pre-start\"}],\"supplementaryGIDs\":[],"
		"\"userLabels\":{\"z\":\"1\",\"a\":\"2\"},\"exec\":[\"/f\"]}}" },
	{ "udp.aci", NAMED("example.com/udp") ",\"app\":{\"exec\":[\"/u\"]," OWNER ",\"ports\":["
		"{\"name\":\"dns\",\"protocol\":\"udp\",\"port\":53},{\"name\":\"http\",\"protocol\":\"tcp\",\"port\":8080},"
		"{\"name\":\"dns-tcp\",\"protocol\":\"tcp\",\"port\":53}]}}" },
	{ "other.aci", NAMED("example.com/other") ",\"app\":{\"exec\":[\"/o\"]," OWNER ",\"isolators\":["
		"{\"name\":\"os/linux/capabilities-retain-set\",\"value\":{\"set\":[\"CAP_KILL\"]}},"
		"{\"name\":\"os/linux/seccomp-remove-set\",\"value\":{\"set\":[\"read\"]}}]}}" },
	{ "badenv.aci", NAMED("example.com/badenv") ",\"app\":{\"exec\":[\"/u\"]," OWNER
		",\"isolators\":{}}}" },
};

#define IMG(n) "{\"name\":\"example.com/" n "\",\"id\":\"sha512-00\"," LABELS "}"
#define APP(n, app) "{\"name\":\"" n "\",\"image\":" IMG(n) ",\"app\":{" app "}"
#define WEB(rest) APP("web", "\"exec\":[\"/bin/web\",\"-v\"]," OWNER rest) "}"
#define NOTES "\"annotations\":[{\"name\":\"coreos.com/rkt/stage1/mutable\",\"value\":\"false\"}]"
#define POD(apps) POD_WITH(apps, "null", "[]")
#define POD_WITH(apps, volumes, ports) "{\"acVersion\":\"1.30.0\",\"acKind\":\"PodManifest\",\"apps\":[" apps \
	"],\"volumes\":" volumes ",\"isolators\":null," NOTES ",\"ports\":" ports "}"

enum { WORDS = 24 };

/* As cmd_run does it, with the images above instead of files. */
static int make(const char *const *words, struct run_line *line, char **text_r, struct err *e)
{
	struct image parsed[8] = { IMAGE_INIT };
	struct app_image list[8];
	char *argv[WORDS + 1] = { (char *)"run" };
	int argc = 1, ret;

	for (; *words; words++)
		argv[argc++] = (char *)*words;
	ret = run_line_read(argc, argv, LINE_PREPARE | LINE_LAUNCH, line, e);
	for (size_t i = 0; ret == 0 && i < line->pod.napps; i++) {
		size_t k = 0;

		while (strcmp(images[k].path, line->pod.apps[i].image) != 0)
			assert_true(++k < COUNT(images));
		ret = image_parse(images[k].doc, strlen(images[k].doc), &parsed[i], e);
		if (ret == 0)
			ret = image_check_app(&parsed[i], &line->pod.apps[i], e);
		list[i] = (struct app_image){ &parsed[i], "sha512-00" };
	}
	if (ret == 0 && !line->help)
		ret = pod_manifest(&line->pod, list, text_r, e);
	for (size_t i = 0; i < COUNT(parsed); i++)
		image_dispose(&parsed[i]);
	return ret;
}

static void check_manifest(const char *const *words, const char *want)
{
	struct run_line line = RUN_LINE_INIT;
	struct pod pod = POD_INIT;
	struct err e = ERR_INIT;
	char *text = NULL;

	if (make(words, &line, &text, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(text, want);
	assert_int_equal(pod_parse(text, strlen(text), &pod, &e), 0); /* stage1 reads it */
	pod_dispose(&pod);
	run_line_dispose(&line);
	free(text);
}

static void check_refused(const char *const *words, const char *want)
{
	struct run_line line = RUN_LINE_INIT;
	struct err e = ERR_INIT;
	char *text = NULL;

	assert_int_equal(make(words, &line, &text, &e), -1);
	assert_string_equal(e.msg, want);
	assert_null(text);
	run_line_dispose(&line);
}

struct row {
	const char *words[WORDS], *want;
};

static void takes_programs_and_arguments(void **state)
{
	static const struct row rows[] = {
		{ { "web.aci" }, POD(WEB("")) },
		/* arguments follow the image's own; with --exec they are all there is */
		{ { "web.aci", "--", "one", "", "t\"wo", "--", "--exec=x" }, POD(APP("web",
			"\"exec\":[\"/bin/web\",\"-v\",\"one\",\"\",\"t\\\"wo\",\"--\",\"--exec=x\"]," OWNER) "}") },
		{ { "web.aci", "--exec", "/c", "--", "one" }, POD(APP("web", "\"exec\":[\"/c\",\"one\"]," OWNER) "}") },
		{ { "web.aci", "--exec=" }, POD(WEB("")) },
		{ { "empty.aci", "--", "one" }, POD(APP("empty", "\"exec\":[\"one\"]," OWNER) "}") },
		/* no app section: root's, with the program given */
		{ { "none.aci", "--exec=/c" }, POD(APP("none", "\"exec\":[\"/c\"]," OWNER) "}") },
		/* several images, each with flags and arguments of its own */
		{ { "web.aci", "db.aci" }, POD(WEB("") "," APP("db", "\"exec\":[\"/bin/db\"]," OWNER) "}") },
		{ { "--debug", "web.aci", "--user=7", "--", "--user=8", "---", "", "db.aci", "--group=9", "---",
			"--hostname=h", "--", "x", "---" },
			POD(APP("web", "\"exec\":[\"/bin/web\",\"-v\",\"--user=8\"],\"user\":\"7\",\"group\":\"0\"") "},"
			APP("db", "\"exec\":[\"/bin/db\",\"x\"],\"user\":\"0\",\"group\":\"9\"") "}") },
		{ { "web.aci", "web.aci", "--name=web2" }, POD(WEB("") ",{\"name\":\"web2\",\"image\":" IMG("web")
			",\"app\":{\"exec\":[\"/bin/web\",\"-v\"]," OWNER "}}") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_manifest(rows[i].words, rows[i].want);
}

#define ISOLATOR(n, v) "{\"name\":\"" n "\",\"value\":" v "}"
#define QUANTITY(n, q) ISOLATOR("resource/" n, "{\"default\":false,\"request\":\"" q "\",\"limit\":\"" q "\"}")
#define FULL_HEAD "\"exec\":[\"/f\"],\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/pre\"]}]," \
	"\"user\":\"u\",\"group\":\"g\",\"workingDirectory\":\"/w\",\"environment\":[{\"name\":\"A\",\"value\":\"1\"}]," \
	"\"mountPoints\":[{\"name\":\"data\",\"path\":\"/data\"}],\"ports\":[{\"name\":\"http\",\"protocol\":\"tcp\"," \
	"\"port\":80,\"count\":1,\"socketActivated\":false}],\"isolators\":["
#define FULL_TAIL "],\"userLabels\":{\"a\":\"2\",\"z\":\"1\"}"
#define FULL(isolators) APP("full", FULL_HEAD isolators FULL_TAIL) "}"
#define ONE_CPU ISOLATOR("resource/cpu", "{\"limit\":\"1\"}")
#define SHARES(n) ISOLATOR("os/linux/cpu-shares", n)
#define OOM(n) ISOLATOR("os/linux/oom-score-adj", n)
#define NO_KILL ISOLATOR("os/linux/capabilities-remove-set", "{\"set\":[\"CAP_KILL\"]}")
#define ONLY_READ ISOLATOR("os/linux/seccomp-retain-set", "{\"set\":[\"read\"]}")

static void copies_as_go_does_and_overrides(void **state)
{
	static const struct row rows[] = {
		{ { "full.aci" }, POD(FULL(ONE_CPU "," SHARES("7") "," NO_KILL "," ONLY_READ "," OOM("1"))) },
		/* memory and cpu are appended, numbers replaced, capabilities and seccomp replace both kinds */
		{ { "full.aci", "--memory=1024Ki", "--cpu=1.5" }, POD(FULL(ONE_CPU "," SHARES("7") "," NO_KILL ","
			ONLY_READ "," OOM("1") "," QUANTITY("memory", "1Mi") "," QUANTITY("cpu", "1500m"))) },
		{ { "full.aci", "--cpu-shares=2048", "--oom-score-adj=-1000" }, POD(FULL(ONE_CPU "," NO_KILL ","
			ONLY_READ "," SHARES("2048") "," OOM("-1000"))) },
		{ { "full.aci", "--caps-retain=CAP_CHOWN,CAP_SYS_ADMIN" }, POD(FULL(ONE_CPU "," SHARES("7") ","
			ONLY_READ "," OOM("1") "," ISOLATOR("os/linux/capabilities-retain-set",
			"{\"set\":[\"CAP_CHOWN\",\"CAP_SYS_ADMIN\"]}"))) },
		{ { "full.aci", "--caps-remove", "CAP_MKNOD" }, POD(FULL(ONE_CPU "," SHARES("7") ","
			ONLY_READ "," OOM("1") "," ISOLATOR("os/linux/capabilities-remove-set",
			"{\"set\":[\"CAP_MKNOD\"]}"))) },
		{ { "full.aci", "--seccomp=mode=remove,errno=EPERM,@rkt/default-blacklist,chmod" },
			POD(FULL(ONE_CPU "," SHARES("7") "," NO_KILL "," OOM("1") "," ISOLATOR(
			"os/linux/seccomp-remove-set", "{\"set\":[\"@rkt/default-blacklist\",\"chmod\"],"
			"\"errno\":\"EPERM\"}"))) },
		{ { "web.aci", "--seccomp", "read,mode=retain" }, POD(WEB(",\"isolators\":["
			ISOLATOR("os/linux/seccomp-retain-set", "{\"set\":[\"read\"],\"errno\":\"\"}") "]")) },
		{ { "other.aci", "--caps-remove=CAP_CHOWN", "--seccomp=mode=retain,write" }, POD(APP("other",
			"\"exec\":[\"/o\"]," OWNER ",\"isolators\":[" ISOLATOR("os/linux/capabilities-remove-set",
			"{\"set\":[\"CAP_CHOWN\"]}") "," ISOLATOR("os/linux/seccomp-retain-set",
			"{\"set\":[\"write\"],\"errno\":\"\"}") "]") "}") },
		{ { "web.aci", "--working-dir=/w", "--supplementary-gids=3,1", "--supplementary-gids=2" },
			POD(WEB(",\"supplementaryGIDs\":[3,1,2],\"workingDirectory\":\"/w\"")) },
		{ { "web.aci", "--readonly-rootfs", "--stderr=null", "--stdin=tty", "--annotation=b/c=1=2",
			"--annotation=a=", "--annotation=b/c=3" }, POD(APP("web", "\"exec\":[\"/bin/web\",\"-v\"]," OWNER)
			",\"readOnlyRootFS\":true,\"annotations\":[{\"name\":\"b/c\",\"value\":\"3\"},"
			"{\"name\":\"a\",\"value\":\"\"},{\"name\":\"coreos.com/rkt/stage2/stdin\",\"value\":\"tty\"},"
			"{\"name\":\"coreos.com/rkt/stage2/stderr\",\"value\":\"null\"}]}") },
		{ { "web.aci", "--readonly-rootfs=false", "--user-annotation=b=1", "--user-annotation=a=2",
			"--user-label=c=d" }, POD(WEB(",\"userAnnotations\":{\"a\":\"2\",\"b\":\"1\"},"
			"\"userLabels\":{\"c\":\"d\"}")) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_manifest(rows[i].words, rows[i].want);
}

#define VOL_A "{\"name\":\"a\",\"kind\":\"host\",\"source\":\"/srv\",\"readOnly\":true,\"recursive\":false}"
#define VOL_B "{\"name\":\"b\",\"kind\":\"empty\",\"mode\":\"0755\",\"uid\":0,\"gid\":0}"
#define MOUNT(v, p) "{\"volume\":\"" v "\",\"path\":\"" p "\"}"
#define FLAGS_AB "--volume=a,kind=host,source=/srv,readOnly=true,recursive=0", "--volume", "b,kind=empty"
#define WITH_MOUNTS(m) APP("web", "\"exec\":[\"/bin/web\",\"-v\"]," OWNER) ",\"mounts\":[" m "]}"

static void merges_volumes_and_mounts(void **state)
{
	static const struct row rows[] = {
		{ { FLAGS_AB, "web.aci" }, POD_WITH(WEB(""), "[" VOL_A "," VOL_B "]", "[]") },
		{ { "web.aci", "--volume=c,mode=1777,kind=empty,gid=4,uid=5" }, POD_WITH(WEB(""),
			"[{\"name\":\"c\",\"kind\":\"empty\",\"mode\":\"1777\",\"uid\":5,\"gid\":4}]", "[]") },
		/* an app's own come first; a path that is there already is dropped */
		{ { FLAGS_AB, "--mount=volume=a,target=/x", "--mount=volume=a,target=/y/../z", "web.aci",
			"--mount", "target=/z/,volume=b" }, POD_WITH(WITH_MOUNTS(MOUNT("b", "/z/") "," MOUNT("a", "/x")),
			"[" VOL_A "," VOL_B "]", "[]") },
		{ { "web.aci", "--mount=volume=b,target=q=%41+", "--mount=volume=a,target=./q=%41+", FLAGS_AB },
			POD_WITH(WITH_MOUNTS(MOUNT("b", "q=%41+")), "[" VOL_A "," VOL_B "]", "[]") },
		{ { FLAGS_AB, "web.aci", "--mount=volume=a,target=../..", "--mount=volume=a,target=." },
			POD_WITH(WITH_MOUNTS(MOUNT("a", "../..") "," MOUNT("a", ".")), "[" VOL_A "," VOL_B "]", "[]") },
		{ { FLAGS_AB, "--mount=volume=a,target=/../..", "web.aci", "--mount=volume=b,target=//",
			"--mount=volume=a,target=../../r/..", "--mount=volume=a,target=../.." },
			POD_WITH(WITH_MOUNTS(MOUNT("b", "//") "," MOUNT("a", "../../r/..")), "[" VOL_A "," VOL_B "]", "[]") },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_manifest(rows[i].words, rows[i].want);
}

static void leads_ports_to_apps(void **state)
{
	static const char *const words[] = { "--net=nonesuch:A=1;B=2,hosted", "--port=http:8080", "--port",
		"dns:127.0.0.1:53", "--net", "--port=dns-tcp:::ffff:127.0.0.1:53", "udp.aci", "--net=host2", NULL };
	struct run_line line = RUN_LINE_INIT;
	struct err e = ERR_INIT;
	char *text = NULL;

	(void)state;
	assert_int_equal(make(words, &line, &text, &e), 0);
	assert_string_equal(line.opts.net, "nonesuch:A=1;B=2,hosted,default,host2");
	assert_non_null(strstr(text, "\"ports\":[{\"name\":\"http\",\"hostPort\":8080},"
		"{\"name\":\"dns\",\"hostPort\":53,\"hostIP\":\"127.0.0.1\"},"
		"{\"name\":\"dns-tcp\",\"hostPort\":53,\"hostIP\":\"127.0.0.1\"}]}"));
	run_line_dispose(&line);
	free(text);
}

static void write_text(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	assert_int_equal(write_file_atomic(AT_FDCWD, path, text, strlen(text), 0600, &e), 0);
}

/* The image, --environment, what is inherited only where nothing is, the file, --set-env. */
static void merges_variables_in_rkts_order(void **state)
{
	static const char *const words[] = { "--set-env=S=set", "--set-env=X=set", "--inherit-env",
		"--set-env-file=test_runline.env", "full.aci", "--environment=E=app", "--environment=A=app",
		"--environment=E=app2", "--environment=F=app", NULL };
	struct run_line line = RUN_LINE_INIT;
	struct err e = ERR_INIT;
	char *text = NULL;

	(void)state;
	write_text("test_runline.env", "# comment\n;\n\nF=file=1\r\nX=file\nL=file\n");
	assert_int_equal(clearenv(), 0);
	assert_int_equal(setenv("A", "own", 1) | setenv("E", "own", 1) | setenv("I", "own", 1) |
		setenv("X", "own", 1) | setenv("BASH_FUNC_f%%", "() { :; }", 1), 0);
	assert_int_equal(make(words, &line, &text, &e), 0);
	assert_non_null(strstr(text, "\"environment\":[{\"name\":\"A\",\"value\":\"app\"},"
		"{\"name\":\"E\",\"value\":\"app2\"},{\"name\":\"F\",\"value\":\"file=1\"},"
		"{\"name\":\"I\",\"value\":\"own\"},{\"name\":\"X\",\"value\":\"set\"},"
		"{\"name\":\"L\",\"value\":\"file\"},{\"name\":\"S\",\"value\":\"set\"}]"));
	run_line_dispose(&line);
	free(text);
	(void)unlink("test_runline.env");
}

static void says_where_an_environment_file_is_wrong(void **state)
{
	static const struct { const char *text, *msg; } rows[] = {
		{ "A=1\nB\n", "--set-env-file 'test_runline.env', line 2: not NAME=VALUE" },
		{ "\n=1", "--set-env-file 'test_runline.env', line 2: not NAME=VALUE" },
		{ " A=1", "--set-env-file 'test_runline.env', line 1: not NAME=VALUE" },
		{ "A=1\nAB=1\nA=2", "--set-env-file 'test_runline.env', line 3: 'A' is set twice" },
	};
	static const char *const words[] = { "--set-env-file=test_runline.env", "web.aci", NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		write_text("test_runline.env", rows[i].text);
		check_refused(words, rows[i].msg);
	}
	(void)unlink("test_runline.env");
	check_refused(words, "--set-env-file: open test_runline.env: No such file or directory");
}

static void annotates_the_pod(void **state)
{
	static const char *const words[] = { "--pod-annotation=stage1-xen/memory=256Mi", "web.aci",
		"--pod-annotation=stage1-xen/memory=1Gi", "--pod-annotation=a=b", NULL };
	struct run_line line = RUN_LINE_INIT;
	struct err e = ERR_INIT;
	char *text = NULL;

	(void)state;
	assert_int_equal(make(words, &line, &text, &e), 0);
	assert_non_null(strstr(text, ",\"annotations\":[{\"name\":\"coreos.com/rkt/stage1/mutable\",\"value\":"
		"\"false\"},{\"name\":\"stage1-xen/memory\",\"value\":\"1Gi\"},{\"name\":\"a\",\"value\":\"b\"}]"));
	run_line_dispose(&line);
	free(text);
}

static void says_what_is_wrong_with_a_line(void **state)
{
	static const struct row rows[] = {
		{ { NULL }, "no image given" },
		{ { "--", "x" }, "'--': an image is required before its arguments" },
		{ { "web.aci", "--", "x", "---", "--", "y" }, "'--': image web.aci has its arguments already" },
		{ { "--user=1", "web.aci" }, "--user must follow an image" },
		{ { "--readonly-rootfs", "web.aci" }, "--readonly-rootfs must follow an image" },
		{ { "web.aci", "--exec=a", "--exec=b" }, "image web.aci: --exec is given twice for one image" },
		{ { "web.aci", "--exec" }, "image web.aci: --exec needs a value" },
		{ { "web.aci", "--what" }, "image web.aci: unknown flag --what" },
		{ { "--stage1-name=x" }, "--stage1-name: there is no image store here: images are files, given by path: "
			"use --stage1-path=FILE" },
		{ { "web.aci", "web.aci" }, "image web.aci: an app is named 'web' already: use --name=NAME" },
		{ { "web.aci", "--name=a--b" },
			"image web.aci: 'a--b' is not an app name (a-z, 0-9 and single dashes): use --name=NAME" },
		{ { "--interactive", "web.aci", "db.aci" }, "--interactive: there must be one image only" },
		{ { "none.aci" }, "image manifest.app: missing, and no --exec=PROGRAM given" },
		{ { "empty.aci" }, "image empty.aci: image manifest.app.exec: empty, and no --exec=PROGRAM given" },
		{ { "badenv.aci" }, "image badenv.aci: image manifest.app.isolators: expected array, found object" },
		{ { "web.aci", "--working-dir=w" }, "image web.aci: --working-dir: 'w' is not an absolute path" },
		{ { "web.aci", "--supplementary-gids=1,x" },
			"image web.aci: --supplementary-gids '1,x': 'x' is no number of a group" },
		{ { "web.aci", "--supplementary-gids=4294967295" }, "image web.aci: --supplementary-gids "
			"'4294967295': '4294967295' is no number of a group" },
		{ { "web.aci", "--environment=X" }, "image web.aci: --environment: 'X' is not NAME=VALUE" },
		{ { "web.aci", "--environment==x" }, "image web.aci: --environment: '=x' is not NAME=VALUE" },
		{ { "web.aci", "--environment=1x=" }, "image web.aci: --environment: '1x' is no name of a variable" },
		{ { "web.aci", "--set-env=A=1", "--set-env=A=2" }, "--set-env: 'A' is set twice" },
		{ { "web.aci", "--annotation=A=1" }, "image web.aci: --annotation: 'A' is no name "
			"(a-z, 0-9 and single - . _ ~ / between)" },
		{ { "web.aci", "--user-label=x" }, "image web.aci: --user-label: 'x' is not NAME=VALUE" },
		{ { "web.aci", "--stdin=log" }, "image web.aci: --stdin 'log': neither null, stream nor tty" },
		{ { "web.aci", "--stdout=x" }, "image web.aci: --stdout 'x': neither log, null, stream nor tty" },
		{ { "web.aci", "--pod-annotation=coreos.com/rkt/stage1/mutable=true" },
			"--pod-annotation: 'coreos.com/rkt/stage1/mutable' is not for you to set" },
		{ { "web.aci", "--net=a,a" }, "--net=a,a: network 'a' is given twice" },
		{ { "web.aci", "--net=none", "--net=b:x:y" }, "--net=b:x:y: 'b:x:y' has more than one ':'" },
		{ { "web.aci", "--net=host:x" }, "--net=host:x: 'host' takes no arguments" },
		{ { "web.aci", "--net=" }, "--net=: a network without a name" },
		{ { "web.aci", "--ipc=junk" }, "--ipc=junk: neither auto, private nor parent" },
		{ { "web.aci", "--dns=x" }, "--dns=x: 'x' is no IP address" },
		{ { "web.aci", "--insecure-options=x" }, "--insecure-options: unknown 'x'" },
		{ { "web.aci", "--mds-register", "--net=none" },
			"--mds-register: the metadata service cannot be reached with --net=none" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_refused(rows[i].words, rows[i].want);
}

static void says_which_isolator_is_wrong(void **state)
{
	static const struct row rows[] = {
		{ { "web.aci", "--memory=16m" }, "image web.aci: --memory '16m': 1 bytes are too few "
			"(16M are 16 megabytes, 16m are none)" },
		{ { "web.aci", "--memory=lots" }, "image web.aci: --memory: 'lots' is no quantity "
			"(500m, 16Mi, 1.5G; at most 18 digits)" },
		{ { "web.aci", "--cpu=-1" }, "image web.aci: --cpu '-1': negative" },
		{ { "web.aci", "--cpu-shares=1" }, "image web.aci: --cpu-shares '1': not a number from 2 to 262144" },
		{ { "web.aci", "--cpu-shares=2x" }, "image web.aci: --cpu-shares '2x': not a number from 2 to 262144" },
		{ { "web.aci", "--oom-score-adj=1001" },
			"image web.aci: --oom-score-adj '1001': not a number from -1000 to 1000" },
		{ { "web.aci", "--caps-retain=CAP_KILL", "--caps-remove=CAP_KILL" },
			"image web.aci: --caps-retain and --caps-remove exclude each other" },
		{ { "web.aci", "--caps-retain=" },
			"image web.aci: --caps-retain '': '' is no capability (such as CAP_KILL)" },
		{ { "web.aci", "--caps-remove=CAP_KILL,kill" },
			"image web.aci: --caps-remove 'CAP_KILL,kill': 'kill' is no capability (such as CAP_KILL)" },
		{ { "web.aci", "--seccomp=chmod" },
			"image web.aci: --seccomp 'chmod': mode=retain or mode=remove is missing" },
		{ { "web.aci", "--seccomp=mode=allow,chmod" },
			"image web.aci: --seccomp 'mode=allow,chmod': mode=retain or mode=remove is missing" },
		{ { "web.aci", "--seccomp=mode=retain" }, "image web.aci: --seccomp 'mode=retain': no system calls are named" },
		{ { "web.aci", "--seccomp=mode=retain,errno=x,a" },
			"image web.aci: --seccomp 'mode=retain,errno=x,a': 'x' is no name of an error (such as EPERM)" },
		{ { "web.aci", "--seccomp=mode=retain,what=x,a" },
			"image web.aci: --seccomp 'mode=retain,what=x,a': unknown 'what='" },
		{ { "web.aci", "--seccomp=mode=retain,,a" },
			"image web.aci: --seccomp 'mode=retain,,a': an empty word" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_refused(rows[i].words, rows[i].want);
}

static void says_which_volume_mount_or_port_is_wrong(void **state)
{
	static const struct row rows[] = {
		{ { "web.aci", "--volume=A,kind=empty" },
			"--volume 'A,kind=empty': 'A' is no name (a-z, 0-9 and single dashes)" },
		{ { "web.aci", "--volume=a" }, "--volume 'a': kind '' is neither host nor empty" },
		{ { "web.aci", "--volume=a,kind" }, "--volume 'a,kind': 'kind' has no value" },
		{ { "web.aci", "--volume=a,kind=empty,kind=host" }, "--volume 'a,kind=empty,kind=host': 'kind=' is given twice" },
		{ { "web.aci", "--volume=a,kind=empty,size=1" }, "--volume 'a,kind=empty,size=1': unknown 'size='" },
		{ { "web.aci", "--volume=a,kind=host" }, "--volume 'a,kind=host': source '' is not an absolute path" },
		{ { "web.aci", "--volume=a,kind=host,source=x" },
			"--volume 'a,kind=host,source=x': source 'x' is not an absolute path" },
		{ { "web.aci", "--volume=a,kind=host,source=/,readOnly=yes" },
			"--volume 'a,kind=host,source=/,readOnly=yes': readOnly 'yes' is neither true nor false" },
		{ { "web.aci", "--volume=a,kind=host,source=/,uid=0" },
			"--volume 'a,kind=host,source=/,uid=0': a host volume has no uid" },
		{ { "web.aci", "--volume=a,kind=empty,source=/" },
			"--volume 'a,kind=empty,source=/': an empty volume has no source" },
		{ { "web.aci", "--volume=a,kind=empty,mode=0888" }, "--volume 'a,kind=empty,mode=0888': mode '0888' is not octal" },
		{ { "web.aci", "--volume=a,kind=empty,uid=x" },
			"--volume 'a,kind=empty,uid=x': uid 'x' is no number of a user or group" },
		{ { FLAGS_AB, "--volume=a,kind=empty", "web.aci" },
			"--volume 'a,kind=empty': there is a volume 'a' already" },
		{ { "web.aci", "--mount=volume=a,target=/" },
			"image web.aci: --mount 'volume=a,target=/': no --volume is named 'a'" },
		{ { "--mount=volume=a", "web.aci" }, "image web.aci: --mount 'volume=a': no target=" },
		{ { "web.aci", "--mount=target=/x" }, "image web.aci: --mount 'target=/x': no volume=" },
		{ { "web.aci", "--mount=a:/x" }, "image web.aci: --mount 'a:/x': 'a:/x' has no value" },
		{ { "udp.aci", "--port=http:80", "--net=none" }, "--port: there are no ports to lead to with --net=none" },
		{ { "udp.aci", "--net=host", "--port=http:80" }, "--port: there are no ports to lead to with --net=host" },
		{ { "udp.aci", "--net", "--port=http" }, "--port 'http': not NAME:PORT or NAME:IP:PORT" },
		{ { "udp.aci", "--net", "--port=http:0" }, "--port 'http:0': '0' is no port (1 to 65535)" },
		{ { "udp.aci", "--net", "--port=http:65536" }, "--port 'http:65536': '65536' is no port (1 to 65535)" },
		{ { "udp.aci", "--net", "--port=http:x:80" }, "--port 'http:x:80': 'x' is no IP address" },
		{ { "udp.aci", "--net", "--port=HTTP:80" },
			"--port 'HTTP:80': 'HTTP' is no name (a-z, 0-9 and single dashes)" },
		{ { "udp.aci", "--net", "--port=ftp:80" }, "--port 'ftp:80': no app has a port 'ftp'" },
		{ { "udp.aci", "full.aci", "--net", "--port=http:80" },
			"--port 'http:80': several apps have a port 'http'" },
		{ { "udp.aci", "--net", "--port=http:80", "--port=dns-tcp:10.0.0.1:80" },
			"--port 'dns-tcp:10.0.0.1:80': the host's port is taken by --port 'http:80'" },
		{ { "udp.aci", "--net", "--port=http:10.0.0.1:80", "--port=dns:80", "--port=dns-tcp:80" },
			"--port 'dns-tcp:80': the host's port is taken by --port 'http:10.0.0.1:80'" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_refused(rows[i].words, rows[i].want);
}

static void a_given_manifest_excludes_the_rest(void **state)
{
	static const struct row rows[] = {
		{ { "--pod-manifest=x", "web.aci", "--user=1" },
			"image web.aci: with --pod-manifest it can have neither flags nor arguments" },
		{ { "--pod-manifest=x", "web.aci", "db.aci", "--", "x" },
			"image db.aci: with --pod-manifest it can have neither flags nor arguments" },
		{ { "--pod-manifest=x", "web.aci", "--set-env=A=1" }, "--pod-manifest excludes --volume, --port, "
			"--mount, --set-env, --set-env-file, --inherit-env and --pod-annotation" },
		{ { "--pod-manifest=x" }, "no image given" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_refused(rows[i].words, rows[i].want);
}

static int own_directory(void **state)
{
	static char dir[] = "/tmp/test_runline.XXXXXX";

	*state = dir;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static int remove_directory(void **state)
{
	return rmdir(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_programs_and_arguments),
		cmocka_unit_test(copies_as_go_does_and_overrides),
		cmocka_unit_test(merges_volumes_and_mounts),
		cmocka_unit_test(leads_ports_to_apps),
		cmocka_unit_test(merges_variables_in_rkts_order),
		cmocka_unit_test(says_where_an_environment_file_is_wrong),
		cmocka_unit_test(annotates_the_pod),
		cmocka_unit_test(says_what_is_wrong_with_a_line),
		cmocka_unit_test(says_which_isolator_is_wrong),
		cmocka_unit_test(says_which_volume_mount_or_port_is_wrong),
		cmocka_unit_test(a_given_manifest_excludes_the_rest),
	};

	return cmocka_run_group_tests(tests, own_directory, remove_directory);
}
