/* The upper border: struct xen_ops, each of which can fail. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "tests/stub/world.h"

struct xen {
	char nothing;
};

/* Every operation begins with it: counted, and refused when it is its turn. */
static int begin(const char *op, struct err *e)
{
	return world_fails(op) ? err_set(e, ERR_HOST, "%s fails", op) : 0;
}

static int fake_open(bool debug, struct xen **xen_r, struct err *e)
{
	(void)debug;
	if (begin("open", e) < 0)
		return -1;
	world->contexts++;
	*xen_r = xcalloc(1, sizeof(**xen_r));
	return 0;
}

static void fake_close(struct xen *xen)
{
	if (!xen)
		return;
	if (world->channels > 0)
		world_misuse("the handle is closed before the channel");
	world->contexts--;
	world->death_watches = 0;
	free(xen);
}

static int fake_facts(struct xen *xen, struct host_facts *facts_r, struct err *e)
{
	(void)xen;
	if (begin("facts", e) < 0)
		return -1;
	*facts_r = (struct host_facts){ .free_kib = 1 << 20, .cpus = 2 };
	return 0;
}

static int fake_find(struct xen *xen, const uint8_t uuid[16], uint32_t *domid_r, struct err *e)
{
	(void)xen;
	if (begin("find", e) < 0)
		return -1;
	if (uuid[0] != 0x67)
		world_misuse("another uuid is looked for");
	*domid_r = world->other_domain ? WORLD_DOMID + 1 : WORLD_DOMID;
	return world->other_domain || world->domains > 0;
}

static int fake_create(struct xen *xen, const struct domain_plan *plan, uint32_t *domid_r,
	struct err *e)
{
	(void)xen;
	if (begin("create", e) < 0)
		return -1; /* leaves nothing, says xen.h */
	if (strcmp(plan->name, "rkt-" WORLD_UUID) != 0)
		world_misuse("a domain '%s' is made", plan->name);
	world_create(true);
	*domid_r = WORLD_DOMID;
	return 0;
}

static int fake_attach(struct xen *xen, const struct domain_plan *plan, uint32_t domid, struct err *e)
{
	(void)xen;
	if (begin("attach", e) < 0)
		return -1;
	if (domid != WORLD_DOMID || plan->nnics != 1 || plan->nics[0].mtu != 1500 || !world->networks)
		world_misuse("domain %u is given %u network devices", domid, plan->nnics);
	world->attaches++;
	return 0;
}

static int fake_watch(struct xen *xen, uint32_t domid, struct err *e)
{
	(void)xen;
	(void)domid;
	if (world->unpaused)
		world_misuse("watched only after it ran");
	if (begin("watch", e) < 0)
		return -1;
	world->death_watches = 1;
	return 0;
}

static int fake_unpause(struct xen *xen, uint32_t domid, struct err *e)
{
	(void)xen;
	(void)domid;
	if (begin("unpause", e) < 0)
		return -1;
	if (!world->death_watches)
		world_misuse("runs unwatched");
	world_unpause();
	return 0;
}

static bool fake_paused(struct xen *xen, uint32_t domid)
{
	(void)xen;
	(void)domid;
	return world->paused;
}

static int fake_resume(struct xen *xen, uint32_t domid, struct err *e)
{
	(void)xen;
	(void)domid;
	(void)e;
	world->paused = false;
	return 0;
}

static int fake_destroy(struct xen *xen, uint32_t domid, struct err *e)
{
	bool fails = begin("destroy", e) < 0;

	(void)xen;
	if (domid != WORLD_DOMID)
		world_misuse("domain %u is destroyed", domid);
	if (fails)
		return -1;
	if (world->destroy_fails)
		return err_set(e, ERR_HOST, "destroy fails");
	world_destroy();
	return 0;
}

static int fake_dump(struct xen *xen, uint32_t domid, const char *path, struct err *e)
{
	(void)xen;
	if (domid != WORLD_DOMID || world->state != DOMAIN_CRASHED || world->domains != 1 || strcmp(path, "core") != 0)
		world_misuse("a core of domain %u at %s", domid, path);
	world->dumps++;
	return begin("dump", e) < 0 || world->dump_fails ? err_set(e, ERR_HOST, "dump fails") : 0;
}

static int fake_backend(struct xen *xen, uint32_t domid, int *pidfd_r, struct err *e)
{
	(void)xen;
	(void)domid;
	if (begin("backend", e) < 0)
		return -1;
	*pidfd_r = (int)syscall(SYS_pidfd_open, world->backend, 0);
	return 0;
}

static bool fake_taken(struct xen *xen, uint32_t domid)
{
	(void)xen;
	(void)domid;
	return world->taken;
}

static int fake_console(struct xen *xen, uint32_t domid, int *fd_r, struct err *e)
{
	(void)xen;
	(void)domid;
	if (begin("console", e) < 0)
		return -1;
	if (world_console() < 0)
		return err_sys(e, "no terminal for the test");
	*fd_r = open(world->console_path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	return 0;
}

static void ack(void *ctx)
{
	(void)ctx;
}

static ssize_t channel_read(void *ctx, void *buf, size_t len)
{
	(void)ctx;
	if (world_fails("channel read"))
		world_channel_breaks();
	return world_channel_read(buf, len);
}

static ssize_t channel_write(void *ctx, const void *buf, size_t len)
{
	(void)ctx;
	if (world_fails("channel write"))
		world_channel_breaks();
	return world_channel_write(buf, len);
}

static int fake_channel(struct xen *xen, uint32_t domid, struct transport *io_r, struct err *e)
{
	int fd;

	(void)xen;
	(void)domid;
	if (begin("channel", e) < 0)
		return -1;
	fd = world_channel_open();
	if (fd < 0)
		return 0;
	*io_r = (struct transport){ .fd = fd, .ack = ack, .read = channel_read, .write = channel_write };
	return 1;
}

static void fake_channel_close(struct xen *xen)
{
	(void)xen;
	world_channel_close();
}

static int fake_poll_prepare(struct xen *xen, struct pollfd *fds, int *timeout_ms, struct err *e)
{
	(void)xen;
	(void)fds;
	if (begin("poll_prepare", e) < 0)
		return -1;
	world_turn(timeout_ms);
	return 0;
}

static int fake_poll_done(struct xen *xen, const struct pollfd *fds, int n, enum domain_state *state_r,
	struct err *e)
{
	(void)xen;
	(void)fds;
	(void)n;
	if (begin("poll_done", e) < 0)
		return -1;
	*state_r = world->state;
	return 0;
}

const struct xen_ops fake_ops = {
	.abi = XEN_OPS_ABI,
	.open = fake_open,
	.close = fake_close,
	.facts = fake_facts,
	.find = fake_find,
	.create = fake_create,
	.attach = fake_attach,
	.watch = fake_watch,
	.unpause = fake_unpause,
	.resume = fake_resume,
	.paused = fake_paused,
	.destroy = fake_destroy,
	.dump = fake_dump,
	.backend = fake_backend,
	.taken = fake_taken,
	.console = fake_console,
	.channel = fake_channel,
	.channel_close = fake_channel_close,
	.poll_prepare = fake_poll_prepare,
	.poll_done = fake_poll_done,
};
