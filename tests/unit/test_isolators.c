/* Isolators -> limits: amounts, sets, refusals, and what the filter programs answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/caps.h"
#include "stage1/plan/isolators.h"
#include "stage1/plan/quantity.h"
#include "stage1/plan/seccomp.h"

#define TEXT(s) ((char *)s)
#define LIST(...) ((char *[]){ __VA_ARGS__ })
#define SET(...) .kind = POD_ISOLATOR_SET, .set = LIST(__VA_ARGS__), .nset = COUNT(LIST(__VA_ARGS__))
#define RETAIN "os/linux/seccomp-retain-set"
#define REMOVE "os/linux/seccomp-remove-set"
#define CAPS_RETAIN "os/linux/capabilities-retain-set"
#define CAPS_REMOVE "os/linux/capabilities-remove-set"

static const struct run_opts no_opts = { .net = "none" };

static void reads_quantities(void **state)
{
	static const struct {
		const char *text;
		uint64_t ones, thousandths;
	} rows[] = {
		{ "0", 0, 0 }, { "1", 1, 1000 }, { "+12", 12, 12000 }, { "-0", 0, 0 }, { "-0.0", 0, 0 },
		{ "128974848", 128974848, 128974848000 }, { "0.5", 1, 500 }, { ".5", 1, 500 }, { "5.", 5, 5000 },
		{ "1Ki", 1024, 1024000 }, { "1.5Ki", 1536, 1536000 }, { "0.0001Ki", 1, 103 }, { "25Mi", 26214400, 26214400000 },
		{ "1Gi", 1 << 30, UINT64_C(1073741824000) }, { "1Ti", UINT64_C(1) << 40, UINT64_C(1099511627776000) },
		{ "2Pi", UINT64_C(1) << 51, UINT64_C(2251799813685248000) },
		{ "800m", 1, 800 }, { "1500m", 2, 1500 }, { "1m", 1, 1 }, { "1u", 1, 1 }, { "1n", 1, 1 }, { "0m", 0, 0 },
		{ "1k", 1000, 1000000 }, { "1M", 1000000, 1000000000 }, { "2G", 2000000000, 2000000000000 },
		{ "3T", 3000000000000, 3000000000000000 }, { "4P", 4000000000000000, 4000000000000000000 },
		{ "1e3", 1000, 1000000 }, { "1E3", 1000, 1000000 }, { "12e-1", 2, 1200 }, { "1e+2", 100, 100000 },
		{ "1.0000000000000000001", 2, 1001 }, { "1e-30", 1, 1 }, { "0e99", 0, 0 },
		{ "9223372036854775.807", UINT64_C(9223372036854776), INT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t got = 7;

		assert_null(quantity_amount(rows[i].text, QUANTITY_ONES, &got));
		if (got != rows[i].ones)
			fail_msg("%s: %llu", rows[i].text, (unsigned long long)got);
		assert_null(quantity_amount(rows[i].text, QUANTITY_THOUSANDTHS, &got));
		if (got != rows[i].thousandths)
			fail_msg("%s: %llu thousandths", rows[i].text, (unsigned long long)got);
	}
}

static void refuses_quantities(void **state)
{
	static const struct {
		const char *text, *wrong;
	} rows[] = {
		{ "", "is not a quantity" }, { "x", "is not a quantity" }, { "12zz", "is not a quantity" },
		{ "1ki", "is not a quantity" }, { "1KiB", "is not a quantity" }, { "1 ", "is not a quantity" },
		{ " 1", "is not a quantity" }, { "e3", "is not a quantity" }, { ".", "is not a quantity" },
		{ "1e", "is not a quantity" }, { "1e+", "is not a quantity" }, { "1e3x", "is not a quantity" },
		{ "1e3Ki", "is not a quantity" }, { "--1", "is not a quantity" }, { "+-1", "is not a quantity" },
		{ "1..2", "is not a quantity" }, { "0x10", "is not a quantity" }, { "NaN", "is not a quantity" },
		{ "99999999999999999999999x", "is not a quantity" },
		{ "-1", "is negative" }, { "-0.1m", "is negative" }, { "-99999999999999999999999", "is negative" },
		{ "8Ei", "is too large" }, { "16Ei", "is too large" }, { "10E", "is too large" },
		{ "18446744073709551615", "is too large" }, { "18446744073709551616", "is too large" },
		{ "9223372036854775808", "is too large" }, { "1e19", "is too large" }, { "1e99999999999", "is too large" },
		{ "99999999999999999999999.5Ki", "is too large" }, { "18446744073709551615Ei", "is too large" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t got = 7;
		const char *wrong = quantity_amount(rows[i].text, QUANTITY_ONES, &got);

		if (!wrong || strcmp(wrong, rows[i].wrong) != 0)
			fail_msg("%s: %s", rows[i].text, wrong ? wrong : "accepted");
		assert_int_equal(got, 7);
	}
	assert_string_equal(quantity_amount("9223372036854775.808", QUANTITY_THOUSANDTHS, &(uint64_t){ 0 }), "is too large");
	assert_string_equal(quantity_amount("9Pi", QUANTITY_THOUSANDTHS, &(uint64_t){ 0 }), "is too large");
}

static int plan(const struct run_opts *opts, struct pod_isolator *list, size_t n, struct guest_limits *limits,
	struct plan_warnings *w, struct err *e)
{
	const struct pod_app app = { .name = TEXT("web"), .isolators = list, .nisolators = n };

	return isolators_plan(opts, &app, limits, w, e);
}

static void refuses_isolators(void **state)
{
	struct {
		struct pod_isolator list[2];
		const char *msg;
	} rows[] = {
		{ { { .name = TEXT("resource/memory"), .limit = TEXT("12zz") } },
			"app 'web', isolator 'resource/memory': limit '12zz' is not a quantity" },
		{ { { .name = TEXT("resource/memory"), .limit = TEXT("-1Mi") } },
			"app 'web', isolator 'resource/memory': limit '-1Mi' is negative" },
		{ { { .name = TEXT("resource/memory"), .limit = TEXT("8Ei") } },
			"app 'web', isolator 'resource/memory': limit '8Ei' is too large" },
		{ { { .name = TEXT("resource/memory"), .limit = TEXT("4095") } },
			"app 'web', isolator 'resource/memory': limit '4095': 4096 bytes at least" },
		{ { { .name = TEXT("resource/cpu"), .limit = TEXT("much") } },
			"app 'web', isolator 'resource/cpu': limit 'much' is not a quantity" },
		{ { { .name = TEXT("resource/cpu"), .limit = TEXT("0m") } },
			"app 'web', isolator 'resource/cpu': limit '0m': nothing could run" },
		{ { { .name = TEXT("resource/cpu"), .limit = TEXT("1025") } },
			"app 'web', isolator 'resource/cpu': limit '1025': 1024 cpus at most" },
		{ { { .name = TEXT("os/linux/cpu-shares"), .number = 1 } },
			"app 'web', isolator 'os/linux/cpu-shares': 1: 2 to 262144" },
		{ { { .name = TEXT("os/linux/cpu-shares"), .number = 262145 } },
			"app 'web', isolator 'os/linux/cpu-shares': 262145: 2 to 262144" },
		{ { { .name = TEXT("os/linux/oom-score-adj"), .number = 1001 } },
			"app 'web', isolator 'os/linux/oom-score-adj': 1001: -1000 to 1000" },
		{ { { .name = TEXT("os/linux/oom-score-adj"), .number = -1001 } },
			"app 'web', isolator 'os/linux/oom-score-adj': -1001: -1000 to 1000" },
		{ { { .name = TEXT(CAPS_RETAIN) } }, "app 'web', isolator '" CAPS_RETAIN "': the set is empty" },
		{ { { .name = TEXT(CAPS_REMOVE), SET(TEXT("CAP_CHOWN"), TEXT("CAP_FLY")) } },
			"app 'web', isolator '" CAPS_REMOVE "': no capability named 'CAP_FLY'" },
		{ { { .name = TEXT(CAPS_REMOVE), SET(TEXT("CHOWN")) } },
			"app 'web', isolator '" CAPS_REMOVE "': no capability named 'CHOWN'" },
		{ { { .name = TEXT(CAPS_REMOVE), SET(TEXT("CAP_CHOWN")) },
			  { .name = TEXT(CAPS_RETAIN), SET(TEXT("CAP_KILL")) } },
			"app 'web', isolator '" CAPS_REMOVE "': not together with '" CAPS_RETAIN "'" },
		{ { { .name = TEXT(RETAIN), SET(TEXT("read")) }, { .name = TEXT(REMOVE), SET(TEXT("read")) } },
			"app 'web', isolator '" REMOVE "': there is one already, '" RETAIN "'" },
		{ { { .name = TEXT(RETAIN), SET(TEXT("read")), .errno_name = TEXT("EFLY") } },
			"app 'web', isolator '" RETAIN "': errno 'EFLY' is not known" },
		{ { { .name = TEXT("os/linux/magic") } }, "app 'web', isolator 'os/linux/magic': not known" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guest_limits limits;
		struct err e = ERR_INIT;

		assert_int_equal(plan(&no_opts, rows[i].list, rows[i].list[1].name ? 2 : 1, &limits, NULL, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
		assert_int_equal(e.kind, ERR_INPUT);
	}
}

static void reads_isolators(void **state)
{
	struct pod_isolator list[] = {
		{ .name = TEXT("resource/memory"), .limit = TEXT("1Gi") },
		{ .name = TEXT("resource/memory"), .limit = TEXT("25Mi"), .request = TEXT("junk") },
		{ .name = TEXT("resource/memory"), .request = TEXT("1Mi") },
		{ .name = TEXT("resource/cpu"), .limit = TEXT("4") },
		{ .name = TEXT("resource/cpu"), .limit = TEXT("805m") },
		{ .name = TEXT("os/linux/oom-score-adj"), .number = -1000 },
		{ .name = TEXT("os/linux/no-new-privileges"), .on = true },
		{ .name = TEXT("os/linux/no-new-privileges"), .on = false },
		{ .name = TEXT("os/linux/selinux-context") },
		{ .name = TEXT("resource/block-iops") },
	};
	struct plan_warnings w = { .n = 0 };
	struct guest_limits limits;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(plan(&no_opts, list, COUNT(list), &limits, &w, &e), 0);
	assert_int_equal(limits.memory_max, 25 << 20);
	assert_int_equal(limits.cpu_max, 805);
	assert_int_equal(limits.cpu_weight, 0);
	assert_int_equal(limits.oom_score_adj, -1000);
	assert_true(limits.no_new_privs);
	assert_int_equal(w.n, 2);
	assert_string_equal(w.line[0], "app 'web', isolator 'os/linux/selinux-context': not honoured, as in rkt");
	assert_string_equal(w.line[1], "app 'web', isolator 'resource/block-iops': not honoured, as in rkt");
	plan_warnings_dispose(&w);
	isolators_dispose(&limits);
}

static void weighs_shares_as_the_kernel_does(void **state)
{
	static const struct {
		int64_t shares;
		uint32_t weight;
	} rows[] = { { 2, 1 }, { 10, 1 }, { 15, 1 }, { 16, 2 }, { 512, 50 }, { 1024, 100 }, { 2048, 200 },
		{ 102400, 10000 }, { 262144, 10000 } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct pod_isolator iso = { .name = TEXT("os/linux/cpu-shares"), .number = rows[i].shares };
		struct guest_limits limits;
		struct err e = ERR_INIT;

		assert_int_equal(plan(&no_opts, &iso, 1, &limits, NULL, &e), 0);
		assert_int_equal(limits.cpu_weight, rows[i].weight);
		isolators_dispose(&limits);
	}
}

#define BIT(cap) (UINT64_C(1) << (cap))

static void bounds_capabilities(void **state)
{
	static const struct run_opts free_opts = { .net = "none", .disable_capabilities = true };
	static const uint64_t usual = 0xa80425fb; /* what `capsh` calls the 14 of docker and rkt */
	struct {
		struct pod_isolator list[2];
		uint64_t caps;
	} rows[] = {
		{ { { .name = TEXT("os/linux/no-new-privileges") } }, usual },
		{ { { .name = TEXT(CAPS_RETAIN), SET(TEXT("CAP_SYS_PTRACE")) } }, BIT(CAP_SYS_PTRACE) },
		{ { { .name = TEXT(CAPS_RETAIN), SET(TEXT("cap_chown"), TEXT("CAP_CHECKPOINT_RESTORE")) } },
			BIT(CAP_CHOWN) | BIT(CAP_CHECKPOINT_RESTORE) },
		{ { { .name = TEXT(CAPS_RETAIN), SET(TEXT("CAP_KILL")) },
			  { .name = TEXT(CAPS_RETAIN), SET(TEXT("CAP_BPF")) } },
			BIT(CAP_KILL) | BIT(CAP_BPF) },
		{ { { .name = TEXT(CAPS_REMOVE), SET(TEXT("CAP_MKNOD"), TEXT("CAP_SYS_ADMIN")) } }, usual & ~BIT(CAP_MKNOD) },
		{ { { .name = TEXT(CAPS_REMOVE), SET(TEXT("CAP_KILL")) },
			  { .name = TEXT(CAPS_REMOVE), SET(TEXT("CAP_CHOWN")) } },
			usual & ~BIT(CAP_KILL) & ~BIT(CAP_CHOWN) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guest_limits limits;
		struct err e = ERR_INIT;
		size_t n = rows[i].list[1].name ? 2 : 1;

		assert_int_equal(plan(&no_opts, rows[i].list, n, &limits, NULL, &e), 0);
		if (limits.caps != rows[i].caps)
			fail_msg("row %zu: %llx", i, (unsigned long long)limits.caps);
		isolators_dispose(&limits);
		assert_int_equal(plan(&free_opts, rows[i].list, n, &limits, NULL, &e), 0);
		assert_true(limits.caps == CAPS_ALL);
		isolators_dispose(&limits);
	}
}

