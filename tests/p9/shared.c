/* What several processes do with one file, and what signals do to those who wait for one. See p9test.h. */
#include "tests/p9/p9test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MUST(cond) \
	do { \
		if (!(cond)) { \
			printf("line %d: %s does not hold: %s\n", __LINE__, #cond, strerror(errno)); \
			(void)fflush(stdout); \
			_exit(1); \
		} \
	} while (0)

enum { SIZE = 3 * 4096 + 100, TURNS = 2000 };

static pid_t child(void (*work)(void))
{
	pid_t pid = fork();

	MUST(pid >= 0);
	if (pid == 0) {
		work();
		_exit(0);
	}
	return pid;
}

static void ended_well(pid_t pid)
{
	int status;

	MUST(waitpid(pid, &status, 0) == pid && status == 0);
}

static char *map(int fd, size_t size)
{
	char *m = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	MUST(m != MAP_FAILED);
	return m;
}

/* Each adds to one counter, in memory mapped from a file that each has opened for itself. */
static void add(void)
{
	int fd = open("counter", O_RDWR | O_CLOEXEC);
	unsigned *m = (unsigned *)map(fd, 4096);

	for (unsigned i = 0; i < TURNS; i++)
		(void)__atomic_add_fetch(m, 1, __ATOMIC_SEQ_CST);
}

static void mappings(void)
{
	int fd = open("counter", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	unsigned n = 0, *m;
	pid_t pids[3];

	MUST(fd >= 0 && ftruncate(fd, 4096) == 0);
	for (int i = 0; i < 3; i++)
		pids[i] = child(add);
	for (int i = 0; i < 3; i++)
		ended_well(pids[i]);
	/* and who reads sees what was mapped, who maps what was written */
	MUST(pread(fd, &n, sizeof(n), 0) == sizeof(n) && n == 3 * TURNS);
	m = (unsigned *)map(fd, 4096);
	n = 7;
	MUST(pwrite(fd, &n, sizeof(n), 8) == sizeof(n) && m[2] == 7);
	MUST(msync(m, 4096, MS_SYNC) == 0 && munmap(m, 4096) == 0 && close(fd) == 0 && unlink("counter") == 0);
}

/* A file without a name is one still, for those who have it open. */
static void nameless(void)
{
	int fd = open("gone", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), other = open("gone", O_RDONLY | O_CLOEXEC);
	char *m, c;
	struct stat st;

	MUST(fd >= 0 && other >= 0 && ftruncate(fd, SIZE) == 0 && unlink("gone") == 0);
	MUST(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == SIZE);
	m = map(fd, SIZE);
	memset(m, 'm', SIZE);
	MUST(msync(m, SIZE, MS_SYNC) == 0 && pread(other, &c, 1, SIZE - 1) == 1 && c == 'm');
	MUST(ftruncate(fd, 5000) == 0 && fstat(other, &st) == 0 && st.st_size == 5000);
	MUST(m[4999] == 'm' && m[5000] == 0); /* what was cut off is empty, in the mapping as well */
	MUST(ftruncate(fd, SIZE) == 0 && m[SIZE - 1] == 0 && pread(other, &c, 1, 5000) == 1 && c == 0);
	/* another of that name is another */
	MUST(mknod("gone", S_IFREG | 0600, 0) == 0 && stat("gone", &st) == 0 && st.st_size == 0 && unlink("gone") == 0);
	MUST(munmap(m, SIZE) == 0 && close(fd) == 0 && pread(other, &c, 1, 0) == 1 && c == 'm' && close(other) == 0);
}

/* A process's end lets go of its locks. */
static int locked_by; /* a pipe: the child has the lock */

static void hold_flock(void)
{
	MUST(flock(open("lock", O_RDWR | O_CLOEXEC), LOCK_EX) == 0 && write(locked_by, "", 1) == 1);
	(void)pause();
}

static void hold_range(void)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10 };

	MUST(fcntl(open("lock", O_RDWR | O_CLOEXEC), F_SETLK, &l) == 0 && write(locked_by, "", 1) == 1);
	(void)pause();
}

static void killed(pid_t pid)
{
	MUST(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

static pid_t holder(void (*hold)(void), int pipefd[2])
{
	pid_t pid;
	char c;

	MUST(pipe2(pipefd, O_CLOEXEC) == 0);
	locked_by = pipefd[1];
	pid = child(hold);
	MUST(read(pipefd[0], &c, 1) == 1 && close(pipefd[0]) == 0 && close(pipefd[1]) == 0);
	return pid;
}

static void locks(void)
{
	struct flock inside = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 15, .l_len = 1 }, seen = inside, beside = inside;
	int fd = open("lock", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), pipefd[2];
	pid_t pid = holder(hold_flock, pipefd);

	MUST(flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	killed(pid);
	MUST(flock(fd, LOCK_EX) == 0 && flock(fd, LOCK_UN) == 0);
	pid = holder(hold_range, pipefd);
	beside.l_start = 20;
	MUST(fcntl(fd, F_SETLK, &beside) == 0);
	MUST(fcntl(fd, F_GETLK, &seen) == 0 && seen.l_type == F_WRLCK && seen.l_pid == pid && seen.l_start == 10 && seen.l_len == 10);
	MUST(fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_RDLCK, .l_start = 12, .l_len = 1 }) < 0 && errno == EAGAIN);
	MUST(fcntl(fd, F_SETLK, &inside) < 0 && (errno == EAGAIN || errno == EACCES));
	killed(pid);
	MUST(fcntl(fd, F_SETLKW, &inside) == 0 && close(fd) == 0 && unlink("lock") == 0);
}

/* A socket's name, by which another process finds it; a moved one too. */
static void ask(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "moved" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	char c;

	MUST(connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0 && write(fd, "q", 1) == 1 && read(fd, &c, 1) == 1 && c == 'a');
}

