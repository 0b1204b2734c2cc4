/*
 * What CNI says: the first byte chooses a configuration, a chain of them, a plugin's result, its complaint,
 * or net-info.json. What is taken can be written and read again; what is not is refused in one harmless line.
 */
#include "stage1/common/util.h"
#include "stage1/net/conf.h"
#include "stage1/net/info.h"
#include "stage1/net/remote.h"
#include "stage1/net/result.h"
#include "stage1/net/select.h"
#include "tests/fuzz/fuzz.h"

static void must_be_refused(const struct err *e)
{
	MUST(e->kind == ERR_INPUT && *e->msg);
	must_be_harmless(e->msg);
}

static void conf(const char *path, const char *text, size_t len)
{
	struct net_choice *list;
	struct net_conf conf;
	struct err e = ERR_INIT;
	size_t n;

	if (net_conf_parse(path, text, len, &conf, &e) < 0) {
		must_be_refused(&e);
		return;
	}
	MUST(conf.nplugins > 0 && *conf.name && !strchr(conf.name, '/') && !strchr(conf.name, ','));
	MUST(net_select(conf.name, &conf, 1, "here", &list, &n, &e) == 0 && n == 1);
	net_choices_dispose(list, n);
	if (net_conf_check(&conf, &e) < 0)
		must_be_refused(&e);
	else
		for (size_t i = 0; i < conf.nplugins; i++)
			MUST(*conf.plugins[i].type && !strchr(conf.plugins[i].type, '/'));
	(void)net_conf_del_takes_result(&conf);
	for (size_t i = 0; i < conf.nplugins; i++) {
		AUTO_FREE char *input = NULL;
		struct err again = ERR_INIT;

		MUST(net_conf_input(&conf, i, "{}", "[ ]", &input, &len, &again) == 0 && strlen(input) == len);
	}
	net_conf_dispose(&conf);
}

/* The device of a network that is in another domain: the guest's plan takes what it is. */
static void remote(const struct net_add *add)
{
	const struct net_conf conf = { .default_gateway = true };
	struct guest_nic nic;
	struct err e = ERR_INIT;

	if (net_remote_nic(&conf, "6733c0b5", 3, add, &nic, &e) < 0) {
		must_be_refused(&e);
		return;
	}
	MUST(nic.naddrs == add->nips && nic.nroutes <= 256);
	for (size_t i = 0; i < nic.nroutes; i++)
		MUST(nic.routes[i].to.prefix <= 128 && (!nic.routes[i].via.family || nic.routes[i].via.family == nic.routes[i].to.family));
	guest_nic_dispose(&nic);
}

static void result(const char *text, size_t len)
{
	struct net_add add;
	struct err e = ERR_INIT;

	if (net_add_parse(text, len, &add, &e) < 0) {
		must_be_refused(&e);
		return;
	}
	for (size_t i = 0; i < add.nips; i++)
		MUST((add.ips[i].family == 4 || add.ips[i].family == 6) && *add.ips[i].ip && add.ips[i].prefix <= 128);
	if (add.dns.nservers) {
		AUTO_FREE char *resolv = net_resolv_conf(&add.dns, "x");

		for (const char *p = resolv; *p; p += strcspn(p, "\n") + 1)
			MUST(strchr("#snod\n", *p)); /* search, nameserver, options, domain: nothing of their making */
	}
	remote(&add);
	net_add_dispose(&add);
}

static void info(const char *text, size_t len)
{
	struct net_infos infos, again;
	AUTO_FREE char *printed = NULL;
	struct err e = ERR_INIT;

	if (net_infos_parse(text, len, &infos, &e) < 0) {
		must_be_refused(&e);
		return;
	}
	printed = net_infos_print(&infos);
	MUST(net_infos_parse(printed, strlen(printed), &again, &e) == 0 && again.n == infos.n);
	net_infos_dispose(&infos);
	net_infos_dispose(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	if (data[0] == 'c') {
		conf("/n/a.conf", text, size - 1);
	} else if (data[0] == 'l') {
		conf("/n/a.conflist", text, size - 1);
	} else if (data[0] == 'r') {
		result(text, size - 1);
	} else if (data[0] == 'i') {
		info(text, size - 1);
	} else {
		AUTO_FREE char *said = net_failure_text(text, size - 1);

		MUST(!said || *said);
	}
	return 0;
}
