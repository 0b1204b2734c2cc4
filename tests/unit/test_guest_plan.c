/* The guest plan's encoding: there and back, and no byte of it is trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "stage1/common/guest_plan.h"
#include "stage1/common/util.h"
#include "stage1/common/wire.h"

#define TEXT(s) ((char *)s)

static char *exec0[] = { TEXT("/bin/x"), TEXT(""), TEXT("\xc3\xa4 b") };
static char *exec1[] = { TEXT("y") };
static char *env0[] = { TEXT("A=1"), TEXT("PATH=") };
static uint32_t gids0[] = { 0, UINT32_MAX - 1 };

static struct guest_mount mounts0[] = {
	{ .source = TEXT("/volumes/0"), .target = TEXT("/srv\n"), .read_only = true },
	{ .source = TEXT("/pod/empty/1"), .target = TEXT("/d"), .copy_image = true },
};
static struct guest_export exports[] = {
	{ .tag = TEXT("pod"), .dir = TEXT("/pod"), .options = TEXT("a=b") },
	{ .tag = TEXT("volumes"), .dir = TEXT("/volumes"), .options = TEXT("") },
};
static uint8_t filter0[] = "\x06\0\0\0\0\0\xff\x7f\x06\0\0\0\1\0\0"; /* 16 bytes with the NUL */
#define LIMITS0 { .caps = UINT64_C(0x8000000180000001), .no_new_privs = true, \
	.oom_score_adj = -1000, .memory_max = UINT64_C(5) << 32 | 1, .cpu_max = GUEST_CPU_MAX, .cpu_weight = 10000, \
	.filter = filter0, .filter_len = sizeof(filter0) }

static struct guest_app apps[] = {
	{ .name = TEXT("web"), .root = TEXT("web"), .exec = exec0, .nexec = 3, .user = TEXT("www"),
		.group = TEXT("/etc"), .group_or_uid = true, .gids = gids0, .ngids = 2, .cwd = TEXT("/srv"), .env = env0, .nenv = 2,
		.search_path = TEXT("/bin:"), .io = { { GUEST_IO_TTY, GUEST_IO_TTY, GUEST_IO_PIPE }, 24, 80 }, .limits = LIMITS0,
		.pre_start = exec1, .npre_start = 1, .post_stop = exec0, .npost_stop = 3, .notify = true,
		.mounts = { .list = mounts0, .n = 2, .sysfs = true, .read_only_root = true } },
	{ .name = TEXT("b"), .root = TEXT("r"), .exec = exec1, .nexec = 1, .user = TEXT("0"),
		.group = TEXT("0"), .cwd = TEXT("/"), .search_path = TEXT(""), .mounts = { .protect_paths = true } },
};
static struct guest_ip addrs0[] = {
	{ 4, 24, { 172, 16, 28, 2 } }, { 6, 64, { 0xfd, [15] = 2 } },
};
static struct guest_route routes0[] = {
	{ .to = { 4, 24, { 172, 16, 28, 0 } }, .src = { 4, 32, { 172, 16, 28, 2 } }, .scope = 253,
		.mtu = 1400 },
	{ .to = { 4, 0, { 0 } }, .via = { 4, 32, { 172, 16, 28, 1 } }, .onlink = true },
	{ .to = { 6, 0, { 0 } }, .via = { 6, 128, { 0xfd, [15] = 1 } }, .metric = UINT32_MAX },
};
static struct guest_nic nics[] = {
	{ .name = TEXT("eth0"), .mac = { 2, 1, 0, 0xff, 4, 5 }, .mtu = 1500, .addrs = addrs0, .naddrs = 2,
		.routes = routes0, .nroutes = 3 },
	{ .name = TEXT("eth1"), .mac = { 6 }, .mtu = 65521 },
};
static struct guest_listen listens[] = { { 1, 80 }, { 0, 65535 }, { 1, 1 } };
static const struct guest_plan plan = { .hostname = TEXT("rkt-1"), .stays = true, .nics = nics, .nnics = 2, .apps = apps, .napps = 2,
	.exports = exports, .nexports = 2, .resolv_conf = TEXT("nameserver 1\n"), .hosts_fallback = TEXT(""), .listens = listens, .nlistens = 3 };

/* Decodes in memory of just this size, and gives it back only afterwards: strings are borrowed. */
static int decode_bytes(const uint8_t *bytes, size_t len, struct err *e)
{
	AUTO_FREE uint8_t *exact = xmalloc(len);
	struct guest_plan got = GUEST_PLAN_INIT;
	int ret;

	memcpy(exact, bytes, len);
	ret = guest_plan_decode(exact, len, &got, e);
	if (ret < 0)
		assert_null(got.owned);
	guest_plan_dispose(&got);
	return ret;
}

