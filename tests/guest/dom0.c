/* See dom0.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "stage1/common/exec_request.h"
#include "stage1/common/util.h"
#include "stage1/plan/plan.h"
#include "tests/guest/dom0.h"

enum { PATIENCE_S = 30 };

struct guest_nic *dom0_nics;
size_t dom0_nnics;

static void put_json(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		if (*s == '\n')
			fputs("\\n", out);
		else
			fputc(*s, out);
	}
	fputc('"', out);
}

static void put_list(FILE *out, const char *const *list)
{
	fputc('[', out);
	for (size_t k = 0; k < 4 && list[k]; k++) {
		fputs(k ? "," : "", out);
		put_json(out, list[k]);
	}
	fputc(']', out);
}

static void put_handlers(FILE *out, const struct app_spec *a)
{
	const char *comma = "";

	fputs(",\"eventHandlers\":[", out);
	if (a->pre_start[0]) {
		fputs("{\"name\":\"pre-start\",\"exec\":", out);
		put_list(out, a->pre_start);
		fputs("}", out);
		comma = ",";
	}
	if (a->post_stop[0]) {
		fprintf(out, "%s{\"name\":\"post-stop\",\"exec\":", comma);
		put_list(out, a->post_stop);
		fputs("}", out);
	}
	fputs("]", out);
}

static void put_notes(FILE *out, const char *mode)
{
	static const char *const names[] = { "stdin", "stdout", "stderr" };

	fputs(",\"annotations\":[", out);
	for (size_t i = 0; mode && i < COUNT(names); i++)
		fprintf(out, "%s{\"name\":\"coreos.com/rkt/stage2/%s\",\"value\":\"%s\"}", i ? "," : "", names[i],
			mode);
	fputs("]", out);
}

static char *manifest(const struct app_spec *apps, size_t napps, size_t *len_r)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len_r);

	fputs("{\"acVersion\":\"1.30.0\",\"acKind\":\"PodManifest\",\"apps\":[", out);
	for (size_t i = 0; i < napps; i++) {
		const struct app_spec *a = &apps[i];

		fprintf(out, "%s{\"name\":\"%s\",\"image\":{\"name\":\"x/y\",\"id\":\"sha512-00\"},\"app\":{"
			"\"user\":\"%s\",\"group\":\"%s\",\"workingDirectory\":\"%s\",\"exec\":", i ? "," : "",
			a->name, a->user ? a->user : "0", a->group ? a->group : "0", a->cwd ? a->cwd : "/");
		put_list(out, a->exec);
		put_handlers(out, a);
		fprintf(out, ",\"isolators\":[%s]}", a->isolators ? a->isolators : "");
		put_notes(out, a->streams);
		fputs("}", out);
	}
	fputs("]}", out);
	(void)fclose(out);
	return text;
}

/* As the planner makes it of a manifest: what it fills in is part of what is tested. */
static void plan(const struct app_spec *apps, size_t napps, bool interactive, uint8_t **data_r,
	size_t *len_r)
{
	char *argv[] = { (char *)"init", (char *)"--net=none", (char *)"--hostname=guest-test",
		(char *)(interactive ? "--interactive=true" : "--interactive=false"),
		(char *)"6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01", NULL };
	static const struct host_facts facts = { .free_kib = 1 << 20, .cpus = 1 };
	struct guest_plan guest = GUEST_PLAN_INIT;
	struct guest_listen listens[DOM0_APPS];
	struct pod pod = POD_INIT;
	struct err e = ERR_INIT;
	struct run_opts opts;
	size_t len;
	char *text = manifest(apps, napps, &len);

	if (cli_run(5, argv, &opts, &e) < 0 || pod_parse(text, len, &pod, &e) < 0)
		fail_msg("%s", e.msg);
	for (size_t i = 0; i < napps; i++) { /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): parsed */
		pod.apps[i].docker_group = apps[i].docker_group;
		pod.apps[i].says_ready = apps[i].says_ready;
	}
	plan_guest(&(struct plan_input){ .opts = &opts, .pod = &pod, .facts = &facts, .s1root = "/s1",
			.nics = dom0_nics, .nnics = dom0_nnics },
		&guest);
	for (size_t i = 0; i < napps; i++) {
		guest.apps[i].mounts.list = apps[i].mounts;
		guest.apps[i].mounts.n = apps[i].nmounts;
		guest.apps[i].mounts.read_only_root = apps[i].read_only_root;
		guest.apps[i].mounts.sysfs = !apps[i].no_sysfs;
	}
	guest.stays = napps == 0;
	guest.listens = listens;
	for (size_t i = 0; i < napps; i++)
		if (apps[i].listens)
			listens[guest.nlistens++] = (struct guest_listen){ (uint32_t)i, apps[i].listens };
	if (guest_plan_encode(&guest, data_r, len_r, &e) < 0)
		fail_msg("%s", e.msg);
	guest_plan_dispose(&guest);
	pod_dispose(&pod);
	free(text);
}

