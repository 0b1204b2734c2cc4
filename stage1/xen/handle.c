/* Opening Xen, what it says of itself, and the table of everything this module offers. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/xen/internal.h"

#define SCRIPT "script: " /* libxl_device.c, device_hotplug_child_death_cb() */

/* libxl puts "file.c:line:function: " before each message. */
static const char *without_place(const char *msg)
{
	const char *file = strstr(msg, ".c:"), *text = file ? strstr(file, ": ") : NULL;

	return text && strcspn(msg, " ") > (size_t)(text - msg) ? text + 2 : msg;
}

static void log_message(struct xentoollog_logger *logger, xentoollog_level level, int errnoval,
	const char *context, const char *format, va_list al)
{
	struct xl_log *log = (struct xl_log *)logger;
	const char *text;
	char msg[300];
	bool script;

	(void)vsnprintf(msg, sizeof(msg), format, al);
	if (errnoval > 0) {
		size_t len = strlen(msg);

		(void)snprintf(msg + len, sizeof(msg) - len, ": %s", strerror(errnoval));
	}
	text = without_place(msg);
	script = str_has_prefix(text, SCRIPT);
	/* Of a script that failed libxl says so first, and then what the script had to say: that is why. */
	if (level >= XTL_ERROR && (script || !*log->first_error))
		(void)snprintf(log->first_error, sizeof(log->first_error), "%s", text + (script ? strlen(SCRIPT) : 0));
	if (log->debug && level >= XTL_NOTICE)
		fprintf(stderr, "%s: %s\n", context ? context : "libxl", msg);
}

void xl_log_init(struct xl_log *log, bool debug)
{
	*log = (struct xl_log){ .vtable = { .vmessage = log_message }, .debug = debug };
}

void err_xl_(struct err *e, struct xen *xen, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	err_set_(e, ERR_HOST, "%s: %s", what,
		*xen->log.first_error ? xen->log.first_error : "libxl does not say why");
}

static void xen_close(struct xen *xen)
{
	if (!xen)
		return;
	xen_channel_close(xen);
	p9_end(xen);
	if (xen->death)
		libxl_evdisable_domain_death(xen->ctx, xen->death);
	if (xen->xs)
		xs_close(xen->xs);
	(void)libxl_ctx_free(xen->ctx);
	free(xen);
}

/* An event libxl cannot report would otherwise make it exit the process. */
static void disaster(void *user, libxl_event_type type, const char *msg, int errnoval)
{
	struct xen *xen = user;

	(void)type;
	(void)snprintf(xen->log.first_error, sizeof(xen->log.first_error), "%s: %s", msg,
		strerror(errnoval));
	xen->state = DOMAIN_GONE;
}

static const libxl_event_hooks event_hooks = {
	.event_occurs_mask = 0, /* events are fetched by libxl_event_check */
	.disaster = disaster,
};

static const libxl_childproc_hooks child_hooks = {
	.chldowner = libxl_sigchld_owner_libxl_always_selective_reap,
};

static int xen_open(bool debug, struct xen **xen_r, struct err *e)
{
	struct xen *xen = xcalloc(1, sizeof(*xen));

	xl_log_init(&xen->log, debug);
	xen->state = DOMAIN_RUNNING;
	if (libxl_ctx_alloc(&xen->ctx, LIBXL_VERSION, 0, &xen->log.vtable)) {
		(void)err_xl(e, xen, "cannot talk to Xen (is xenstored running?)");
		xen_close(xen);
		return -1;
	}
	libxl_childproc_setmode(xen->ctx, &child_hooks, NULL);
	libxl_event_register_callbacks(xen->ctx, &event_hooks, xen);
	xen->xs = xs_open(0);
	if (!xen->xs) {
		(void)err_sys(e, "cannot talk to xenstored");
		xen_close(xen);
		return -1;
	}
	*xen_r = xen;
	return 0;
}

static int read_pools(struct xen *xen, struct host_facts *facts, struct err *e)
{
	libxl_cpupoolinfo *list;
	int n;

	list = libxl_list_cpupool(xen->ctx, &n);
	if (!list)
		return err_xl(e, xen, "ask Xen for its cpupools");
	facts->npools = 0;
	for (int i = 0; i < n && facts->npools < FACTS_POOLS_MAX; i++) {
		struct host_pool *pool = &facts->pools[facts->npools++];

		*pool = (struct host_pool){ .id = list[i].poolid };
		(void)snprintf(pool->name, sizeof(pool->name), "%s", list[i].pool_name ? list[i].pool_name : "");
		for (int cpu = 0; cpu < FACTS_CPUS_MAX; cpu++)
			if (libxl_bitmap_test(&list[i].cpumap, cpu))
				pool->cpus.bits[cpu / 64] |= UINT64_C(1) << cpu % 64;
	}
	libxl_cpupoolinfo_list_free(list, n);
	return 0;
}

static int xen_facts(struct xen *xen, struct host_facts *facts_r, struct err *e)
{
	libxl_physinfo info;
	uint64_t free_kib;
	int cpus;

	libxl_physinfo_init(&info);
	if (libxl_get_physinfo(xen->ctx, &info))
		return err_xl(e, xen, "ask Xen about the host");
	facts_r->pvh = info.cap_hvm && info.cap_hap; /* Debian's Xen has no shadow page tables */
	libxl_physinfo_dispose(&info);
	if (libxl_get_free_memory(xen->ctx, &free_kib))
		return err_xl(e, xen, "ask Xen for its free memory");
	cpus = libxl_get_online_cpus(xen->ctx);
	if (cpus < 0)
		return err_xl(e, xen, "ask Xen for its processors");
	facts_r->free_kib = free_kib;
	facts_r->cpus = (uint32_t)cpus;
	return read_pools(xen, facts_r, e);
}

const struct xen_ops stage1_xen_ops = {
	.abi = XEN_OPS_ABI,
	.open = xen_open,
	.close = xen_close,
	.facts = xen_facts,
	.find = xen_find,
	.create = xen_create,
	.attach = xen_attach,
	.lookup = xen_lookup,
	.watch = xen_watch,
	.unpause = xen_unpause,
	.pause = xen_pause,
	.resume = xen_resume,
	.paused = xen_paused,
	.usage = xen_usage,
	.set_memory = xen_set_memory,
	.set_vcpus = xen_set_vcpus,
	.destroy = xen_destroy,
	.sweep = p9_sweep,
	.dump = xen_dump,
	.backend = xen_backend,
	.taken = xen_taken,
	.console = xen_console,
	.channel = xen_channel,
	.channel_close = xen_channel_close,
	.poll_prepare = xen_poll_prepare,
	.poll_done = xen_poll_done,
};