static void check_strings(char **got, char **want, size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_string_equal(got[i], want[i]);
	assert_null(got[n]); /* for execve */
}

static void check_mounts(const struct guest_mounts *got, const struct guest_mounts *want)
{
	assert_int_equal(got->n, want->n);
	for (size_t i = 0; i < want->n; i++) {
		assert_string_equal(got->list[i].source, want->list[i].source);
		assert_string_equal(got->list[i].target, want->list[i].target);
		assert_int_equal(got->list[i].read_only, want->list[i].read_only);
		assert_int_equal(got->list[i].copy_image, want->list[i].copy_image);
	}
	assert_int_equal(got->sysfs, want->sysfs);
	assert_int_equal(got->protect_paths, want->protect_paths);
	assert_int_equal(got->read_only_root, want->read_only_root);
}

static void check_limits(const struct guest_limits *got, const struct guest_limits *want)
{
	assert_true(got->caps == want->caps && got->memory_max == want->memory_max);
	assert_int_equal(got->no_new_privs, want->no_new_privs);
	assert_int_equal(got->oom_score_adj, want->oom_score_adj);
	assert_int_equal(got->cpu_max, want->cpu_max);
	assert_int_equal(got->cpu_weight, want->cpu_weight);
	assert_int_equal(got->filter_len, want->filter_len);
	if (want->filter_len)
		assert_memory_equal(got->filter, want->filter, want->filter_len);
	assert_null(got->filter_summary);
}

static void check_nics(const struct guest_plan *got)
{
	assert_int_equal(got->nnics, 2);
	for (size_t i = 0; i < 2; i++) {
		const struct guest_nic *n = &got->nics[i], *w = &nics[i];

		assert_string_equal(n->name, w->name);
		assert_memory_equal(n->mac, w->mac, sizeof(w->mac));
		assert_int_equal(n->mtu, w->mtu);
		assert_int_equal(n->naddrs, w->naddrs);
		for (size_t k = 0; k < w->naddrs; k++)
			assert_memory_equal(&n->addrs[k], &w->addrs[k], sizeof(w->addrs[k]));
		assert_int_equal(n->nroutes, w->nroutes);
		for (size_t k = 0; k < w->nroutes; k++) {
			const struct guest_route *r = &n->routes[k], *x = &w->routes[k];

			assert_memory_equal(&r->to, &x->to, sizeof(x->to));
			assert_memory_equal(&r->via, &x->via, sizeof(x->via));
			assert_memory_equal(&r->src, &x->src, sizeof(x->src));
			assert_int_equal(r->scope, x->scope);
			assert_int_equal(r->onlink, x->onlink);
			assert_int_equal(r->metric, x->metric);
			assert_int_equal(r->mtu, x->mtu);
		}
	}
}

static void comes_back_as_it_was(void **state)
{
	struct guest_plan got;
	struct err e = ERR_INIT;
	AUTO_FREE uint8_t *data = NULL;
	size_t len;

	(void)state;
	assert_int_equal(guest_plan_encode(&plan, &data, &len, &e), 0);
	assert_int_equal(guest_plan_decode(data, len, &got, &e), 0);
	assert_string_equal(got.hostname, "rkt-1");
	assert_true(got.stays);
	check_nics(&got);
	assert_int_equal(got.napps, 2);
	for (size_t i = 0; i < got.napps; i++) {
		const struct guest_app *a = &got.apps[i], *w = &apps[i];

		assert_string_equal(a->name, w->name);
		assert_string_equal(a->root, w->root);
		assert_int_equal(a->nexec, w->nexec);
		check_strings(a->exec, w->exec, w->nexec);
		assert_string_equal(a->user, w->user);
		assert_string_equal(a->group, w->group);
		assert_int_equal(a->group_or_uid, w->group_or_uid);
		assert_int_equal(a->ngids, w->ngids);
		for (size_t k = 0; k < w->ngids; k++)
			assert_int_equal(a->gids[k], w->gids[k]);
		assert_string_equal(a->cwd, w->cwd);
		assert_int_equal(a->nenv, w->nenv);
		check_strings(a->env, w->env, w->nenv);
		assert_string_equal(a->search_path, w->search_path);
		assert_memory_equal(&a->io, &w->io, sizeof(a->io));
		assert_int_equal(a->npre_start, w->npre_start);
		check_strings(a->pre_start, w->pre_start, w->npre_start);
		assert_int_equal(a->npost_stop, w->npost_stop);
		check_strings(a->post_stop, w->post_stop, w->npost_stop);
		assert_int_equal(a->notify, w->notify);
		check_mounts(&a->mounts, &w->mounts);
		check_limits(&a->limits, &w->limits);
	}
	assert_int_equal(got.nexports, 2);
	for (size_t i = 0; i < got.nexports; i++) {
		assert_string_equal(got.exports[i].tag, exports[i].tag);
		assert_string_equal(got.exports[i].dir, exports[i].dir);
		assert_string_equal(got.exports[i].options, exports[i].options);
	}
	assert_string_equal(got.resolv_conf, "nameserver 1\n");
	assert_null(got.hosts);
	assert_string_equal(got.hosts_fallback, "");
	assert_int_equal(got.nlistens, 3);
	assert_memory_equal(got.listens, listens, sizeof(listens));
	guest_plan_dispose(&got);
	guest_plan_dispose(&got);
}

