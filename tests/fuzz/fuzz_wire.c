/*
 * A hostile guest against the supervisor's session. The input is steps: a byte says what our side does
 * (writes out, refuses, sends stdin, stops, produces), and how many of the following bytes the guest
 * sends then. Of a pod whose apps come and go the first byte is 0xff. After each step the invariants of stage1/session.h hold.
 */
#include "stage1/common/util.h"
#include "stage1/session.h"
#include "tests/fuzz/fuzz.h"

enum { APPS = 2 };

static uint32_t shown;

static void show(void *arg, const char *line)
{
	(void)arg;
	must_be_harmless(line);
	MUST(*line && strlen(line) <= WIRE_TEXT_MAX);
	shown += (uint32_t)strlen(line);
	MUST(shown <= WIRE_LOG_MAX + WIRE_TEXT_MAX);
}

static void check_out(const struct session_out *out)
{
	MUST(out->start <= out->end && out->end <= sizeof(out->buf));
	MUST(out->end - out->start + out->allowed + out->written == WIRE_WINDOW);
	MUST(!out->refused || out->start == out->end);
}

static void check(const struct session *s)
{
	int status = session_exit_status(s);

	MUST(status >= 0 && status <= 255);
	MUST(s->first_bad >= -1 && s->first_bad < APPS);
	MUST(s->first_bad < 0 || s->stopping);
	MUST(s->rd.start <= s->rd.end && s->rd.end <= sizeof(s->rd.buf));
	MUST(s->wr.start <= s->wr.end && s->wr.end <= sizeof(s->wr.buf));
	for (unsigned i = 0; i < WIRE_EXEC_FIRST + WIRE_EXEC_COUNT; i++) {
		const struct session_app *app = session_find(s, i);

		if (!app)
			continue;
		for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
			check_out(&app->out[k]);
		MUST(app->stdin_credit <= WIRE_WINDOW);
		MUST(session_app_status(app) <= 255);
		if (app->state == SESSION_APP_OVER)
			must_be_harmless(app->text);
		MUST(session_stdin_room(s, i) <= WIRE_PAYLOAD_MAX);
	}
}

static void enter(struct session *s, size_t len)
{
	struct err e = ERR_INIT;
	unsigned id;

	if (session_exec(s, xcalloc(1, len), len, &id, &e) == 0)
		MUST(id >= WIRE_EXEC_FIRST && id < WIRE_EXEC_FIRST + WIRE_EXEC_COUNT);
	else
		MUST(s->stopping || s->ended);
}

/* The next thing that can be done with an app that comes and goes, or its end. */
static void come_and_go(struct session *s, unsigned app, bool end)
{
	struct err e = ERR_INIT;
	unsigned id;

	if (!session_has(s, app)) {
		if (session_add(s, xcalloc(1, 20000), 20000, &id, &e) == 0)
			MUST(session_has(s, id) && !session_runs(s, id));
		else
			MUST(s->stopping || s->ended);
	} else if (!end) {
		session_start(s, app);
	} else if (session_runs(s, app)) {
		session_stop_app(s, app, 5);
	} else {
		session_remove(s, app);
	}
}

static void act(struct session *s, uint8_t what)
{
	static const uint8_t zeros[WIRE_PAYLOAD_MAX];
	struct session_app *entered = session_find(s, WIRE_EXEC_FIRST + (what & 1));
	size_t app = what & 1, room, len;
	struct session_out *out = &s->apps[app].out[what & 2 ? WIRE_STDOUT : WIRE_STDERR];

	if (s->stays && (what >> 2 & 7) == 5) {
		come_and_go(s, (unsigned)app, what & 2);
		return;
	}
	switch (what >> 2 & 7) {
	case 0:
		session_wrote(out, (out->end - out->start) / 2);
		break;
	case 1:
		session_wrote(out, out->end - out->start);
		break;
	case 2:
		if (!out->refused) /* as the supervisor: only when a write failed */
			session_refuse(out);
		break;
	case 3:
		room = session_stdin_room(s, app);
		if (room > 0)
			session_stdin(s, app, zeros, what & 2 ? room : 0);
		break;
	case 4:
		session_stop(s, what);
		break;
	case 7:
		if (!entered)
			enter(s, what & 2 ? 20000 : 1);
		else if (what & 2)
			session_exec_close(s, WIRE_EXEC_FIRST + (what & 1));
		else
			session_wrote(&entered->out[WIRE_STDOUT],
				entered->out[WIRE_STDOUT].end - entered->out[WIRE_STDOUT].start);
		session_resize(s, WIRE_EXEC_FIRST, what, 80);
		session_signal(s, WIRE_EXEC_FIRST, what);
		break;
	default:
		session_produce(s);
		(void)frame_queued(&s->wr, &len);
		frame_sent(&s->wr, what & 2 ? len : len / 2);
		break;
	}
}

/* Every frame we queue is one the other side's reader takes. */
static void must_be_frames(struct session *s)
{
	static struct frame_reader rd;
	struct err e = ERR_INIT;
	struct frame f;
	enum frame_status st;
	size_t len, room;
	const uint8_t *bytes = frame_queued(&s->wr, &len);

	rd.start = rd.end = 0;
	memcpy(frame_space(&rd, &room), bytes, len);
	frame_added(&rd, len);
	while ((st = frame_pop(&rd, &f, &e)) == FRAME_READY)
		;
	MUST(st == FRAME_NEED_MORE && frame_pending(&rd) == 0);
}

static int hear(struct session *s, const uint8_t *data, size_t n, struct err *e)
{
	while (n > 0) {
		size_t room;
		uint8_t *space = frame_space(&s->rd, &room);

		MUST(room > 0);
		room = room < n ? room : n;
		memcpy(space, data, room);
		frame_added(&s->rd, room);
		data += room;
		n -= room;
		if (session_receive(s, e) < 0)
			return -1;
		MUST(e->kind == ERR_NONE);
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t plan[40000];
	struct session *s = xmalloc(sizeof(*s));
	struct err e = ERR_INIT;
	size_t len;
	bool whole = true;

	shown = 0;
	if (size > 0 && *data == 0xff) {
		data++;
		size--;
		session_init(s, plan, sizeof(plan), 0, show, NULL);
		session_let_come_and_go(s);
	} else {
		session_init(s, plan, sizeof(plan), APPS, show, NULL);
	}
	while (size > 0 && e.kind == ERR_NONE) {
		uint8_t step = *data++;
		size_t n;

		size--;
		act(s, step & 31);
		(void)frame_queued(&s->wr, &len);
		whole = whole && ((step >> 2 & 7) < 5 || ((step >> 2 & 7) == 5 && s->stays)); /* until frames are sent in halves */
		if (whole)
			must_be_frames(s);
		n = (size_t)(step >> 5) * 8; /* a head and a little, mostly */
		n = n == 56 ? size : n < size ? n : size;
		if (hear(s, data, n, &e) < 0)
			MUST(e.kind == ERR_INPUT && *e.msg);
		must_be_harmless(e.msg);
		check(s);
		data += n;
		size -= n;
	}
	session_dispose(s);
	free(s);
	return 0;
}
