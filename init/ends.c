/* See ends.h. */
#include "init/ends.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "stage1/common/util.h"

static int open_null(int *fd_r, struct err *e)
{
	*fd_r = open("/dev/null", O_RDWR | O_CLOEXEC);
	return *fd_r >= 0 ? 0 : err_sys(e, "open /dev/null");
}

/* A pipe whose end `ours` (0 reads, 1 writes) does not block. */
static int open_pipe(int ours, int *our_fd, int *their_fd, struct err *e)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, "make a pipe");
	*our_fd = fds[ours];
	*their_fd = fds[!ours];
	if (fcntl(*our_fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "set up a pipe");
	return 0;
}

/* Of PID 1's own devpts, which the apps see at /dev/pts: names of terminals mean the same there. */
static int open_tty(const struct guest_io *io, struct ends *ends, struct err *e)
{
	const struct winsize size = { .ws_row = (unsigned short)io->rows, .ws_col = (unsigned short)io->cols };
	AUTO_CLOSE int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	AUTO_CLOSE int slave = -1;
	int unlock = 0;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCSWINSZ, &size) < 0)
		return err_sys(e, "make a terminal");
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_sys(e, "open a terminal");
	for (int i = 0; i < WIRE_STREAMS; i++) {
		if (io->kind[i] != GUEST_IO_TTY)
			continue;
		ends->theirs[i] = fcntl(slave, F_DUPFD_CLOEXEC, 3);
		if (ends->theirs[i] < 0)
			return err_sys(e, "set up a terminal");
	}
	if (io->kind[WIRE_STDIN] == GUEST_IO_TTY) {
		ends->ours[WIRE_STDIN] = fcntl(master, F_DUPFD_CLOEXEC, 3);
		if (ends->ours[WIRE_STDIN] < 0)
			return err_sys(e, "set up a terminal");
	}
	ends->ours[WIRE_STDOUT] = STEAL_FD(master); /* also for the echo of a terminal that is stdin only */
	return 0;
}

static int open_ends(const struct guest_io *io, struct ends *ends, struct err *e)
{
	if (guest_io_has_tty(io) && open_tty(io, ends, e) < 0)
		return -1;
	for (int i = 0; i < WIRE_STREAMS; i++) {
		if (io->kind[i] == GUEST_IO_NULL && open_null(&ends->theirs[i], e) < 0)
			return -1;
		if (io->kind[i] == GUEST_IO_PIPE &&
			open_pipe(i == WIRE_STDIN, &ends->ours[i], &ends->theirs[i], e) < 0)
			return -1;
	}
	return 0;
}

int ends_open(const struct guest_io *io, struct ends *ends_r, struct err *e)
{
	struct ends ends = ENDS_INIT;

	if (open_ends(io, &ends, e) < 0) {
		ends_close(&ends);
		return -1;
	}
	*ends_r = ends;
	return 0;
}

void ends_close_theirs(struct ends *ends)
{
	for (int i = 0; i < WIRE_STREAMS; i++) {
		if (ends->theirs[i] >= 0)
			(void)close(ends->theirs[i]);
		ends->theirs[i] = -1;
	}
}

void ends_close(struct ends *ends)
{
	ends_close_theirs(ends);
	for (int i = 0; i < WIRE_STREAMS; i++) {
		if (ends->ours[i] >= 0)
			(void)close(ends->ours[i]);
		ends->ours[i] = -1;
	}
}
