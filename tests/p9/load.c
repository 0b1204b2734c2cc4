/* Much at once. See p9test.h. */
#include "tests/p9/load.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 16384 };

int dir;
static pthread_barrier_t start;

void die(const char *what)
{
	fprintf(stderr, "p9test: %s: %s\n", what, strerror(errno));
	exit(1);
}

void enter(const char *name)
{
	if (mkdir(name, 0755) < 0)
		die(name);
	dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die(name);
}

static void *one(void *arg)
{
	unsigned n = (unsigned)(size_t)arg;
	char name[40], other[40];
	char data[BLOCK] __attribute__((aligned(4096))), got[BLOCK] __attribute__((aligned(4096)));
	int fd;

	(void)snprintf(name, sizeof(name), "f%u", n);
	(void)snprintf(other, sizeof(other), "g%u", n);
	memset(data, (int)n, sizeof(data));
	(void)pthread_barrier_wait(&start);
	/* O_DIRECT: the guest's cache would make one request of many */
	fd = openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_DIRECT | O_CLOEXEC, 0600);
	if (fd < 0)
		die(name);
	for (int i = 0; i < 4; i++)
		if (pwrite(fd, data, sizeof(data), i * BLOCK) != BLOCK || fsync(fd) < 0)
			die(name);
	if (renameat(dir, name, dir, other) < 0)
		die(name);
	for (int i = 0; i < 4; i++)
		if (pread(fd, got, sizeof(got), i * BLOCK) != BLOCK ||
			memcmp(got, data, BLOCK) != 0)
			die(other);
	if (unlinkat(dir, other, 0) < 0 || close(fd) < 0)
		die(other);
	return NULL;
}

static void *one_wide(void *arg)
{
	char *data = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned n = (unsigned)(size_t)arg;
	char name[40];
	int fd;

	(void)snprintf(name, sizeof(name), "file-%u", n);
	fd = openat(dir, name, O_RDWR | O_CREAT | O_DIRECT | O_CLOEXEC, 0644);
	if (fd < 0 || data == MAP_FAILED)
		die(name);
	memset(data, (int)n, PIECE);
	(void)pthread_barrier_wait(&start);
	for (int i = 0; i < 20; i++)
		if (pwrite(fd, data, PIECE, 0) != PIECE)
			die(name);
	(void)close(fd);
	return NULL;
}

static void run_threads(unsigned n, void *(*work)(void *arg))
{
	pthread_t *threads = calloc(n, sizeof(*threads));
	pthread_attr_t attr;

	(void)pthread_attr_init(&attr);
	(void)pthread_attr_setstacksize(&attr, 128 << 10);
	(void)pthread_barrier_init(&start, NULL, n);
	for (unsigned i = 0; i < n; i++)
		if ((errno = pthread_create(&threads[i], &attr, work, (void *)(size_t)i)) != 0)
			die("thread");
	for (unsigned i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	free(threads);
}

int many(char **argv)
{
	unsigned n = (unsigned)atoi(argv[2]);

	enter(argv[1]);
	run_threads(n, one);
	if (rmdir(argv[1]) < 0)
		die(argv[1]);
	printf("%u at once\n", n);
	return 0;
}

void remove_files(const char *name, unsigned n)
{
	char file[40];

	for (unsigned i = 0; i < n; i++) {
		(void)snprintf(file, sizeof(file), "file-%u", i);
		(void)unlinkat(dir, file, 0);
	}
	(void)rmdir(name);
}

int wide(char **argv)
{
	unsigned n = (unsigned)atoi(argv[2]);

	enter(argv[1]);
	run_threads(n, one_wide);
	remove_files(argv[1], n);
	printf("%u times 20 MiB\n", n);
	return 0;
}
