/* Pod manifests: what is accepted, and what a wrong one is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"
#include "stage1/pod/pod.h"

#define OWNER "\"user\":\"0\",\"group\":\"0\""
#define APP(x) "{\"apps\":[{\"name\":\"web\",\"app\":{" OWNER x "}}]}"
#define ITEM(x) "{\"apps\":[{\"name\":\"web\"" x "}]}"
#define TOP(x) "{\"apps\":[]" x "}"

/* In memory of just this size: nothing may count on a NUL behind it. */
static int parse(const char *doc, size_t len, struct pod *pod, struct err *e)
{
	AUTO_FREE char *exact = xmalloc(len);

	memcpy(exact, doc, len);
	return pod_parse(exact, len, pod, e);
}

static void says_where_a_manifest_is_wrong(void **state)
{
	static const struct { const char *doc, *msg; } rows[] = {
		{ "", "pod: not JSON: ends too early" },
		{ " ", "pod: not JSON: ends too early" },
		{ "{", "pod: not JSON: ends too early" },
		{ "{\"apps\":[]", "pod: not JSON: ends too early" },
		{ "{\"apps\":[\"a", "pod: not JSON: ends too early" },
		{ "nul", "pod: not JSON: ends too early" },
		{ "{} x", "pod: not JSON: more after the value, at byte 3" },
		{ "{}{}", "pod: not JSON: more after the value, at byte 2" },
		{ "{},", "pod: not JSON: more after the value, at byte 2" },
		{ "{\"apps\":[],}", "pod: not JSON: unexpected character at byte 11" },
		/* bytes that are not ASCII are for strings only, and change nothing else */
		{ "{\"apps\":[\"\303\274\"],}", "pod: not JSON: unexpected character at byte 15" },
		{ "{\"\377\":'a'}", "pod: not JSON: unexpected character at byte 5" },
		{ "{\377}", "pod: not JSON: quoted object property name expected at byte 1" },
		{ "{\"apps\":[]/**/}", "pod: not JSON: object value separator ',' expected at byte 10" },
		{ "{\"apps\":[01]}", "pod: not JSON: number expected at byte 11" },
		{ "[]", "pod: expected object, found array" },
		{ "null\n", "pod: expected object, found null" },
		{ "\"a\"", "pod: expected object, found string" },
		{ "true ", "pod: expected object, found boolean" },
		{ "{}", "pod.apps: missing" },
		{ "{\"apps\":null}", "pod.apps: missing" },
		{ "{\"apps\":{}}", "pod.apps: expected array, found object" },
		{ "{\"apps\":NaN}", "pod.apps: expected array, found double" },
		{ "{\"apps\":[7]}", "pod.apps[0]: expected object, found int" },
		{ "{\"apps\":[null]}", "pod.apps[0]: expected object, found null" },
		{ "{\"apps\":[{}]}", "pod.apps[0].name: missing" },
		{ "{\"apps\":[{\"name\":null}]}", "pod.apps[0].name: missing" },
		{ "{\"apps\":[{\"name\":1.5}]}", "pod.apps[0].name: expected string, found double" },
		{ "{\"apps\":[{\"name\":\"a\\u0000b\"}]}", "pod.apps[0].name: contains a NUL" },
		{ "{\"apps\":[{\"name\":\"\"}]}",
			"pod.apps[0].name: '' is not an app name (a-z, 0-9 and single dashes)" },
		{ "{\"apps\":[{\"name\":\"../x\"}]}",
			"pod.apps[0].name: '../x' is not an app name (a-z, 0-9 and single dashes)" },
		{ "{\"apps\":[{\"name\":\"a\\u001b[2J\"}]}",
			"pod.apps[0].name: 'a?[2J' is not an app name (a-z, 0-9 and single dashes)" },
		{ "{\"apps\":[{\"name\":\"a\"},{\"name\":\"a\"}]}", "pod.apps[1]: a second app 'a'" },
		{ "{\"apps\":[{\"name\":\"a\"},{\"NAME\":7}]}",
			"pod.apps[1].name: expected string, found int" },
		{ ITEM(",\"image\":\"x\""), "pod.apps[0].image: expected object, found string" },
		{ ITEM(",\"image\":{\"name\":[]}"), "pod.apps[0].image.name: expected string, found array" },
		{ ITEM(",\"app\":[]"), "pod.apps[0].app: expected object, found array" },
		{ ITEM(",\"app\":{}"), "pod.apps[0].app.user: missing" },
		{ ITEM(",\"app\":{\"user\":0}"), "pod.apps[0].app.user: expected string, found int" },
		{ ITEM(",\"app\":{\"user\":\"0\"}"), "pod.apps[0].app.group: missing" },
		{ ITEM(",\"app\":{\"user\":\"\",\"group\":\"0\"}"), "pod.apps[0].app.user: empty" },
		{ ITEM(",\"app\":{\"user\":\"0\",\"group\":\"\"}"), "pod.apps[0].app.group: empty" },
		{ ITEM(",\"app\":{\"user\":\"0\\u0000\",\"group\":\"0\"}"), "pod.apps[0].app.user: contains a NUL" },
		{ ITEM(",\"readOnlyRootFS\":\"yes\""),
			"pod.apps[0].readOnlyRootFS: expected boolean, found string" },
		{ ITEM(",\"readOnlyRootFS\":1"), "pod.apps[0].readOnlyRootFS: expected boolean, found int" },
		{ ITEM(",\"mounts\":{}"), "pod.apps[0].mounts: expected array, found object" },
		{ ITEM(",\"mounts\":[{},1]"), "pod.apps[0].mounts[1]: expected object, found int" },
		{ ITEM(",\"mounts\":[{\"volume\":\"a\"},{\"path\":true}]"),
			"pod.apps[0].mounts[1].path: expected string, found boolean" },
		{ ITEM(",\"mounts\":[{\"volume\":\"\\u0000\"}]"), "pod.apps[0].mounts[0].volume: contains a NUL" },
		{ APP(",\"exec\":\"/bin/sh\""), "pod.apps[0].app.exec: expected array, found string" },
		{ APP(",\"exec\":[\"a\",null]"), "pod.apps[0].app.exec[1]: expected string, found null" },
		{ APP(",\"exec\":[\"a\",\"b\\u0000\"]"), "pod.apps[0].app.exec[1]: contains a NUL" },
		{ APP(",\"workingDirectory\":\"srv\""),
			"pod.apps[0].app.workingDirectory: 'srv' is not an absolute path" },
		{ APP(",\"workingDirectory\":7"),
			"pod.apps[0].app.workingDirectory: expected string, found int" },
		{ APP(",\"environment\":{}"), "pod.apps[0].app.environment: expected array, found object" },
		{ APP(",\"environment\":[{}]"), "pod.apps[0].app.environment[0].name: missing" },
		{ APP(",\"environment\":[{\"name\":\"\"}]"),
			"pod.apps[0].app.environment[0]: '' is not a name for a variable" },
		{ APP(",\"environment\":[{\"name\":\"A=B\"}]"),
			"pod.apps[0].app.environment[0]: 'A=B' is not a name for a variable" },
		{ APP(",\"environment\":[{\"name\":\"1A\"}]"),
			"pod.apps[0].app.environment[0]: '1A' is not a name for a variable" },
		{ APP(",\"environment\":[{\"name\":\"A\",\"value\":1}]"),
			"pod.apps[0].app.environment[0].value: expected string, found int" },
		{ APP(",\"environment\":[{\"name\":\"A\",\"value\":\"\\u0000\"}]"),
			"pod.apps[0].app.environment[0].value: contains a NUL" },
		{ APP(",\"environment\":[{\"name\":\"A\"},{\"name\":\"B\"},{\"name\":\"A\"}]"),
			"pod.apps[0].app.environment[2]: 'A' is set twice" },
		{ APP(",\"environment\":[{\"name\":\"B\"},{\"name\":\"A\"},{\"name\":\"B\"},{\"name\":\"A\"}]"),
			"pod.apps[0].app.environment[2]: 'B' is set twice" },
		{ APP(",\"supplementaryGIDs\":[\"5\"]"),
			"pod.apps[0].app.supplementaryGIDs[0]: expected int, found string" },
		{ APP(",\"supplementaryGIDs\":[5.0]"),
			"pod.apps[0].app.supplementaryGIDs[0]: expected int, found double" },
		{ APP(",\"supplementaryGIDs\":[0,-1]"),
			"pod.apps[0].app.supplementaryGIDs[1]: -1 is not within 0 to 4294967294" },
		{ APP(",\"supplementaryGIDs\":[4294967295]"),
			"pod.apps[0].app.supplementaryGIDs[0]: 4294967295 is not within 0 to 4294967294" },
		{ APP(",\"supplementaryGIDs\":[99999999999999999999999]"),
			"pod.apps[0].app.supplementaryGIDs[0]: 9223372036854775807 is not within 0 to 4294967294" },
		{ APP(",\"eventHandlers\":[{\"exec\":[]}]"), "pod.apps[0].app.eventHandlers[0].name: missing" },
		{ APP(",\"mountPoints\":[{\"name\":\"a\"}]"), "pod.apps[0].app.mountPoints[0].path: missing" },
		{ APP(",\"isolators\":[7]"), "pod.apps[0].app.isolators[0]: expected object, found int" },
		{ TOP(",\"volumes\":7"), "pod.volumes: expected array, found int" },
		{ TOP(",\"volumes\":[{\"name\":\"a\"}]"), "pod.volumes[0].kind: missing" },
		{ TOP(",\"volumes\":[{\"name\":\"a\",\"kind\":\"empty\"},{\"kind\":\"empty\"}]"),
			"pod.volumes[1]: '' is not a volume name (a-z, 0-9 and single dashes)" },
		{ TOP(",\"volumes\":[{\"name\":\"a\",\"kind\":\"x\"}]"),
			"pod.volumes[0]: volume 'a': kind 'x' is neither host nor empty" },
		{ TOP(",\"volumes\":[{\"name\":\"a\",\"kind\":\"host\"}]"),
			"pod.volumes[0]: volume 'a': source '' is not an absolute path" },
		{ TOP(",\"volumes\":[{\"name\":\"a\",\"kind\":\"host\",\"source\":\"b/c\"}]"),
			"pod.volumes[0]: volume 'a': source 'b/c' is not an absolute path" },
		{ TOP(",\"volumes\":[{\"name\":\"a\",\"kind\":\"empty\"},{\"name\":\"a\",\"kind\":\"empty\"}]"),
			"pod.volumes[1]: a second volume 'a'" },
		{ TOP(",\"volumes\":[{\"name\":\"a\",\"kind\":\"empty\",\"mode\":\"0789\"}]"),
			"pod.volumes[0].mode: '0789' is not an octal mode" },
		{ TOP(",\"volumes\":[{\"name\":\"a\",\"kind\":\"empty\",\"mode\":\"17777\"}]"),
			"pod.volumes[0].mode: '17777' is not an octal mode" },
		{ TOP(",\"volumes\":[{\"name\":\"a\",\"kind\":\"empty\",\"mode\":493}]"),
			"pod.volumes[0].mode: expected string, found int" },
		{ TOP(",\"volumes\":[{\"name\":\"a\",\"kind\":\"empty\",\"uid\":4294967295}]"),
			"pod.volumes[0].uid: 4294967295 is not within 0 to 4294967294" },
		{ TOP(",\"annotations\":[{\"value\":\"x\"}]"), "pod.annotations[0].name: missing" },
		{ APP(",\"eventHandlers\":[{\"name\":\"pre-start\"}]"),
			"pod.apps[0].app.eventHandlers[0]: 'pre-start' has nothing to execute" },
		{ APP(",\"eventHandlers\":[{\"name\":\"mid\",\"exec\":[\"/a\"]}]"),
			"pod.apps[0].app.eventHandlers[0]: 'mid' is neither pre-start nor post-stop" },
		{ APP(",\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/a\"]},{\"name\":\"pre-start\"}]"),
			"pod.apps[0].app.eventHandlers[1]: a second handler 'pre-start'" },
		{ APP(",\"mountPoints\":[{\"path\":\"/a\"}]"),
			"pod.apps[0].app.mountPoints[0]: '' is not a mount point's name (a-z, 0-9 and single dashes)" },
		{ APP(",\"isolators\":[{\"name\":\"resource/memory\"}]"), "pod.apps[0].app.isolators[0].value: missing" },
		{ APP(",\"isolators\":[{\"name\":\"resource/cpu\",\"value\":{\"limit\":true}}]"),
			"pod.apps[0].app.isolators[0].value.limit: expected string, found boolean" },
		{ APP(",\"isolators\":[{\"name\":\"os/linux/cpu-shares\",\"value\":\"7\"}]"),
			"pod.apps[0].app.isolators[0].value: expected int, found string" },
		{ APP(",\"isolators\":[{\"name\":\"os/linux/seccomp-retain-set\",\"value\":{\"set\":[7]}}]"),
			"pod.apps[0].app.isolators[0].value.set[0]: expected string, found int" },
		{ TOP(",\"ports\":{}"), "pod.ports: expected array, found object" },
		{ TOP(",\"ports\":[{\"name\":\"a\"}]"), "pod.ports[0].hostPort: missing" },
		{ TOP(",\"ports\":[{\"name\":\"a\",\"hostPort\":65536}]"),
			"pod.ports[0].hostPort: 65536 is not within 1 to 65535" },
		{ TOP(",\"ports\":[{\"name\":\"a\",\"hostPort\":1,\"hostIP\":\"x\"}]"),
			"pod.ports[0].hostIP: 'x' is no IP address" },
		{ TOP(",\"ports\":[{\"name\":\"a\",\"hostPort\":1,\"podPort\":{}}]"),
			"pod.ports[0].podPort.port: missing" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;
		struct pod pod;

		if (parse(rows[i].doc, strlen(rows[i].doc), &pod, &e) == 0)
			fail_msg("accepted: %s", rows[i].doc);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(e.kind, ERR_INPUT);
	}
}

static void notices_what_follows_a_nul(void **state)
{
	static const char doc[] = "{\"apps\":[]}\0{}";
	struct err e = ERR_INIT;
	struct pod pod;

	(void)state;
	assert_int_equal(parse(doc, sizeof(doc) - 1, &pod, &e), -1);
	assert_string_equal(e.msg, "pod: not JSON: more after the value, at byte 11");
}

static void reads_the_whole_of_a_manifest(void **state)
{
	static const char doc[] =
		"{\"acVersion\":\"1\",\"acKind\":\"PodManifest\",\"apps\":[{\"name\":\"web-2\",\"image\":{"
		"\"name\":\"example.com/web\",\"id\":\"sha512-00\"},\"app\":{\"exec\":[\"/bin/x\",\"\","
		"\"\\u00e4 b\"],\"user\":\"www\",\"group\":\"/etc\",\"supplementaryGIDs\":[4294967294,0],"
		"\"workingDirectory\":\"/srv\",\"environment\":[{\"name\":\"_A.b-1\",\"value\":\"x=y\"},"
		"{\"name\":\"B\"}],\"eventHandlers\":[{\"name\":\"pre-start\",\"exec\":[\"/pre\",\"-x\"]}],"
		"\"mountPoints\":[{\"name\":\"m\",\"path\":\"/data\",\"readOnly\":true}],"
		"\"isolators\":[{\"name\":\"os/linux/x\",\"value\":1},"
		"{\"name\":\"resource/memory\",\"value\":{\"limit\":\"64Mi\",\"request\":4096}},"
		"{\"name\":\"os/linux/seccomp-retain-set\",\"value\":{\"set\":[\"a\",\"b\"],\"errno\":\"EPERM\"}},"
		"{\"name\":\"os/linux/oom-score-adj\",\"value\":-7},"
		"{\"name\":\"os/linux/no-new-privileges\",\"value\":true}]},"
		"\"annotations\":[{\"name\":\"n\",\"value\":\"1\"},{\"name\":\"n\",\"value\":\"2\"}],"
		"\"readOnlyRootFS\":true,\"mounts\":[{\"volume\":\"v\",\"path\":\"/data\",\"appVolume\":{\"name\":"
		"\"w\",\"kind\":\"host\",\"source\":\"/s\",\"readOnly\":false,\"recursive\":false}},{}]},"
		"{\"name\":\"b\"}],\"volumes\":[{\"name\":\"v\",\"kind\":\"empty\"},{\"name\":\"e\",\"kind\":\"empty\","
		"\"mode\":\"01770\",\"uid\":1,\"gid\":2}],\"annotations\":[{\"name\":\"p\",\"value\":\"q\"}],"
		"\"ports\":[{\"name\":\"http\",\"hostPort\":80},{\"name\":\"z\",\"hostPort\":81,\"podPort\":{\"name\":\"y\",\"port\":9}},{\"name\":\"x\",\"hostPort\":8080,\"hostIP\":\"FE80::1\","
		"\"podPort\":{\"name\":\"y\",\"protocol\":\"udp\",\"port\":9}}],\"unknown\":[[[]]]} \n\t\r ";
	struct err e = ERR_INIT;
	const struct pod_app *app;
	struct pod pod;

	(void)state;
	assert_int_equal(parse(doc, strlen(doc), &pod, &e), 0);
	assert_int_equal(pod.napps, 2);
	app = &pod.apps[0];
	assert_string_equal(app->name, "web-2");
	assert_string_equal(app->image_name, "example.com/web");
	assert_true(app->has_app);
	assert_int_equal(app->nexec, 3);
	assert_string_equal(app->exec[0], "/bin/x");
	assert_string_equal(app->exec[1], "");
	assert_string_equal(app->exec[2], "\xc3\xa4 b");
	assert_string_equal(app->user, "www");
	assert_string_equal(app->group, "/etc");
	assert_int_equal(app->ngids, 2);
	assert_int_equal(app->gids[0], 4294967294u);
	assert_int_equal(app->gids[1], 0);
	assert_string_equal(app->cwd, "/srv");
	assert_int_equal(app->nenv, 2);
	assert_string_equal(app->env[0].name, "_A.b-1");
	assert_string_equal(app->env[0].value, "x=y");
	assert_string_equal(app->env[1].value, "");
	assert_int_equal(app->nhandlers, 1);
	assert_string_equal(app->handlers[0].name, "pre-start");
	assert_int_equal(app->handlers[0].nexec, 2);
	assert_string_equal(app->handlers[0].exec[1], "-x");
	assert_int_equal(app->nmount_points, 1);
	assert_string_equal(app->mount_points[0].name, "m");
	assert_string_equal(app->mount_points[0].path, "/data");
	assert_true(app->mount_points[0].read_only);
	assert_int_equal(app->nisolators, 5);
	assert_string_equal(app->isolators[0].name, "os/linux/x");
	assert_int_equal(app->isolators[0].kind, POD_ISOLATOR_OTHER);
	assert_string_equal(app->isolators[1].limit, "64Mi");
	assert_string_equal(app->isolators[1].request, "4096");
	assert_int_equal(app->isolators[2].nset, 2);
	assert_string_equal(app->isolators[2].set[1], "b");
	assert_string_equal(app->isolators[2].errno_name, "EPERM");
	assert_int_equal(app->isolators[3].number, -7);
	assert_true(app->isolators[4].on);
	assert_string_equal(pod_note(app->notes, app->nnotes, "n"), "1");
	assert_null(pod_note(app->notes, app->nnotes, "p"));
	assert_string_equal(pod_note(pod.notes, pod.nnotes, "p"), "q");
	assert_true(app->read_only_root);
	assert_int_equal(app->nmounts, 2);
	assert_string_equal(app->mounts[0].volume, "v");
	assert_string_equal(app->mounts[1].path, "");
	assert_false(pod.apps[1].has_app);
	assert_null(pod.apps[1].image_name);
	assert_null(app->mounts[1].app_volume);
	assert_string_equal(app->mounts[0].app_volume->source, "/s");
	assert_int_equal(app->mounts[0].app_volume->read_only, POD_FALSE);
	assert_false(app->mounts[0].app_volume->recursive);
	assert_int_equal(pod.nvolumes, 2);
	assert_int_equal(pod.volumes[0].kind, POD_VOLUME_EMPTY);
	assert_int_equal(pod.volumes[0].read_only, POD_UNSET);
	assert_true(pod.volumes[0].recursive);
	assert_int_equal(pod.volumes[0].mode, 0755);
	assert_int_equal(pod.volumes[1].mode, 01770);
	assert_int_equal(pod.volumes[1].uid, 1);
	assert_int_equal(pod.volumes[1].gid, 2);
	assert_int_equal(pod.nports, 3);
	assert_int_equal(pod.ports[1].pod_port->protocol, POD_OTHER); /* it says none */
	assert_true(pod.ports[0].port == 80 && pod.ports[0].family == 0 && !*pod.ports[0].ip && !pod.ports[0].pod_port);
	assert_true(pod.ports[2].family == 6 && pod.ports[2].pod_port->protocol == POD_UDP);
	assert_string_equal(pod.ports[2].ip, "fe80::1");
	pod_dispose(&pod);
	pod_dispose(&pod); /* harmless */
}

/* The field `cwd` of the only app tells which of several values was taken. */
static void takes_keys_as_go_does(void **state)
{
	static const struct { const char *doc, *cwd; } rows[] = {
		{ APP(""), "/" },
		{ APP(",\"workingDirectory\":\"\""), "/" },
		{ APP(",\"workingDirectory\":null"), "/" },
		{ APP(",\"workingDirectory\":\"/a\""), "/a" },
		{ APP(",\"WORKINGdirectory\":\"/a\""), "/a" },
		{ APP(",\"workingDirectory\":\"/a\",\"workingDirectory\":\"/b\""), "/b" },
		{ APP(",\"workingDirectory\":\"/a\",\"workingdirectory\":\"/b\""), "/b" },
		{ APP(",\"workingdirectory\":\"/a\",\"workingDirectory\":\"/b\""), "/b" },
		{ APP(",\"working\":7,\"workingDirectoryX\":7"), "/" },
		{ "{\"apps\":7,\"APPS\":[{\"name\":\"web\",\"App\":{" OWNER "}}]}", "/" },
		{ APP(",\"exec\":null,\"environment\":null,\"isolators\":null,\"mountPoints\":null,"
			"\"eventHandlers\":null,\"supplementaryGIDs\":null"), "/" },
		{ "{\"volumes\":null,\"ports\":null,\"apps\":[{\"name\":\"web\",\"image\":null,\"mounts\":null,"
			"\"readOnlyRootFS\":null,\"app\":{" OWNER "}}]}", "/" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;
		struct pod pod;

		if (parse(rows[i].doc, strlen(rows[i].doc), &pod, &e) < 0)
			fail_msg("%s: %s", rows[i].doc, e.msg);
		assert_string_equal(pod.apps[0].cwd, rows[i].cwd);
		pod_dispose(&pod);
	}
}

/* Wherever a good manifest is cut, what was read so far is given back (ASan looks on). */
static void every_truncation_is_refused(void **state)
{
	static const char doc[] =
		"{\"volumes\":[{\"name\":\"v\",\"kind\":\"host\"}],\"apps\":[{\"name\":\"a\",\"app\":{" OWNER
		",\"exec\":[\"x\"]}},{\"name\":\"b\"}]}";

	(void)state;
	for (size_t len = 0; len < sizeof(doc) - 1; len++) {
		struct err e = ERR_INIT;
		struct pod pod;

		assert_int_equal(parse(doc, len, &pod, &e), -1);
		assert_string_equal(e.msg, "pod: not JSON: ends too early");
	}
}

static char *repeat(const char *head, const char *item, size_t n, const char *sep, const char *tail)
{
	char *doc = xmalloc(strlen(head) + n * (strlen(item) + 24) + strlen(tail) + 1);
	char *p = stpcpy(doc, head);

	for (size_t i = 0; i < n; i++) {
		p = stpcpy(p, i ? sep : "");
		p += sprintf(p, item, i); /* NOLINT: the items below have one %zu or none */
	}
	(void)strcpy(p, tail);
	return doc;
}

static void bounds_depth_and_lists(void **state)
{
	static const struct { const char *head, *item; size_t n; const char *sep, *tail, *msg; } rows[] = {
		{ "{\"apps\":[],\"x\":", "[", 63, "", "", "pod: not JSON: ends too early" },
		{ "{\"apps\":[],\"x\":", "[", 64, "", "", "pod: not JSON: nesting too deep at byte 78" },
		{ "", "[", 100000, "", "", "pod: not JSON: nesting too deep at byte 64" },
		{ "{\"apps\":[", "{\"name\":\"a%zu\"}", 256, ",", "]}", NULL },
		{ "{\"apps\":[", "{\"name\":\"a%zu\"}", 257, ",", "]}", "pod.apps: more than 256 apps" },
		{ "{\"apps\":[],\"ports\":[", "{\"name\":\"a\",\"hostPort\":1}", 1024, ",", "]}", NULL },
		{ "{\"apps\":[],\"ports\":[", "{\"name\":\"a\",\"hostPort\":1}", 1025, ",", "]}",
			"pod.ports: more than 1024 ports" },
		{ "{\"apps\":[],\"volumes\":[", "{}", 65537, ",", "]}", "pod.volumes: more than 65536 items" },
		{ "{\"apps\":[{\"name\":\"a\",\"app\":{" OWNER ",\"exec\":[", "\"x\"", 65537, ",", "]}}]}",
			"pod.apps[0].app.exec: more than 65536 items" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *doc = repeat(rows[i].head, rows[i].item, rows[i].n, rows[i].sep, rows[i].tail);
		struct err e = ERR_INIT;
		struct pod pod;
		int ret = parse(doc, strlen(doc), &pod, &e);

		assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
		assert_int_equal(ret, rows[i].msg ? -1 : 0);
		if (ret == 0)
			pod_dispose(&pod);
	}
}

/* An image's environment is as long as its author likes: the time must not grow with its square. */
static void reads_a_long_environment_at_once(void **state)
{
	AUTO_FREE char *doc = repeat("{\"apps\":[{\"name\":\"a\",\"app\":{" OWNER ",\"environment\":[",
		"{\"name\":\"ABCDEFGH%zu\"}", POD_LIST_MAX, ",", "]}}]}");
	struct timespec before, after;
	struct err e = ERR_INIT;
	struct pod pod;

	(void)state;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
	assert_int_equal(parse(doc, strlen(doc), &pod, &e), 0);
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
	assert_int_equal(pod.apps[0].nenv, POD_LIST_MAX);
	assert_string_equal(pod.apps[0].env[POD_LIST_MAX - 1].name, "ABCDEFGH65535");
	pod_dispose(&pod);
	assert_in_range(after.tv_sec - before.tv_sec, 0, 2);
}

static void knows_app_names(void **state)
{
	static const char *const good[] = { "a", "0", "a-b", "a1-2-3" };
	static const char *const bad[] = { "", "-", "-a", "a-", "a--b", "A", "a.b", "a/b", "a_b", "a ", "\xc3\xa4" };
	char name[202];

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		assert_true(acname_valid(good[i]));
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_false(acname_valid(bad[i]));
	memset(name, 'a', sizeof(name));
	name[201] = '\0';
	assert_false(acname_valid(name));
	name[200] = '\0';
	assert_true(acname_valid(name));
}

/* A user alone is repeated by docker2aci as the group: which then may be none. */
static void knows_images_of_docker(void **state)
{
#define NOTE "\"annotations\":[{\"name\":\"appc.io/docker/repository\",\"value\":\"x\"}]"
	static const struct { const char *group, *doc; bool docker, lone; const char *msg; } rows[] = {
		{ "u", "{\"app\":{\"user\":\"u\",\"group\":\"u\"}," NOTE "}", true, true, NULL },
		{ "u", "{\"app\":{\"user\":\"u\",\"group\":\"u\"}}", false, false, NULL },
		{ "u", "{\"app\":{\"user\":\"u\",\"group\":\"g\"}," NOTE "}", true, false, NULL },
		{ "g", "{\"app\":{\"user\":\"u\",\"group\":\"u\"}," NOTE "}", true, false, NULL },
		{ "g", "{\"app\":{\"user\":\"u\",\"group\":\"g\"}," NOTE "}", true, false, NULL },
		{ "u", "{" NOTE "}", true, false, NULL },
		{ "u", "{}", false, false, NULL },
		{ "u", "[]", false, false, "manifest: expected object" },
		{ "u", "{\"app\":{\"user\":7}," NOTE "}", false, false, "manifest.app.user: expected string, found int" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *doc = xasprintf("{\"apps\":[{\"name\":\"web\",\"app\":{\"exec\":[\"/x\"],"
			"\"user\":\"u\",\"group\":\"%s\"}}]}", rows[i].group);
		struct err e = ERR_INIT;
		struct pod pod;

		assert_int_equal(parse(doc, strlen(doc), &pod, &e), 0);
		assert_int_equal(pod_app_know_image(&pod.apps[0], rows[i].doc, strlen(rows[i].doc), &e),
			rows[i].msg ? -1 : 0);
		assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
		assert_int_equal(pod.apps[0].docker_image, rows[i].docker);
		assert_int_equal(pod.apps[0].docker_group, rows[i].lone);
		pod_dispose(&pod);
	}
}

static void knows_apps_that_say_when_they_are_ready(void **state)
{
	static const struct { const char *name, *value; bool says; } rows[] = {
		{ NOTIFY_NOTE, "true", true }, { NOTIFY_NOTE, "1", true }, { NOTIFY_NOTE, "T", true },
		{ NOTIFY_NOTE, "TRUE", true }, { NOTIFY_NOTE, "tRUE", false }, { NOTIFY_NOTE, "yes", false },
		{ NOTIFY_NOTE, "false", false }, { NOTIFY_NOTE, "0", false }, { NOTIFY_NOTE, "", false },
		{ "appc.io/executor/other", "true", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *doc = xasprintf("{\"annotations\":[{\"name\":\"%s\",\"value\":\"%s\"}]}",
			rows[i].name, rows[i].value);
		struct pod_app app = { .name = NULL };
		struct err e = ERR_INIT;

		assert_int_equal(pod_app_know_image(&app, doc, strlen(doc), &e), 0);
		assert_int_equal(app.says_ready, rows[i].says);
		assert_false(app.docker_image);
	}
}

static void takes_the_app_of_an_image(void **state)
{
	static const struct { const char *doc, *msg; } rows[] = {
		{ "{\"app\":{" OWNER ",\"exec\":[\"/x\"]}}", NULL },
		{ "{\"app\":{\"user\":\"0\",\"group\":\"g\"}}\n", NULL },
		{ "", "image of app 'web': manifest: not JSON: ends too early" },
		{ "[]", "image of app 'web': manifest: expected object" },
		{ "null ", "image of app 'web': manifest: expected object" },
		{ "{}", "image of app 'web': manifest.app: missing" },
		{ "{\"app\":null}", "image of app 'web': manifest.app: missing" },
		{ "{\"app\":7}", "image of app 'web': manifest.app: expected object, found int" },
		{ "{\"app\":{\"user\":\"0\"}}", "image of app 'web': manifest.app.group: missing" },
		{ "{\"app\":{" OWNER ",\"exec\":[\"a\",1]}}",
			"image of app 'web': manifest.app.exec[1]: expected string, found int" },
		{ "{\"app\":{" OWNER ",\"environment\":[{\"name\":\"A\"},{\"name\":\"A\"}]}}",
			"image of app 'web': manifest.app.environment[1]: 'A' is set twice" },
	};
	static const char pod_doc[] = "{\"apps\":[{\"name\":\"web\"}]}";

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;
		struct pod pod;
		int ret;

		assert_int_equal(parse(pod_doc, strlen(pod_doc), &pod, &e), 0);
		ret = pod_app_from_image(&pod.apps[0], rows[i].doc, strlen(rows[i].doc), &e);
		assert_string_equal(e.msg, rows[i].msg ? rows[i].msg : "");
		assert_int_equal(ret, rows[i].msg ? -1 : 0);
		if (ret == 0) {
			assert_true(pod.apps[0].has_app);
			assert_string_equal(pod.apps[0].user, "0");
			assert_string_equal(pod.apps[0].cwd, "/");
		}
		pod_dispose(&pod); /* what a failure left half read, too */
	}
}

static void names_a_place_however_deep(void **state)
{
	struct jnode at[60];
	struct err e = ERR_INIT;

	(void)state;
	at[0] = jnode_root(NULL, "doc");
	for (size_t i = 1; i < COUNT(at); i++)
		at[i] = (struct jnode){ .up = &at[i - 1], .key = i % 2 ? "member" : NULL, .idx = i };
	assert_int_equal(jnode_err(&e, &at[2], "bad %d", 7), -1);
	assert_string_equal(e.msg, "doc.member[2]: bad 7");
	e = (struct err)ERR_INIT;
	assert_int_equal(jnode_err(&e, &at[59], "bad"), -1);
	assert_int_equal(strlen(e.msg), 199 + strlen(": bad"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(says_where_a_manifest_is_wrong),
		cmocka_unit_test(notices_what_follows_a_nul),
		cmocka_unit_test(reads_the_whole_of_a_manifest),
		cmocka_unit_test(takes_keys_as_go_does),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(bounds_depth_and_lists),
		cmocka_unit_test(reads_a_long_environment_at_once),
		cmocka_unit_test(knows_app_names),
		cmocka_unit_test(knows_images_of_docker),
		cmocka_unit_test(knows_apps_that_say_when_they_are_ready),
		cmocka_unit_test(takes_the_app_of_an_image),
		cmocka_unit_test(names_a_place_however_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
