/* What apps mount and dom0 exports: rkt's rules, a row each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage1/common/util.h"
#include "stage1/plan/plan.h"

#define TEXT(s) ((char *)s)
#define HOST .kind = POD_VOLUME_HOST, .recursive = true
#define EMPTY .kind = POD_VOLUME_EMPTY, .mode = 0755

static void cleans_paths(void **state)
{
	static const struct { const char *path, *clean; } rows[] = {
		{ "/a/b", "/a/b" }, { "", "/" }, { "/", "/" }, { "a", "/a" }, { "//a///b//", "/a/b" },
		{ "/a/./b/.", "/a/b" }, { "/a/../b", "/b" }, { "/..", "/" }, { "../../etc", "/etc" },
		{ "/a/b/../..", "/" }, { "/a/../../../b/../c", "/c" }, { "/...", "/..." }, { "/..a/b..", "/..a/b.." },
		{ "/a\nb/..\n", "/a\nb/..\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *clean = path_clean(rows[i].path);

		assert_string_equal(clean, rows[i].clean);
	}
}

/* The plan as text: a line a volume, then a line a mount. */
static void expect(const struct pod *pod, const char *want, size_t nwarnings)
{
	struct plan_warnings w = { .n = 0 };
	struct mounts_plan plan;
	struct err e = ERR_INIT;
	AUTO_FREE char *got = NULL;
	size_t len;
	FILE *out = open_memstream(&got, &len);

	if (plan_mounts(pod, &plan, &w, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < plan.nvolumes; i++) {
		const struct volume_plan *v = &plan.volumes[i];

		fprintf(out, "%s %s %s%s%s\n", v->kind == POD_VOLUME_HOST ? "host" : "empty", v->source, v->entry,
			v->read_only ? " ro" : "", v->recursive ? " rec" : "");
	}
	for (size_t i = 0; i < plan.napps; i++)
		for (size_t k = 0; k < plan.apps[i].n; k++) {
			const struct mount_plan *m = &plan.apps[i].list[k];

			fprintf(out, "%s: %zu %s%s%s\n", pod->apps[i].name, m->volume, m->target,
				m->read_only ? " ro" : "", m->copy_image ? " copy" : "");
		}
	(void)fclose(out);
	assert_string_equal(got, want);
	assert_int_equal(w.n, nwarnings);
	plan_warnings_dispose(&w);
	mounts_plan_dispose(&plan);
	mounts_plan_dispose(&plan);
}

static void mounts_volumes_in_the_order_of_the_list(void **state)
{
	struct pod_volume volumes[] = {
		{ HOST, .name = TEXT("h"), .source = TEXT("/s"), .read_only = POD_UNSET },
		{ EMPTY, .name = TEXT("e"), .read_only = POD_UNSET },
		{ EMPTY, .name = TEXT("unused"), .read_only = POD_UNSET },
	};
	struct pod_mount mounts[] = {
		{ .volume = TEXT("e"), .path = TEXT("/a/b") }, { .volume = TEXT("h"), .path = TEXT("a") },
		{ .volume = TEXT("e"), .path = TEXT("/a/../a/b/c") },
	};
	struct pod_app app = { .name = TEXT("web"), .mounts = mounts, .nmounts = 3 };
	const struct pod pod = { .apps = &app, .napps = 1, .volumes = volumes, .nvolumes = 3 };

	(void)state;
	expect(&pod, "empty e export/pod/empty/0\n" "host /s export/volumes/1 rec\n"
		"web: 0 /a/b\n" "web: 1 /a\n" "web: 0 /a/b/c\n", 0);
}

/* volume.readOnly, else that of the mount point of the volume's name */
static void decides_what_is_read_only(void **state)
{
	struct pod_volume volumes[] = {
		{ HOST, .name = TEXT("yes"), .source = TEXT("/y"), .read_only = POD_TRUE },
		{ HOST, .name = TEXT("no"), .source = TEXT("/n"), .read_only = POD_FALSE },
		{ HOST, .name = TEXT("unset"), .source = TEXT("/u"), .read_only = POD_UNSET },
	};
	struct pod_mount mounts[] = {
		{ .volume = TEXT("yes"), .path = TEXT("/1") }, { .volume = TEXT("no"), .path = TEXT("/2") },
		{ .volume = TEXT("unset"), .path = TEXT("/3") },
	};
	struct pod_mount_point points[] = {
		{ .name = TEXT("yes"), .path = TEXT("/4") },
		{ .name = TEXT("no"), .path = TEXT("/2"), .read_only = true },
		{ .name = TEXT("unset"), .path = TEXT("/5"), .read_only = true },
	};
	struct pod_app app = { .name = TEXT("w"), .mounts = mounts, .nmounts = 3, .mount_points = points,
		.nmount_points = 3 };
	const struct pod pod = { .apps = &app, .napps = 1, .volumes = volumes, .nvolumes = 3 };

	(void)state;
	expect(&pod, "host /y export/volumes/0 ro rec\n" "host /n export/volumes/1 rec\n"
		"host /u export/volumes/2 ro rec\n"
		"w: 0 /1 ro\n" "w: 1 /2\n" "w: 2 /3 ro\n" "w: 0 /4 ro\n" "w: 2 /5 ro\n", 0);
}

static void a_host_volume_has_two_faces_and_an_empty_one_is_one(void **state)
{
	struct pod_volume volumes[] = {
		{ HOST, .name = TEXT("h"), .source = TEXT("/h"), .read_only = POD_UNSET },
		{ EMPTY, .name = TEXT("e"), .read_only = POD_UNSET },
		{ EMPTY, .name = TEXT("r"), .read_only = POD_TRUE },
		{ .kind = POD_VOLUME_HOST, .name = TEXT("flat"), .source = TEXT("/h"), .read_only = POD_UNSET },
	};
	struct pod_mount mounts[] = {
		{ .volume = TEXT("h"), .path = TEXT("/h") }, { .volume = TEXT("e"), .path = TEXT("/e") },
		{ .volume = TEXT("r"), .path = TEXT("/r") }, { .volume = TEXT("flat"), .path = TEXT("/f") },
	};
	struct pod_mount_point points[] = {
		{ .name = TEXT("h"), .path = TEXT("/h"), .read_only = true },
		{ .name = TEXT("e"), .path = TEXT("/e"), .read_only = true },
	};
	struct pod_app apps[] = {
		{ .name = TEXT("a"), .mounts = mounts, .nmounts = 4, .mount_points = points, .nmount_points = 2 },
		{ .name = TEXT("b"), .mounts = mounts, .nmounts = 3 },
	};
	const struct pod pod = { .apps = apps, .napps = 2, .volumes = volumes, .nvolumes = 4 };

	(void)state;
	expect(&pod, "host /h export/volumes/0 ro rec\n" "empty e export/pod/empty/1\n"
		"empty r export/pod/empty/2 ro\n" "host /h export/volumes/3\n" "host /h export/volumes/4 rec\n"
		"a: 0 /h ro\n" "a: 1 /e ro\n" "a: 2 /r ro\n" "a: 3 /f\n"
		"b: 4 /h\n" "b: 1 /e\n" "b: 2 /r ro\n", 0);
}

static void makes_empty_volumes_for_points_without_one(void **state)
{
	struct pod_mount_point points[] = {
		{ .name = TEXT("data"), .path = TEXT("/data/") },
		{ .name = TEXT("log"), .path = TEXT("/log"), .read_only = true },
	};
	struct pod_app apps[] = {
		{ .name = TEXT("web"), .mount_points = points, .nmount_points = 2 },
		{ .name = TEXT("db"), .mount_points = points, .nmount_points = 2, .docker_image = true },
	};
	const struct pod pod = { .apps = apps, .napps = 2 };
	struct plan_warnings w = { .n = 0 };
	struct mounts_plan plan;
	struct err e = ERR_INIT;

	(void)state;
	expect(&pod, "empty web-data export/pod/empty/0\n" "empty web-log export/pod/empty/1 ro\n"
		"empty db-data export/pod/empty/2\n" "empty db-log export/pod/empty/3\n" /* the guest fills it */
		"web: 0 /data\n" "web: 1 /log ro\n" "db: 2 /data copy\n" "db: 3 /log ro copy\n", 4);
	assert_int_equal(plan_mounts(&pod, &plan, &w, &e), 0);
	assert_string_equal(w.line[0], "app 'web': no volume specified for mount point \"data\", implicitly "
		"creating an \"empty\" volume, which goes when the pod is garbage-collected");
	assert_int_equal(plan.volumes[0].mode, 0755);
	plan_warnings_dispose(&w);
	mounts_plan_dispose(&plan);
}

/* An image chooses its mount points' names: they must not lead it to another's volume. */
static void an_implicit_volume_is_nobody_elses(void **state)
{
	static struct pod_volume own = { EMPTY, .name = TEXT("c-d"), .read_only = POD_UNSET };
	struct pod_volume volumes[] = { { EMPTY, .name = TEXT("a-x"), .read_only = POD_UNSET } };
	struct pod_mount mounts[] = { { .volume = TEXT("a-x"), .path = TEXT("/s") },
		{ .volume = TEXT("c-d"), .path = TEXT("/o"), .app_volume = &own } };
	struct pod_mount_point first[] = { { .name = TEXT("x"), .path = TEXT("/x") },
		{ .name = TEXT("b-c"), .path = TEXT("/y") } };
	struct pod_mount_point second[] = { { .name = TEXT("c"), .path = TEXT("/c") } };
	struct pod_mount_point third[] = { { .name = TEXT("d"), .path = TEXT("/d") } };
	struct pod_app apps[] = {
		{ .name = TEXT("a"), .mount_points = first, .nmount_points = 2 },
		{ .name = TEXT("a-b"), .mount_points = second, .nmount_points = 1 },
		{ .name = TEXT("c"), .mount_points = third, .nmount_points = 1 },
		{ .name = TEXT("e"), .mounts = mounts, .nmounts = 2 },
	};
	const struct pod pod = { .apps = apps, .napps = 4, .volumes = volumes, .nvolumes = 1 };

	(void)state;
	expect(&pod, "empty a-x-2 export/pod/empty/0\n" "empty a-b-c export/pod/empty/1\n"
		"empty a-b-c-2 export/pod/empty/2\n" "empty c-d-2 export/pod/empty/3\n"
		"empty a-x export/pod/empty/4\n" "empty c-d export/pod/empty/5\n"
		"a: 0 /x\n" "a: 1 /y\n" "a-b: 2 /c\n" "c: 3 /d\n" "e: 4 /s\n" "e: 5 /o\n", 4);
}

static void leaves_sys_to_a_volume_there(void **state)
{
	static const struct { const char *path; bool sysfs; } rows[] = {
		{ "/sys", false }, { "/sys/x", false }, { "/var/../sys/fs/", false }, { "/system", true },
		{ "/a/sys", true },
	};
	struct pod_volume volume = { HOST, .name = TEXT("v"), .source = TEXT("/s"), .read_only = POD_UNSET };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pod_mount mount = { .volume = TEXT("v"), .path = TEXT(rows[i].path) };
		struct pod_app app = { .name = TEXT("web"), .mounts = &mount, .nmounts = 1 };
		const struct pod pod = { .apps = &app, .napps = 1, .volumes = &volume, .nvolumes = 1 };
		struct plan_warnings w = { .n = 0 };
		struct mounts_plan plan;
		struct err e = ERR_INIT;

		assert_int_equal(plan_mounts(&pod, &plan, &w, &e), 0);
		assert_int_equal(plan.apps[0].has_sysfs, rows[i].sysfs);
		assert_true(plan.exports_volumes);
		mounts_plan_dispose(&plan);
	}
}

