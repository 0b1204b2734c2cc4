/* See task.h. */
#include "init/task.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

void task_init(struct task *t, unsigned id)
{
	memset(t, 0, sizeof(*t));
	t->id = id;
	t->proc = (struct process)PROCESS_NONE;
	t->ends = (struct ends)ENDS_INIT;
}

int task_open(struct task *t, const struct guest_io *io, struct err *e)
{
	if (ends_open(io, &t->ends, e) < 0)
		return -1;
	t->terminal = guest_io_has_tty(io);
	streams_init(&t->streams, t->id, t->ends.ours);
	return 0;
}

void task_say(struct task *t, enum wire_app_state state, uint32_t value, const char *text)
{
	if (t->nwords == TASK_WORDS) /* pre-start, start, ready, post-stop, end, gone: there are no more */
		return;
	t->words[t->nwords].state = state;
	t->words[t->nwords++].value = value;
	(void)snprintf(t->text, sizeof(t->text), "%s", text);
}

void task_produce_words(struct task *t, struct frame_writer *wr)
{
	while (t->nwords > 0) {
		if (!frame_put_app(wr, t->id, t->words[0].state, t->words[0].value,
			    t->nwords == 1 ? t->text : ""))
			return;
		memmove(t->words, t->words + 1, --t->nwords * sizeof(t->words[0]));
	}
}

void task_produce(struct task *t, bool about_to_run, struct frame_writer *wr)
{
	task_produce_words(t, wr);
	if (t->nwords == 0 && !about_to_run)
		streams_produce(&t->streams, wr);
}

void task_poll(const struct task *t, bool about_to_run, bool room, struct pollfd fds[TASK_FDS])
{
	fds[0] = (struct pollfd){ .fd = t->proc.report, .events = POLLIN };
	streams_poll(&t->streams, room && !about_to_run, fds + 1);
	fds[TASK_FDS - 1] = (struct pollfd){ .fd = -1 };
}

bool task_all_said(const struct task *t)
{
	return t->nwords == 0 && streams_done(&t->streams);
}

void task_signal(const struct task *t, int sig)
{
	if (t->proc.pid <= 0)
		return;
	if (kill(-t->proc.pid, sig) < 0) /* its group is not there yet */
		(void)kill(t->proc.pid, sig);
}

/* As shells at a terminal do. */
static bool ignores_term(pid_t pid)
{
	char path[40], text[4096];
	const char *at;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		(void)close(fd);
	if (n < 0)
		return false;
	text[n] = '\0';
	at = strstr(text, "\nSigIgn:\t");
	return at && strtoull(at + strlen("\nSigIgn:\t"), NULL, 16) >> (SIGTERM - 1) & 1;
}

void task_hang_up(const struct task *t, bool always)
{
	if (t->terminal && t->proc.pid > 0 && (always || ignores_term(t->proc.pid)))
		task_signal(t, SIGHUP);
}

void task_reaped(struct task *t)
{
	if (t->proc.report >= 0)
		(void)close(t->proc.report);
	t->proc = (struct process)PROCESS_NONE;
}

void task_close(struct task *t)
{
	streams_close(&t->streams);
	ends_close_theirs(&t->ends);
	task_reaped(t);
}

enum wire_app_state death_of(int wait_status, uint32_t *value_r)
{
	if (WIFSIGNALED(wait_status)) {
		*value_r = (uint32_t)WTERMSIG(wait_status);
		return WIRE_APP_KILLED;
	}
	*value_r = (uint32_t)WEXITSTATUS(wait_status);
	return WIRE_APP_EXITED;
}