/* The part of classic BPF that filters use; a program that leaves it fails the test. */
static uint32_t run_filter(const struct guest_limits *l, uint32_t arch, uint32_t nr)
{
	const struct seccomp_data data = { .arch = arch, .nr = (int)nr };
	AUTO_FREE struct sock_filter *code = xmalloc(l->filter_len);
	size_t n = l->filter_len / sizeof(*code), steps = 0;
	uint32_t a = 0;

	memcpy(code, l->filter, l->filter_len);
	for (size_t pc = 0; pc < n; pc++, steps++) {
		const struct sock_filter *i = &code[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k + 4 <= sizeof(data));
			memcpy(&a, (const char *)&data + i->k, 4);
			break;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += a == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += a >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			assert_in_range(steps, 2, 30); /* every call pays for it */
			return i->k;
		default:
			fail_msg("instruction %x", i->code);
		}
	}
	fail_msg("the program has no end");
	return 0;
}

enum { A64 = AUDIT_ARCH_X86_64, A32 = AUDIT_ARCH_I386, KILL = SECCOMP_RET_KILL_PROCESS,
	ALLOW = SECCOMP_RET_ALLOW,
	NOSYS = SECCOMP_RET_ERRNO | ENOSYS, PERM = SECCOMP_RET_ERRNO | EPERM };

