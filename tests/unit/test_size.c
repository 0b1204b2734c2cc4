/* How large the machine of a pod is: limits, annotations, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/size.h"

#define TEXT(s) ((char *)s)
#define MEMORY(text) { .name = TEXT("resource/memory"), .limit = TEXT(text) }
#define CPU(text) { .name = TEXT("resource/cpu"), .limit = TEXT(text) }

static const struct host_facts facts = { .free_kib = UINT64_MAX, .cpus = 4 };
static const struct run_opts opts = { .net = "none", .uuid = "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01" };

struct row {
	const char *limits[3][2]; /* memory and cpu of each app; NULL: none */
	size_t napps;
	const char *memory, *vcpus; /* the pod's annotations */
	uint32_t mib, cpus;
	const char *warning, *error;
};

static int size_of(const struct row *row, struct size *size, struct plan_warnings *w, struct err *e)
{
	struct pod_isolator list[3][2];
	struct pod_app apps[3] = { { .name = TEXT("a") }, { .name = TEXT("b") }, { .name = TEXT("c") } };
	struct pod_pair notes[2];
	struct pod pod = { .apps = apps, .napps = row->napps, .notes = notes };

	memset(list, 0, sizeof(list));
	for (size_t i = 0; i < row->napps; i++) {
		list[i][0] = (struct pod_isolator)MEMORY(row->limits[i][0]);
		list[i][1] = (struct pod_isolator)CPU(row->limits[i][1]);
		apps[i].isolators = list[i];
		apps[i].nisolators = 2;
	}
	if (row->memory)
		notes[pod.nnotes++] = (struct pod_pair){ TEXT(SIZE_NOTE_MEMORY), TEXT(row->memory) };
	if (row->vcpus)
		notes[pod.nnotes++] = (struct pod_pair){ TEXT(SIZE_NOTE_VCPUS), TEXT(row->vcpus) };
	return size_plan(&(struct plan_input){ .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s" },
		size, w, e);
}

static void sizes_the_machine(void **state)
{
	static const struct row rows[] = {
		{ .napps = 1, .mib = 128, .cpus = 1 },
		{ .napps = 2, .mib = 211, .cpus = 1 },
		{ .napps = 1, .limits = { { "25Mi", "800m" } }, .mib = 128, .cpus = 1 },
		{ .napps = 1, .limits = { { "100Mi", "1" } }, .mib = 149, .cpus = 1 },
		{ .napps = 1, .limits = { { "1Gi", "1001m" } }, .mib = 1102, .cpus = 2 },
		{ .napps = 2, .limits = { { "100Mi", "100m" }, { "100Mi", "100m" } }, .mib = 252, .cpus = 2 },
		{ .napps = 3, .limits = { { "100Mi", NULL }, { NULL, "2" }, { "1", NULL } }, .error =
			"app 'c', isolator 'resource/memory': limit '1': 4096 bytes at least" },
		{ .napps = 2, .limits = { { "100Mi", NULL }, { NULL, "1500m" } }, .mib = 232, .cpus = 2 },
		{ .napps = 1, .limits = { { NULL, "5" } }, .mib = 128, .cpus = 4,
			.warning = "the pod asks for 5 cpus, it gets 4: the host has no more" },
		{ .napps = 3, .limits = { { NULL, "1024" }, { NULL, "1024" }, { NULL, "1024" } }, .mib = 293, .cpus = 4,
			.warning = "the pod asks for 3072 cpus, it gets 4: the host has no more" },
		{ .napps = 1, .limits = { { "1Gi", "4" } }, .memory = "64Mi", .vcpus = "2", .mib = 64, .cpus = 2 },
		{ .napps = 1, .memory = "24Mi", .mib = 24, .cpus = 1 },
		{ .napps = 1, .memory = "41943041", .mib = 41, .cpus = 1 },
		{ .napps = 1, .vcpus = "64", .mib = 128, .cpus = 4,
			.warning = "the pod asks for 64 cpus, it gets 4: the host has no more" },
		{ .napps = 1, .memory = "23Mi", .error = "annotation 'stage1-xen/memory': '23Mi' is under 24Mi" },
		{ .napps = 1, .memory = "lots", .error = "annotation 'stage1-xen/memory': 'lots' is not a quantity" },
		{ .napps = 1, .vcpus = "0", .error = "annotation 'stage1-xen/vcpus': '0' is not a number from 1 to 64" },
		{ .napps = 1, .vcpus = "65", .error = "annotation 'stage1-xen/vcpus': '65' is not a number from 1 to 64" },
		{ .napps = 1, .vcpus = "2x", .error = "annotation 'stage1-xen/vcpus': '2x' is not a number from 1 to 64" },
		{ .napps = 1, .vcpus = "", .error = "annotation 'stage1-xen/vcpus': '' is not a number from 1 to 64" },
		{ .napps = 1, .vcpus = "4294967297", .error =
			"annotation 'stage1-xen/vcpus': '4294967297' is not a number from 1 to 64" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct plan_warnings w = { .n = 0 };
		struct err e = ERR_INIT;
		struct size size;
		int ret = size_of(&rows[i], &size, &w, &e);

		assert_string_equal(e.msg, rows[i].error ? rows[i].error : "");
		if (ret == 0 && (size.memory_kib != rows[i].mib << 10 || size.vcpus != rows[i].cpus))
			fail_msg("row %zu: %llu KiB, %u vcpus", i, (unsigned long long)size.memory_kib, size.vcpus);
		assert_int_equal(w.n, rows[i].warning ? 1 : 0);
		if (rows[i].warning)
			assert_string_equal(w.line[0], rows[i].warning);
		plan_warnings_dispose(&w);
	}
}

static void bounds_more_vcpus(void **state)
{
	static const struct {
		const char *max;
		bool fixed;
		uint32_t n;
		const char *warning, *error;
	} rows[] = {
		{ .n = 2 },
		{ .max = "3", .n = 3 },
		{ .max = "3", .fixed = true, .n = 2, .warning = "annotation 'stage1-xen/vcpus-max': ignored, only mutable pods grow" },
		{ .max = "64", .n = 4, .warning = "annotation 'stage1-xen/vcpus-max': the pod gets no more than 4: it may use no more" },
		{ .max = "1", .error = "annotation 'stage1-xen/vcpus-max': '1' is under the 2 that the pod begins with" },
		{ .max = "x", .error = "annotation 'stage1-xen/vcpus-max': 'x' is not a number from 1 to 64" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct run_opts with = { .net = "none", .uuid = opts.uuid, .mutable_pod = !rows[i].fixed };
		struct pod_pair notes[2] = { { TEXT(SIZE_NOTE_VCPUS), TEXT("2") }, { TEXT(SIZE_NOTE_VCPUS_MAX), TEXT(rows[i].max) } };
		const struct pod pod = { .notes = notes, .nnotes = rows[i].max ? 2 : 1 };
		struct plan_warnings w = { .n = 0 };
		struct err e = ERR_INIT;
		struct size size = { .vcpus = 0 };

		(void)size_plan(&(struct plan_input){ .opts = &with, .pod = &pod, .facts = &facts, .s1root = "/s" }, &size, &w, &e);
		assert_string_equal(e.msg, rows[i].error ? rows[i].error : "");
		assert_int_equal(size.vcpus_max, rows[i].n);
		assert_int_equal(w.n, rows[i].warning ? 1 : 0);
		if (rows[i].warning)
			assert_string_equal(w.line[0], rows[i].warning);
		plan_warnings_dispose(&w);
	}
}

static void bounds_growth(void **state)
{
	static const struct {
		const char *memory, *max;
		bool fixed;
		uint64_t mib, max_mib;
		const char *warning, *error;
	} rows[] = {
		{ .mib = 128, .max_mib = 128 },
		{ .memory = "64Mi", .max = "640Mi", .mib = 64, .max_mib = 640 },
		{ .max = "1Gi", .mib = 128 + 28, .max_mib = 1024 }, /* the kernel's tables */
		{ .memory = "64Mi", .max = "64Mi", .mib = 64, .max_mib = 64 },
		{ .memory = "64Mi", .max = "640Mi", .fixed = true, .mib = 64, .max_mib = 64,
			.warning = "annotation 'stage1-xen/memory-max': ignored, only mutable pods grow" },
		{ .memory = "64Mi", .max = "63Mi",
			.error = "annotation 'stage1-xen/memory-max': '63Mi' is under the 64 MiB that the pod begins with" },
		{ .memory = "64Mi", .max = "651Mi", .error = "annotation 'stage1-xen/memory-max': '651Mi' is over 10 times the "
			"64 MiB that the pod begins with: no guest grows so far" },
		{ .max = "much", .error = "annotation 'stage1-xen/memory-max': 'much' is not a quantity" },
		{ .max = "1Mi", .fixed = true, .error = "annotation 'stage1-xen/memory-max': '1Mi' is under 24Mi" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct run_opts with = { .net = "none", .uuid = opts.uuid, .mutable_pod = !rows[i].fixed };
		struct pod_pair notes[2];
		struct pod_app app = { .name = TEXT("a") };
		struct pod pod = { .apps = &app, .napps = 1, .notes = notes };
		struct plan_warnings w = { .n = 0 };
		struct err e = ERR_INIT;
		struct size size = { .vcpus = 0 };

		if (rows[i].memory)
			notes[pod.nnotes++] = (struct pod_pair){ TEXT(SIZE_NOTE_MEMORY), TEXT(rows[i].memory) };
		if (rows[i].max)
			notes[pod.nnotes++] = (struct pod_pair){ TEXT(SIZE_NOTE_MEMORY_MAX), TEXT(rows[i].max) };
		(void)size_plan(&(struct plan_input){ .opts = &with, .pod = &pod, .facts = &facts, .s1root = "/s" }, &size, &w, &e);
		assert_string_equal(e.msg, rows[i].error ? rows[i].error : "");
		assert_int_equal(size.memory_kib, rows[i].mib << 10);
		assert_int_equal(size.memory_max_kib, rows[i].max_mib << 10);
		assert_int_equal(w.n, rows[i].warning ? 1 : 0);
		if (rows[i].warning)
			assert_string_equal(w.line[0], rows[i].warning);
		plan_warnings_dispose(&w);
	}
}

/* What an image's author may have written must not steer the machine. */
static void bounds_cores(void **state)
{
	static const struct { const char *text; uint64_t kib; const char *error; } rows[] = {
		{ "256Mi", 256 << 10, NULL },
		{ "0", 0, NULL },
		{ "yes", 0, "annotation 'stage1-xen/core': 'yes' is not a quantity" },
		{ "-1", 0, "annotation 'stage1-xen/core': '-1' is negative" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pod_app app = { .name = TEXT("a") };
		struct pod_pair note = { TEXT(SIZE_NOTE_CORE), TEXT(rows[i].text) };
		const struct pod pod = { .apps = &app, .napps = 1, .notes = &note, .nnotes = 1 };
		struct err e = ERR_INIT;
		struct size size;
		int ret = size_plan(&(struct plan_input){ .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s" },
			&size, NULL, &e);

		assert_string_equal(e.msg, rows[i].error ? rows[i].error : "");
		assert_int_equal(ret, rows[i].error ? -1 : 0);
		if (ret == 0)
			assert_int_equal(size.core_max_kib, rows[i].kib);
	}
}

static void ignores_the_notes_of_apps(void **state)
{
	struct pod_pair notes[] = { { TEXT(SIZE_NOTE_MEMORY), TEXT("1Ti") }, { TEXT(SIZE_NOTE_VCPUS), TEXT("4") } };
	struct pod_app app = { .name = TEXT("web"), .notes = notes, .nnotes = 2 };
	const struct pod pod = { .apps = &app, .napps = 1 };
	struct plan_warnings w = { .n = 0 };
	struct err e = ERR_INIT;
	struct size size;

	(void)state;
	assert_int_equal(size_plan(&(struct plan_input){ .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s" },
				 &size, &w, &e), 0);
	assert_int_equal(size.memory_kib, 128 << 10);
	assert_int_equal(size.vcpus, 1);
	assert_int_equal(w.n, 2);
	assert_string_equal(w.line[0], "app 'web', annotation 'stage1-xen/memory': ignored, only the pod's counts");
	assert_string_equal(w.line[1], "app 'web', annotation 'stage1-xen/vcpus': ignored, only the pod's counts");
	plan_warnings_dispose(&w);
}

static void gives_vcpus_their_event_channels(void **state)
{
	static const struct host_facts large = { .free_kib = UINT64_MAX, .cpus = 1000 };
	static const struct {
		const char *vcpus;
		uint32_t channels;
	} rows[] = { { "1", 127 }, { "8", 127 }, { "9", 135 }, { "64", 575 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pod_pair note = { TEXT(SIZE_NOTE_VCPUS), TEXT(rows[i].vcpus) };
		const struct pod pod = { .notes = &note, .nnotes = 1 };
		struct domain_plan plan;
		struct err e = ERR_INIT;

		assert_int_equal(plan_domain(&(struct plan_input){ .opts = &opts, .pod = &pod, .facts = &large,
			.s1root = "/s" }, &plan, NULL, &e), 0);
		assert_int_equal(plan.event_channels, rows[i].channels);
		domain_plan_dispose(&plan);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_the_machine),
		cmocka_unit_test(bounds_growth),
		cmocka_unit_test(bounds_more_vcpus),
		cmocka_unit_test(bounds_cores),
		cmocka_unit_test(ignores_the_notes_of_apps),
		cmocka_unit_test(gives_vcpus_their_event_channels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