void dom0_hang_up(struct dom0 *d)
{
	if (d->vm.fd >= 0)
		(void)close(d->vm.fd);
	d->vm.fd = -1;
	d->gone = d->hung_up = true;
}

static void count_frame(struct dom0 *d)
{
	if (d->hang_up_after > 0 && d->said + d->frames >= d->hang_up_after)
		dom0_hang_up(d);
}

static void transmit(struct dom0 *d)
{
	size_t len;
	const uint8_t *data = frame_queued(&d->wr, &len);
	ssize_t n;

	if (len == 0 || d->gone)
		return;
	n = send(d->vm.fd, data, len, MSG_NOSIGNAL);
	if (n > 0)
		frame_sent(&d->wr, (size_t)n);
	else if (n < 0 && errno != EAGAIN)
		d->gone = true;
}

void dom0_say(struct dom0 *d, enum wire_type type, unsigned app, unsigned stream, const void *data,
	size_t len)
{
	if (d->gone)
		return;
	if (!frame_put(&d->wr, type, app, stream, data, len))
		fail_msg("no room for a frame of type %d", type);
	transmit(d);
	d->said++;
	count_frame(d);
}

static void say_u32(struct dom0 *d, enum wire_type type, unsigned app, unsigned stream, uint32_t value)
{
	uint8_t payload[4];

	wire_put_u32(payload, value);
	dom0_say(d, type, app, stream, payload, sizeof(payload));
}

void dom0_stop(struct dom0 *d, uint32_t grace_ms)
{
	say_u32(d, WIRE_STOP, 0, 0, grace_ms);
}

static void say_request(struct dom0 *d, unsigned id, const struct exec_request *req)
{
	struct err e = ERR_INIT;
	uint8_t *data;
	size_t len;

	if (exec_request_encode(req, &data, &len, &e) < 0)
		fail_msg("%s", e.msg);
	dom0_say(d, WIRE_EXEC, id, 0, data, 7); /* in parts */
	dom0_say(d, WIRE_EXEC, id, 0, data + 7, len - 7);
	dom0_say(d, WIRE_START, id, 0, NULL, 0);
	free(data);
}

void dom0_connect(struct dom0 *d, unsigned id, uint16_t port)
{
	say_request(d, id, &(struct exec_request){
		.io.kind = { GUEST_IO_PIPE, GUEST_IO_PIPE, GUEST_IO_NULL }, .port = port });
}

void dom0_exec(struct dom0 *d, unsigned id, enum guest_io_kind kind, const char *const *argv)
{
	char *env[] = { (char *)"TERM=dumb", (char *)"HOME=/tmp" }, *args[4];
	struct exec_request req = { .io = { { kind, kind, kind }, 10, 20 }, .argv = args, .env = env, .nenv = 2 };

	for (; req.argc < COUNT(args) && argv[req.argc]; req.argc++)
		args[req.argc] = (char *)argv[req.argc];
	say_request(d, id, &req);
}

