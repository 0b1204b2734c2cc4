/*
 * The lower border: what stage1/xen calls of libxl, xenstore and libxenvchan and what would ask the
 * hypervisor or a daemon. The program's own functions take the place of the libraries'; those that
 * only handle data (libxl_..._init, _dispose, bitmaps) are the real ones.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <xen/io/xenbus.h>

#include "stage1/common/util.h"
#include "stage1/common/wire.h"
#include "stage1/xen/internal.h"
#include "tests/stub/world.h"

static xentoollog_logger *logger;
static char context, store, death; /* their addresses are the handles */
static int store_fd = -1, news;
static libxl_event death_event;
static struct libxenvchan vchan;
static int vchan_fd;
static pid_t told_pid;

static bool fails(const char *call, libxl_ctx *ctx)
{
	if (ctx && (void *)ctx != (void *)&context)
		world_misuse("%s with a strange context", call);
	if (ctx && world->contexts == 0)
		world_misuse("%s after libxl_ctx_free", call);
	if (!world_fails(call))
		return false;
	if (logger && str_has_prefix(call, "libxl_"))
		xtl_log(logger, XTL_ERROR, -1, "libxl", "libxl_fake.c:7:%s: Domain 5:%s fails", call, call);
	errno = EIO;
	return true;
}

int libxl_ctx_alloc(libxl_ctx **ctx_r, int version, unsigned flags, xentoollog_logger *lg)
{
	(void)version;
	(void)flags;
	logger = lg;
	if (fails("libxl_ctx_alloc", NULL))
		return ERROR_FAIL;
	world->contexts++;
	*ctx_r = (libxl_ctx *)(void *)&context;
	return 0;
}

int libxl_ctx_free(libxl_ctx *ctx)
{
	if (!ctx)
		return 0;
	if (world->death_watches || world->channels)
		world_misuse("libxl_ctx_free before what hangs on it");
	world->contexts--;
	return 0;
}

void libxl_childproc_setmode(libxl_ctx *ctx, const libxl_childproc_hooks *hooks, void *user)
{
	(void)ctx;
	(void)hooks;
	(void)user;
}

void libxl_event_register_callbacks(libxl_ctx *ctx, const libxl_event_hooks *hooks, void *user)
{
	(void)ctx;
	(void)hooks;
	(void)user;
}

int libxl_get_physinfo(libxl_ctx *ctx, libxl_physinfo *info)
{
	(void)info;
	return fails("libxl_get_physinfo", ctx) ? ERROR_FAIL : 0;
}

int libxl_get_free_memory(libxl_ctx *ctx, uint64_t *memkb)
{
	if (fails("libxl_get_free_memory", ctx))
		return ERROR_FAIL;
	*memkb = 1 << 20;
	return 0;
}

int libxl_get_online_cpus(libxl_ctx *ctx)
{
	return fails("libxl_get_online_cpus", ctx) ? ERROR_FAIL : 2;
}

libxl_cpupoolinfo *libxl_list_cpupool(libxl_ctx *ctx, int *n_r)
{
	libxl_cpupoolinfo *list;

	if (fails("libxl_list_cpupool", ctx))
		return NULL;
	list = xcalloc(1, sizeof(*list));
	libxl_cpupoolinfo_init(list);
	list->pool_name = xstrdup("Pool-0");
	(void)libxl_cpu_bitmap_alloc(ctx, &list->cpumap, 8);
	libxl_bitmap_set(&list->cpumap, 0);
	libxl_bitmap_set(&list->cpumap, 1);
	*n_r = 1;
	return list;
}

libxl_dominfo *libxl_list_domain(libxl_ctx *ctx, int *n_r)
{
	static const uint8_t uuid[16] = { 0x67, 0x33, 0xc0, 0xb5, 0x5f, 0x2c, 0x4a, 0x4b, 0x8a, 0x4c, 0x2f,
		0x3f, 0x4b, 0x1f, 0x9c, 0x01 };
	libxl_dominfo *list;

	if (fails("libxl_list_domain", ctx))
		return NULL;
	list = xcalloc(2, sizeof(*list));
	for (int i = 0; i < 2; i++)
		libxl_dominfo_init(&list[i]);
	list[1].domid = world->other_domain ? WORLD_DOMID + 1 : WORLD_DOMID;
	if (world->other_domain || world->domains > 0)
		memcpy(list[1].uuid.uuid, uuid, sizeof(uuid));
	*n_r = 2;
	return list;
}

