/* See output.h. */
#include "stage1/output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "stage1/common/util.h"

static size_t outlet_of(const struct output *o, unsigned stream)
{
	return o->shared ? 0 : stream - WIRE_STDOUT;
}

static bool same_file(int a, int b)
{
	struct stat sa, sb;

	return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

void output_open(struct output *o, struct session *s, const struct output_ends *ends)
{
	memset(o, 0, sizeof(*o));
	o->s = s;
	o->apps = xcalloc(s->napps, sizeof(*o->apps));
	o->give = ends->give;
	o->give_arg = ends->give_arg;
	for (size_t i = 0; i < s->napps; i++)
		o->apps[i].log.fd = -1;
	o->shared = same_file(ends->out, ends->err);
	journal_open(&o->journal, ends->journal, ends->pod);
	podjournal_open(&o->podjournal, ends->writer, ends->root, ends->pod);
	sink_open(&o->outlets[0].sink, ends->out);
	sink_open(&o->outlets[1].sink, ends->err);
}

void output_app(struct output *o, size_t app, const char *name)
{
	o->apps[app].name = name;
	applog_open(&o->apps[app].log, name);
}

void output_app_gone(struct output *o, size_t app)
{
	applog_close(&o->apps[app].log);
	o->apps[app] = (struct output_app){ .log.fd = -1 };
}

static uint8_t *room_of(struct outlet *let, size_t *room_r)
{
	if (let->start > 0) {
		memmove(let->buf, let->buf + let->start, let->end - let->start);
		let->end -= let->start;
		let->start = 0;
	}
	*room_r = sizeof(let->buf) - let->end;
	return let->buf + let->end;
}

static size_t take_raw(struct outlet *let, const struct session_out *out)
{
	size_t room, n = out->end - out->start;
	uint8_t *to = room_of(let, &room);

	n = n < room ? n : room;
	memcpy(to, out->buf + out->start, n);
	let->end += n;
	return n;
}

static void record(struct output *o, size_t app, unsigned stream, const uint8_t *text, size_t len)
{
	const struct journal_entry entry = { .app = o->apps[app].name,
		.stream = stream == WIRE_STDOUT ? "stdout" : "stderr", .pid = o->s->apps[app].pid, .text = text, .len = len };
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	applog_line(&o->apps[app].log, &now, entry.stream, text, len);
	journal_send(&o->journal, &entry);
	podjournal_line(&o->podjournal, &now, &entry);
}

/* One line; 0 when there is none, or no room for it. */
static size_t take_line(struct output *o, struct outlet *let, size_t app, unsigned stream, bool last)
{
	const struct session_out *out = &o->s->apps[app].out[stream];
	size_t text, head, room, n = prefix_line(out->buf + out->start, out->end - out->start, last, &text);
	uint8_t *to = room_of(let, &room);
	struct timespec now;

	if (n == 0 || room < PREFIX_HEAD_MAX + text + 1 || !podjournal_has_room(&o->podjournal))
		return 0;
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	head = prefix_head((char *)to, (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000,
		o->apps[app].name, o->s->apps[app].pid);
	memcpy(to + head, out->buf + out->start, text);
	to[head + text] = '\n';
	let->end += head + text + 1;
	record(o, app, stream, to + head, text);
	return n;
}

static bool give(struct output *o, size_t app, unsigned stream)
{
	struct session_out *out = &o->s->apps[app].out[stream];
	size_t n = out->end - out->start;

	n = n ? o->give(o->give_arg, app, stream, out->buf + out->start, n) : 0;
	if (n == 0)
		return false;
	if (o->apps[app].cri)
		crilog_write(o->apps[app].cri, stream, out->buf + out->start, n);
	session_wrote(out, n);
	return true;
}

static bool fill_from(struct output *o, struct outlet *let, size_t app, unsigned stream, bool last)
{
	struct session_out *out = &o->s->apps[app].out[stream];
	bool moved = false;
	size_t n;

	if (o->apps[app].mode[stream] == OUTPUT_GIVEN)
		return give(o, app, stream);
	last = last || out->eof;
	if (let->gone && !out->refused)
		session_refuse(out);
	while (session_waits(out)) {
		n = o->apps[app].mode[stream] == OUTPUT_RAW ? take_raw(let, out)
							    : take_line(o, let, app, stream, last);
		if (n == 0)
			break;
		session_wrote(out, n);
		moved = true;
	}
	return moved;
}

static bool fill(struct output *o, size_t outlet, bool last)
{
	struct outlet *let = &o->outlets[outlet];
	bool moved = false;

	for (size_t i = 0; i < o->s->napps; i++)
		for (unsigned k = WIRE_STDOUT; k < WIRE_STREAMS; k++)
			if (outlet_of(o, k) == outlet && session_has(o->s, (unsigned)((let->first_app + i) % o->s->napps)) &&
				fill_from(o, let, (let->first_app + i) % o->s->napps, k, last))
				moved = true;
	if (o->s->napps > 0)
		let->first_app = (let->first_app + 1) % o->s->napps;
	return moved;
}

static bool empty(struct outlet *let)
{
	bool moved = false;

	while (!let->gone && let->start < let->end) {
		ssize_t n = sink_write(&let->sink, let->buf + let->start, let->end - let->start);

		if (n == 0)
			return moved;
		moved = true;
		if (n > 0)
			let->start += (size_t)n;
		else
			let->gone = true;
	}
	let->start = let->end = 0;
	return moved;
}

bool output_pump(struct output *o, bool last)
{
	bool moved = false;

	for (size_t i = 0; i < OUTLETS; i++) {
		moved = fill(o, i, last) || moved;
		moved = empty(&o->outlets[i]) || moved;
	}
	for (size_t i = 0; i < o->s->napps; i++)
		if (session_has(o->s, (unsigned)i))
			applog_flush(&o->apps[i].log);
	if (last && session_all_written(o->s))
		podjournal_finish(&o->podjournal);
	else
		moved = podjournal_tend(&o->podjournal) || moved;
	return moved;
}

void output_poll(const struct output *o, struct pollfd fds[OUTPUT_POLL])
{
	for (size_t i = 0; i < OUTLETS; i++) {
		const struct outlet *let = &o->outlets[i];

		fds[i] = (struct pollfd){ .fd = let->start < let->end ? let->sink.fd : -1, .events = POLLOUT };
	}
	fds[OUTLETS] = podjournal_poll(&o->podjournal);
}

int64_t output_deadline(const struct output *o)
{
	return podjournal_deadline(&o->podjournal);
}

bool output_done(const struct output *o)
{
	for (size_t i = 0; i < OUTLETS; i++)
		if (o->outlets[i].start < o->outlets[i].end)
			return false;
	return session_all_written(o->s);
}

void output_close(struct output *o)
{
	for (size_t i = 0; i < OUTLETS; i++)
		sink_close(&o->outlets[i].sink);
	for (size_t i = 0; o->apps && i < o->s->napps; i++)
		applog_close(&o->apps[i].log);
	journal_close(&o->journal);
	podjournal_close(&o->podjournal);
}

void output_dispose(struct output *o)
{
	free(o->apps);
	o->apps = NULL;
}