static void refuses_what_cannot_be(void **state)
{
	struct pod_volume volume = { HOST, .name = TEXT("v"), .source = TEXT("/s"), .read_only = POD_UNSET };
	struct pod_mount unknown = { .volume = TEXT("data"), .path = TEXT("/srv") };
	struct pod_mount root = { .volume = TEXT("v"), .path = TEXT("/a/..") };
	struct pod_mount_point point = { .name = TEXT("x"), .path = TEXT("..") };
	struct pod_mount *many = xcalloc(PLAN_MOUNTS_MAX + 1, sizeof(*many));
	struct pod_app apps[] = {
		{ .name = TEXT("web"), .mounts = &unknown, .nmounts = 1 },
		{ .name = TEXT("web"), .mounts = &root, .nmounts = 1 },
		{ .name = TEXT("web"), .mount_points = &point, .nmount_points = 1 },
		{ .name = TEXT("web"), .mounts = many, .nmounts = PLAN_MOUNTS_MAX + 1 },
	};
	static const char *const msgs[COUNT(apps)] = {
		"app 'web', mount '/srv': no volume named 'data'",
		"app 'web', volume 'v': it cannot take the place of the app's root",
		"app 'web', volume 'web-x': it cannot take the place of the app's root",
		"app 'web': more than 1024 mounts",
	};

	(void)state;
	for (size_t i = 0; i <= PLAN_MOUNTS_MAX; i++)
		many[i] = (struct pod_mount){ .volume = TEXT("v"), .path = TEXT("/x") };
	for (size_t i = 0; i < COUNT(apps); i++) {
		const struct pod pod = { .apps = &apps[i], .napps = 1, .volumes = &volume, .nvolumes = 1 };
		struct plan_warnings w = { .n = 0 };
		struct mounts_plan plan = MOUNTS_PLAN_INIT;
		struct err e = ERR_INIT;

		assert_int_equal(plan_mounts(&pod, &plan, &w, &e), -1);
		assert_string_equal(e.msg, msgs[i]);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_null(plan.apps);
		plan_warnings_dispose(&w);
	}
	free(many);
}