/* Numbers: asm/unistd_64.h and asm/unistd_32.h. */
enum {
	READ64 = 0, MMAP64 = 9, EXECVE64 = 59, EXIT64 = 60, MKDIR64 = 83, MOUNT64 = 165, UNSHARE64 = 272,
	MEMBARRIER64 = 324, STATX64 = 332, RSEQ64 = 334, IO_URING_SETUP64 = 425, MOVE_MOUNT64 = 429,
	CLONE3_64 = 435, SOCKET64 = 41, LAST64 = 450, READ32 = 3, EXECVE32 = 11, MOUNT32 = 21,
	SOCKETCALL32 = 102, IPC32 = 117, SIGRETURN32 = 119, SOCKET32 = 359, RECVMMSG32 = 337,
	SHMAT32 = 397, CLOCK_SETTIME32 = 264, CLOCK_SETTIME64_32 = 404, CLOCK_GETTIME64_32 = 403,
	MOVE_MOUNT32 = 429,
};

struct answer {
	uint32_t arch, nr, answer;
};

static void check_answers(size_t row, const struct guest_limits *l, const struct answer *a)
{
	assert_true(l->filter_len > 0 && l->filter_len <= GUEST_FILTER_MAX && l->filter_len % 8 == 0);
	for (; a->arch; a++) {
		uint32_t got = run_filter(l, a->arch, a->nr);

		if (got != a->answer)
			fail_msg("row %zu: call %u of %x gives %x", row, a->nr, a->arch, got);
	}
	/* whatever the set: other ABIs, and what the guest's kernel does not know */
	assert_int_equal(run_filter(l, AUDIT_ARCH_AARCH64, READ64), KILL);
	assert_int_equal(run_filter(l, A64, 0x40000000 | READ64), NOSYS);
	assert_int_equal(run_filter(l, A64, LAST64 + 1), NOSYS);
	assert_int_equal(run_filter(l, A64, UINT32_MAX), NOSYS);
	assert_int_equal(run_filter(l, A32, LAST64 + 1), NOSYS);
}

