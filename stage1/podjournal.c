/* See podjournal.h. */
#include "stage1/podjournal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/securebits.h>

#include "stage1/common/util.h"

enum { EARLY_MAX = 3 };

/* A UUID as a machine id or a boot's: without dashes. */
static void without_dashes(char *to, size_t room, const char *uuid)
{
	size_t n = 0;

	for (; *uuid && *uuid != '\n' && n + 1 < room; uuid++)
		if (*uuid != '-')
			to[n++] = *uuid;
	to[n] = '\0';
}

static int read_boot(struct podjournal *j, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &text, &len, e) < 0)
		return -1;
	without_dashes(j->boot, sizeof(j->boot), text);
	return 0;
}

void podjournal_open(struct podjournal *j, const char *writer, const char *root, const char *pod)
{
	char machine[40];

	j->state = access(writer, X_OK) == 0 ? PODJOURNAL_IDLE : PODJOURNAL_NONE;
	j->writer = writer;
	j->root = root;
	j->pod = pod;
	j->pipe = j->pidfd = -1;
	j->deadline = -1;
	j->written = j->start = j->end = 0;
	j->lost = j->waiting = 0;
	j->early = 0;
	j->why = (struct err)ERR_INIT;
	without_dashes(machine, sizeof(machine), pod);
	if ((size_t)snprintf(j->dir, sizeof(j->dir), "%s/" PODJOURNAL_DIR "/%s", root, machine) >= sizeof(j->dir))
		j->state = PODJOURNAL_NONE;
	j->buf = NULL;
}

static size_t pending(const struct podjournal *j)
{
	return j->end - j->start;
}