void dom0_start(struct dom0 *d, const struct app_spec *apps, size_t napps, bool interactive)
{
	uint8_t hello[8], *data;
	size_t len;

	plan(apps, napps, interactive, &data, &len);
	d->napps = napps;
	for (size_t i = 0; i < napps; i++)
		d->apps[i].stdin_credit = WIRE_WINDOW;
	vm_start(&d->vm);
	wire_put_u32(hello, WIRE_MAGIC);
	wire_put_u32(hello + 4, WIRE_VERSION);
	dom0_say(d, WIRE_HELLO, 0, 0, hello, sizeof(hello));
	for (size_t at = 0; at < len; at += WIRE_PAYLOAD_MAX)
		dom0_say(d, WIRE_PLAN, 0, 0, data + at, len - at < WIRE_PAYLOAD_MAX ? len - at : WIRE_PAYLOAD_MAX);
	dom0_say(d, WIRE_READY, 0, 0, NULL, 0);
	free(data);
}

void dom0_start_empty(struct dom0 *d)
{
	dom0_start(d, NULL, 0, false);
	d->napps = DOM0_APPS;
}

void dom0_add(struct dom0 *d, unsigned id, const struct app_spec *app)
{
	uint8_t *data;
	size_t len;

	for (int k = 0; k < WIRE_STREAMS; k++)
		free(d->apps[id].out[k]);
	d->apps[id] = (struct dom0_app){ .stdin_credit = WIRE_WINDOW };
	plan(app, 1, false, &data, &len);
	dom0_say(d, WIRE_ADD, id, 0, data, 9); /* in parts */
	dom0_say(d, WIRE_ADD, id, 0, data + 9, len - 9);
	dom0_say(d, WIRE_START, id, 0, NULL, 0);
	free(data);
}

void dom0_stop_app(struct dom0 *d, unsigned id, uint32_t grace_ms)
{
	say_u32(d, WIRE_STOP_APP, id, 0, grace_ms);
}

void dom0_remove(struct dom0 *d, unsigned id, bool files)
{
	say_u32(d, WIRE_REMOVE, id, 0, files);
}

static void take_data(struct dom0 *d, struct dom0_app *app, const struct frame *f)
{
	if (!app->out[f->stream])
		app->out[f->stream] = xcalloc(DOM0_OUT_MAX + 1, 1);
	assert_false(app->eof[f->stream]);
	assert_in_range(f->len, 1, DOM0_OUT_MAX - app->len[f->stream]);
	memcpy(app->out[f->stream] + app->len[f->stream], f->data, f->len);
	app->len[f->stream] += f->len;
	if (!d->stingy)
		say_u32(d, WIRE_CREDIT, f->app, f->stream, f->len);
}

static void take_app(struct dom0_app *app, const struct frame *f)
{
	uint32_t how = wire_u32(f->data);

	if (how == WIRE_APP_GONE) {
		assert_true(app->over && !app->gone);
		app->gone = true;
		return;
	}
	assert_false(app->over);
	if (how == WIRE_APP_HANDLER) {
		assert_in_range(++app->handlers, 1, 2);
		return;
	}
	if (how == WIRE_APP_STARTED) {
		assert_false(app->started);
		app->started = true;
		return;
	}
	if (how == WIRE_APP_READY) {
		assert_true(app->started && !app->ready);
		assert_int_equal(f->len, 8);
		app->ready = true;
		return;
	}
	app->over = true;
	app->how = (enum wire_app_state)how;
	app->value = wire_u32(f->data + 4);
	memcpy(app->text, f->data + 8, f->len - 8);
}

