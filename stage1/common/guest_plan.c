/*
 * The guest plan's encoding: numbers are u32 (u64: two, the low one first), little-endian; a string is its length, its bytes and a
 * NUL; a list is its length and its items; fields come in the order of the struct.
 */
#include "stage1/common/guest_plan.h"

#include <stdlib.h>
#include <string.h>

#include "stage1/common/wire.h"

enum { PLAN_MAGIC = 0x31505853 }; /* "SXP1" */

#define NIC_NAME_BYTES "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-"

/* Output: counts when there is no buffer yet, so that encoding runs twice over one description. */
struct out {
	uint8_t *p;
	size_t len;
};

static void out_u32(struct out *o, size_t value)
{
	if (o->p)
		wire_put_u32(o->p + o->len, (uint32_t)value);
	o->len += 4;
}

static void out_str(struct out *o, const char *s)
{
	size_t len = strlen(s);

	out_u32(o, len);
	if (o->p)
		memcpy(o->p + o->len, s, len + 1);
	o->len += len + 1;
}

static void out_strs(struct out *o, char *const *list, size_t n)
{
	out_u32(o, n);
	for (size_t i = 0; i < n; i++)
		out_str(o, list[i]);
}

/* A string or NULL: a list of one or none. */
static void out_opt(struct out *o, const char *s)
{
	out_u32(o, s != NULL);
	if (s)
		out_str(o, s);
}

static void out_mounts(struct out *o, const struct guest_mounts *mounts)
{
	out_u32(o, mounts->n);
	for (size_t i = 0; i < mounts->n; i++) {
		out_str(o, mounts->list[i].source);
		out_str(o, mounts->list[i].target);
		out_u32(o, mounts->list[i].read_only);
		out_u32(o, mounts->list[i].copy_image);
	}
	out_u32(o, mounts->sysfs);
	out_u32(o, mounts->protect_paths);
	out_u32(o, mounts->read_only_root);
}

static void out_io(struct out *o, const struct guest_io *io)
{
	for (size_t i = 0; i < GUEST_IO_STREAMS; i++)
		out_u32(o, io->kind[i]);
	out_u32(o, io->rows);
	out_u32(o, io->cols);
}

static void out_u64(struct out *o, uint64_t value)
{
	out_u32(o, value & UINT32_MAX);
	out_u32(o, value >> 32);
}

static void out_bytes(struct out *o, const uint8_t *bytes, size_t n)
{
	if (o->p)
		memcpy(o->p + o->len, bytes, n);
	o->len += n;
}

static void out_limits(struct out *o, const struct guest_limits *l)
{
	out_u64(o, l->caps);
	out_u32(o, l->no_new_privs);
	out_u32(o, (uint32_t)l->oom_score_adj);
	out_u64(o, l->memory_max);
	out_u32(o, l->cpu_max);
	out_u32(o, l->cpu_weight);
	out_u32(o, l->filter_len);
	if (l->filter_len)
		out_bytes(o, l->filter, l->filter_len);
}

static void out_app(struct out *o, const struct guest_app *app)
{
	out_str(o, app->name);
	out_str(o, app->root);
	out_strs(o, app->exec, app->nexec);
	out_str(o, app->user);
	out_str(o, app->group);
	out_u32(o, app->group_or_uid);
	out_u32(o, app->ngids);
	for (size_t i = 0; i < app->ngids; i++)
		out_u32(o, app->gids[i]);
	out_str(o, app->cwd);
	out_strs(o, app->env, app->nenv);
	out_str(o, app->search_path);
	out_io(o, &app->io);
	out_strs(o, app->pre_start, app->npre_start);
	out_strs(o, app->post_stop, app->npost_stop);
	out_u32(o, app->notify);
	out_mounts(o, &app->mounts);
	out_limits(o, &app->limits);
}

static void out_ip(struct out *o, const struct guest_ip *ip)
{
	out_u32(o, ip->family);
	out_u32(o, ip->prefix);
	out_bytes(o, ip->bytes, sizeof(ip->bytes));
}

static void out_nic(struct out *o, const struct guest_nic *nic)
{
	out_str(o, nic->name);
	out_bytes(o, nic->mac, sizeof(nic->mac));
	out_u32(o, nic->mtu);
	out_u32(o, nic->naddrs);
	for (size_t i = 0; i < nic->naddrs; i++)
		out_ip(o, &nic->addrs[i]);
	out_u32(o, nic->nroutes);
	for (size_t i = 0; i < nic->nroutes; i++) {
		const struct guest_route *r = &nic->routes[i];

		out_ip(o, &r->to);
		out_ip(o, &r->via);
		out_ip(o, &r->src);
		out_u32(o, r->scope);
		out_u32(o, r->onlink);
		out_u32(o, r->metric);
		out_u32(o, r->mtu);
	}
}