static void every_truncation_is_refused(void **state)
{
	AUTO_FREE uint8_t *data = NULL;
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	assert_int_equal(guest_plan_encode(&plan, &data, &len, &e), 0);
	for (size_t n = 0; n < len; n++) {
		e = (struct err)ERR_INIT;
		assert_int_equal(decode_bytes(data, n, &e), -1);
		assert_string_equal(e.msg, "the guest plan is malformed");
		assert_int_equal(e.kind, ERR_INPUT);
	}
	e = (struct err)ERR_INIT;
	data = xrealloc(data, len + 1, 1);
	data[len] = 0;
	assert_int_equal(decode_bytes(data, len + 1, &e), -1);
	assert_string_equal(e.msg, "the guest plan is malformed");
}

/* Each 32 bits in turn are a count out of bounds: refused or harmless, never a crash. */
static void survives_hostile_counts(void **state)
{
	static const uint32_t counts[] = { 0, 1, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xfffffffb, 0xfffffffc,
		0xffffffff };
	AUTO_FREE uint8_t *data = NULL;
	struct err e = ERR_INIT;
	size_t len, refused = 0;

	(void)state;
	assert_int_equal(guest_plan_encode(&plan, &data, &len, &e), 0);
	for (size_t at = 0; at + 4 <= len; at++)
		for (size_t i = 0; i < COUNT(counts); i++) {
			uint8_t saved[4];

			e = (struct err)ERR_INIT;
			memcpy(saved, data + at, 4);
			wire_put_u32(data + at, counts[i]);
			if (decode_bytes(data, len, &e) < 0)
				refused++;
			memcpy(data + at, saved, 4);
		}
	assert_in_range(refused, (len - 4) * COUNT(counts) * 5 / 8, len * COUNT(counts));
}

