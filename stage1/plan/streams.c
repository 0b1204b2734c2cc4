/* See streams.h. */
#include "stage1/plan/streams.h"

#include <string.h>

#include "stage1/common/util.h"

static const struct {
	const char *note;
	enum stream_mode absent; /* also for a value nobody knows */
} streams[GUEST_IO_STREAMS] = {
	{ "coreos.com/rkt/stage2/stdin", STREAM_NULL },
	{ "coreos.com/rkt/stage2/stdout", STREAM_LOG },
	{ "coreos.com/rkt/stage2/stderr", STREAM_LOG },
};

static enum stream_mode parse_mode(const char *value, enum stream_mode absent)
{
	static const struct {
		const char *name;
		enum stream_mode mode;
	} names[] = {
		{ "null", STREAM_NULL }, { "log", STREAM_LOG }, { "stream", STREAM_STREAM },
		{ "tty", STREAM_TTY }, { "interactive", STREAM_INTERACTIVE },
	};

	for (size_t i = 0; value && i < COUNT(names); i++)
		if (!strcmp(value, names[i].name))
			return names[i].mode == STREAM_LOG ? absent : names[i].mode;
	return absent;
}

struct stream_modes plan_streams(const struct plan_input *in, const struct pod_app *app)
{
	struct stream_modes modes;

	for (size_t i = 0; i < GUEST_IO_STREAMS; i++)
		modes.mode[i] = in->opts->interactive ? STREAM_INTERACTIVE
						      : parse_mode(pod_note(app->notes, app->nnotes, streams[i].note),
								streams[i].absent);
	return modes;
}

struct guest_io plan_io(const struct plan_input *in, const struct stream_modes *modes)
{
	static const uint32_t kinds[] = {
		[STREAM_NULL] = GUEST_IO_NULL,
		[STREAM_LOG] = GUEST_IO_PIPE,
		[STREAM_STREAM] = GUEST_IO_PIPE,
		[STREAM_TTY] = GUEST_IO_TTY,
	};
	struct guest_io io = { .rows = 0 };

	for (size_t i = 0; i < GUEST_IO_STREAMS; i++)
		io.kind[i] = modes->mode[i] != STREAM_INTERACTIVE ? kinds[modes->mode[i]]
			: in->terminal ? GUEST_IO_TTY : GUEST_IO_PIPE;
	/* A terminal's output is stdout's: without it there is no terminal, but a pipe. */
	for (size_t i = 0; io.kind[1] == GUEST_IO_PIPE && i < GUEST_IO_STREAMS; i++)
		if (io.kind[i] == GUEST_IO_TTY)
			io.kind[i] = GUEST_IO_PIPE;
	if (in->terminal && guest_io_has_tty(&io)) {
		io.rows = in->terminal->rows;
		io.cols = in->terminal->cols;
	}
	return io;
}

uint32_t plan_endpoints(const struct stream_modes *modes, const struct guest_io *io)
{
	static const uint32_t of[] = { ENDPOINT_STDIN, ENDPOINT_STDOUT, ENDPOINT_STDERR };
	uint32_t endpoints = 0;

	for (size_t i = 0; i < GUEST_IO_STREAMS; i++) {
		if (modes->mode[i] != STREAM_STREAM && modes->mode[i] != STREAM_TTY)
			continue;
		if (io->kind[i] == GUEST_IO_PIPE)
			endpoints |= of[i];
		else if (io->kind[i] == GUEST_IO_TTY) /* there is an echo, if nothing else is written to it */
			endpoints |= ENDPOINT_TTY_OUT | (i == 0 ? ENDPOINT_TTY_IN : 0);
	}
	return endpoints;
}

int plan_stdin_app(const struct plan_input *in)
{
	for (size_t i = 0; i < in->pod->napps; i++)
		if (plan_streams(in, &in->pod->apps[i]).mode[0] == STREAM_INTERACTIVE)
			return (int)i;
	return -1;
}
