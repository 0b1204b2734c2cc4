/* See streams.h. Never blocks, never allocates. */
#include "init/streams.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

enum { LAST_MAX = 1 << 20 }; /* bytes; the most a pipe holds (/proc/sys/fs/pipe-max-size) */

static void close_fd(int *fd)
{
	if (*fd > 0)
		(void)close(*fd);
	*fd = -1;
}

void streams_init(struct streams *s, unsigned app, const int fds[WIRE_STREAMS])
{
	*s = (struct streams){ .app = app, .stdin_fd = fds[WIRE_STDIN] };
	for (int i = WIRE_STDOUT; i < WIRE_STREAMS; i++)
		s->out[i] = (struct out_stream){ .fd = fds[i], .credit = WIRE_WINDOW };
}

/* A pipe ends when it is closed; of a terminal the end is a character, which readers take as one. */
static void end_input(int fd)
{
	struct termios tio;

	(void)shutdown(fd, SHUT_WR); /* of a socket the other direction goes on */
	if (tcgetattr(fd, &tio) == 0 && (tio.c_lflag & ICANON) && tio.c_cc[VEOF])
		(void)!write(fd, &tio.c_cc[VEOF], 1);
}

static void write_stdin(struct streams *s)
{
	while (s->stdin_fd > 0 && s->in_start < s->in_end) {
		ssize_t n = write(s->stdin_fd, s->in + s->in_start, s->in_end - s->in_start);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) { /* EPIPE: the app wants no more */
			close_fd(&s->stdin_fd);
			s->in_closed_due = true;
			return;
		}
		s->in_start += (uint32_t)n;
		s->in_taken += (uint32_t)n;
	}
	if (s->in_start == s->in_end)
		s->in_start = s->in_end = 0;
	if (s->in_eof && s->in_end == 0 && s->stdin_fd > 0) {
		end_input(s->stdin_fd);
		close_fd(&s->stdin_fd);
	}
}

static void take_stdin(struct streams *s, const struct frame *f)
{
	if (s->stdin_fd <= 0)
		return;
	if (s->in_start > 0 && f->len > sizeof(s->in) - s->in_end) {
		memmove(s->in, s->in + s->in_start, s->in_end - s->in_start);
		s->in_end -= s->in_start;
		s->in_start = 0;
	}
	if (f->len > sizeof(s->in) - s->in_end)
		return; /* more than the window: dom0 does not do that */
	memcpy(s->in + s->in_end, f->data, f->len);
	s->in_end += f->len;
}

void streams_frame(struct streams *s, const struct frame *f)
{
	struct out_stream *out = &s->out[f->stream];

	if (f->type == WIRE_DATA && f->stream == WIRE_STDIN)
		take_stdin(s, f);
	else if (f->type == WIRE_EOF && f->stream == WIRE_STDIN)
		s->in_eof = true;
	else if (f->type == WIRE_CREDIT && f->stream != WIRE_STDIN)
		out->credit += wire_u32(f->data);
	else if (f->type == WIRE_EOF && f->stream != WIRE_STDIN)
		close_fd(&out->fd); /* the app gets SIGPIPE, as it would from a pipe at home */
}

/* One pipe into frames: as much as credit and room allow. */
static void read_output(struct streams *s, unsigned stream, struct frame_writer *wr)
{
	static uint8_t buf[WIRE_PAYLOAD_MAX];
	struct out_stream *out = &s->out[stream];

	while (out->fd > 0 && out->credit > 0 && frame_room(wr) > 0) {
		size_t want = frame_room(wr) < out->credit ? frame_room(wr) : out->credit;
		ssize_t n;

		if (s->finishing && want > out->last)
			want = out->last;
		n = want ? read(out->fd, buf, want) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN && !s->finishing)
			return;
		if (n <= 0) { /* a terminal nobody holds any more gives EIO */
			close_fd(&out->fd);
			out->eof_due = true;
			break;
		}
		(void)frame_put(wr, WIRE_DATA, s->app, stream, buf, (size_t)n); /* there is room */
		out->credit -= (uint32_t)n;
		if (s->finishing)
			out->last -= (uint32_t)n;
	}
	if (out->eof_due && frame_put(wr, WIRE_EOF, s->app, stream, NULL, 0))
		out->eof_due = false;
}

void streams_produce(struct streams *s, struct frame_writer *wr)
{
	write_stdin(s);
	if (s->in_taken >= WIRE_WINDOW / 2 || (s->in_taken > 0 && s->in_end == 0))
		if (frame_put_u32(wr, WIRE_CREDIT, s->app, WIRE_STDIN, s->in_taken))
			s->in_taken = 0;
	if (s->in_closed_due && frame_put(wr, WIRE_EOF, s->app, WIRE_STDIN, NULL, 0))
		s->in_closed_due = false;
	read_output(s, WIRE_STDOUT, wr);
	read_output(s, WIRE_STDERR, wr);
}

void streams_poll(const struct streams *s, bool room, struct pollfd *fds)
{
	bool live = s->out[WIRE_STDOUT].fd > 0 || s->out[WIRE_STDERR].fd > 0 || s->stdin_fd > 0;

	for (int i = 0; i < WIRE_STREAMS; i++)
		fds[i] = (struct pollfd){ .fd = -1 };
	if (!live)
		return;
	if (s->in_start < s->in_end)
		fds[WIRE_STDIN] = (struct pollfd){ .fd = s->stdin_fd, .events = POLLOUT };
	for (int i = WIRE_STDOUT; i < WIRE_STREAMS; i++)
		if (room && s->out[i].credit > 0)
			fds[i] = (struct pollfd){ .fd = s->out[i].fd, .events = POLLIN };
}

void streams_finish(struct streams *s)
{
	streams_close_stdin(s);
	s->in_taken = 0; /* nobody is to send more */
	s->in_closed_due = false;
	s->finishing = true;
	for (int i = WIRE_STDOUT; i < WIRE_STREAMS; i++)
		s->out[i].last = LAST_MAX;
}

void streams_close_stdin(struct streams *s)
{
	close_fd(&s->stdin_fd);
}

void streams_resize(const struct streams *s, uint32_t rows, uint32_t cols)
{
	const struct winsize size = { .ws_row = (unsigned short)rows, .ws_col = (unsigned short)cols };

	if (s->out[WIRE_STDOUT].fd > 0)
		(void)ioctl(s->out[WIRE_STDOUT].fd, TIOCSWINSZ, &size); /* no terminal: no harm */
}

bool streams_done(const struct streams *s)
{
	for (int i = WIRE_STDOUT; i < WIRE_STREAMS; i++)
		if (s->out[i].fd > 0 || s->out[i].eof_due)
			return false;
	return true;
}

void streams_close(struct streams *s)
{
	close_fd(&s->stdin_fd);
	for (int i = WIRE_STDOUT; i < WIRE_STREAMS; i++) {
		close_fd(&s->out[i].fd);
		s->out[i].eof_due = false;
	}
}