static void bounds_the_volumes_of_a_pod(void **state)
{
	enum { EACH = 600 };
	struct pod_mount_point *points = xcalloc(EACH, sizeof(*points));
	struct pod_app apps[] = {
		{ .name = TEXT("a"), .mount_points = points, .nmount_points = EACH },
		{ .name = TEXT("b"), .mount_points = points, .nmount_points = EACH },
	};
	const struct pod pod = { .apps = apps, .napps = 2 };
	struct plan_warnings w = { .n = 0 };
	struct mounts_plan plan;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < EACH; i++)
		points[i] = (struct pod_mount_point){ .name = xasprintf("p%zu", i), .path = TEXT("/p") };
	assert_int_equal(plan_mounts(&pod, &plan, &w, &e), -1);
	assert_string_equal(e.msg, "the pod mounts more than 1024 volumes");
	plan_warnings_dispose(&w);
	for (size_t i = 0; i < EACH; i++)
		free(points[i].name);
	free(points);
}

static void knows_devices_by_their_numbers(void **state)
{
	static const struct { uint32_t mode; unsigned major_, minor_; const char *node; bool ok; } rows[] = {
		{ S_IFDIR | 0755, 0, 0, NULL, true }, { S_IFREG, 0, 0, NULL, true }, { S_IFSOCK, 0, 0, NULL, true },
		{ S_IFIFO, 0, 0, NULL, true }, { S_IFCHR, 1, 3, "/dev/null", true },
		{ S_IFCHR, 5, 2, "/dev/pts/ptmx", true }, { S_IFCHR, 10, 200, "/dev/net/tun", true },
		{ S_IFCHR, 1, 1, NULL, false }, { S_IFBLK, 1, 3, NULL, false }, { S_IFBLK, 8, 0, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct volume_plan v = { .kind = POD_VOLUME_HOST, .app = "web", .name = "disk",
			.source = TEXT("/dev/d"), .entry = xstrdup("export/volumes/0") };
		struct err e = ERR_INIT;

		assert_int_equal(mounts_found(&v, rows[i].mode, rows[i].major_, rows[i].minor_, &e),
			rows[i].ok ? 0 : -1);
		assert_string_equal(v.node ? v.node : "-", rows[i].node ? rows[i].node : "-");
		assert_int_equal(v.entry != NULL, rows[i].node == NULL);
		assert_string_equal(e.msg, rows[i].ok ? "" :
			"app 'web', volume 'disk': /dev/d is a device of this host: a virtual machine has only "
			"null, zero, full, random, urandom, tty, ptmx and tun");
		free(v.entry);
	}
}

/* Of an app that is added to others: places of its own, but for an empty volume, which all write. */
static void gives_one_app_what_is_its(void **state)
{
	struct pod_volume volumes[] = {
		{ HOST, .name = TEXT("h"), .source = TEXT("/h"), .read_only = POD_TRUE },
		{ .kind = POD_VOLUME_EMPTY, .name = TEXT("e"), .read_only = POD_TRUE, .mode = 01777 },
	};
	struct pod_mount one[] = { { .volume = TEXT("h"), .path = TEXT("/x") } };
	struct pod_mount two[] = { { .volume = TEXT("e"), .path = TEXT("/sys/e") }, { .volume = TEXT("h"), .path = TEXT("/h") },
		{ .volume = TEXT("e"), .path = TEXT("/again") } };
	struct pod_mount_point point = { .name = TEXT("log"), .path = TEXT("/log") };
	struct pod_app apps[] = {
		{ .name = TEXT("a"), .mounts = one, .nmounts = 1 },
		{ .name = TEXT("b"), .mounts = two, .nmounts = 3, .mount_points = &point, .nmount_points = 1, .docker_image = true },
	};
	const struct pod pod = { .apps = apps, .napps = 2, .volumes = volumes, .nvolumes = 2 };
	static const struct { const char *target, *entry; size_t volume; bool read_only, copy; } want[] = {
		{ "/sys/e", "export/pod/empty/e", 0, true, false }, { "/h", "export/volumes/8", 1, true, false },
		{ "/again", "export/pod/empty/e", 0, true, false }, { "/log", "export/pod/empty/b-log", 2, false, true },
	};
	struct mounts_plan all, own;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(plan_mounts(&pod, &all, NULL, &e), 0);
	mounts_of_app(&all, 1, 7, &own);
	mounts_plan_dispose(&all);
	assert_int_equal(own.napps, 1);
	assert_int_equal(own.nvolumes, 3);
	assert_true(own.exports_volumes && !own.apps[0].has_sysfs);
	assert_int_equal(own.apps[0].n, COUNT(want));
	for (size_t i = 0; i < COUNT(want); i++) {
		const struct mount_plan *m = &own.apps[0].list[i];

		assert_string_equal(m->target, want[i].target);
		assert_int_equal(m->volume, want[i].volume);
		assert_string_equal(own.volumes[m->volume].entry, want[i].entry);
		assert_true(m->read_only == want[i].read_only && m->copy_image == want[i].copy);
	}
	assert_false(own.volumes[0].read_only); /* who comes later may be allowed to write it */
	assert_true(own.volumes[1].read_only);
	assert_int_equal(own.volumes[0].mode, 01777);
	mounts_plan_dispose(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cleans_paths),
		cmocka_unit_test(mounts_volumes_in_the_order_of_the_list),
		cmocka_unit_test(decides_what_is_read_only),
		cmocka_unit_test(a_host_volume_has_two_faces_and_an_empty_one_is_one),
		cmocka_unit_test(makes_empty_volumes_for_points_without_one),
		cmocka_unit_test(an_implicit_volume_is_nobody_elses),
		cmocka_unit_test(leaves_sys_to_a_volume_there),
		cmocka_unit_test(refuses_what_cannot_be),
		cmocka_unit_test(bounds_the_volumes_of_a_pod),
		cmocka_unit_test(knows_devices_by_their_numbers),
		cmocka_unit_test(gives_one_app_what_is_its),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
