/* See signature.h. */
#include "stage0/signature.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "stage1/common/util.h"

enum { SIGNATURE_MAX = 1 << 20, STATUS_MAX = 1 << 16, EXIT_NO_GPGV = 127, STATUS_FD = 3, RING_FD, SIG_FD };

static bool has_line(const char *status, const char *keyword)
{
	AUTO_FREE char *line = xasprintf("[GNUPG:] %s", keyword);
	size_t len = strlen(line);

	for (const char *p = status; (p = strstr(p, line)); p++)
		if ((p == status || p[-1] == '\n') && (p[len] == ' ' || p[len] == '\n' || !p[len]))
			return true;
	return false;
}

/*
 * One good signature by a key of the ring is enough, as for rkt; by others there may be more. GOODSIG is
 * not said of one that has expired, or whose key has or was revoked.
 */
int signature_judge(const char *status, int exit_status, struct err *e)
{
	static const struct { const char *keyword, *msg; } rows[] = {
		{ "BADSIG", "not of this file: one of the two was changed" },
		{ "REVKEYSIG", "by a key that was revoked" },
		{ "EXPKEYSIG", "by a key that has expired" },
		{ "EXPSIG", "one that has expired" },
	};

	if (exit_status == EXIT_NO_GPGV)
		return err_set(e, ERR_HOST, "no gpgv to check it with: apt-get install gpgv");
	if (has_line(status, "BADSIG"))
		return err_set(e, ERR_INPUT, "%s", rows[0].msg);
	if (has_line(status, "GOODSIG") && has_line(status, "VALIDSIG"))
		return 0;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (has_line(status, rows[i].keyword))
			return err_set(e, ERR_INPUT, "%s", rows[i].msg);
	if (has_line(status, "NO_PUBKEY"))
		return err_set(e, ERR_INPUT, "by a key that is not trusted");
	return err_set(e, ERR_INPUT, "none that gpgv understands (its exit status is %d)", exit_status);
}

static int in_memory(const char *name, const void *data, size_t len, struct err *e)
{
	AUTO_CLOSE int fd = memfd_create(name, MFD_CLOEXEC);

	if (fd < 0 || write_all(fd, data, len) < 0)
		return err_sys(e, "keep a %s in memory", name);
	return STEAL_FD(fd);
}

static int ring_in_memory(const struct keyring *ring, struct err *e)
{
	AUTO_CLOSE int fd = memfd_create("keyring", MFD_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "keep a keyring in memory");
	for (size_t i = 0; i < ring->n; i++)
		if (write_all(fd, ring->keys[i].data, ring->keys[i].len) < 0)
			return err_sys(e, "keep a keyring in memory");
	return STEAL_FD(fd);
}

static int sig_in_memory(const char *path, struct err *e)
{
	AUTO_FREE uint8_t *data = NULL;
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_file_at(AT_FDCWD, path, SIGNATURE_MAX, &text, &len, e) < 0 ||
		pgp_read(text, len, "SIGNATURE", &data, &len, e) < 0 ||
		pgp_only_signatures(data, len, e) < 0)
		return -1;
	return in_memory("signature", data, len, e);
}

/* In the child. The descriptors are moved up first, so that none is overwritten before its turn. */
static void become_gpgv(int fd, int status, int ring, int sig)
{
	static const char *const argv[] = { "gpgv", "--quiet", "--status-fd", "3", "--keyring", "/proc/self/fd/4",
		"/proc/self/fd/5", "-", NULL };
	static const char *const env[] = { "LC_ALL=C", "HOME=/nonexistent", "GNUPGHOME=/nonexistent", NULL };
	const int from[] = { fd, status, ring, sig }, to[] = { STDIN_FILENO, STATUS_FD, RING_FD, SIG_FD };
	int high[COUNT(from)];
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < COUNT(from); i++) {
		high[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 10);
		if (high[i] < 0)
			_exit(126);
	}
	for (size_t i = 0; i < COUNT(from); i++)
		if (dup2(high[i], to[i]) < 0)
			_exit(126);
	if (null < 0 || dup2(null, STDOUT_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0)
		_exit(126);
	(void)execve("/usr/bin/gpgv", (char *const *)argv, (char *const *)env);
	_exit(errno == ENOENT ? EXIT_NO_GPGV : 126);
}

/* Everything it says; what is beyond the limit is read and dropped. */
static void read_status(int fd, char *buf)
{
	size_t len = 0;
	char rest[512];
	ssize_t n;

	do {
		n = len < STATUS_MAX ? read(fd, buf + len, STATUS_MAX - len) : read(fd, rest, sizeof(rest));
		if (n > 0 && len < STATUS_MAX)
			len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	buf[len] = '\0';
}

static int run_gpgv(int fd, int ring, int sig, char *status_r, int *exit_r, struct err *e)
{
	int pipe_fds[2], wait_status;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	pid = fork();
	if (pid == 0)
		become_gpgv(fd, pipe_fds[1], ring, sig);
	(void)close(pipe_fds[1]);
	if (pid > 0)
		read_status(pipe_fds[0], status_r);
	(void)close(pipe_fds[0]);
	if (pid < 0)
		return err_sys(e, "start gpgv");
	while (waitpid(pid, &wait_status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, "wait for gpgv");
	*exit_r = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
	return 0;
}

int signature_check(int fd, const char *path, const struct keyring *ring, struct err *e)
{
	AUTO_CLOSE int sig = sig_in_memory(path, e);
	AUTO_CLOSE int keys = sig < 0 ? -1 : ring_in_memory(ring, e);
	AUTO_FREE char *status = xmalloc(STATUS_MAX + 1);
	int exit_status;

	if (keys < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(e, "read the image from its start");
	if (run_gpgv(fd, keys, sig, status, &exit_status, e) < 0)
		return -1;
	return signature_judge(status, exit_status, e);
}