static void take(struct dom0 *d, const struct frame *f)
{
	/* cppcheck-suppress arrayIndexOutOfBoundsCond */
	struct dom0_app *app = f->app < WIRE_EXEC_FIRST ? &d->apps[f->app] : &d->entered[f->app - WIRE_EXEC_FIRST];
	size_t len = strlen(d->log);
	struct err e = ERR_INIT;

	assert_false(d->ended);
	if (!d->greeted) {
		assert_int_equal(frame_check_hello(f, &e), 0);
		d->greeted = true;
		return;
	}
	switch (f->type) {
	case WIRE_LOG:
		(void)snprintf(d->log + len, sizeof(d->log) - len, "%.*s\n", (int)f->len, (const char *)f->data);
		return;
	case WIRE_END:
		d->ended = true;
		return;
	case WIRE_DATA:
	case WIRE_EOF:
	case WIRE_CREDIT:
	case WIRE_APP:
		break;
	default:
		return; /* later versions may say more */
	}
	if (f->app < WIRE_EXEC_FIRST) {
		assert_in_range(f->app, 0, d->napps - 1);
		assert_false(app->gone); /* that is the last word about it */
	} else {
		assert_in_range(f->app, WIRE_EXEC_FIRST, WIRE_EXEC_FIRST + DOM0_ENTERED - 1);
		assert_false(app->over); /* the end is the last word about it */
	}
	if (f->type == WIRE_DATA)
		take_data(d, app, f);
	else if (f->type == WIRE_EOF)
		app->eof[f->stream] = true;
	else if (f->type == WIRE_CREDIT)
		app->stdin_credit += wire_u32(f->data);
	else
		take_app(app, f);
}

static void receive(struct dom0 *d)
{
	struct err e = ERR_INIT;
	enum frame_status st = FRAME_NEED_MORE;
	struct frame f;
	size_t room;
	uint8_t *space = frame_space(&d->rd, &room);
	ssize_t n = d->gone ? 0 : recv(d->vm.fd, space, room, 0);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		d->gone = true;
	if (n > 0)
		frame_added(&d->rd, (size_t)n);
	while (!d->gone && (st = frame_pop(&d->rd, &f, &e)) == FRAME_READY) {
		take(d, &f);
		d->frames++;
		count_frame(d);
	}
	if (st == FRAME_BAD)
		fail_msg("the guest broke the protocol: %s", e.msg);
}

/* False when nothing happened for so long. */
static bool turn(struct dom0 *d, int ms)
{
	size_t len;
	struct pollfd fd = { .fd = d->vm.fd, .events = POLLIN };

	(void)frame_queued(&d->wr, &len);
	if (len > 0)
		fd.events |= POLLOUT;
	if (poll(&fd, 1, ms) <= 0)
		return false;
	transmit(d);
	receive(d);
	return true;
}

void dom0_until(struct dom0 *d, bool (*done)(const struct dom0 *d))
{
	time_t end = time(NULL) + PATIENCE_S;

	while (!d->hung_up && !done(d)) {
		if (d->gone)
			fail_msg("the guest is gone; it said: %s", d->log);
		if (time(NULL) > end || !turn(d, PATIENCE_S * 1000))
			fail_msg("nothing for a long time; it said: %s; app 0 wrote: %s", d->log,
				d->apps[0].out[WIRE_STDOUT] ? d->apps[0].out[WIRE_STDOUT] : "");
	}
}

void dom0_until_quiet(struct dom0 *d, int ms)
{
	while (!d->gone && turn(d, ms))
		;
}

bool dom0_ended(const struct dom0 *d)
{
	return d->ended;
}

bool dom0_all_started(const struct dom0 *d)
{
	for (size_t i = 0; i < d->napps; i++)
		if (!d->apps[i].started && !d->apps[i].over)
			return false;
	return true;
}

void dom0_expect_clean_end(struct dom0 *d)
{
	assert_int_equal(vm_wait(&d->vm), 0);
	assert_true(vm_report->returned);
	assert_int_equal(vm_report->leaked_fds, 0);
	if (vm_report->left != 0)
		fail_msg("%d processes are left", vm_report->left);
}

void dom0_to_end(struct dom0 *d)
{
	dom0_until(d, dom0_ended);
	dom0_say(d, WIRE_BYE, 0, 0, NULL, 0);
	dom0_expect_clean_end(d);
	assert_int_equal(vm_report->unmount_errno, 0);
}

void dom0_dispose(struct dom0 *d)
{
	vm_kill(&d->vm);
	for (size_t i = 0; i < DOM0_APPS; i++)
		for (int k = 0; k < WIRE_STREAMS; k++)
			free(d->apps[i].out[k]);
	for (size_t i = 0; i < DOM0_ENTERED; i++)
		for (int k = 0; k < WIRE_STREAMS; k++)
			free(d->entered[i].out[k]);
}
