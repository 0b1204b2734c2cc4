/* See net.h. Making; what takes it away again is in remove.c. */
#include "stage1/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/net/files.h"
#include "stage1/net/join.h"
#include "stage1/net/netns.h"
#include "stage1/net/plugin.h"
#include "stage1/net/ports.h"
#include "stage1/net/select.h"
#include "stage1/net/takeover.h"

struct net_plan {
	const struct net_request *request;
	struct net_confs confs;
	struct net_choice *list;
	size_t n;
	char *path; /* of plugins */
	struct net_forward *forwards;
	size_t nforwards;
	struct ports_held held;
};

/* What grows while the networks are made. */
struct making {
	const struct net_plan *plan;
	char *netns_path;
	int netns;
	char *mappings; /* for plugins that take ports */
	struct net_infos infos;
	struct net_result result;
	char *ip4, *ip6; /* of the forwardable network */
	bool ports_taken; /* by one of its plugins */
};

static int check(struct net_plan *plan, struct err *e)
{
	const char *nft;

	for (size_t i = 0; i < plan->n; i++)
		if (net_conf_check(plan->list[i].conf, e) < 0 || plugins_check(plan->list[i].conf, plan->path, e) < 0)
			return -1;
	return nft_find(&nft, e);
}

int net_plan_make(const struct net_request *request, struct net_plan **plan_r, struct err *e)
{
	struct net_plan *plan;

	if (!strcmp(request->net, "none")) {
		*plan_r = NULL;
		return 0;
	}
	plan = xcalloc(1, sizeof(*plan));
	plan->request = request;
	plan->path = plugin_path(request->local_config ? request->local_config : LOCAL_CONFIG_DEFAULT, request->s1root);
	if (net_confs_read(request->s1root, request->local_config, &plan->confs, e) < 0 ||
		net_select(request->net, plan->confs.list, plan->confs.n, plan->confs.where, &plan->list, &plan->n, e) < 0 ||
		net_forwards(request->pod, &plan->forwards, &plan->nforwards, e) < 0 || check(plan, e) < 0) {
		net_plan_free(plan);
		return -1;
	}
	*plan_r = plan;
	return 0;
}

void net_plan_free(struct net_plan *plan)
{
	if (!plan)
		return;
	ports_release(&plan->held);
	net_choices_dispose(plan->list, plan->n);
	net_confs_dispose(&plan->confs);
	free(plan->path);
	free(plan->forwards);
	free(plan);
}

size_t net_plan_count(const struct net_plan *plan)
{
	return plan ? plan->n : 0;
}

void net_result_dispose(struct net_result *result)
{
	for (size_t i = 0; i < result->nnics; i++)
		guest_nic_dispose(&result->nics[i]);
	free(result->nics);
	free(result->resolv_conf);
	free(result->host_ip);
	*result = (struct net_result)NET_RESULT_INIT;
}

/* Its entry in net-info.json: from here on net_remove() knows of it. */
static int announce(struct making *m, const struct net_choice *c, struct err *e)
{
	struct net_info *info = &m->infos.list[m->infos.n];
	AUTO_FREE char *copy = xasprintf(NET_DIR "/%s", c->copy);

	if (write_file_atomic(AT_FDCWD, copy, c->conf->text, c->conf->len, 0644, e) < 0)
		return -1;
	*info = (struct net_info){ .name = xstrdup(c->conf->name), .conf = STEAL(copy),
		.plugin = plugin_find(m->plan->path, c->conf->plugins[0].type),
		.ifname = xstrdup(c->ifname), .args = xstrdup(c->args) };
	if (!info->plugin) /* gone since it was checked */
		info->plugin = xstrdup(c->conf->plugins[0].type);
	net_info_set_ip(info, NULL);
	m->infos.n++;
	return net_infos_write(&m->infos, e);
}

static const char *gateway(const struct net_add *add, int family)
{
	const struct net_ip *ip = net_add_ip(add, family);

	return ip && *ip->gateway ? ip->gateway : NULL;
}

/* The guest's share of the interface. */
static int take_over(struct making *m, const struct net_choice *c, const struct net_add *add, struct err *e)
{
	struct join_opts opts = { .any_source = c->conf->any_source };
	struct guest_nic *nic = &m->result.nics[m->result.nnics];
	AUTO_FREE char *rules = NULL;

	if (takeover_read(m->netns, c->ifname, nic, e) < 0)
		return -1;
	m->result.nnics++;
	if (c->conf->only_gateway) {
		opts.only_to = gateway(add, 4) ? gateway(add, 4) : gateway(add, 6);
		if (!opts.only_to)
			return err_set(e, ERR_INPUT, "stage1-xen/only-gateway: the plugin named no gateway");
	}
	rules = join_rules(nic, &opts);
	return netns_hear_multicast(m->netns, c->ifname, e) < 0 ? -1 : net_file_write(c->ifname, "nft", rules, e);
}