static void out_plan(struct out *o, const struct guest_plan *plan)
{
	out_u32(o, PLAN_MAGIC);
	out_str(o, plan->hostname);
	out_u32(o, plan->stays);
	out_u32(o, plan->nnics);
	for (size_t i = 0; i < plan->nnics; i++)
		out_nic(o, &plan->nics[i]);
	out_u32(o, plan->napps);
	for (size_t i = 0; i < plan->napps; i++)
		out_app(o, &plan->apps[i]);
	out_u32(o, plan->nexports);
	for (size_t i = 0; i < plan->nexports; i++) {
		out_str(o, plan->exports[i].tag);
		out_str(o, plan->exports[i].dir);
		out_str(o, plan->exports[i].options);
	}
	out_opt(o, plan->resolv_conf);
	out_opt(o, plan->hosts);
	out_opt(o, plan->hosts_fallback);
	out_u32(o, plan->nlistens);
	for (size_t i = 0; i < plan->nlistens; i++) {
		out_u32(o, plan->listens[i].app);
		out_u32(o, plan->listens[i].port);
	}
}

int guest_plan_encode(const struct guest_plan *plan, uint8_t **data_r, size_t *len_r,
	struct err *e)
{
	struct out o = { .p = NULL };
	uint8_t *data;

	out_plan(&o, plan);
	if (o.len > WIRE_PLAN_MAX)
		return err_set(e, ERR_INPUT, "the pod's arguments and environment take %zu bytes, over %d",
			o.len, WIRE_PLAN_MAX);
	data = malloc(o.len);
	if (!data)
		return err_set(e, ERR_SYSTEM, "out of memory");
	o = (struct out){ .p = data };
	out_plan(&o, plan);
	*data_r = data;
	*len_r = o.len;
	return 0;
}

/* Input. After the first fault `bad` is set and every read gives nothing: checked once per list. */
struct in {
	uint8_t *p;
	size_t left;
	bool bad, no_memory;
	struct guest_plan *plan;
};

static uint32_t in_u32(struct in *in)
{
	uint32_t value;

	if (in->bad || in->left < 4) {
		in->bad = true;
		return 0;
	}
	value = wire_u32(in->p);
	in->p += 4;
	in->left -= 4;
	return value;
}

static char *in_str(struct in *in)
{
	size_t len = in_u32(in);
	char *s = (char *)in->p;

	if (in->bad || in->left < 1 || len > in->left - 1 || memchr(s, 0, len) || s[len]) {
		in->bad = true;
		return (char *)"";
	}
	in->p += len + 1;
	in->left -= len + 1;
	return s;
}

/* A list's length, refused when that many items of 4 bytes at least cannot follow; its array. */
static void *in_array(struct in *in, size_t size, size_t *n_r)
{
	size_t n = in_u32(in);
	void *array;

	*n_r = 0;
	if (in->bad || n > in->left / 4) {
		in->bad = true;
		return NULL;
	}
	array = calloc(n + 1, size); /* + 1: lists of strings end in NULL, for execve */
	if (!guest_plan_own(in->plan, array)) {
		in->bad = in->no_memory = true;
		return NULL;
	}
	*n_r = n;
	return array;
}

static char **in_strs(struct in *in, size_t *n_r)
{
	char **list = in_array(in, sizeof(*list), n_r);

	for (size_t i = 0; i < *n_r; i++)
		list[i] = in_str(in);
	return list;
}

static char *in_opt(struct in *in)
{
	uint32_t there = in_u32(in);

	if (there > 1)
		in->bad = true;
	return there ? in_str(in) : NULL;
}

static void in_mounts(struct in *in, struct guest_mounts *mounts)
{
	mounts->list = in_array(in, sizeof(*mounts->list), &mounts->n);
	for (size_t i = 0; i < mounts->n; i++) {
		struct guest_mount *m = &mounts->list[i];

		m->source = in_str(in);
		m->target = in_str(in);
		m->read_only = in_u32(in) != 0;
		m->copy_image = in_u32(in) != 0;
	}
	mounts->sysfs = in_u32(in) != 0;
	mounts->protect_paths = in_u32(in) != 0;
	mounts->read_only_root = in_u32(in) != 0;
}

