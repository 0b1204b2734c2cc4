/* See caller.h. */
#include "stage1/caller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/control.h"
#include "stage1/pump.h"
#include "stage1/terminal.h"

static int connect_supervisor(int *sock_r, struct err *e)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = CONTROL_SOCKET };
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return err_sys(e, "make a socket");
	if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) < 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(e, ERR_HOST, "the pod is not running: nobody listens at " CONTROL_SOCKET);
		return err_sys(e, "connect to the pod's supervisor at " CONTROL_SOCKET);
	}
	if (fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return err_sys(e, "set up the socket");
	*sock_r = STEAL_FD(fd);
	return 0;
}

int caller_open(struct caller *c, uint8_t *plan, size_t plan_len, size_t napps,
	void (*log)(void *arg, const char *line), struct err *e)
{
	if (connect_supervisor(&c->sock, e) < 0)
		return -1;
	c->s = xcalloc(1, sizeof(*c->s));
	session_init(c->s, plan, plan_len, napps, log, NULL);
	return 0;
}

void caller_close(struct caller *c)
{
	if (c->s)
		session_dispose(c->s);
	free(c->s);
	if (c->sock >= 0)
		(void)close(c->sock);
	*c = (struct caller)CALLER_INIT;
}

static ssize_t answer(ssize_t n)
{
	return n > 0 ? n : n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

static ssize_t sock_read(void *ctx, void *buf, size_t len)
{
	return answer(recv(*(const int *)ctx, buf, len, 0));
}

static ssize_t sock_write(void *ctx, const void *buf, size_t len)
{
	return answer(send(*(const int *)ctx, buf, len, MSG_NOSIGNAL));
}

int caller_exchange(struct caller *c, struct err *e)
{
	const struct transport io = { .ctx = &c->sock, .fd = c->sock, .read = sock_read, .write = sock_write };

	return pump_exchange(c->s, &io, &c->gone, e) < 0 ? err_prefix(e, "the supervisor broke the protocol") : 0;
}

void caller_resize(struct caller *c, unsigned id)
{
	uint32_t rows, cols;

	terminal_size(&rows, &cols);
	session_resize(c->s, id, rows, cols);
}

bool caller_write(struct sink *to, struct session_out *out)
{
	while (session_waits(out)) {
		ssize_t w = sink_write(to, out->buf + out->start, out->end - out->start);

		if (w == 0)
			return true;
		if (w < 0) {
			session_refuse(out);
			return false;
		}
		session_wrote(out, (size_t)w);
	}
	return true;
}

short caller_events(const struct caller *c)
{
	size_t queued;

	(void)frame_queued(&c->s->wr, &queued);
	return queued > 0 ? POLLIN | POLLOUT : POLLIN;
}
