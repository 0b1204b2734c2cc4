/*
 * A guest that means harm: PID 1 that opens the control channel and then does what its name in
 * /mode says. The supervisor must end this pod, and only it, with a clear line.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xenstore.h>

#include "init/mounts.h"
#include "init/server.h"
#include "stage1/common/util.h"
#include "stage1/common/wire.h"

static struct transport io;
static struct frame_writer wr;

/* Waits for room in the ring: dom0 may be slow, but not for ever. */
static void send_bytes(const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = io.write(io.ctx, p, len);

		if (n < 0)
			return;
		if (n == 0)
			io.ack(io.ctx);
		p += n;
		len -= (size_t)n;
	}
}

static void send_queued(void)
{
	size_t len;
	const uint8_t *data = frame_queued(&wr, &len);

	send_bytes(data, len);
	frame_sent(&wr, len);
}

static void hello(void)
{
	(void)frame_put_hello(&wr);
	send_queued();
}

static void garbage(void)
{
	char noise[4096];

	memset(noise, 0xa5, sizeof(noise));
	send_bytes(noise, sizeof(noise));
}

static void huge(void)
{
	static const uint8_t head[WIRE_HEAD] = { 0xff, 0xff, 0xff, 0x7f, WIRE_LOG };

	hello();
	send_bytes(head, sizeof(head));
}

/* More output than there is credit for. */
static void flood(void)
{
	static char data[WIRE_PAYLOAD_MAX];

	hello();
	for (int i = 0; i < 1000; i++) {
		(void)frame_put(&wr, WIRE_DATA, 0, WIRE_STDOUT, data, sizeof(data));
		send_queued();
	}
}

/* Messages without end, with escape sequences; then a claim that all went well. */
static void chatter(void)
{
	hello();
	for (int i = 0; i < 20000; i++) {
		(void)frame_put(&wr, WIRE_LOG, 0, 0, "\033[2J\033]0;owned\007", 14);
		send_queued();
	}
	(void)frame_put(&wr, WIRE_END, 0, 0, NULL, 0);
	send_queued();
}

static void half(void)
{
	static const uint8_t head[WIRE_HEAD + 2] = { 100, 0, 0, 0, WIRE_LOG };

	hello();
	send_bytes(head, sizeof(head));
	(void)reboot(RB_POWER_OFF);
}

static void report(const char *what, bool done)
{
	char line[200];
	int len = snprintf(line, sizeof(line), "%s: %s", what, done ? "done" : strerror(errno));

	(void)frame_put(&wr, WIRE_LOG, 0, 0, line, (size_t)len);
	send_queued();
}

static bool can_write(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0666);

	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

/* A guest kernel that honours no read-only mount: the export of the volumes, mounted without any. */
static void trespass(void)
{
	hello();
	if (mkdir("/v", 0755) < 0 || mount("volumes", "/v", "9p", 0, "trans=xen,version=9p2000.L,cache=none") < 0)
		report("mount", false);
	report("create", can_write("/v/0/evil", O_CREAT));
	report("overwrite", can_write("/v/0/file", 0));
	report("truncate", truncate("/v/0/file", 0) == 0);
	report("chmod", chmod("/v/0/file", 0777) == 0);
	report("unlink", unlink("/v/0/file") == 0);
	report("rename", rename("/v/0/file", "/v/0/other") == 0);
	report("mkdir", mkdir("/v/0/dir", 0755) == 0);
	report("submount", can_write("/v/0/inner/evil", O_CREAT));
	report("root", can_write("/v/evil", O_CREAT));
	(void)frame_put(&wr, WIRE_END, 0, 0, NULL, 0);
	send_queued();
}

/* Nonsense about its 9p device in xenstore, all of it the guest's to write; then garbage. */
static void nodes(void)
{
	static const struct {
		const char *path, *value;
	} rows[] = {
		{ "device/9pfs/0/num-rings", "4294967295" }, { "device/9pfs/0/ring-ref0", "-1" },
		{ "device/9pfs/0/state", "3" }, { "device/9pfs/0/state", "99" }, { "device/9pfs/0/state", "" },
		{ "device/9pfs/0/state", "5" }, { "device/9pfs/0/state", "6" }, { "device/9pfs/0/state", "3" },
		{ "device/9pfs/0/backend", "/local/domain/0/name" }, { "device/9pfs/0/backend-id", "1" },
		{ "device/9pfs/7/state", "3" },
	};
	struct xs_handle *xs = xs_open(0);

	hello();
	for (size_t i = 0; xs && i < COUNT(rows); i++)
		(void)xs_write(xs, XBT_NULL, rows[i].path, rows[i].value, (unsigned)strlen(rows[i].value));
	report("nodes", xs && xs_rm(xs, XBT_NULL, "device/9pfs/0/state") && xs_rm(xs, XBT_NULL, "device/9pfs/0/tag"));
	garbage();
}

int main(void)
{
	static const struct {
		const char *name;
		void (*act)(void);
	} modes[] = {
		{ "garbage", garbage }, { "huge", huge }, { "flood", flood }, { "chatter", chatter },
		{ "half", half }, { "trespass", trespass }, { "nodes", nodes },
	};
	AUTO_FREE char *mode = NULL;
	struct err e = ERR_INIT;
	size_t len;

	if (read_file_at(AT_FDCWD, "/mode", 64, &mode, &len, &e) == 0 && mounts_base(&e) == 0 &&
		server_open(&io, &e) == 0)
		for (size_t i = 0; i < COUNT(modes); i++)
			if (!strcmp(modes[i].name, mode))
				modes[i].act();
	for (;;)
		(void)pause();
}
