/* See pidnote.h. A line "BOOT NUMBER START": proc(5) has them in sys/kernel/random/boot_id and PID/stat. */
#include "stage1/pidnote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum { NOTE_MAX = 128, END_MS = 10000 }; /* a killed process ends when its system call does */

/* The 22nd field, counted from behind the name, which may hold anything. */
static const char *start_of(char *stat)
{
	char *at = strrchr(stat, ')');

	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		at[1 + strspn(at + 1, "0123456789")] = '\0';
	return at ? at + 1 : NULL;
}

/* The note of a process that lives (or is not waited for): malloc'ed. */
static char *describe(pid_t pid, struct err *e)
{
	AUTO_FREE char *path = xasprintf("/proc/%d/stat", (int)pid), *stat = NULL, *boot = NULL;
	const char *start;
	size_t len;

	if (read_file_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &boot, &len, e) < 0 ||
		read_file_at(AT_FDCWD, path, 4096, &stat, &len, e) < 0)
		return NULL;
	boot[strcspn(boot, "\n")] = '\0';
	start = start_of(stat);
	if (!start) {
		(void)err_set(e, ERR_SYSTEM, "%s: no start time", path);
		return NULL;
	}
	return xasprintf("%s %d %s\n", boot, (int)pid, start);
}

int pidnote_write(const char *path, pid_t pid, struct err *e)
{
	AUTO_FREE char *note = describe(pid, e);

	return note ? write_file_atomic(AT_FDCWD, path, note, strlen(note), 0644, e) : -1;
}

int pidnote_open(const char *path)
{
	AUTO_FREE char *note = NULL, *now = NULL;
	struct err ignored = ERR_INIT;
	AUTO_CLOSE int pidfd = -1;
	size_t len;
	int pid;

	if (read_file_at(AT_FDCWD, path, NOTE_MAX, &note, &len, &ignored) < 0 ||
		sscanf(note, "%*s %d", &pid) != 1 || pid <= 1)
		return -1;
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (pidfd < 0)
		return -1;
	now = describe(pid, &ignored); /* later than the pidfd: when it is the noted one, so is that */
	return now && !strcmp(now, note) ? STEAL_FD(pidfd) : -1;
}

int pidnote_end(const char *path, struct err *e)
{
	AUTO_CLOSE int pidfd = pidnote_open(path);

	if (pidfd >= 0) {
		if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
			return err_sys(e, "end the process noted in %s", path);
		if (poll(&(struct pollfd){ .fd = pidfd, .events = POLLIN }, 1, END_MS) <= 0)
			return err_set(e, ERR_HOST, "the process noted in %s was killed and does not end", path);
	}
	if (unlink(path) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s", path);
	return 0;
}