int libxl_cpu_bitmap_alloc(libxl_ctx *ctx, libxl_bitmap *map, int max_cpus)
{
	(void)ctx;
	map->size = (uint32_t)(max_cpus + 7) / 8;
	map->map = xcalloc(map->size, 1);
	return 0;
}

int libxl_domain_create_new(libxl_ctx *ctx, libxl_domain_config *cfg, uint32_t *domid,
	const libxl_asyncop_how *how, const libxl_asyncprogress_how *progress)
{
	(void)how;
	(void)progress;
	if (strcmp(cfg->c_info.name, "rkt-" WORLD_UUID) != 0)
		world_misuse("a domain '%s' is made", cfg->c_info.name);
	if (cfg->num_nics)
		world_misuse("the domain is made with a network device");
	if (fails("libxl_domain_create_new", ctx)) {
		if (world->half_domain) {
			world_create(false);
			*domid = WORLD_DOMID;
		}
		return ERROR_FAIL;
	}
	world_create(false);
	*domid = WORLD_DOMID;
	return 0;
}

int libxl_name_to_domid(libxl_ctx *ctx, const char *name, uint32_t *domid)
{
	(void)ctx;
	(void)name;
	(void)domid;
	return ERROR_FAIL;
}

int libxl_device_nic_add(libxl_ctx *ctx, uint32_t domid, libxl_device_nic *nic, const libxl_asyncop_how *how)
{
	(void)how;
	if (domid != WORLD_DOMID || nic->devid != 0 || nic->mtu != 1500 || !world->networks)
		world_misuse("domain %u is given network device %d", domid, nic->devid);
	if (fails("libxl_device_nic_add", ctx))
		return ERROR_FAIL;
	world->attaches++;
	return 0;
}

int libxl_domain_unpause(libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *how)
{
	(void)how;
	if (domid != WORLD_DOMID || !world->death_watches)
		world_misuse("domain %u runs unwatched", domid);
	if (fails("libxl_domain_unpause", ctx))
		return ERROR_FAIL;
	if (world->paused)
		world->paused = false;
	else
		world_unpause();
	return 0;
}

int libxl_domain_destroy(libxl_ctx *ctx, uint32_t domid, const libxl_asyncop_how *how)
{
	(void)how;
	if (domid != WORLD_DOMID)
		world_misuse("domain %u is destroyed", domid);
	if (fails("libxl_domain_destroy", ctx))
		return ERROR_FAIL;
	if (world->destroy_fails) {
		xtl_log(logger, XTL_ERROR, -1, "libxl", "libxl_fake.c:8:x: destroy fails");
		return ERROR_FAIL;
	}
	world_destroy();
	return 0;
}

int libxl_domain_core_dump(libxl_ctx *ctx, uint32_t domid, const char *filename, const libxl_asyncop_how *how)
{
	(void)how;
	if (domid != WORLD_DOMID || world->state != DOMAIN_CRASHED || world->domains != 1 || strcmp(filename, "core") != 0)
		world_misuse("a core of domain %u at %s", domid, filename);
	world->dumps++;
	if (fails("libxl_domain_core_dump", ctx))
		return ERROR_FAIL;
	if (world->dump_fails)
		xtl_log(logger, XTL_ERROR, -1, "libxl", "libxl_fake.c:8:x: dump fails");
	return world->dump_fails ? ERROR_FAIL : 0;
}

char *libxl_domid_to_name(libxl_ctx *ctx, uint32_t domid)
{
	(void)domid;
	return fails("libxl_domid_to_name", ctx) ? NULL : xstrdup("rkt-" WORLD_UUID);
}

int libxl_domain_info(libxl_ctx *ctx, libxl_dominfo *info, uint32_t domid)
{
	(void)domid;
	if (!world->destroy_fails && fails("libxl_domain_info", ctx)) /* else it is asked whether the domain is still there */
		return ERROR_FAIL;
	info->paused = world->taken || world->paused;
	return 0;
}

