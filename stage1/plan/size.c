/* See size.h. */
#include "stage1/plan/size.h"

#include <string.h>

#include "stage1/common/util.h"
#include "stage1/plan/isolators.h"
#include "stage1/plan/quantity.h"
#include "stage1/plan/type.h"

static int note_refused(struct err *e, const char *name, const char *text, const char *why)
{
	return err_set(e, ERR_INPUT, "annotation '%s': '%s' %s", name, text, why);
}

uint64_t size_tables_kib(uint64_t memory_kib)
{
	return memory_kib / 32;
}

static uint64_t queues_kib(const struct plan_input *in, uint32_t vcpus)
{
	return in->nnics * (vcpus < DOMAIN_QUEUES_MAX ? vcpus : DOMAIN_QUEUES_MAX) * SIZE_QUEUE_KIB;
}

static int memory_of_apps(const struct plan_input *in, struct size *size, struct err *e)
{
	uint64_t apps = 0, millis = 0;

	for (size_t i = 0; i < in->pod->napps; i++) {
		const struct pod_app *app = &in->pod->apps[i];
		struct guest_limits limits;

		if (isolators_plan(in->opts, app, &limits, NULL, e) < 0)
			return -1;
		isolators_dispose(&limits);
		apps += limits.memory_max ? (limits.memory_max + 1023) >> 10 : SIZE_APP_KIB;
		millis += (limits.cpu_max + 999) / 1000 * 1000;
	}
	size->memory_kib = SIZE_GUEST_KIB + apps + size_tables_kib(apps > SIZE_APP_KIB ? apps - SIZE_APP_KIB : 0);
	size->memory_kib = (size->memory_kib + 1023) >> 10 << 10;
	if (size->memory_kib < PLAN_MEMORY_KIB)
		size->memory_kib = PLAN_MEMORY_KIB;
	if (in->mounts && in->mounts->exports_volumes)
		size->memory_kib += SIZE_EXPORT_KIB;
	size->vcpus = millis == 0 ? 1 : (uint32_t)(millis / 1000);
	return 0;
}

/* A quantity of bytes as KiB, a whole number of MiB. */
static int read_memory(const char *name, const char *text, uint64_t *kib_r, struct err *e)
{
	const char *wrong;
	uint64_t n;

	wrong = quantity_amount(text, QUANTITY_ONES, &n);
	if (wrong)
		return note_refused(e, name, text, wrong);
	if (n >> 10 < SIZE_MEMORY_MIN_KIB)
		return note_refused(e, name, text, "is under 24Mi");
	*kib_r = (n + (1 << 20) - 1) >> 20 << 10;
	return 0;
}

static int read_vcpus(const char *name, const char *text, uint32_t *vcpus_r, struct err *e)
{
	size_t digits = strspn(text, "0123456789");
	unsigned long n = digits > 0 && digits < 4 && !text[digits] ? strtoul(text, NULL, 10) : 0;

	if (n == 0 || n > SIZE_VCPUS_MAX)
		return note_refused(e, name, text, "is not a number from 1 to 64");
	*vcpus_r = (uint32_t)n;
	return 0;
}

static int read_notes(const struct pod *pod, struct size *size, struct err *e)
{
	const char *memory = pod_note(pod->notes, pod->nnotes, SIZE_NOTE_MEMORY);
	const char *vcpus = pod_note(pod->notes, pod->nnotes, SIZE_NOTE_VCPUS);
	const char *core = pod_note(pod->notes, pod->nnotes, SIZE_NOTE_CORE);
	const char *wrong;
	uint64_t n;

	if (memory && read_memory(SIZE_NOTE_MEMORY, memory, &size->memory_kib, e) < 0)
		return -1;
	if (core) {
		wrong = quantity_amount(core, QUANTITY_ONES, &n);
		if (wrong)
			return note_refused(e, SIZE_NOTE_CORE, core, wrong);
		size->core_max_kib = n >> 10;
	}
	return vcpus ? read_vcpus(SIZE_NOTE_VCPUS, vcpus, &size->vcpus, e) : 0;
}

static void warn_of_app_notes(const struct pod *pod, struct plan_warnings *w)
{
	static const char *const names[] = { SIZE_NOTE_MEMORY, SIZE_NOTE_MEMORY_MAX, SIZE_NOTE_VCPUS, SIZE_NOTE_VCPUS_MAX, SIZE_NOTE_CORE,
		PLACE_NOTE_CPUS, PLACE_NOTE_POOL, TYPE_NOTE };

	for (size_t i = 0; i < pod->napps; i++)
		for (size_t k = 0; k < COUNT(names); k++)
			if (pod_note(pod->apps[i].notes, pod->apps[i].nnotes, names[k]))
				plan_warn(w, "app '%s', annotation '%s': ignored, only the pod's counts",
					pod->apps[i].name, names[k]);
}