static void refuses_what_breaks_a_rule(void **state)
{
#define MAGIC "SXP1"
#define NONE "\0\0\0\0"
#define S(len, text) len "\0\0\0" text "\0"
#define UPTO_EXEC MAGIC S("\1", "h") NONE NONE "\1\0\0\0" S("\1", "n") S("\1", "r")
#define BEFORE_IO S("\1", "u") S("\1", "g") NONE NONE S("\1", "/") NONE S("\0", "")
#define IO(in, out, err) in "\0\0\0" out "\0\0\0" err "\0\0\0"
#define BEHIND_IO NONE NONE NONE NONE NONE NONE NONE NO_LIMITS TAIL /* handlers, readiness, mounts */
#define LIMITS(score, cpu, weight, filter) NONE NONE NONE score NONE NONE cpu weight filter
#define NO_LIMITS LIMITS("\0\0\0\0", "\0\0\0\0", "\0\0\0\0", NONE)
#define UPTO_LIMITS UPTO_EXEC "\1\0\0\0" S("\1", "x") BEFORE_IO IO("\0", "\1", "\1") NONE NONE NONE NONE NONE NONE NONE NONE NONE
#define REST BEFORE_IO IO("\0", "\1", "\1") NONE NONE BEHIND_IO
#define TAIL NONE NONE NONE NONE NONE /* exports, texts, sockets */
#define LISTEN4 NONE ONE NONE ONE NONE ONE NONE ONE
#define LISTEN(list) UPTO_LIMITS NO_LIMITS NONE NONE NONE NONE list
#define ZERO4 "\0\0\0\0"
#define IP(family, prefix, bytes) family "\0\0\0" prefix "\0\0\0" bytes
#define NET4 "\12\0\0\0" ZERO4 ZERO4 ZERO4
#define NO_IP IP("\0", "\0", ZERO4 ZERO4 ZERO4 ZERO4)
#define ONE "\1\0\0\0"
#define NIC(name, addrs, routes) MAGIC S("\1", "h") NONE ONE name "MACmac" "\xdc\5\0\0" addrs routes NONE TAIL
#define ETH0 S("\4", "eth0")
#define ROUTE_FROM(to, via, src, scope) NIC(ETH0, NONE, ONE to via src scope NONE NONE NONE)
#define ROUTE(to, via, scope) ROUTE_FROM(to, via, NO_IP, scope)
	static const struct { const char *bytes; size_t len; bool ok; } rows[] = {
#define ROW(bytes, ok) { bytes, sizeof(bytes) - 1, ok }
		ROW(MAGIC S("\1", "h") NONE NONE NONE TAIL, true), /* no app at all is the planner's to refuse */
		ROW("SXP2" S("\1", "h") NONE NONE NONE TAIL, false),
		ROW(MAGIC S("\1", "h") NONE NONE NONE NONE NONE NONE "\2\0\0\0" S("\1", "x"), false), /* two texts */
		ROW(UPTO_EXEC "\1\0\0\0" S("\1", "x") REST, true),
		ROW(UPTO_EXEC NONE REST, false), /* nothing to execute */
		ROW(UPTO_EXEC "\1\0\0\0" S("\1", "x") BEFORE_IO IO("\2", "\2", "\2") NONE NONE BEHIND_IO, true),
		ROW(UPTO_EXEC "\1\0\0\0" S("\1", "x") BEFORE_IO IO("\0", "\3", "\1") NONE NONE BEHIND_IO, false),
		/* a terminal, and no way for its output; a size that is none */
		ROW(UPTO_EXEC "\1\0\0\0" S("\1", "x") BEFORE_IO IO("\2", "\1", "\1") NONE NONE BEHIND_IO, false),
		ROW(UPTO_EXEC "\1\0\0\0" S("\1", "x") BEFORE_IO IO("\2", "\2", "\2") "\0\0\1\0" NONE BEHIND_IO, false),
		ROW(UPTO_LIMITS LIMITS("\x18\xfc\xff\xff", "\0\xa0\x0f\0", "\x10\x27\0\0", "\x8\0\0\0filter12") TAIL, true),
		ROW(UPTO_LIMITS LIMITS("\x17\xfc\xff\xff", NONE, NONE, NONE) TAIL, false),
		ROW(UPTO_LIMITS LIMITS("\xe9\3\0\0", NONE, NONE, NONE) TAIL, false),
		ROW(UPTO_LIMITS LIMITS(NONE, "\1\xa0\x0f\0", NONE, NONE) TAIL, false),
		ROW(UPTO_LIMITS LIMITS(NONE, NONE, "\x11\x27\0\0", NONE) TAIL, false),
		ROW(UPTO_LIMITS LIMITS(NONE, NONE, NONE, "\x7\0\0\0filter1") TAIL, false), /* no whole instruction */
		ROW(UPTO_LIMITS LIMITS(NONE, NONE, NONE, "\x10\0\0\0filter12") TAIL, false),
		ROW(NIC(ETH0, NONE, NONE), true),
		ROW(NIC(S("\17", "_-0123456789azA"), NONE, NONE), true),
		ROW(NIC(S("\20", "_-0123456789azAZ"), NONE, NONE), false), /* the kernel takes 15 */
		ROW(NIC(S("\0", ""), NONE, NONE), false),
		ROW(NIC(S("\3", "a/b"), NONE, NONE), false),
		ROW(NIC(S("\2", ".."), NONE, NONE), false),
		ROW(NIC(ETH0, ONE IP("\4", "\40", NET4), NONE), true),
		ROW(NIC(ETH0, ONE IP("\4", "\41", NET4), NONE), false), /* a prefix of 33 */
		ROW(NIC(ETH0, ONE IP("\4", "\40", ZERO4 "\1\0\0\0" ZERO4 ZERO4), NONE), false), /* more than 4 bytes */
		ROW(NIC(ETH0, ONE IP("\6", "\200", ZERO4 "\1\0\0\0" ZERO4 ZERO4), NONE), true),
		ROW(NIC(ETH0, ONE IP("\6", "\201", NET4), NONE), false),
		ROW(NIC(ETH0, ONE NO_IP, NONE), false),
		ROW(NIC(ETH0, ONE IP("\5", "\0", NET4), NONE), false),
		ROW(NIC(ETH0, ONE IP("\4\1", "\0", NET4), NONE), false),
		ROW(ROUTE(IP("\4", "\10", NET4), NO_IP, "\375\0\0\0"), true),
		ROW(ROUTE(IP("\4", "\10", NET4), IP("\4", "\0", NET4), NONE), true),
		ROW(ROUTE(IP("\4", "\10", NET4), IP("\6", "\0", NET4), NONE), false), /* of the other family */
		ROW(ROUTE_FROM(IP("\4", "\10", NET4), NO_IP, IP("\4", "\0", NET4), NONE), true),
		ROW(ROUTE_FROM(IP("\4", "\10", NET4), NO_IP, IP("\6", "\0", NET4), NONE), false),
		ROW(ROUTE(NO_IP, NO_IP, NONE), false),
		ROW(ROUTE(IP("\4", "\10", NET4), NO_IP, "\0\1\0\0"), false),
		ROW(LISTEN(ONE NONE "\377\377\0\0"), true),
		ROW(LISTEN(ONE NONE "\0\0\1\0"), false), /* port 65536 */
		ROW(LISTEN(ONE NONE NONE), false),
		ROW(LISTEN(ONE ONE ONE), false), /* no such app */
		ROW(LISTEN("\20\0\0\0" LISTEN4 LISTEN4 LISTEN4 LISTEN4), true),
		ROW(LISTEN("\21\0\0\0" LISTEN4 LISTEN4 LISTEN4 LISTEN4 NONE ONE), false), /* one too many */
		ROW(MAGIC "\1\0\0\0hX" NONE NONE NONE TAIL, false), /* no NUL behind the string */
		ROW(MAGIC "\2\0\0\0h\0\0" NONE NONE NONE TAIL, false), /* one inside */
		ROW(MAGIC S("\1", "h") NONE NONE NONE TAIL NONE,  false), /* more behind the end */
		ROW(MAGIC S("\1", "h") NONE "\2\0\0\0", false),
		ROW(MAGIC S("\1", "h") NONE NONE "\2\0\0\0", false),
		ROW(MAGIC "\377\377\377\377h\0", false),
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err e = ERR_INIT;
		int ret = decode_bytes((const uint8_t *)rows[i].bytes, rows[i].len, &e);

		if (ret != (rows[i].ok ? 0 : -1))
			fail_msg("row %zu gives %d", i, ret);
		assert_string_equal(e.msg, rows[i].ok ? "" : "the guest plan is malformed");
	}
}