static void in_bytes(struct in *in, uint8_t *bytes, size_t n)
{
	if (in->bad || in->left < n) {
		in->bad = true;
		return;
	}
	memcpy(bytes, in->p, n);
	in->p += n;
	in->left -= n;
}

/* May be none (family 0) where it says so. */
static void in_ip(struct in *in, struct guest_ip *ip, bool optional)
{
	static const uint8_t zero[16];
	uint32_t family = in_u32(in), prefix = in_u32(in);
	size_t len = family == 6 ? 16 : family == 4 ? 4 : 0;

	in_bytes(in, ip->bytes, sizeof(ip->bytes));
	ip->family = (uint8_t)family;
	ip->prefix = (uint8_t)prefix;
	if ((family != 4 && family != 6 && (family != 0 || !optional)) || prefix > 8 * len ||
		memcmp(ip->bytes + len, zero, sizeof(ip->bytes) - len) != 0)
		in->bad = true;
}

static void in_route(struct in *in, struct guest_route *r)
{
	uint32_t scope;

	in_ip(in, &r->to, false);
	in_ip(in, &r->via, true);
	in_ip(in, &r->src, true);
	scope = in_u32(in);
	r->scope = (uint8_t)scope;
	r->onlink = in_u32(in) != 0;
	r->metric = in_u32(in);
	r->mtu = in_u32(in);
	if (scope > UINT8_MAX || (r->via.family && r->via.family != r->to.family) ||
		(r->src.family && r->src.family != r->to.family))
		in->bad = true;
}

static bool is_interface_name(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= GUEST_NIC_NAME_MAX && strspn(name, NIC_NAME_BYTES) == len;
}

static void in_nic(struct in *in, struct guest_nic *nic)
{
	nic->name = in_str(in);
	in_bytes(in, nic->mac, sizeof(nic->mac));
	nic->mtu = in_u32(in);
	nic->addrs = in_array(in, sizeof(*nic->addrs), &nic->naddrs);
	for (size_t i = 0; i < nic->naddrs && !in->bad; i++)
		in_ip(in, &nic->addrs[i], false);
	nic->routes = in_array(in, sizeof(*nic->routes), &nic->nroutes);
	for (size_t i = 0; i < nic->nroutes && !in->bad; i++)
		in_route(in, &nic->routes[i]);
	if (!is_interface_name(nic->name))
		in->bad = true;
}

static void in_exports(struct in *in, struct guest_plan *plan)
{
	plan->exports = in_array(in, sizeof(*plan->exports), &plan->nexports);
	for (size_t i = 0; i < plan->nexports; i++) {
		plan->exports[i].tag = in_str(in);
		plan->exports[i].dir = in_str(in);
		plan->exports[i].options = in_str(in);
	}
}

static void in_io(struct in *in, struct guest_io *io)
{
	for (size_t i = 0; i < GUEST_IO_STREAMS; i++)
		io->kind[i] = in_u32(in);
	io->rows = in_u32(in);
	io->cols = in_u32(in);
	if (!guest_io_valid(io))
		in->bad = true;
}

static uint64_t in_u64(struct in *in)
{
	uint64_t low = in_u32(in);

	return low | (uint64_t)in_u32(in) << 32;
}

static void in_limits(struct in *in, struct guest_limits *l)
{
	l->caps = in_u64(in);
	l->no_new_privs = in_u32(in) != 0;
	l->oom_score_adj = (int32_t)in_u32(in);
	l->memory_max = in_u64(in);
	l->cpu_max = in_u32(in);
	l->cpu_weight = in_u32(in);
	l->filter_len = in_u32(in);
	if (in->bad || l->oom_score_adj < -1000 || l->oom_score_adj > 1000 || l->cpu_max > GUEST_CPU_MAX ||
		l->cpu_weight > 10000 || l->filter_len > GUEST_FILTER_MAX || l->filter_len % 8 ||
		l->filter_len > in->left) {
		in->bad = true;
		l->filter_len = 0;
		return;
	}
	l->filter = in->p;
	in->p += l->filter_len;
	in->left -= l->filter_len;
}

