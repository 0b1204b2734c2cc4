/* What is run on a 9p root, in a pod: tests/p9/p9test.c. */
#ifndef TESTS_P9_P9TEST_H
#define TESTS_P9_P9TEST_H

/* Each takes its arguments from argv[1] on, and returns an exit status. */
int diff(char **argv);  /* ONE OTHER SEED STEPS */
int steps(char **argv); /* DIR SEED STEPS: prints what came of each */
int steps_without_gaps(char **argv); /* likewise, without those of tests/p9/gaps.h */
int show_gaps(char **argv); /* DIR: those */
int many(char **argv);  /* DIR THREADS: all at once write, fsync, read, rename, unlink */
int wide(char **argv);  /* DIR THREADS: all at once write 20 times a MiB, past the cache */
int names(char **argv); /* DIR: extended attributes, on a file system that has them */
int shared(char **argv); /* DIR: mappings, files without a name, locks and sockets, of several processes */
int signals(char **argv); /* DIR TURNS US: operations while a signal comes every US microseconds */
int killed_opening(char **argv); /* DIR TURNS: processes killed while they open files; then many files opened at once */
int small(char **argv); /* DIR FILES: each written and synced; prints ms */
int make(char **argv);  /* DIR FILES: made and left there; prints ms */
int find(char **argv);  /* DIR FILES: those, listed and looked at with nothing cached; prints ms */
int written(char **argv); /* DIR MIB: through the cache, and synced; prints ms */
int bulk(char **argv);  /* DIR MIB: written and read past the cache, read through it; prints ms */
int random_reads(char **argv); /* DIR MIB READS: of 4 KiB; prints ms */

#endif
