/*
 * Tests and measurements of a 9p root, from inside a pod: p9test WHAT ARGUMENTS.
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "tests/p9/p9test.h"

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int args;
		int (*run)(char **argv);
	} whats[] = {
		{ "diff", 4, diff }, { "steps", 3, steps }, { "steps-without-gaps", 3, steps_without_gaps },
		{ "gaps", 1, show_gaps }, { "many", 2, many }, { "names", 1, names }, { "shared", 1, shared },
		{ "signals", 3, signals }, { "killed", 2, killed_opening }, { "wide", 2, wide }, { "small", 2, small },
		{ "make", 2, make }, { "find", 2, find }, { "write", 2, written }, { "bulk", 2, bulk }, { "random", 3, random_reads },
	};

	for (size_t i = 0; argc > 1 && i < sizeof(whats) / sizeof(whats[0]); i++)
		if (!strcmp(argv[1], whats[i].name) && argc == 2 + whats[i].args)
			return whats[i].run(argv + 1);
	fprintf(stderr, "p9test: see tests/p9/p9test.h\n");
	return 2;
}