/* What it may grow to of `most`, what there is for it: it begins with no more. */
static int plan_more_vcpus(const struct plan_input *in, uint32_t most, struct size *size, struct plan_warnings *w,
	struct err *e)
{
	const char *max = pod_note(in->pod->notes, in->pod->nnotes, SIZE_NOTE_VCPUS_MAX);
	uint32_t n;

	size->vcpus_max = size->vcpus;
	if (!max)
		return 0;
	if (read_vcpus(SIZE_NOTE_VCPUS_MAX, max, &n, e) < 0)
		return -1;
	if (!in->opts->mutable_pod) {
		plan_warn(w, "annotation '" SIZE_NOTE_VCPUS_MAX "': ignored, only mutable pods grow");
		return 0;
	}
	if (n > most) {
		plan_warn(w, "annotation '" SIZE_NOTE_VCPUS_MAX "': the pod gets no more than %u: it may use no more", most);
		n = most;
	}
	if (n < size->vcpus)
		return err_set(e, ERR_INPUT, "annotation '" SIZE_NOTE_VCPUS_MAX "': '%s' is under the %u that the pod begins with",
			max, size->vcpus);
	size->vcpus_max = n;
	return 0;
}

/* What it may grow to. The kernel's tables for all of that are there from the start. */
static int plan_growth(const struct plan_input *in, struct size *size, struct plan_warnings *w, struct err *e)
{
	const char *max = pod_note(in->pod->notes, in->pod->nnotes, SIZE_NOTE_MEMORY_MAX);
	uint64_t kib;

	size->memory_max_kib = size->memory_kib;
	if (!max)
		return 0;
	if (read_memory(SIZE_NOTE_MEMORY_MAX, max, &kib, e) < 0)
		return -1;
	if (!in->opts->mutable_pod) {
		plan_warn(w, "annotation '" SIZE_NOTE_MEMORY_MAX "': ignored, only mutable pods grow");
		return 0;
	}
	if (!pod_note(in->pod->notes, in->pod->nnotes, SIZE_NOTE_MEMORY) && kib > size->memory_kib)
		size->memory_kib += (size_tables_kib(kib - size->memory_kib) + 1023) >> 10 << 10;
	if (kib < size->memory_kib)
		return err_set(e, ERR_INPUT, "annotation '" SIZE_NOTE_MEMORY_MAX "': '%s' is under the %llu MiB that the pod "
			"begins with", max, (unsigned long long)(size->memory_kib >> 10));
	if (kib / SIZE_GROWTH > size->memory_kib)
		return err_set(e, ERR_INPUT, "annotation '" SIZE_NOTE_MEMORY_MAX "': '%s' is over %d times the %llu MiB that the "
			"pod begins with: no guest grows so far", max, SIZE_GROWTH,
			(unsigned long long)(size->memory_kib >> 10));
	size->memory_max_kib = kib;
	return 0;
}

int size_plan(const struct plan_input *in, struct size *size_r, struct plan_warnings *w, struct err *e)
{
	struct size size = { .core_max_kib = 0 };
	const char *why = "the guest kernel knows no more";
	uint32_t most = SIZE_VCPUS_MAX;

	if (place_plan(in->pod, in->facts, &size.place, e) < 0)
		return -1;
	if (in->facts->cpus < most) {
		most = in->facts->cpus;
		why = "the host has no more";
	}
	if (size.place.ncpus < most) {
		most = size.place.ncpus;
		why = "it may use no more";
	}
	if (memory_of_apps(in, &size, e) < 0 || read_notes(in->pod, &size, e) < 0)
		return -1;
	if (size.vcpus > most) {
		plan_warn(w, "the pod asks for %u cpus, it gets %u: %s", size.vcpus, most, why);
		size.vcpus = most;
	}
	if (plan_more_vcpus(in, most, &size, w, e) < 0)
		return -1;
	if (!pod_note(in->pod->notes, in->pod->nnotes, SIZE_NOTE_MEMORY))
		size.memory_kib += queues_kib(in, size.vcpus_max);
	if (plan_growth(in, &size, w, e) < 0)
		return -1;
	warn_of_app_notes(in->pod, w);
	*size_r = size;
	return 0;
}

bool size_is_small(const struct plan_input *in)
{
	struct err checked = ERR_INIT; /* by size_plan() */
	struct size size = { .memory_kib = 0 };

	return memory_of_apps(in, &size, &checked) == 0 && read_notes(in->pod, &size, &checked) == 0 &&
		size.memory_kib < SIZE_SMALL_KIB;
}
