/* A guest that does what is expected of it: one app that writes two lines and exits with 7. */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stage1/common/guest_plan.h"
#include "stage1/common/util.h"
#include "stage1/common/wire.h"
#include "tests/stub/world.h"

static struct {
	int fd;
	enum step next;
	bool serves, greeted, ready, stop, half;
	uint8_t plan[1 << 16];
	size_t plan_len;
	struct frame_reader rd;
	struct frame_writer wr;
} guest = { .fd = -1 };

void guest_open(int fd)
{
	guest.fd = fd;
}

void guest_close(void)
{
	if (guest.fd >= 0)
		(void)close(guest.fd);
	guest.fd = -1;
}

bool guest_serves(void)
{
	return guest.serves;
}

void guest_garbage(bool half)
{
	static const uint8_t bytes[] = { 100, 0, 0, 0, WIRE_LOG, 0, 0, 0, 'h', 'a', 'l', 'f' };
	static const uint8_t noise[100] = { 255, 255, 255, 255, 255, 255, 255, 255 };

	if (half) {
		(void)!write(guest.fd, bytes, sizeof(bytes));
		guest_close();
	} else {
		(void)!write(guest.fd, noise, sizeof(noise));
	}
}

static void plan_arrived(void)
{
	struct guest_plan plan = GUEST_PLAN_INIT;
	struct err e = ERR_INIT;

	if (guest_plan_decode(guest.plan, guest.plan_len, &plan, &e) < 0)
		world_misuse("the guest cannot read its plan: %s", e.msg);
	else if (world->mutable_pod ? plan.napps != 0 || !plan.stays : plan.stays)
		world_misuse("the guest was given another kind of plan");
	else if (!world->mutable_pod && (plan.napps != 1 || strcmp(plan.apps[0].name, "app") != 0))
		world_misuse("the guest was given another plan");
	guest_plan_dispose(&plan);
	guest.ready = true;
}

static void hear(void)
{
	struct err e = ERR_INIT;
	struct frame f;
	size_t room;
	uint8_t *space = frame_space(&guest.rd, &room);
	ssize_t n = guest.fd >= 0 ? recv(guest.fd, space, room, MSG_DONTWAIT) : 0;

	if (n > 0)
		frame_added(&guest.rd, (size_t)n);
	while (frame_pop(&guest.rd, &f, &e) == FRAME_READY) {
		if (f.type == WIRE_HELLO) {
			guest.greeted = true;
		} else if (f.type == WIRE_PLAN && f.len <= sizeof(guest.plan) - guest.plan_len) {
			memcpy(guest.plan + guest.plan_len, f.data, f.len);
			guest.plan_len += f.len;
		} else if (f.type == WIRE_READY) {
			plan_arrived();
		} else if (f.type == WIRE_STOP) {
			guest.stop = true;
		}
	}
	if (e.kind != ERR_NONE)
		world_misuse("the supervisor broke the protocol: %s", e.msg);
}

static void say_exited(void)
{
	bool killed = guest.stop;

	(void)frame_put_app(&guest.wr, 0, killed ? WIRE_APP_KILLED : WIRE_APP_EXITED,
		killed ? 15 : WORLD_EXIT, "");
	world->said_exited = true;
}

static void say(enum step step)
{
	static const char line[] = "out\n", complaint[] = "oops\n";

	switch (step) {
	case STEP_BOOT:
		if (world->console >= 0)
			(void)!write(world->console, "Linux version\r\n", 15);
		guest.serves = true;
		break;
	case STEP_HELLO:
		(void)frame_put_hello(&guest.wr);
		break;
	case STEP_STARTED:
		(void)frame_put_app(&guest.wr, 0, WIRE_APP_STARTED, 12, "");
		(void)frame_put_app(&guest.wr, 0, WIRE_APP_READY, 0, "");
		break;
	case STEP_STDOUT:
		(void)frame_put(&guest.wr, WIRE_DATA, 0, WIRE_STDOUT, line, strlen(line));
		break;
	case STEP_STDERR:
		(void)frame_put(&guest.wr, WIRE_DATA, 0, WIRE_STDERR, complaint, strlen(complaint));
		break;
	case STEP_EOF:
		(void)frame_put(&guest.wr, WIRE_EOF, 0, WIRE_STDOUT, NULL, 0);
		(void)frame_put(&guest.wr, WIRE_EOF, 0, WIRE_STDERR, NULL, 0);
		break;
	case STEP_EXITED:
		say_exited();
		break;
	case STEP_END:
		(void)frame_put(&guest.wr, WIRE_END, 0, 0, NULL, 0);
		world->said_end = true;
		break;
	case STEPS:
		break;
	}
}

/* What must have been heard before a step. */
static bool may(enum step step)
{
	if (step == STEP_HELLO)
		return guest.fd >= 0;
	if (step == STEP_STARTED)
		return guest.ready;
	return true;
}

/* To its last byte, when it has one (world.cut_at). */
static void transmit(void)
{
	size_t len, left = (size_t)(world->cut_at - world->sent);
	const uint8_t *data = frame_queued(&guest.wr, &len);
	bool last = world->cut_at > 0 && len >= left;

	if (last)
		len = left;
	if (guest.fd < 0 || len == 0 || write(guest.fd, data, len) != (ssize_t)len)
		return;
	frame_sent(&guest.wr, len);
	world->sent += (int)len;
	if (last) {
		guest_close();
		world_crash();
	}
}

void guest_turn(void)
{
	hear();
	if (world->mutable_pod && guest.next == STEP_STARTED && guest.ready)
		guest.next = STEP_END;
	if (guest.stop && guest.next > STEP_HELLO && guest.next < STEP_EXITED && guest.ready)
		guest.next = STEP_EXITED; /* the apps are told to end */
	if (guest.next == STEPS || !may(guest.next) || !world_may_step(guest.next))
		return;
	if (world->mutable_pod && guest.next == STEP_END && !guest.stop && !world->ends_itself)
		return;
	say(guest.next++);
	transmit();
	if (guest.next == STEPS)
		(void)world_may_step(STEPS);
}
