/* How long it takes, in ms. See p9test.h. */
#include "tests/p9/load.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static long now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void make_files(unsigned n, int sync)
{
	char name[40];

	for (unsigned i = 0; i < n; i++) {
		int fd;

		(void)snprintf(name, sizeof(name), "file-%u", i);
		fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		if (fd < 0 || write(fd, name, sizeof(name)) != sizeof(name) ||
			(sync && fsync(fd) < 0) || close(fd) < 0)
			die(name);
	}
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
			if (fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
				st.st_size != 40)
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

int make(char **argv)
{
	long begin;

	enter(argv[1]);
	begin = now_ms();
	make_files((unsigned)atoi(argv[2]), 0);
	printf("make %ld\n", now_ms() - begin);
	return 0;
}

int find(char **argv)
{
	long begin;

	dir = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		die(argv[1]);
	forget();
	begin = now_ms();
	look((unsigned)atoi(argv[2]));
	printf("find %ld\n", now_ms() - begin);
	return 0;
}

/* Opens file-0. */
static int file_0(int flags)
{
	int fd = openat(dir, "file-0", flags | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		die("file-0");
	return fd;
}

static char *piece(void)
{
	char *data = mmap(NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (data == MAP_FAILED)
		die("memory");
	memset(data, 'x', PIECE);
	return data;
}

int written(char **argv)
{
	unsigned n = (unsigned)atoi(argv[2]);
	char *data = piece();
	long begin;
	int fd;

	enter(argv[1]);
	fd = file_0(O_WRONLY);
	begin = now_ms();
	for (unsigned i = 0; i < n; i++)
		if (write(fd, data, PIECE) != PIECE)
			die("write");
	if (fsync(fd) < 0)
		die("fsync");
	printf("write %ld\n", now_ms() - begin);
	(void)close(fd);
	remove_files(argv[1], 1);
	return 0;
}

static void all_of_it(
	int flags, unsigned n, ssize_t (*move)(int fd, char *data, off_t at), const char *what)
{
	char *data = piece();
	int fd = file_0(flags);
	long begin = now_ms();

	for (unsigned i = 0; i < n; i++)
		if (move(fd, data, (off_t)i * PIECE) != PIECE)
			die(what);
	printf("%s %ld\n", what, now_ms() - begin);
	(void)close(fd);
	(void)munmap(data, PIECE);
}

static ssize_t put(int fd, char *data, off_t at)
{
	return pwrite(fd, data, PIECE, at);
}
static ssize_t get(int fd, char *data, off_t at)
{
	return pread(fd, data, PIECE, at);
}

int bulk(char **argv)
{
	unsigned n = (unsigned)atoi(argv[2]);

	enter(argv[1]);
	all_of_it(O_WRONLY | O_DIRECT, n, put, "direct-write");
	all_of_it(O_RDONLY | O_DIRECT, n, get, "direct-read");
	forget();
	all_of_it(O_RDONLY, n, get, "read");
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
	fd = file_0(O_RDWR | O_DIRECT);
	if (ftruncate(fd, (off_t)n * PIECE) < 0)
		die("file-0");
	begin = now_ms();
	for (unsigned i = 0; i < reads; i++) {
		at = at * 1664525 + 1013904223;
		if (pread(fd, data, sizeof(data),
			    (off_t)((at >> 8) % (n * (PIECE / 4096))) * 4096) != sizeof(data))
			die("pread");
	}
	printf("random %ld\n", now_ms() - begin);
	(void)close(fd);
	remove_files(argv[1], 1);
	return 0;
}
