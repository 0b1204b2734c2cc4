/* See isolators.h. */
#include "stage1/plan/isolators.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/caps.h"
#include "stage1/plan/quantity.h"
#include "stage1/plan/seccomp.h"

enum {
	SHARES_MIN = 2, SHARES_MAX = 262144, SHARES_DEFAULT = 1024, /* of cpu.shares, cgroup v1 */
	WEIGHT_MIN = 1, WEIGHT_MAX = 10000, WEIGHT_DEFAULT = 100,   /* of cpu.weight, cgroup v2 */
	OOM_SCORE = 1000,
	MEMORY_MIN = 4096, /* rkt --memory */
};

/* What the isolators add up to, in one pass over them. */
struct reading {
	const struct pod_app *app;
	struct guest_limits *limits;
	struct plan_warnings *w;
	uint64_t retain, remove; /* capabilities */
	const struct pod_isolator *retain_from, *remove_from, *seccomp;
};

static int refuse(const struct reading *r, const struct pod_isolator *iso, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static int refuse(const struct reading *r, const struct pod_isolator *iso, struct err *e, const char *fmt, ...)
{
	char why[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_INPUT, "app '%s', isolator '%s': %s", r->app->name, iso->name, why);
}

static int read_memory(struct reading *r, const struct pod_isolator *iso, struct err *e)
{
	const char *wrong;

	if (!iso->limit)
		return 0;
	wrong = quantity_amount(iso->limit, QUANTITY_ONES, &r->limits->memory_max);
	if (wrong)
		return refuse(r, iso, e, "limit '%s' %s", iso->limit, wrong);
	if (r->limits->memory_max < MEMORY_MIN)
		return refuse(r, iso, e, "limit '%s': %d bytes at least", iso->limit, MEMORY_MIN);
	return 0;
}

static int read_cpu(struct reading *r, const struct pod_isolator *iso, struct err *e)
{
	const char *wrong;
	uint64_t millis;

	if (!iso->limit)
		return 0;
	wrong = quantity_amount(iso->limit, QUANTITY_THOUSANDTHS, &millis);
	if (wrong)
		return refuse(r, iso, e, "limit '%s' %s", iso->limit, wrong);
	if (millis == 0)
		return refuse(r, iso, e, "limit '%s': nothing could run", iso->limit);
	if (millis > GUEST_CPU_MAX)
		return refuse(r, iso, e, "limit '%s': %d cpus at most", iso->limit, GUEST_CPU_MAX / 1000);
	r->limits->cpu_max = (uint32_t)millis;
	return 0;
}

/* The kernel's own conversion (sched_weight_from_cgroup() of kernel/sched): 1024 shares weigh 100. */
static int read_shares(struct reading *r, const struct pod_isolator *iso, struct err *e)
{
	int64_t weight = (iso->number * WEIGHT_DEFAULT + SHARES_DEFAULT / 2) / SHARES_DEFAULT;

	if (iso->number < SHARES_MIN || iso->number > SHARES_MAX)
		return refuse(r, iso, e, "%lld: %d to %d", (long long)iso->number, SHARES_MIN, SHARES_MAX);
	r->limits->cpu_weight = (uint32_t)(weight < WEIGHT_MIN ? WEIGHT_MIN
					   : weight > WEIGHT_MAX ? WEIGHT_MAX : weight);
	return 0;
}

static int read_oom_score(struct reading *r, const struct pod_isolator *iso, struct err *e)
{
	if (iso->number < -OOM_SCORE || iso->number > OOM_SCORE)
		return refuse(r, iso, e, "%lld: %d to %d", (long long)iso->number, -OOM_SCORE, OOM_SCORE);
	r->limits->oom_score_adj = (int32_t)iso->number;
	return 0;
}

static int read_caps(struct reading *r, const struct pod_isolator *iso, struct err *e)
{
	bool retain = !strcmp(iso->name, "os/linux/capabilities-retain-set");

	if (iso->nset == 0)
		return refuse(r, iso, e, "the set is empty");
	*(retain ? &r->retain_from : &r->remove_from) = iso;
	for (size_t i = 0; i < iso->nset; i++) {
		int cap = caps_find(iso->set[i]);

		if (cap < 0)
			return refuse(r, iso, e, "no capability named '%s'", iso->set[i]);
		*(retain ? &r->retain : &r->remove) |= UINT64_C(1) << cap;
	}
	return 0;
}

static int read_seccomp(struct reading *r, const struct pod_isolator *iso, struct err *e)
{
	if (r->seccomp)
		return refuse(r, iso, e, "there is one already, '%s'", r->seccomp->name);
	r->seccomp = iso;
	return 0;
}

static int read_no_new_privs(struct reading *r, const struct pod_isolator *iso, struct err *e)
{
	(void)e;
	r->limits->no_new_privs = r->limits->no_new_privs || iso->on;
	return 0;
}

static int ignore(struct reading *r, const struct pod_isolator *iso, struct err *e)
{
	(void)e;
	plan_warn(r->w, "app '%s', isolator '%s': not honoured, as in rkt", r->app->name, iso->name);
	return 0;
}

static const struct {
	const char *name;
	int (*take)(struct reading *r, const struct pod_isolator *iso, struct err *e);
} known[] = {
	{ "resource/memory", read_memory },
	{ "resource/cpu", read_cpu },
	{ "os/linux/cpu-shares", read_shares },
	{ "os/linux/oom-score-adj", read_oom_score },
	{ "os/linux/capabilities-retain-set", read_caps },
	{ "os/linux/capabilities-remove-set", read_caps },
	{ "os/linux/no-new-privileges", read_no_new_privs },
	{ "os/linux/seccomp-retain-set", read_seccomp },
	{ "os/linux/seccomp-remove-set", read_seccomp },
	{ "os/linux/selinux-context", ignore },
	{ "os/unix/sysctl", ignore },
	{ "resource/block-bandwidth", ignore },
	{ "resource/block-iops", ignore },
	{ "resource/network-bandwidth", ignore },
};

static int read_one(struct reading *r, const struct pod_isolator *iso, struct err *e)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (!strcmp(iso->name, known[i].name))
			return known[i].take(r, iso, e);
	return refuse(r, iso, e, "not known"); /* rkt refuses the image or the manifest */
}

int isolators_plan(const struct run_opts *opts, const struct pod_app *app, struct guest_limits *limits_r,
	struct plan_warnings *w, struct err *e)
{
	struct guest_limits limits = { .caps = caps_default };
	struct seccomp_filter filter = { .program = NULL };
	struct reading r = { .app = app, .limits = &limits, .w = w };

	for (size_t i = 0; i < app->nisolators; i++)
		if (read_one(&r, &app->isolators[i], e) < 0)
			return -1;
	if (r.retain_from && r.remove_from)
		return refuse(&r, r.remove_from, e, "not together with '%s'", r.retain_from->name);
	if (opts->disable_capabilities)
		limits.caps = CAPS_ALL;
	else
		limits.caps = r.retain_from ? r.retain : caps_default & ~r.remove;
	if (!opts->disable_seccomp && seccomp_plan(app, r.seccomp, &filter, w, e) < 0)
		return -1;
	limits.filter = filter.program;
	limits.filter_len = filter.len;
	limits.filter_summary = filter.summary;
	*limits_r = limits;
	return 0;
}

void isolators_dispose(struct guest_limits *limits)
{
	free(limits->filter);
	free(limits->filter_summary);
	limits->filter = NULL;
	limits->filter_summary = NULL;
}
