/* Much at once, and how long it takes. See p9test.h. */
#include "tests/p9/p9test.h"

#include <dirent.h>
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

enum { BLOCK = 16384, PIECE = 1 << 20 };

static int dir;
static pthread_barrier_t start;

static void die(const char *what)
{
	fprintf(stderr, "p9test: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void enter(const char *name)
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
		if (pread(fd, got, sizeof(got), i * BLOCK) != BLOCK || memcmp(got, data, BLOCK) != 0)
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

static void make_files(unsigned n, int sync)
{
	char name[40];

	for (unsigned i = 0; i < n; i++) {
		int fd;

		(void)snprintf(name, sizeof(name), "file-%u", i);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 || write(fd, name, sizeof(name)) != sizeof(name) || (sync && fsync(fd) < 0) || close(fd) < 0)
			die(name);
	}
}

static void remove_files(const char *name, unsigned n)
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

int small(char **argv)
{
	unsigned n = (unsigned)atoi(argv[2]);
	long begin;

	enter(argv[1]);
	begin = now_ms();
	make_files(n, 1);
	printf("small %ld\n", now_ms() - begin);
	remove_files(argv[1], n);
	return 0;
}

static void look(unsigned n)
{
	DIR *d = fdopendir(openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	struct dirent *entry;
	struct stat st;
	unsigned seen = 0;

	while ((entry = readdir(d)))
		if (*entry->d_name != '.') {
			if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_size != 40)
				die(entry->d_name);
			seen++;
		}
	(void)closedir(d);
	if (seen != n)
		die("names are missing");
}

static void forget(void)
{
	int fd;

	sync();
	fd = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "3", 1) != 1)
		die("drop_caches");
	(void)close(fd);
}

int find(char **argv)
{
	unsigned n = (unsigned)atoi(argv[2]);
	long begin;

	enter(argv[1]);
	begin = now_ms();
	make_files(n, 0);
	printf("make %ld\n", now_ms() - begin);
	forget();
	begin = now_ms();
	look(n);
	printf("find %ld\n", now_ms() - begin);
	remove_files(argv[1], n);
	return 0;
}

int bulk(char **argv)
{
	unsigned n = (unsigned)atoi(argv[2]);
	char *data = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long begin;
	int fd;

	enter(argv[1]);
	memset(data, 'x', PIECE);
	fd = openat(dir, "file-0", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	begin = now_ms();
	for (unsigned i = 0; i < n; i++)
		if (write(fd, data, PIECE) != PIECE)
			die("write");
	if (fsync(fd) < 0)
		die("fsync");
	printf("write %ld\n", now_ms() - begin);
	(void)close(fd);
	forget();
	fd = openat(dir, "file-0", O_RDONLY | O_CLOEXEC);
	begin = now_ms();
	for (unsigned i = 0; i < n; i++)
		if (read(fd, data, PIECE) != PIECE)
			die("read");
	printf("read %ld\n", now_ms() - begin);
	(void)close(fd);
	fd = openat(dir, "file-0", O_RDWR | O_DIRECT | O_CLOEXEC);
	begin = now_ms();
	for (unsigned i = 0; i < n; i++)
		if (pwrite(fd, data, PIECE, (off_t)i * PIECE) != PIECE)
			die("direct write");
	printf("direct-write %ld\n", now_ms() - begin);
	begin = now_ms();
	for (unsigned i = 0; i < n; i++)
		if (pread(fd, data, PIECE, (off_t)i * PIECE) != PIECE)
			die("direct read");
	printf("direct-read %ld\n", now_ms() - begin);
	(void)close(fd);
	remove_files(argv[1], 1);
	return 0;
}

int random_reads(char **argv)
{
	unsigned n = (unsigned)atoi(argv[2]), reads = (unsigned)atoi(argv[3]), at = 1;
	static char data[4096] __attribute__((aligned(4096)));
	long begin;
	int fd;

	enter(argv[1]);
	fd = openat(dir, "file-0", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || ftruncate(fd, (off_t)n * PIECE) < 0)
		die("file-0");
	(void)close(fd);
	fd = openat(dir, "file-0", O_RDONLY | O_DIRECT | O_CLOEXEC);
	begin = now_ms();
	for (unsigned i = 0; i < reads; i++) {
		at = at * 1664525 + 1013904223;
		if (pread(fd, data, sizeof(data), (off_t)((at >> 8) % (n * (PIECE / 4096))) * 4096) != sizeof(data))
			die("pread");
	}
	printf("random %ld\n", now_ms() - begin);
	(void)close(fd);
	remove_files(argv[1], 1);
	return 0;
}