static void bounds_its_size(void **state)
{
	AUTO_FREE char *text = xmalloc(WIRE_PLAN_MAX + 1);
	char *exec[] = { text };
	struct guest_app app = apps[1];
	const struct guest_plan large = { .hostname = TEXT("h"), .apps = &app, .napps = 1 };
	struct err e = ERR_INIT;
	uint8_t *data = NULL;
	size_t len, fixed;

	(void)state;
	app.exec = exec;
	text[0] = '\0';
	assert_int_equal(guest_plan_encode(&large, &data, &fixed, &e), 0);
	free(data);
	memset(text, 'x', WIRE_PLAN_MAX - fixed);
	text[WIRE_PLAN_MAX - fixed] = '\0';
	assert_int_equal(guest_plan_encode(&large, &data, &len, &e), 0);
	assert_int_equal(len, WIRE_PLAN_MAX);
	assert_int_equal(decode_bytes(data, len, &e), 0);
	free(data);
	data = NULL;
	strcat(text + WIRE_PLAN_MAX - fixed, "x");
	assert_int_equal(guest_plan_encode(&large, &data, &len, &e), -1);
	assert_string_equal(e.msg,
		"the pod's arguments and environment take 8388609 bytes, over 8388608");
	assert_null(data);
}

static void owns_what_it_is_given(void **state)
{
	struct guest_plan p = GUEST_PLAN_INIT;

	(void)state;
	assert_false(guest_plan_own(&p, NULL));
	for (int i = 0; i < 1000; i++)
		assert_true(guest_plan_own(&p, xmalloc(1)));
	guest_plan_dispose(&p); /* LeakSanitizer looks on */
	assert_null(p.owned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_back_as_it_was),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(survives_hostile_counts),
		cmocka_unit_test(refuses_what_breaks_a_rule),
		cmocka_unit_test(bounds_its_size),
		cmocka_unit_test(owns_what_it_is_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