static void shut(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void lose(struct podjournal *j)
{
	j->lost += j->waiting;
	j->waiting = 0;
	j->start = j->end = 0;
}

static void free_buf(struct podjournal *j)
{
	free(j->buf);
	j->buf = NULL;
}

static void reap(const struct podjournal *j)
{
	while (waitpid(j->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

/* There will be no more of it. */
static void fail(struct podjournal *j)
{
	if (j->pidfd >= 0) {
		(void)kill(j->pid, SIGKILL);
		reap(j);
	}
	shut(&j->pipe);
	shut(&j->pidfd);
	lose(j);
	free_buf(j);
	j->deadline = -1;
	j->state = PODJOURNAL_NONE;
}

static int make_dir(const struct podjournal *j, struct err *e)
{
	char path[PATH_MAX];

	for (size_t n = strlen(j->root) + 1;; n++) {
		if (j->dir[n] && j->dir[n] != '/')
			continue;
		(void)snprintf(path, sizeof(path), "%.*s", (int)n, j->dir);
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "mkdir %s", path);
		if (!j->dir[n])
			return 0;
	}
}

static void file_name(const struct podjournal *j, const char *name, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%.*s/%s", PATH_MAX - 40, j->dir, name);
}

/* In the child. It outlives us, for the time it takes to finish the file. */
static void __attribute__((noreturn)) become(const struct podjournal *j, int in)
{
	char path[PATH_MAX], *env[] = { NULL };
	char *argv[] = { (char *)(uintptr_t)j->writer, (char *)(uintptr_t)"--output", path, (char *)(uintptr_t)"-", NULL };
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	file_name(j, "system.journal", path);
	(void)setpgid(0, 0); /* what is typed at our terminal is not for it */
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0); /* root, but for root's capabilities */
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(nothing, STDOUT_FILENO) >= 0 && dup2(nothing, STDERR_FILENO) >= 0)
		(void)execve(j->writer, argv, env);
	_exit(127);
}

static int start(struct podjournal *j, struct err *e)
{
	AUTO_CLOSE int theirs = -1;
	int fds[2];

	if (make_dir(j, e) < 0 || read_boot(j, e) < 0)
		return -1;
	if (!j->buf)
		j->buf = xmalloc(PODJOURNAL_BUF);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "pipe");
	theirs = fds[0];
	j->pipe = fds[1];
	if (fcntl(j->pipe, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "pipe");
	j->pid = fork();
	if (j->pid < 0)
		return err_sys(e, "fork");
	if (j->pid == 0)
		become(j, theirs);
	j->pidfd = (int)syscall(SYS_pidfd_open, j->pid, 0);
	if (j->pidfd < 0) {
		int error = errno;

		shut(&j->pipe);
		reap(j);
		errno = error;
		return err_sys(e, "pidfd_open");
	}
	j->deadline = monotonic_ms() + PODJOURNAL_IDLE_MS;
	j->unasked = false;
	j->state = PODJOURNAL_WRITING;
	return 0;
}

/* It sees the end of its input, and finishes. */
static void end(struct podjournal *j)
{
	shut(&j->pipe);
	j->deadline = monotonic_ms() + PODJOURNAL_PATIENCE_MS;
	j->state = PODJOURNAL_ENDING;
}

/* Whoever reads goes on reading what was renamed; journalctl takes every name that ends so. */
static void rotate(struct podjournal *j)
{
	char path[PATH_MAX], old[PATH_MAX];

	file_name(j, "system.journal", path);
	file_name(j, "system@before.journal", old);
	(void)rename(path, old);
	j->written = 0;
}

static void take_status(struct podjournal *j)
{
	siginfo_t info = { 0 };

	if (waitid(P_PIDFD, (id_t)j->pidfd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
		return;
	shut(&j->pidfd);
	/* A unit's end, for one, is a TERM to all its processes; then there is another one for what comes after. */
	j->early += j->unasked;
	if (info.si_code != CLD_EXITED || info.si_status != 0 || j->early > EARLY_MAX) {
		(void)err_set(&j->why, ERR_HOST, "%s: %s %d", j->writer,
			info.si_code == CLD_EXITED ? "exit status" : "killed by signal", info.si_status);
		fail(j);
		return;
	}
	j->deadline = -1;
	j->state = PODJOURNAL_IDLE;
	if (j->written > PODJOURNAL_MAX)
		rotate(j);
}

static void flush(struct podjournal *j)
{
	while (pending(j) > 0) {
		ssize_t n = write(j->pipe, j->buf + j->start, pending(j));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* it has ended, or will at once */
			lose(j);
			j->unasked = true;
			end(j);
			return;
		}
		j->start += (size_t)n;
		j->written += (size_t)n;
		j->deadline = monotonic_ms() + (pending(j) > 0 ? PODJOURNAL_PATIENCE_MS : PODJOURNAL_IDLE_MS);
	}
	j->waiting = 0;
	j->start = j->end = 0;
}

static void tend(struct podjournal *j)
{
	if (j->state == PODJOURNAL_WRITING)
		flush(j);
	if (j->state == PODJOURNAL_WRITING && pending(j) == 0 &&
		(j->written > PODJOURNAL_MAX || monotonic_ms() >= j->deadline))
		end(j);
	if (j->state == PODJOURNAL_ENDING)
		take_status(j);
	if ((j->state == PODJOURNAL_WRITING || j->state == PODJOURNAL_ENDING) && monotonic_ms() >= j->deadline) {
		(void)err_set(&j->why, ERR_HOST, "%s: it took nothing for %d s", j->writer, PODJOURNAL_PATIENCE_MS / 1000);
		fail(j);
	}
}

bool podjournal_has_room(struct podjournal *j)
{
	if (j->state == PODJOURNAL_WRITING && (j->written > PODJOURNAL_MAX || PODJOURNAL_BUF - j->end < PODJOURNAL_ENTRY_MAX))
		tend(j);
	if (j->state == PODJOURNAL_WRITING && j->start > 0) {
		memmove(j->buf, j->buf + j->start, pending(j));
		j->end -= j->start;
		j->start = 0;
	}
	j->room_wanted = j->state == PODJOURNAL_ENDING || PODJOURNAL_BUF - j->end < PODJOURNAL_ENTRY_MAX ||
		(j->state == PODJOURNAL_WRITING && j->written > PODJOURNAL_MAX);
	return !j->room_wanted;
}

bool podjournal_tend(struct podjournal *j)
{
	tend(j);
	return j->room_wanted && podjournal_has_room(j);
}

static void put(struct podjournal *j, const void *data, size_t n)
{
	memcpy(j->buf + j->end, data, n);
	j->end += n;
}

void podjournal_line(struct podjournal *j, const struct timespec *when, const struct journal_entry *entry)
{
	char head[400], fields[JOURNAL_FIELDS_MAX];
	struct timespec now;
	uint8_t size[8];

	if (j->state == PODJOURNAL_IDLE && start(j, &j->why) < 0)
		fail(j);
	if (j->state != PODJOURNAL_WRITING) {
		j->lost += j->why.kind != ERR_NONE;
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	put(j, head, (size_t)snprintf(head, sizeof(head),
		"__REALTIME_TIMESTAMP=%lld\n__MONOTONIC_TIMESTAMP=%lld\n_BOOT_ID=%s\n_HOSTNAME=rkt-%.64s\n",
		(long long)when->tv_sec * 1000000 + when->tv_nsec / 1000,
		(long long)now.tv_sec * 1000000 + now.tv_nsec / 1000, j->boot, j->pod));
	put(j, fields, journal_fields(fields, j->pod, entry));
	journal_size(size, entry->len);
	put(j, size, sizeof(size));
	put(j, entry->text, entry->len);
	put(j, "\n\n", 2);
	if (j->waiting++ == 0)
		j->deadline = monotonic_ms() + PODJOURNAL_PATIENCE_MS;
}

struct pollfd podjournal_poll(const struct podjournal *j)
{
	if (j->state == PODJOURNAL_ENDING)
		return (struct pollfd){ .fd = j->pidfd, .events = POLLIN };
	return (struct pollfd){ .fd = j->state == PODJOURNAL_WRITING && pending(j) > 0 ? j->pipe : -1, .events = POLLOUT };
}

int64_t podjournal_deadline(const struct podjournal *j)
{
	return j->deadline;
}

void podjournal_finish(struct podjournal *j)
{
	tend(j);
	if (j->state == PODJOURNAL_WRITING && pending(j) == 0)
		end(j);
}

void podjournal_close(struct podjournal *j)
{
	while (j->state == PODJOURNAL_WRITING || j->state == PODJOURNAL_ENDING) {
		struct pollfd fd;
		int64_t left;

		podjournal_finish(j);
		fd = podjournal_poll(j);
		left = j->deadline - monotonic_ms();
		if (fd.fd >= 0)
			(void)poll(&fd, 1, left > 0 ? (int)left : 0);
	}
	free_buf(j);
}
