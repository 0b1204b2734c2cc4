/* Encoding and decoding of frames. See wire.h. Pure, no allocation: it also runs in the guest's PID 1. */
#include "stage1/common/wire.h"

#include <string.h>

#include "stage1/common/util.h"

uint32_t wire_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void wire_put_u32(uint8_t *p, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

uint8_t *frame_space(struct frame_reader *rd, size_t *room_r)
{
	if (rd->start > 0) {
		memmove(rd->buf, rd->buf + rd->start, rd->end - rd->start);
		rd->end -= rd->start;
		rd->start = 0;
	}
	*room_r = sizeof(rd->buf) - rd->end;
	return rd->buf + rd->end;
}

void frame_added(struct frame_reader *rd, size_t n)
{
	rd->end += n;
}

/* What each type's payload may measure, and whether its head names a stream. */
static const struct type_rule {
	uint32_t min, max;
	bool streamed;
} type_rules[] = {
	[WIRE_HELLO] = { 8, 8, false },
	[WIRE_PLAN] = { 1, WIRE_PAYLOAD_MAX, false },
	[WIRE_READY] = { 0, 0, false },
	[WIRE_DATA] = { 1, WIRE_PAYLOAD_MAX, true },
	[WIRE_EOF] = { 0, 0, true },
	[WIRE_CREDIT] = { 4, 4, true },
	[WIRE_APP] = { 8, 8 + WIRE_TEXT_MAX, false },
	[WIRE_LOG] = { 1, WIRE_TEXT_MAX, false },
	[WIRE_STOP] = { 4, 4, false },
	[WIRE_END] = { 0, 0, false },
	[WIRE_BYE] = { 0, 0, false },
	[WIRE_EXEC] = { 1, WIRE_PAYLOAD_MAX, false },
	[WIRE_START] = { 0, 0, false },
	[WIRE_KILL] = { 4, 4, false },
	[WIRE_WINSIZE] = { 8, 8, false },
	[WIRE_ADD] = { 1, WIRE_PAYLOAD_MAX, false },
	[WIRE_STOP_APP] = { 4, 4, false },
	[WIRE_REMOVE] = { 4, 4, false },
};

enum frame_status frame_pop(struct frame_reader *rd, struct frame *frame_r, struct err *e)
{
	const uint8_t *head = rd->buf + rd->start;
	size_t have = rd->end - rd->start;
	uint32_t len;
	unsigned type, stream;

	if (have < WIRE_HEAD)
		return FRAME_NEED_MORE;
	len = wire_u32(head);
	type = head[4];
	stream = head[5];
	if (type < WIRE_HELLO || type >= COUNT(type_rules)) {
		(void)err_set(e, ERR_INPUT, "frame of unknown type %u", type);
		return FRAME_BAD;
	}
	if (len < type_rules[type].min || len > type_rules[type].max) {
		(void)err_set(e, ERR_INPUT, "frame of type %u with %u bytes", type, len);
		return FRAME_BAD;
	}
	if (stream >= (type_rules[type].streamed ? (unsigned)WIRE_STREAMS : 1u)) {
		(void)err_set(e, ERR_INPUT, "frame of type %u for stream %u", type, stream);
		return FRAME_BAD;
	}
	if (have < WIRE_HEAD + (size_t)len)
		return FRAME_NEED_MORE;
	frame_r->type = (enum wire_type)type;
	frame_r->stream = stream;
	frame_r->app = head[6] | (unsigned)head[7] << 8;
	frame_r->data = head + WIRE_HEAD;
	frame_r->len = len;
	rd->start += WIRE_HEAD + len;
	return FRAME_READY;
}

int frame_check_hello(const struct frame *f, struct err *e)
{
	if (f->type != WIRE_HELLO || wire_u32(f->data) != WIRE_MAGIC)
		return err_set(e, ERR_INPUT, "the first frame is not a HELLO");
	if (wire_u32(f->data + 4) != WIRE_VERSION)
		return err_set(e, ERR_INPUT, "protocol version %u, this side speaks %u",
			wire_u32(f->data + 4), (unsigned)WIRE_VERSION);
	return 0;
}

static size_t free_bytes(const struct frame_writer *wr)
{
	return sizeof(wr->buf) - (wr->end - wr->start);
}

size_t frame_room(const struct frame_writer *wr)
{
	size_t room = free_bytes(wr);

	if (room <= WIRE_HEAD)
		return 0;
	room -= WIRE_HEAD;
	return room < WIRE_PAYLOAD_MAX ? room : WIRE_PAYLOAD_MAX;
}

bool frame_put(struct frame_writer *wr, enum wire_type type, unsigned app, unsigned stream,
	const void *data, size_t len)
{
	uint8_t *p;

	if (len > WIRE_PAYLOAD_MAX || free_bytes(wr) < WIRE_HEAD + len)
		return false;
	if (sizeof(wr->buf) - wr->end < WIRE_HEAD + len) {
		memmove(wr->buf, wr->buf + wr->start, wr->end - wr->start);
		wr->end -= wr->start;
		wr->start = 0;
	}
	p = wr->buf + wr->end;
	wire_put_u32(p, (uint32_t)len);
	p[4] = (uint8_t)type;
	p[5] = (uint8_t)stream;
	p[6] = (uint8_t)app;
	p[7] = (uint8_t)(app >> 8);
	if (len > 0)
		memcpy(p + WIRE_HEAD, data, len);
	wr->end += WIRE_HEAD + len;
	return true;
}

bool frame_put_u32(struct frame_writer *wr, enum wire_type type, unsigned app, unsigned stream,
	uint32_t value)
{
	uint8_t payload[4];

	wire_put_u32(payload, value);
	return frame_put(wr, type, app, stream, payload, sizeof(payload));
}

bool frame_put_app(struct frame_writer *wr, unsigned app, enum wire_app_state state, uint32_t value,
	const char *text)
{
	uint8_t payload[8 + WIRE_TEXT_MAX];
	size_t len = strnlen(text, WIRE_TEXT_MAX);

	wire_put_u32(payload, state);
	wire_put_u32(payload + 4, value);
	memcpy(payload + 8, text, len);
	return frame_put(wr, WIRE_APP, app, 0, payload, 8 + len);
}

bool frame_put_hello(struct frame_writer *wr)
{
	uint8_t payload[8];

	wire_put_u32(payload, WIRE_MAGIC);
	wire_put_u32(payload + 4, WIRE_VERSION);
	return frame_put(wr, WIRE_HELLO, 0, 0, payload, sizeof(payload));
}

const uint8_t *frame_queued(const struct frame_writer *wr, size_t *len_r)
{
	*len_r = wr->end - wr->start;
	return wr->buf + wr->start;
}

void frame_sent(struct frame_writer *wr, size_t n)
{
	wr->start += n;
	if (wr->start == wr->end)
		wr->start = wr->end = 0;
}