static void remember(struct making *m, size_t i, const struct net_add *add)
{
	const struct net_plan *plan = m->plan;
	const struct net_ip *ip4 = net_add_ip(add, 4), *ip6 = net_add_ip(add, 6);

	if (!m->result.resolv_conf)
		m->result.resolv_conf = net_resolv_conf(&add->dns, plan->list[i].conf->name);
	if (i != net_forwardable(plan->list, plan->n))
		return;
	m->ip4 = ip4 ? xstrdup(ip4->ip) : NULL;
	m->ip6 = ip6 ? xstrdup(ip6->ip) : NULL;
	m->result.host_ip = gateway(add, 4) ? xstrdup(gateway(add, 4)) : NULL;
	for (size_t k = 0; k < plan->list[i].conf->nplugins; k++)
		m->ports_taken = m->ports_taken || plan->list[i].conf->plugins[k].takes_ports;
}

static int add_network(struct making *m, size_t i, struct err *e)
{
	const struct net_plan *plan = m->plan;
	const struct net_request *rq = plan->request;
	const struct net_choice *c = &plan->list[i];
	bool forwardable = i == net_forwardable(plan->list, plan->n);
	struct plugin_call call = { .command = "ADD", .conf = c->conf, .uuid = rq->uuid, .netns = m->netns_path,
		.ifname = c->ifname, .args = c->args, .path = plan->path, .ports = forwardable ? m->mappings : NULL,
		.timeout_ms = rq->timeout_ms ? rq->timeout_ms : NET_PLUGIN_TIMEOUT_MS, .cancel = rq->cancel };
	struct net_add add;
	int ret;

	if (announce(m, c, e) < 0 || (call.ports && net_file_write(c->ifname, "ports", call.ports, e) < 0) ||
		plugins_add(&call, &add, e) < 0)
		return -1;
	net_info_set_ip(&m->infos.list[m->infos.n - 1], &add);
	ret = net_file_write(c->ifname, "result", add.text, e);
	if (ret == 0)
		ret = net_infos_write(&m->infos, e);
	if (ret == 0 && take_over(m, c, &add, e) < 0)
		ret = err_prefix(e, "network '%s' (%s), %s", c->conf->name, c->conf->file, c->ifname);
	if (ret == 0)
		remember(m, i, &add);
	net_add_dispose(&add);
	return ret;
}

static int make_all(struct making *m, struct err *e)
{
	const struct net_plan *plan = m->plan;
	const struct net_request *rq = plan->request;

	if (mkdir(NET_DIR, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", NET_DIR);
	if (write_file_atomic(AT_FDCWD, NETNS_FILE, m->netns_path, strlen(m->netns_path), 0644, e) < 0 ||
		netns_create(m->netns_path, e) < 0 || netns_open(m->netns_path, &m->netns, e) < 0)
		return -1;
	for (size_t i = 0; i < plan->n; i++)
		if (add_network(m, i, e) < 0)
			return -1;
	if (plan->nforwards == 0 || m->ports_taken)
		return 0;
	return ports_lead(rq->uuid, plan->forwards, plan->nforwards, m->ip4, m->ip6, e);
}

/* As if nothing had been made. */
static void undo(const struct net_request *rq, struct err *e)
{
	struct err late = ERR_INIT;

	if (net_remove(&(struct net_removal){ .uuid = rq->uuid, .s1root = rq->s1root, .local_config = rq->local_config,
			.forget = true, .timeout_ms = rq->timeout_ms }, &late) < 0)
		err_append(e, "; and undoing what was made: %s", late.msg);
	else
		(void)unlink(NET_INFO_FILE);
}

int net_make(struct net_plan *plan, struct net_result *result_r, struct err *e)
{
	struct making m = { .plan = plan, .netns = -1, .result = NET_RESULT_INIT };
	int ret;

	if (!plan) {
		*result_r = m.result;
		return net_infos_write(&m.infos, e);
	}
	if (ports_hold(plan->forwards, plan->nforwards, &plan->held, e) < 0)
		return -1;
	m.netns_path = netns_path(plan->request->uuid);
	m.mappings = net_forward_mappings(plan->forwards, plan->nforwards);
	m.infos.list = xcalloc(plan->n, sizeof(*m.infos.list));
	m.result.nics = xcalloc(plan->n, sizeof(*m.result.nics));
	ret = make_all(&m, e);
	if (m.netns >= 0)
		(void)close(m.netns);
	if (ret < 0) {
		net_result_dispose(&m.result);
		undo(plan->request, e);
	} else {
		*result_r = m.result;
	}
	net_infos_dispose(&m.infos);
	free(m.netns_path);
	free(m.mappings);
	free(m.ip4);
	free(m.ip6);
	return ret;
}