static void filters_calls(void **state)
{
#define ANSWERS(...) ((const struct answer[]){ __VA_ARGS__, { 0, 0, 0 } })
#define DEFAULT_ANSWERS { A64, READ64, ALLOW }, { A64, EXECVE64, ALLOW }, \
	{ A64, MEMBARRIER64, ALLOW }, { A64, STATX64, ALLOW }, \
	{ A64, CLONE3_64, ALLOW }, { A64, MOUNT64, KILL }, { A64, UNSHARE64, KILL }, { A64, MOVE_MOUNT64, NOSYS }, \
	{ A64, IO_URING_SETUP64, NOSYS }, { A32, READ32, ALLOW }, { A32, SOCKETCALL32, ALLOW }, { A32, MOUNT32, KILL }, \
	{ A32, CLOCK_GETTIME64_32, ALLOW }, { A32, CLOCK_SETTIME32, KILL }, { A32, CLOCK_SETTIME64_32, NOSYS }, \
	{ A32, SOCKET32, ALLOW }, { A32, RECVMMSG32, ALLOW }, { A32, SHMAT32, ALLOW }
	struct {
		struct pod_isolator iso;
		const char *summary;
		const struct answer *answers;
	} rows[] = {
		{ { .name = TEXT("os/linux/no-new-privileges") }, "retain 291 calls, else SIGSYS",
			ANSWERS(DEFAULT_ANSWERS) },
		{ { .name = TEXT(RETAIN) }, "retain 291 calls, else SIGSYS",
			ANSWERS(DEFAULT_ANSWERS) },
		{ { .name = TEXT(RETAIN), SET(TEXT("@no/set"), TEXT("@odd")) }, "retain 291 calls, else SIGSYS",
			ANSWERS(DEFAULT_ANSWERS) },
		{ { .name = TEXT(REMOVE), SET(TEXT("read"), TEXT("@appc.io/empty")) }, "retain 291 calls, else SIGSYS",
			ANSWERS(DEFAULT_ANSWERS) },
		{ { .name = TEXT(RETAIN), SET(TEXT("@docker/default-whitelist"), TEXT("mount")),
			  .errno_name = TEXT("EPERM") },
			"retain 292 calls, else EPERM",
			ANSWERS({ A64, MOUNT64, ALLOW }, { A64, UNSHARE64, PERM }, { A64, MOVE_MOUNT64, NOSYS }, { A32, MOUNT32, ALLOW }) },
		{ { .name = TEXT(RETAIN), SET(TEXT("read")) }, "retain 5 calls, else SIGSYS",
			ANSWERS({ A64, READ64, ALLOW }, { A64, EXECVE64, ALLOW }, { A64, EXIT64, ALLOW }, { A64, MMAP64, KILL },
				{ A64, STATX64, NOSYS }, { A32, READ32, ALLOW }, { A32, EXECVE32, ALLOW },
				{ A32, SIGRETURN32, ALLOW }, { A32, SOCKETCALL32, KILL }) },
		{ { .name = TEXT(RETAIN), SET(TEXT("@systemd/network-io")) }, "retain 22 calls, else SIGSYS",
			ANSWERS({ A64, SOCKET64, ALLOW }, { A32, SOCKET32, ALLOW }, { A32, SOCKETCALL32, ALLOW }, { A32, IPC32, KILL }) },
		{ { .name = TEXT(RETAIN), SET(TEXT("socket")) }, "retain 5 calls, else SIGSYS",
			ANSWERS({ A64, SOCKET64, ALLOW }, { A32, SOCKET32, ALLOW }, { A32, SOCKETCALL32, KILL }) },
		{ { .name = TEXT(REMOVE), SET(TEXT("mkdir"), TEXT("socket")), .errno_name = TEXT("EXFULL") },
			"remove 2 calls, else EXFULL",
			ANSWERS({ A64, READ64, ALLOW }, { A64, MKDIR64, SECCOMP_RET_ERRNO | EXFULL }, { A64, MOUNT64, ALLOW },
				{ A64, LAST64, ALLOW }, { A32, SOCKETCALL32, SECCOMP_RET_ERRNO | EXFULL }, { A32, IPC32, ALLOW }) },
		{ { .name = TEXT(REMOVE), SET(TEXT("@rkt/default-blacklist")) }, "remove 56 calls, else SIGSYS",
			ANSWERS({ A64, READ64, ALLOW }, { A64, MKDIR64, ALLOW }, { A64, MOUNT64, KILL }, { A64, MOVE_MOUNT64, KILL },
				{ A32, MOUNT32, KILL }, { A32, MOVE_MOUNT32, KILL }, { A32, CLOCK_SETTIME64_32, KILL },
				{ A64, LAST64, KILL } /* set_mempolicy_home_node */) },
		{ { .name = TEXT(REMOVE), SET(TEXT("@systemd/clock"), TEXT("@systemd/mount"), TEXT("@systemd/obsolete"),
			  TEXT("@systemd/privileged"), TEXT("@systemd/process"), TEXT("@systemd/raw-io")) },
			"remove 70 calls, else SIGSYS",
			ANSWERS({ A64, READ64, ALLOW }, { A64, EXECVE64, KILL }, { A64, UNSHARE64, KILL }, { A64, CLONE3_64, KILL },
				{ A64, MOUNT64, KILL }, { A32, CLOCK_SETTIME64_32, KILL }) },
		{ { .name = TEXT(REMOVE), SET(TEXT("semop")) }, "remove 1 calls, else SIGSYS",
			ANSWERS({ A32, IPC32, KILL }, { A32, SOCKETCALL32, ALLOW }) },
		{ { .name = TEXT(REMOVE), SET(TEXT("@appc.io/all")) }, "retain 291 calls, else SIGSYS",
			ANSWERS(DEFAULT_ANSWERS) },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct guest_limits limits;
		struct err e = ERR_INIT;

		assert_int_equal(plan(&no_opts, &rows[i].iso, 1, &limits, NULL, &e), 0);
		check_answers(i, &limits, rows[i].answers);
		assert_string_equal(limits.filter_summary, rows[i].summary);
		isolators_dispose(&limits);
	}
}