static void in_app(struct in *in, struct guest_app *app)
{
	app->name = in_str(in);
	app->root = in_str(in);
	app->exec = in_strs(in, &app->nexec);
	app->user = in_str(in);
	app->group = in_str(in);
	app->group_or_uid = in_u32(in) != 0;
	app->gids = in_array(in, sizeof(*app->gids), &app->ngids);
	for (size_t i = 0; i < app->ngids; i++)
		app->gids[i] = in_u32(in);
	app->cwd = in_str(in);
	app->env = in_strs(in, &app->nenv);
	app->search_path = in_str(in);
	in_io(in, &app->io);
	app->pre_start = in_strs(in, &app->npre_start);
	app->post_stop = in_strs(in, &app->npost_stop);
	app->notify = in_u32(in) != 0;
	in_mounts(in, &app->mounts);
	in_limits(in, &app->limits);
	if (app->nexec == 0)
		in->bad = true;
}

static void in_listens(struct in *in, struct guest_plan *plan)
{
	plan->listens = in_array(in, sizeof(*plan->listens), &plan->nlistens);
	for (size_t i = 0; i < plan->nlistens && !in->bad; i++) {
		struct guest_listen *l = &plan->listens[i];
		size_t same = 0;

		*l = (struct guest_listen){ .app = in_u32(in), .port = in_u32(in) };
		for (size_t k = 0; k < i; k++)
			same += plan->listens[k].app == l->app;
		if (l->app >= plan->napps || l->port == 0 || l->port > UINT16_MAX || same >= GUEST_LISTENS_MAX)
			in->bad = true;
	}
}

bool guest_io_has_tty(const struct guest_io *io)
{
	for (size_t i = 0; i < GUEST_IO_STREAMS; i++)
		if (io->kind[i] == GUEST_IO_TTY)
			return true;
	return false;
}

bool guest_io_valid(const struct guest_io *io)
{
	for (size_t i = 0; i < GUEST_IO_STREAMS; i++)
		if (io->kind[i] > GUEST_IO_TTY)
			return false;
	if (io->kind[1] == GUEST_IO_PIPE && guest_io_has_tty(io))
		return false; /* a terminal's output travels as stdout */
	return io->rows <= UINT16_MAX && io->cols <= UINT16_MAX;
}

int guest_plan_decode(uint8_t *data, size_t len, struct guest_plan *plan_r, struct err *e)
{
	struct guest_plan plan = GUEST_PLAN_INIT;
	struct in in = { .p = data, .left = len, .plan = &plan };

	if (in_u32(&in) != PLAN_MAGIC)
		in.bad = true;
	plan.hostname = in_str(&in);
	plan.stays = in_u32(&in) != 0;
	plan.nics = in_array(&in, sizeof(*plan.nics), &plan.nnics);
	for (size_t i = 0; i < plan.nnics && !in.bad; i++)
		in_nic(&in, &plan.nics[i]);
	plan.apps = in_array(&in, sizeof(*plan.apps), &plan.napps);
	for (size_t i = 0; i < plan.napps && !in.bad; i++)
		in_app(&in, &plan.apps[i]);
	in_exports(&in, &plan);
	plan.resolv_conf = in_opt(&in);
	plan.hosts = in_opt(&in);
	plan.hosts_fallback = in_opt(&in);
	in_listens(&in, &plan);
	if (in.bad || in.left > 0) {
		guest_plan_dispose(&plan);
		return in.no_memory ? err_set(e, ERR_SYSTEM, "no memory for the guest plan")
				    : err_set(e, ERR_INPUT, "the guest plan is malformed");
	}
	*plan_r = plan;
	return 0;
}

bool guest_plan_own(struct guest_plan *plan, void *p)
{
	void **owned = NULL;

	if (p)
		owned = reallocarray(plan->owned, plan->nowned + 1, sizeof(*owned));
	if (!owned) {
		free(p);
		return false;
	}
	plan->owned = owned;
	plan->owned[plan->nowned++] = p;
	return true;
}

struct guest_ip guest_ip_of_mac(const uint8_t mac[6])
{
	return (struct guest_ip){ .family = 6, .prefix = 64, .bytes = { 0xfe, 0x80, [8] = mac[0] ^ 2, mac[1], mac[2],
		0xff, 0xfe, mac[3], mac[4], mac[5] } };
}

void guest_nic_dispose(struct guest_nic *nic)
{
	free(nic->name);
	free(nic->addrs);
	free(nic->routes);
	*nic = (struct guest_nic){ .name = NULL };
}

void guest_plan_dispose(struct guest_plan *plan)
{
	for (size_t i = 0; i < plan->nowned; i++)
		free(plan->owned[i]);
	free(plan->owned);
	*plan = (struct guest_plan)GUEST_PLAN_INIT;
}
