/* See peers.h. */
#include "tests/unit/peers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "stage1/common/util.h"

static char dir[] = "/tmp/test_control.XXXXXX";
struct session *s;
struct control *c;
struct frame_writer guest;
static struct frame_reader to_guest;
static uint8_t plan[1] = { 'p' };

static void log_nothing(void *arg, const char *line)
{
	(void)arg;
	(void)line;
}

void guest_said(void)
{
	struct err e = ERR_INIT;
	size_t len, room;
	const uint8_t *data = frame_queued(&guest, &len);
	uint8_t *space = frame_space(&s->rd, &room);

	assert_in_range(len, 0, room);
	memcpy(space, data, len);
	frame_added(&s->rd, len);
	frame_sent(&guest, len);
	if (session_receive(s, &e) < 0)
		fail_msg("%s", e.msg);
}

void turn(void)
{
	do {
		size_t len, room;
		const uint8_t *data;
		uint8_t *space;

		session_produce(s);
		data = frame_queued(&s->wr, &len);
		space = frame_space(&to_guest, &room);
		if (len > room)
			len = room;
		memcpy(space, data, len);
		frame_added(&to_guest, len);
		frame_sent(&s->wr, len);
	} while (control_serve(c, s));
}

bool guest_hears(enum wire_type type, struct frame *f)
{
	struct err e = ERR_INIT;
	enum frame_status st;

	turn();
	while ((st = frame_pop(&to_guest, f, &e)) == FRAME_READY)
		if (f->type == type)
			return true;
	assert_int_equal(st, FRAME_NEED_MORE);
	return false;
}

int peers_setup(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	s = xmalloc(sizeof(*s));
	memset(&guest, 0, sizeof(guest));
	memset(&to_guest, 0, sizeof(to_guest));
	session_init(s, plan, sizeof(plan), 1, log_nothing, NULL);
	assert_int_equal(control_open(&c, &e), 0);
	return 0;
}

int peers_teardown(void **state)
{
	(void)state;
	control_close(c, s);
	c = NULL;
	session_dispose(s);
	free(s);
	assert_int_equal(access(CONTROL_SOCKET, F_OK), -1);
	return 0;
}

void start_pod(void)
{
	(void)frame_put_hello(&guest);
	(void)frame_put_app(&guest, 0, WIRE_APP_STARTED, 7, "");
	guest_said();
	turn();
}

struct peer *peer_new(void)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = CONTROL_SOCKET };
	struct peer *p = xcalloc(1, sizeof(*p));

	p->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_true(p->fd >= 0);
	assert_int_equal(connect(p->fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	(void)frame_put_hello(&p->wr);
	return p;
}

void peer_free(struct peer *p)
{
	if (p->fd >= 0)
		(void)close(p->fd);
	free(p);
}

void peer_send(struct peer *p)
{
	size_t len;
	const uint8_t *data = frame_queued(&p->wr, &len);

	assert_int_equal(send(p->fd, data, len, MSG_NOSIGNAL), len);
	frame_sent(&p->wr, len);
}

int peer_hears(struct peer *p, enum wire_type type, struct frame *f)
{
	struct err e = ERR_INIT;

	turn();
	for (;;) {
		uint8_t *space;
		size_t room;
		ssize_t n;

		while (frame_pop(&p->rd, f, &e) == FRAME_READY)
			if (f->type == type)
				return 1;
		space = frame_space(&p->rd, &room);
		n = recv(p->fd, space, room, 0);
		if (n <= 0)
			return n < 0 && errno == EAGAIN ? 0 : -1;
		frame_added(&p->rd, (size_t)n);
	}
}

int enter_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

int leave_dir(void **state)
{
	(void)state;
	return chdir("/") < 0 || rmdir(dir) < 0 ? -1 : 0;
}
