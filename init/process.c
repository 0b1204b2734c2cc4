/* See process.h. Everything after fork() runs in the child and ends in execve or a report. */
#include "init/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/sockets.h"
#include "stage1/common/util.h"

enum { STATUS_READY = 0, STATUS_OTHER = 254 };

/* What a child writes into the report pipe, in one write. */
struct report {
	uint32_t status;
	char text[WIRE_TEXT_MAX];
};

static struct rlimit files; /* as the kernel gave it to PID 1 */

void process_init(void)
{
	struct rlimit more;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return;
	more = (struct rlimit){ files.rlim_max, files.rlim_max };
	(void)setrlimit(RLIMIT_NOFILE, &more);
}

static void reset(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (files.rlim_max > 0)
		(void)setrlimit(RLIMIT_NOFILE, &files);
	(void)setsid();
	(void)umask(0022);
}

static void tell(int fd, uint32_t status, const struct err *e)
{
	struct report report = { .status = status };

	memcpy(report.text, e->msg, sizeof(report.text) - 1);
	(void)!write(fd, &report, sizeof(report));
}

static int set_descriptors(const struct process_spec *spec, struct err *e)
{
	AUTO_CLOSE int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return err_sys(e, "open /dev/null");
	for (int i = 0; i < WIRE_STREAMS; i++)
		if (dup2(spec->fds[i] >= 0 ? spec->fds[i] : null, i) < 0)
			return err_sys(e, "set up descriptor %d", i);
	for (int i = 0; spec->terminal && i < WIRE_STREAMS; i++)
		if (isatty(i))
			return ioctl(i, TIOCSCTTY, 0) < 0 ? err_sys(e, "take the terminal") : 0;
	return 0;
}

static void root_child(const struct guest_app *app, int report) __attribute__((noreturn));

static void root_child(const struct guest_app *app, int report)
{
	struct err e = ERR_INIT;

	reset();
	if (become_root(app, &e) < 0) {
		tell(report, STATUS_OTHER, &e);
		_exit(255);
	}
	tell(report, STATUS_READY, &e);
	for (;;)
		(void)pause();
}

static void program_child(const struct process_spec *spec, int report) __attribute__((noreturn));

static void program_child(const struct process_spec *spec, int report)
{
	struct err e = ERR_INIT;
	uint32_t status = STATUS_OTHER;
	int mnt = spec->mnt;

	reset();
	/* Whatever PID 1 has: Xen's libraries open /dev/xen/gntalloc without CLOEXEC, and apps had it. */
	(void)close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	if (set_descriptors(spec, &e) == 0 &&
		sockets_hand_over(spec->sockets, spec->nsockets, (int *const[]){ &report, &mnt }, 2, &e) == 0 &&
		become_inside(spec->app, spec->program.kind, mnt, &e) == 0)
		status = become_program(spec->app, &spec->program, &e);
	tell(report, status, &e);
	_exit(255);
}

/* Forks; 0 in the child, with *report its end of the pipe. Low descriptors are the console: see main.c. */
static int begin(struct process *p_r, int *report, struct err *e)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_sys(e, "make a pipe");
	pid = fork();
	if (pid < 0) {
		(void)err_sys(e, "fork");
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -1;
	}
	if (pid == 0) {
		*report = fds[1];
		return 0;
	}
	(void)close(fds[1]);
	*p_r = (struct process){ .pid = pid, .report = fds[0] };
	return 1;
}

int process_make_root(const struct guest_app *app, struct process *p_r, struct err *e)
{
	int report, ret = begin(p_r, &report, e);

	if (ret == 0)
		root_child(app, report);
	return ret < 0 ? -1 : 0;
}

int process_do(void (*fn)(void), struct process *p_r, struct err *e)
{
	int report, ret = begin(p_r, &report, e);

	if (ret == 0) {
		reset();
		fn();
		_exit(0);
	}
	return ret < 0 ? -1 : 0;
}

int process_spawn(const struct process_spec *spec, struct process *p_r, struct err *e)
{
	int report, ret = begin(p_r, &report, e);

	if (ret == 0)
		program_child(spec, report);
	return ret < 0 ? -1 : 0;
}

enum process_report process_report(struct process *p, uint32_t *status_r, struct err *e)
{
	struct report report;
	ssize_t n;

	if (p->report < 0)
		return PROCESS_SILENT;
	do
		n = read(p->report, &report, sizeof(report));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return PROCESS_SILENT;
	(void)close(p->report);
	p->report = -1;
	if (n != (ssize_t)sizeof(report))
		return PROCESS_RUNS;
	if (report.status == STATUS_READY)
		return PROCESS_READY;
	report.text[sizeof(report.text) - 1] = '\0';
	*status_r = report.status;
	(void)err_set(e, ERR_SYSTEM, "%s", report.text);
	return PROCESS_FAILED;
}
