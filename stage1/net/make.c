/* See making.h: from a plan to networks, first what the plugins do, then what we do with it. */
#include <fcntl.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/net/join.h"
#include "stage1/net/making.h"
#include "stage1/net/netns.h"
#include "stage1/net/plugin.h"
#include "stage1/net/remote.h"
#include "stage1/net/takeover.h"

/* Its entry in net-info.json: from here on net_remove() knows of it. */
static int announce(const struct net_plan *plan, const struct net_choice *c, struct net_infos *infos, struct err *e)
{
	struct net_info *info = &infos->list[infos->n];
	AUTO_FREE char *copy = xasprintf(NET_DIR "/%s", c->copy);

	if (write_file_atomic(AT_FDCWD, copy, c->conf->text, c->conf->len, 0644, e) < 0)
		return -1;
	*info = (struct net_info){ .name = xstrdup(c->conf->name), .conf = STEAL(copy),
		.plugin = plugin_find(plan->path, net_conf_type(c->conf, 0)),
		.ifname = xstrdup(c->ifname), .args = xstrdup(c->args) };
	if (!info->plugin) /* gone since it was checked */
		info->plugin = xstrdup(net_conf_type(c->conf, 0));
	net_info_set_ip(info, NULL);
	infos->n++;
	return net_infos_write(infos, e);
}

static int call(const struct net_making *m, size_t i, int cancel, struct net_infos *infos, struct err *e)
{
	const struct net_plan *plan = m->plan;
	const struct net_request *rq = plan->request;
	const struct net_choice *c = &plan->list[i];
	bool forwardable = i == net_forwardable(plan->list, plan->n);
	struct plugin_call plugins = { .command = "ADD", .conf = c->conf, .uuid = rq->uuid, .netns = m->netns_path,
		.ifname = c->ifname, .args = c->args, .path = plan->path, .ports = forwardable ? m->mappings : NULL,
		.timeout_ms = rq->timeout_ms ? rq->timeout_ms : NET_PLUGIN_TIMEOUT_MS, .cancel = cancel };
	struct net_add add;
	int ret;

	if (announce(plan, c, infos, e) < 0 || (plugins.ports && net_file_write(c->ifname, "ports", plugins.ports, e) < 0) ||
		plugins_add(&plugins, &add, e) < 0)
		return -1;
	plan_step(plan, "network '%s' is made", c->conf->name);
	net_info_set_ip(&infos->list[infos->n - 1], &add);
	ret = net_file_write(c->ifname, "result", add.text, e);
	if (ret == 0)
		ret = net_infos_write(infos, e);
	net_add_dispose(&add);
	return ret;
}

int making_call(const struct net_making *m, int cancel, struct err *e)
{
	struct net_infos infos = { .list = xcalloc(m->plan->n, sizeof(*infos.list)) };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < m->plan->n; i++)
		ret = call(m, i, cancel, &infos, e);
	net_infos_dispose(&infos);
	return ret;
}

static const char *gateway(const struct net_add *add, int family)
{
	const struct net_ip *ip = net_add_ip(add, family);

	return ip && *ip->gateway ? ip->gateway : NULL;
}

/* The guest's share of the interface. */
static int take_over(int netns, const struct net_choice *c, const struct net_add *add, struct net_result *result,
	struct err *e)
{
	struct join_opts opts = { .any_source = c->conf->any_source };
	struct guest_nic *nic = &result->nics[result->nnics];
	AUTO_FREE char *rules = NULL;

	if (takeover_read(netns, c->ifname, nic, e) < 0)
		return -1;
	result->nnics++;
	if (c->conf->only_gateway) {
		opts.only_to = gateway(add, 4) ? gateway(add, 4) : gateway(add, 6);
		if (!opts.only_to)
			return err_set(e, ERR_INPUT, "stage1-xen/only-gateway: the plugin named no gateway");
	}
	rules = join_rules(nic, &opts);
	return netns_hear_multicast(netns, c->ifname, e) < 0 ? -1 : net_file_write(c->ifname, "nft", rules, e);
}

/* There is none in dom0. */
static int take_remote(const char *uuid, size_t i, const struct net_choice *c, const struct net_add *add,
	struct net_result *result, struct err *e)
{
	if (net_remote_nic(c->conf, uuid, i, add, &result->nics[result->nnics], e) < 0)
		return -1;
	result->nnics++;
	return 0;
}

/* A plugin of its chain has led them. */
static bool takes_ports(const struct net_conf *conf)
{
	for (size_t i = 0; i < conf->nplugins; i++)
		if (conf->plugins[i].takes_ports)
			return true;
	return false;
}

static int lead_ports(const struct net_plan *plan, const struct net_conf *conf, const struct net_add *add, struct err *e)
{
	const struct net_ip *ip4 = net_add_ip(add, 4), *ip6 = net_add_ip(add, 6);

	if (plan->nforwards == 0 || takes_ports(conf))
		return 0;
	return ports_lead(plan->request->uuid, plan->forwards, plan->nforwards, ip4 ? ip4->ip : NULL, ip6 ? ip6->ip : NULL, e);
}

static int take(const struct net_making *m, size_t i, struct net_add *add, struct net_result *result, struct err *e)
{
	const struct net_choice *c = &m->plan->list[i];

	int ret;

	if (c->conf->backend)
		ret = take_remote(m->plan->request->uuid, i, c, add, result, e);
	else
		ret = take_over(m->netns, c, add, result, e);
	if (ret < 0)
		return err_prefix(e, "network '%s' (%s), %s", c->conf->name, c->conf->file, c->ifname);
	if (!result->resolv_conf)
		result->resolv_conf = net_resolv_conf(&add->dns, c->conf->name);
	if (i != net_forwardable(m->plan->list, m->plan->n) || c->conf->backend)
		return 0;
	result->host_ip = gateway(add, 4) ? xstrdup(gateway(add, 4)) : NULL;
	return lead_ports(m->plan, c->conf, add, e);
}

/* What ADD said is in its file, which DEL will be given. */
static int read_add(const char *ifname, struct net_add *add_r, struct err *e)
{
	AUTO_FREE char *text = NULL;

	if (net_file_read(ifname, "result", &text, e) < 0)
		return -1;
	if (!text)
		return err_set(e, ERR_HOST, "the result of %s is gone", ifname);
	return net_add_parse(text, strlen(text), add_r, e);
}

int making_take(const struct net_making *m, struct net_result *result_r, struct err *e)
{
	struct net_result result = { .nics = xcalloc(m->plan->n, sizeof(*result.nics)) };
	struct net_add add;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < m->plan->n; i++) {
		ret = read_add(m->plan->list[i].ifname, &add, e);
		if (ret < 0)
			break;
		ret = take(m, i, &add, &result, e);
		net_add_dispose(&add);
	}
	if (ret < 0)
		net_result_dispose(&result);
	else
		*result_r = result;
	return ret;
}