int libxl_console_get_tty(libxl_ctx *ctx, uint32_t domid, int number, libxl_console_type type, char **path_r)
{
	(void)domid;
	(void)number;
	(void)type;
	if (fails("libxl_console_get_tty", ctx) || world_console() < 0)
		return ERROR_FAIL;
	*path_r = xstrdup(world->console_path);
	return 0;
}

int libxl_evenable_domain_death(libxl_ctx *ctx, uint32_t domid, libxl_ev_user user,
	libxl_evgen_domain_death **evgen_r)
{
	(void)domid;
	(void)user;
	if (fails("libxl_evenable_domain_death", ctx))
		return ERROR_FAIL;
	world->death_watches++;
	*evgen_r = (libxl_evgen_domain_death *)(void *)&death;
	return 0;
}

void libxl_evdisable_domain_death(libxl_ctx *ctx, libxl_evgen_domain_death *evgen)
{
	(void)ctx;
	if ((void *)evgen != (void *)&death)
		world_misuse("a strange event is disabled");
	world->death_watches--;
}

int libxl_osevent_beforepoll(libxl_ctx *ctx, int *nfds, struct pollfd *fds, int *timeout,
	struct timeval now)
{
	(void)fds;
	(void)now;
	if (fails("libxl_osevent_beforepoll", ctx))
		return ERROR_FAIL;
	*nfds = 0;
	world_turn(timeout);
	return 0;
}

void libxl_osevent_afterpoll(libxl_ctx *ctx, int nfds, const struct pollfd *fds, struct timeval now)
{
	(void)ctx;
	(void)nfds;
	(void)fds;
	(void)now;
}

int libxl_event_check(libxl_ctx *ctx, libxl_event **event_r, uint64_t mask,
	libxl_event_predicate *predicate, void *user)
{
	static enum domain_state told = DOMAIN_RUNNING;
	bool gone = world->state == DOMAIN_GONE;

	(void)mask;
	(void)predicate;
	(void)user;
	if (fails("libxl_event_check", ctx))
		return ERROR_FAIL;
	if (world->state == told)
		return ERROR_NOT_READY;
	told = world->state;
	death_event.domid = WORLD_DOMID;
	death_event.type = gone ? LIBXL_EVENT_TYPE_DOMAIN_DEATH : LIBXL_EVENT_TYPE_DOMAIN_SHUTDOWN;
	if (!gone)
		death_event.u.domain_shutdown.shutdown_reason = world->state == DOMAIN_POWEROFF ?
			LIBXL_SHUTDOWN_REASON_POWEROFF : LIBXL_SHUTDOWN_REASON_CRASH;
	*event_r = &death_event;
	return 0;
}

void libxl_event_free(libxl_ctx *ctx, libxl_event *event)
{
	(void)ctx;
	if (event != &death_event)
		world_misuse("a strange event is freed");
}

struct xs_handle *xs_open(unsigned long flags)
{
	(void)flags;
	if (fails("xs_open", NULL))
		return NULL;
	world->stores++;
	store_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return (struct xs_handle *)(void *)&store;
}

void xs_close(struct xs_handle *h)
{
	if ((void *)h != (void *)&store)
		world_misuse("a strange connection is closed");
	world->stores--;
	(void)close(store_fd);
	store_fd = -1;
}

/* Xenstored reports each watch at once, and so does the guest whenever it does something. */
static void something_is_new(void)
{
	news++;
	(void)eventfd_write(store_fd, 1);
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	(void)token;
	(void)h;
	(void)path;
	if (fails("xs_watch", NULL)) {
		(void)snprintf(world->failed, sizeof(world->failed), "xs_watch %s", path);
		return false;
	}
	something_is_new();
	return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	(void)h;
	(void)path;
	(void)token;
	return !fails("xs_unwatch", NULL);
}

int xs_fileno(struct xs_handle *h)
{
	(void)h;
	return store_fd;
}

char **xs_check_watch(struct xs_handle *h)
{
	eventfd_t count;

	(void)h;
	(void)eventfd_read(store_fd, &count);
	if (news == 0 || fails("xs_check_watch", NULL))
		return NULL;
	news--;
	return xcalloc(2, sizeof(char *));
}