static void sockets(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX, .sun_path = "socket" };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), peer;
	struct stat st;
	pid_t pid;
	char c;

	MUST(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 1) == 0);
	MUST(chmod("socket", 0600) == 0 && rename("socket", "moved") == 0 && stat("moved", &st) == 0);
	MUST(S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600);
	pid = child(ask);
	peer = accept(fd, NULL, NULL);
	MUST(peer >= 0 && read(peer, &c, 1) == 1 && c == 'q' && write(peer, "a", 1) == 1);
	ended_well(pid);
	MUST(close(peer) == 0 && close(fd) == 0 && unlink("moved") == 0);
}

int shared(char **argv)
{
	MUST(mkdir(argv[1], 0755) == 0 && chdir(argv[1]) == 0);
	mappings();
	nameless();
	locks();
	sockets();
	MUST(chdir("/") == 0 && rmdir(argv[1]) == 0);
	printf("shared as files are\n");
	return 0;
}

static volatile sig_atomic_t rang;

static void ring(int number)
{
	(void)number;
	rang = rang + 1;
}

/*
 * Each call is done once, whole, though signals come all the time: what was interrupted is asked for again by the
 * kernel (SA_RESTART), and a name that was made the first time would be there already the second.
 */
static void one_turn(unsigned n)
{
	char block[8192] __attribute__((aligned(4096))), got[8192] __attribute__((aligned(4096)));
	int fd;

	memset(block, (int)n, sizeof(block));
	MUST(mkdir("dir", 0755) == 0);
	fd = open("dir/new", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	MUST(fd >= 0 && pwrite(fd, block, sizeof(block), 0) == sizeof(block) && fsync(fd) == 0);
	MUST(symlink("new", "dir/link") == 0 && link("dir/new", "dir/second") == 0 && rename("dir/new", "dir/old") == 0);
	MUST(chmod("dir/old", 0640) == 0 && truncate("dir/old", 5000) == 0 && close(fd) == 0);
	fd = open("dir/second", O_RDWR | O_DIRECT | O_CLOEXEC);
	MUST(fd >= 0 && pread(fd, got, 4096, 0) == 4096 && !memcmp(got, block, 4096) && close(fd) == 0);
	MUST(unlink("dir/link") == 0 && unlink("dir/old") == 0 && unlink("dir/second") == 0 && rmdir("dir") == 0);
}

int signals(char **argv)
{
	unsigned turns = (unsigned)atoi(argv[2]);
	struct itimerval every = { { 0, atoi(argv[3]) }, { 0, atoi(argv[3]) } };
	struct sigaction sa = { .sa_handler = ring, .sa_flags = SA_RESTART };

	MUST(mkdir(argv[1], 0755) == 0 && chdir(argv[1]) == 0);
	MUST(sigaction(SIGALRM, &sa, NULL) == 0 && setitimer(ITIMER_REAL, &every, NULL) == 0);
	for (unsigned i = 0; i < turns; i++)
		one_turn(i);
	every = (struct itimerval){ 0 };
	MUST(setitimer(ITIMER_REAL, &every, NULL) == 0 && (unsigned)rang >= turns);
	MUST(chdir("/") == 0 && rmdir(argv[1]) == 0);
	fprintf(stderr, "%u signals\n", (unsigned)rang);
	printf("%u turns among signals\n", turns);
	return 0;
}

static unsigned among; /* files that there are */

static int open_nth(unsigned n)
{
	char name[20];

	(void)snprintf(name, sizeof(name), "%u", n % among);
	return open(name, O_RDONLY | O_CLOEXEC);
}

/* Not that of another file, nor what another call was answered. */
static bool has_number(int fd, unsigned n)
{
	unsigned has;

	return fd >= 0 && read(fd, &has, sizeof(has)) == sizeof(has) && has == n;
}

/* Some read as well. */
static void open_and_close(void)
{
	pid_t me = getpid();
	char value[10];

	for (unsigned n = (unsigned)me;; n += 7) {
		int fd = open_nth(n);

		MUST(me % 4 ? fd >= 0 : has_number(fd, n % among));
		(void)fgetxattr(fd, "user.none", value, sizeof(value));
		(void)close(fd);
	}
}

static void kill_some(unsigned turn)
{
	enum { AT_ONCE = 4 };
	pid_t pids[AT_ONCE];
	int status;

	for (unsigned k = 0; k < AT_ONCE; k++)
		pids[k] = child(open_and_close);
	(void)usleep(2000 + turn * 7919 % 10000); /* they die wherever they are */
	for (unsigned k = 0; k < AT_ONCE; k++)
		MUST(kill(pids[k], SIGKILL) == 0);
	for (unsigned k = 0; k < AT_ONCE; k++)
		MUST(waitpid(pids[k], &status, 0) == pids[k] && WIFSIGNALED(status));
}

/* What a killed process had asked for is flushed (stage1/p9/ring.c), and answered to nobody else. */
int killed_opening(char **argv)
{
	unsigned turns = (unsigned)atoi(argv[2]);
	int fd;

	among = 900;
	MUST(mkdir(argv[1], 0755) == 0 && chdir(argv[1]) == 0);
	for (unsigned i = 0; i < among; i++) {
		char name[20];

		(void)snprintf(name, sizeof(name), "%u", i);
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		MUST(fd >= 0 && write(fd, &i, sizeof(i)) == sizeof(i) && close(fd) == 0);
	}
	for (unsigned i = 0; i < turns; i++)
		kill_some(i);
	for (unsigned i = 0; i < among; i++)
		MUST(has_number(open_nth(i), i));
	printf("%u times some were killed, and %u files are open\n", turns, among);
	return 0;
}
