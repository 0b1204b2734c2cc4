/* Where a pod's vCPUs run: lists of CPUs, pools, and what the host has not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/size.h"
#include "stage1/plan/type.h"

#define TEXT(s) ((char *)s)

/* CPU 6 is online and in no pool. */
static const struct host_facts facts = { .free_kib = UINT64_MAX, .cpus = 7, .npools = 3,
	.pools = { { .name = "Pool-0", .cpus = { { 0x0f } } }, { .id = 2, .name = "pods", .cpus = { { 0x30 } } },
		{ .id = 3, .name = "empty" } } };

static void reads_lists_of_cpus(void **state)
{
	static const struct { const char *text, *same; } rows[] = {
		{ "0", "0" }, { "0-1,3", "0-1,3" }, { "3,0,1", "0-1,3" }, { "2-2", "2" }, { "1,1-2,2", "1-2" },
		{ "511", "511" }, { "62-65", "62-65" }, { "", NULL }, { ",", NULL }, { "1,", NULL }, { ",1", NULL },
		{ "3-1", NULL }, { "1-", NULL }, { "-1", NULL }, { "512", NULL }, { "1000", NULL }, { "0-512", NULL },
		{ "all", NULL }, { "1 2", NULL }, { "1-2-3", NULL }, { "^1", NULL }, { "0x1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cpu_set set;
		char *text;

		if (cpu_set_parse(rows[i].text, &set) != (rows[i].same != NULL))
			fail_msg("'%s'", rows[i].text);
		if (!rows[i].same)
			continue;
		text = cpu_set_text(&set);
		assert_string_equal(text, rows[i].same);
		free(text);
	}
}

static void finds_a_place(void **state)
{
	static const struct {
		const char *cpus, *pool;
		uint32_t id, n;
		const char *error;
	} rows[] = {
		{ NULL, NULL, 0, 4, NULL },
		{ "0-1,3", NULL, 0, 3, NULL },
		{ "0-1,3", "Pool-0", 0, 3, NULL },
		{ NULL, "pods", 2, 2, NULL },
		{ "5", "pods", 2, 1, NULL },
		{ "0-4", NULL, 0, 0, "annotation 'stage1-xen/cpus': CPU 4 is not in the cpupool 'Pool-0'" },
		{ "0", "pods", 0, 0, "annotation 'stage1-xen/cpus': CPU 0 is not in the cpupool 'pods'" },
		{ "6", NULL, 0, 0, "annotation 'stage1-xen/cpus': the host has no CPU 6 for pods" },
		{ "0,300", NULL, 0, 0, "annotation 'stage1-xen/cpus': the host has no CPU 300 for pods" },
		{ NULL, "nope", 0, 0, "annotation 'stage1-xen/cpupool': 'nope' is none of Xen's cpupools (see xl cpupool-list)" },
		{ NULL, "empty", 0, 0, "the cpupool 'empty' has no CPU" },
		{ "two", NULL, 0, 0, "annotation 'stage1-xen/cpus': 'two' is not a list of CPUs such as 0-1,3" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pod_pair notes[2];
		struct pod pod = { .notes = notes };
		struct err e = ERR_INIT;
		struct place place;

		if (rows[i].cpus)
			notes[pod.nnotes++] = (struct pod_pair){ TEXT(PLACE_NOTE_CPUS), TEXT(rows[i].cpus) };
		if (rows[i].pool)
			notes[pod.nnotes++] = (struct pod_pair){ TEXT(PLACE_NOTE_POOL), TEXT(rows[i].pool) };
		assert_int_equal(place_plan(&pod, &facts, &place, &e), rows[i].error ? -1 : 0);
		assert_string_equal(e.msg, rows[i].error ? rows[i].error : "");
		if (rows[i].error)
			continue;
		assert_int_equal(place.pool, rows[i].id);
		assert_int_equal(place.ncpus, rows[i].n);
		assert_int_equal(place.pinned, rows[i].cpus != NULL);
	}
}

/* `stage0 plan` on a host without Xen. */
static void believes_what_cannot_be_looked_up(void **state)
{
	const struct host_facts none = { .cpus = 1 };
	struct pod_pair notes[] = { { TEXT(PLACE_NOTE_CPUS), TEXT("7,9") }, { TEXT(PLACE_NOTE_POOL), TEXT("x") } };
	const struct pod pod = { .notes = notes, .nnotes = 2 };
	struct err e = ERR_INIT;
	struct place place;

	(void)state;
	assert_int_equal(place_plan(&pod, &none, &place, &e), 0);
	assert_int_equal(place.ncpus, 2);
	assert_string_equal(place.pool_name, "x");
}

/* More vCPUs than CPUs to run on only wait for one another. */
static void gives_no_more_vcpus_than_cpus(void **state)
{
	struct pod_pair notes[] = { { TEXT(SIZE_NOTE_VCPUS), TEXT("4") }, { TEXT(PLACE_NOTE_CPUS), TEXT("1-2") } };
	struct pod_app app = { .name = TEXT("a"), .notes = notes, .nnotes = 2 };
	const struct pod pod = { .apps = &app, .napps = 1, .notes = notes, .nnotes = 2 };
	const struct run_opts opts = { .net = "none", .uuid = "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01" };
	struct plan_warnings w = { .n = 0 };
	struct err e = ERR_INIT;
	struct size size;

	(void)state;
	assert_int_equal(size_plan(&(struct plan_input){ .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s" },
				 &size, &w, &e), 0);
	assert_int_equal(size.vcpus, 2);
	assert_int_equal(w.n, 3);
	assert_string_equal(w.line[0], "the pod asks for 4 cpus, it gets 2: it may use no more");
	assert_string_equal(w.line[2], "app 'a', annotation 'stage1-xen/cpus': ignored, only the pod's counts");
	plan_warnings_dispose(&w);
}

static void chooses_the_type(void **state)
{
	static const struct {
		const char *text;
		bool can;
		enum domain_type type;
		const char *error;
	} rows[] = {
		{ NULL, true, DOMAIN_PV, "" },
		{ NULL, false, DOMAIN_PV, "" },
		{ "pv", true, DOMAIN_PV, "" },
		{ "pvh", true, DOMAIN_PVH, "" },
		{ "pvh", false, DOMAIN_PV, "annotation 'stage1-xen/type': pvh needs a CPU with VT-x and EPT or AMD-V and NPT, "
			"switched on: Xen finds none here" },
		{ "PVH", true, DOMAIN_PV, "annotation 'stage1-xen/type': 'PVH' is neither pv nor pvh" },
		{ "hvm", false, DOMAIN_PV, "annotation 'stage1-xen/type': 'hvm' is neither pv nor pvh" },
		{ "", true, DOMAIN_PV, "annotation 'stage1-xen/type': '' is neither pv nor pvh" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct host_facts host = { .cpus = 1, .pvh = rows[i].can };
		struct pod_pair note = { TEXT(TYPE_NOTE), TEXT(rows[i].text) };
		const struct pod pod = { .notes = &note, .nnotes = rows[i].text ? 1 : 0 };
		enum domain_type type = DOMAIN_PV;
		struct err e = ERR_INIT;

		assert_int_equal(type_plan(&pod, &host, &type, &e), *rows[i].error ? -1 : 0);
		assert_string_equal(e.msg, rows[i].error);
		assert_int_equal(type, rows[i].type);
	}
}

/* libxl_get_required_shadow_memory(131072, 1) is 2048, of (262144, 2) 4096. */
static void counts_nested_page_tables(void **state)
{
	(void)state;
	assert_int_equal(type_overhead_kib(DOMAIN_PV, 128 << 10, 1), PLAN_OVERHEAD_KIB);
	assert_int_equal(type_overhead_kib(DOMAIN_PVH, 128 << 10, 1), PLAN_OVERHEAD_KIB + 2048);
	assert_int_equal(type_overhead_kib(DOMAIN_PVH, 256 << 10, 2), PLAN_OVERHEAD_KIB + 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_lists_of_cpus),
		cmocka_unit_test(finds_a_place),
		cmocka_unit_test(believes_what_cannot_be_looked_up),
		cmocka_unit_test(gives_no_more_vcpus_than_cpus),
		cmocka_unit_test(chooses_the_type),
		cmocka_unit_test(counts_nested_page_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