/* A read that failed is tried again at the next news: there is some. */
void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned *len)
{
	const char *leaf = strrchr(path, '/');
	char *value;

	(void)h;
	(void)t;
	if (fails("xs_read", NULL)) {
		(void)snprintf(world->failed, sizeof(world->failed), "xs_read %s", leaf + 1);
		something_is_new();
		return NULL;
	}
	if (!strcmp(leaf, "/state") && world->backend_never) {
		world->skew_s += 20;
		something_is_new();
	}
	if (!strcmp(leaf, "/state"))
		value = xasprintf("%d", world->backend_never ? XenbusStateInitialising : XenbusStateInitWait);
	else if (!strcmp(leaf, "/event-channel") && guest_serves())
		value = xstrdup("14");
	else
		return NULL;
	*len = (unsigned)strlen(value);
	return value;
}

/* The backend's pid is written when the devices are offered; after that they can only be removed. */
static const char *phase(const char *offer, const char *remove)
{
	return world->backend ? remove : offer;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	(void)h;
	return fails(phase("xs_transaction_start offer", "xs_transaction_start remove"), NULL) ? XBT_NULL : 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abort_it)
{
	(void)h;
	if (t != 1)
		world_misuse("a strange transaction ends");
	if (fails(phase("xs_transaction_end offer", "xs_transaction_end remove"), NULL))
		return false;
	if (!abort_it && !world->backend)
		world->backend = told_pid;
	return true;
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h;
	(void)t;
	(void)path;
	return !fails("xs_mkdir", NULL);
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
	struct xs_permissions *perms, unsigned n)
{
	bool to_guest = str_has_prefix(path, "/local/domain/5/device/9pfs/");

	(void)h;
	(void)t;
	if ((!to_guest && !str_has_prefix(path, "/local/domain/0/backend/9pfs/5/")) || n != 2 || perms[0].perms != XS_PERM_NONE ||
		perms[1].perms != XS_PERM_READ || perms[0].id != (to_guest ? WORLD_DOMID : 0) ||
		perms[1].id != (to_guest ? 0 : WORLD_DOMID))
		world_misuse("strange permissions of %s", path);
	return !fails("xs_set_permissions", NULL);
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data, unsigned len)
{
	(void)h;
	(void)t;
	if (fails("xs_write", NULL))
		return false;
	/* the first is looked at: what follows belongs to the same transaction */
	if (!strcmp(path, "/libxl/5/stage1-xen/p9-pid"))
		told_pid = (pid_t)strtol(data, NULL, 10);
	if (!strcmp(path, "/local/domain/5/device/9pfs/0/tag") && (len != 3 || memcmp(data, "pod", 3) != 0))
		world_misuse("a strange tag");
	return true;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned *n)
{
	(void)h;
	(void)t;
	(void)path;
	*n = 0;
	return fails("xs_directory", NULL) ? NULL : xcalloc(1, sizeof(char *));
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	(void)h;
	(void)t;
	(void)path;
	return !fails("xs_rm", NULL);
}

struct libxenvchan *libxenvchan_client_init(xentoollog_logger *lg, int domain, const char *path)
{
	(void)lg;
	(void)domain;
	if (strcmp(path, "/local/domain/5/" WIRE_VCHAN) != 0)
		world_misuse("a channel is looked for at %s", path);
	if (fails("libxenvchan_client_init", NULL))
		return NULL;
	vchan.blocking = true;
	vchan_fd = world_channel_open();
	return vchan_fd < 0 ? NULL : &vchan;
}

void libxenvchan_close(struct libxenvchan *ctrl)
{
	if (ctrl != &vchan)
		world_misuse("a strange channel is closed");
	world_channel_close();
}

int libxenvchan_fd_for_select(struct libxenvchan *ctrl)
{
	(void)ctrl;
	return vchan_fd;
}

int libxenvchan_wait(struct libxenvchan *ctrl)
{
	(void)ctrl;
	return fails("libxenvchan_wait", NULL) ? -1 : 0;
}

int libxenvchan_read(struct libxenvchan *ctrl, void *data, size_t size)
{
	if (ctrl->blocking)
		world_misuse("the channel blocks");
	if (fails("libxenvchan_read", NULL))
		world_channel_breaks();
	return (int)world_channel_read(data, size);
}

int libxenvchan_write(struct libxenvchan *ctrl, const void *data, size_t size)
{
	if (ctrl->blocking)
		world_misuse("the channel blocks");
	if (fails("libxenvchan_write", NULL))
		world_channel_breaks();
	return (int)world_channel_write(data, size);
}