static void has_no_filter_when_none_is_wanted(void **state)
{
	static const struct run_opts free_opts = { .net = "none", .disable_seccomp = true };
	struct pod_isolator all = { .name = TEXT(RETAIN), SET(TEXT("read"), TEXT("@appc.io/all")) };
	struct pod_isolator removed = { .name = TEXT(REMOVE), SET(TEXT("read")) };
	struct guest_limits limits;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(plan(&no_opts, &all, 1, &limits, NULL, &e), 0);
	assert_null(limits.filter);
	assert_int_equal(limits.filter_len, 0);
	assert_null(limits.filter_summary);
	assert_int_equal(plan(&free_opts, &removed, 1, &limits, NULL, &e), 0);
	assert_null(limits.filter);
	assert_int_equal(plan(&free_opts, NULL, 0, &limits, NULL, &e), 0);
	assert_null(limits.filter);
}

static void warns_of_unknown_calls_and_sets(void **state)
{
	struct pod_isolator iso = { .name = TEXT(REMOVE), SET(TEXT("@my/set"), TEXT("fly"), TEXT("@x"), TEXT("read")) };
	struct plan_warnings w = { .n = 0 };
	struct guest_limits limits;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(plan(&no_opts, &iso, 1, &limits, &w, &e), 0);
	assert_int_equal(w.n, 3);
	assert_string_equal(w.line[0], "app 'web', isolator '" REMOVE "': no set named '@my/set'");
	assert_string_equal(w.line[1], "app 'web', isolator '" REMOVE "': no system call named 'fly'");
	assert_string_equal(w.line[2], "app 'web', isolator '" REMOVE "': no set named '@x'");
	assert_int_equal(run_filter(&limits, A64, READ64), KILL);
	assert_int_equal(run_filter(&limits, A64, MOUNT64), ALLOW);
	plan_warnings_dispose(&w);
	isolators_dispose(&limits);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_quantities),
		cmocka_unit_test(refuses_quantities),
		cmocka_unit_test(refuses_isolators),
		cmocka_unit_test(reads_isolators),
		cmocka_unit_test(weighs_shares_as_the_kernel_does),
		cmocka_unit_test(bounds_capabilities),
		cmocka_unit_test(filters_calls),
		cmocka_unit_test(has_no_filter_when_none_is_wanted),
		cmocka_unit_test(warns_of_unknown_calls_and_sets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
