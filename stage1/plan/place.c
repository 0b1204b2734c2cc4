/* See place.h. */
#include "stage1/plan/place.h"

#include <string.h>

#include "stage1/common/util.h"

bool cpu_set_has(const struct cpu_set *set, uint32_t cpu)
{
	return cpu < FACTS_CPUS_MAX && (set->bits[cpu / 64] >> cpu % 64 & 1);
}

void cpu_set_add(struct cpu_set *set, uint32_t cpu)
{
	if (cpu < FACTS_CPUS_MAX)
		set->bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
}

static uint32_t count(const struct cpu_set *set)
{
	uint32_t n = 0;

	for (size_t i = 0; i < COUNT(set->bits); i++)
		n += (uint32_t)__builtin_popcountll(set->bits[i]);
	return n;
}

/* Eats a number. */
static bool read_cpu(const char **at, uint32_t *cpu_r)
{
	size_t digits = strspn(*at, "0123456789");

	if (digits == 0 || digits > 3)
		return false;
	*cpu_r = (uint32_t)strtoul(*at, NULL, 10);
	*at += digits;
	return *cpu_r < FACTS_CPUS_MAX;
}

bool cpu_set_parse(const char *text, struct cpu_set *set_r)
{
	struct cpu_set set = { { 0 } };

	for (;; text++) {
		uint32_t first, last;

		if (!read_cpu(&text, &first))
			return false;
		last = first;
		if (*text == '-' && (text++, !read_cpu(&text, &last) || last < first))
			return false;
		for (uint32_t cpu = first; cpu <= last; cpu++)
			cpu_set_add(&set, cpu);
		if (!*text)
			break;
		if (*text != ',')
			return false;
	}
	*set_r = set;
	return true;
}

char *cpu_set_text(const struct cpu_set *set)
{
	char *text = xstrdup("");

	for (uint32_t cpu = 0; cpu < FACTS_CPUS_MAX; cpu++) {
		uint32_t last = cpu;
		char *longer;

		if (!cpu_set_has(set, cpu))
			continue;
		while (cpu_set_has(set, last + 1))
			last++;
		longer = last > cpu ? xasprintf("%s%s%u-%u", text, *text ? "," : "", cpu, last)
				    : xasprintf("%s%s%u", text, *text ? "," : "", cpu);
		free(text);
		text = longer;
		cpu = last;
	}
	return text;
}

static int note_refused(struct err *e, const char *name, const char *text, const char *why)
{
	return err_set(e, ERR_INPUT, "annotation '%s': '%s' %s", name, text, why);
}

/* NULL: nothing is known of pools. */
static int find_pool(const struct host_facts *facts, const char *name, const struct host_pool **pool_r, struct err *e)
{
	*pool_r = NULL;
	if (facts->npools == 0)
		return 0;
	for (uint32_t i = 0; i < facts->npools; i++)
		if (name ? !strcmp(facts->pools[i].name, name) : facts->pools[i].id == 0)
			*pool_r = &facts->pools[i];
	if (*pool_r || !name)
		return 0;
	return note_refused(e, PLACE_NOTE_POOL, name, "is none of Xen's cpupools (see xl cpupool-list)");
}

static bool is_anywhere(const struct host_facts *facts, uint32_t cpu)
{
	for (uint32_t i = 0; i < facts->npools; i++)
		if (cpu_set_has(&facts->pools[i].cpus, cpu))
			return true;
	return false;
}

static int check_cpus(const struct host_facts *facts, const struct host_pool *pool, const struct cpu_set *set,
	struct err *e)
{
	for (uint32_t cpu = 0; cpu < FACTS_CPUS_MAX; cpu++) {
		if (!cpu_set_has(set, cpu) || cpu_set_has(&pool->cpus, cpu))
			continue;
		if (is_anywhere(facts, cpu))
			return err_set(e, ERR_INPUT, "annotation '" PLACE_NOTE_CPUS "': CPU %u is not in the cpupool '%s'",
				cpu, pool->name);
		return err_set(e, ERR_INPUT, "annotation '" PLACE_NOTE_CPUS "': the host has no CPU %u for pods", cpu);
	}
	return 0;
}

int place_plan(const struct pod *pod, const struct host_facts *facts, struct place *place_r, struct err *e)
{
	const char *cpus = pod_note(pod->notes, pod->nnotes, PLACE_NOTE_CPUS);
	struct place place = { .pool_name = pod_note(pod->notes, pod->nnotes, PLACE_NOTE_POOL), .ncpus = UINT32_MAX };
	const struct host_pool *pool;

	if (cpus && !cpu_set_parse(cpus, &place.cpus))
		return note_refused(e, PLACE_NOTE_CPUS, cpus, "is not a list of CPUs such as 0-1,3");
	if (find_pool(facts, place.pool_name, &pool, e) < 0 ||
		(cpus && pool && check_cpus(facts, pool, &place.cpus, e) < 0))
		return -1;
	place.pinned = cpus != NULL;
	if (pool) {
		place.pool = pool->id;
		place.ncpus = count(&pool->cpus);
	}
	if (cpus)
		place.ncpus = count(&place.cpus);
	if (place.ncpus == 0)
		return err_set(e, ERR_HOST, "the cpupool '%s' has no CPU", pool->name);
	*place_r = place;
	return 0;
}
