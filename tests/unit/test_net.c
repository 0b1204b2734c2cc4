/* What CNI says in JSON, which networks a pod gets, net-info.json, and the rules of ports. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/net/conf.h"
#include "stage1/net/forward.h"
#include "stage1/net/info.h"
#include "stage1/net/remote.h"
#include "stage1/net/result.h"
#include "stage1/net/select.h"

#define TEXT(s) ((char *)s)
#define UUID "6733c0b5-5f2c-4a4b-8a4c-2f3f4b1f9c01"

static void parse(const char *path, const char *text, struct net_conf *conf)
{
	struct err e = ERR_INIT;

	if (net_conf_parse(path, text, strlen(text), conf, &e) < 0)
		fail_msg("%s", e.msg);
}

static void says_where_a_configuration_is_wrong(void **state)
{
	static const struct { const char *path, *text, *msg; } rows[] = {
		{ "/n/a.conf", "{", "/n/a.conf: not JSON: ends too early" },
		{ "/n/a.conf", "[]", "/n/a.conf: expected object, found array" },
		{ "/n/a.conf", "{}", "/n/a.conf.name: missing" },
		{ "/n/a.conf", "{\"name\": 7}", "/n/a.conf.name: expected string, found int" },
		{ "/n/a.conf", "{\"name\": \"../x\"}",
			"/n/a.conf.name: '../x' is not a network name (letters, digits and . _ -)" },
		{ "/n/a.conf", "{\"name\": \"x\", \"type\": []}", "/n/a.conf.type: expected string, found array" },
		{ "/n/a.conf", "{\"name\": \"x\", \"ipam\": 1}", "/n/a.conf.ipam: expected object, found int" },
		{ "/n/a.conf", "{\"name\": \"x\", \"ipMasq\": \"yes\"}",
			"/n/a.conf.ipMasq: expected boolean, found string" },
		{ "/n/a.conf", "{\"name\": \"x\", \"stage1-xen/any-source\": 1}",
			"/n/a.conf.stage1-xen/any-source: expected boolean, found int" },
		{ "/n/a.conf", "{\"name\": \"x\", \"stage1-xen/backend\": \"a b\"}",
			"/n/a.conf.stage1-xen/backend: this is not a domain's name" },
		{ "/n/a.conf", "{\"name\": \"x\", \"stage1-xen/backend\": \"n\", \"mtu\": 60}",
			"/n/a.conf.mtu: 60 is not within 68 to 65521" },
		{ "/n/a.conflist", "{\"name\": \"x\", \"type\": \"ptp\"}", "/n/a.conflist.plugins: missing" },
		{ "/n/a.conflist", "{\"name\": \"x\", \"plugins\": []}", "/n/a.conflist.plugins: 0 plugins, not 1 to 16" },
		{ "/n/a.conflist", "{\"name\": \"x\", \"plugins\": [1]}",
			"/n/a.conflist.plugins[0]: expected object, found int" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_conf conf;
		struct err e = ERR_INIT;

		assert_int_equal(net_conf_parse(rows[i].path, rows[i].text, strlen(rows[i].text), &conf, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

/* "ADDRESS/LEN > DST/LEN via GATEWAY [onlink]" */
static const char *show_nic(const struct guest_nic *nic)
{
	static char text[1000];
	char ip[NET_IP_TEXT];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s %02x:%02x:%02x:%02x:%02x:%02x %u:", nic->name, nic->mac[0], nic->mac[1],
		nic->mac[2], nic->mac[3], nic->mac[4], nic->mac[5], nic->mtu);

	for (size_t i = 0; i < nic->naddrs; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n, " %s/%u",
			inet_ntop(nic->addrs[i].family == 6 ? AF_INET6 : AF_INET, nic->addrs[i].bytes, ip, sizeof(ip)), nic->addrs[i].prefix);
	for (size_t i = 0; i < nic->nroutes; i++) {
		const struct guest_route *r = &nic->routes[i];
		int family = r->to.family == 6 ? AF_INET6 : AF_INET;

		n += (size_t)snprintf(text + n, sizeof(text) - n, "; %s/%u", inet_ntop(family, r->to.bytes, ip, sizeof(ip)), r->to.prefix);
		if (r->via.family)
			n += (size_t)snprintf(text + n, sizeof(text) - n, " via %s%s", inet_ntop(family, r->via.bytes, ip, sizeof(ip)),
				r->onlink ? " onlink" : "");
	}
	return text;
}

static void plans_a_device_of_another_domain(void **state)
{
	static const struct { const char *more, *result, *nic; } rows[] = {
		{ "", "{\"ip4\": {\"ip\": \"10.1.2.3/24\", \"gateway\": \"10.1.2.1\", \"routes\": [{\"dst\": \"0.0.0.0/0\"}]}}",
			"eth1 02:b5:c0:33:67:01 1500: 10.1.2.3/24; 10.1.2.0/24; 0.0.0.0/0 via 10.1.2.1" },
		{ ", \"mtu\": 9000, \"isDefaultGateway\": true", "{\"cniVersion\": \"1.0.0\", \"ips\": [{\"address\": \"10.1.2.3/32\","
			"\"gateway\": \"10.9.9.9\"}, {\"address\": \"fd01::2/64\", \"gateway\": \"fd01::1\"}], \"routes\": "
			"[{\"dst\": \"10.8.1.2/8\", \"gw\": \"10.9.9.8\"}]}",
			"eth1 02:b5:c0:33:67:01 9000: 10.1.2.3/32 fd01::2/64; fd01::/64; 10.0.0.0/8 via 10.9.9.8 onlink; "
			"0.0.0.0/0 via 10.9.9.9 onlink; ::/0 via fd01::1" },
		{ "", "{\"ips\": [{\"address\": \"10.1.2.3/24\"}], \"routes\": [{\"dst\": \"10.3.0.0/16\"}]}",
			"eth1 02:b5:c0:33:67:01 1500: 10.1.2.3/24; 10.1.2.0/24; 10.3.0.0/16" },
		{ "", "{}", "the plugin for addresses gave none" },
		{ "", "{\"ips\": [{\"address\": \"10.1.2.3/24\"}], \"routes\": [{\"dst\": \"10.3.0.0/160\"}]}",
			"result.routes[0]: '10.3.0.0/160' is no network" },
		{ "", "{\"ips\": [{\"address\": \"10.1.2.3/24\"}], \"routes\": [{\"dst\": \"10.3.0.0/16\", \"gw\": \"fd01::1\"}]}",
			"result.routes[0]: 'fd01::1' is no gateway to 10.3.0.0/16" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *text = xasprintf("{\"name\": \"x\", \"type\": \"bridge\", \"bridge\": \"xenbr0\", "
			"\"stage1-xen/backend\": \"netvm\", \"ipam\": {\"type\": \"host-local\"}%s}", rows[i].more);
		struct net_conf conf;
		struct net_add add;
		struct guest_nic nic;
		struct err e = ERR_INIT;

		parse("/n/a.conf", text, &conf);
		assert_int_equal(net_conf_check(&conf, &e), 0);
		assert_string_equal(conf.backend, "netvm");
		assert_string_equal(conf.bridge, "xenbr0");
		assert_string_equal(net_conf_type(&conf, 0), "host-local");
		assert_int_equal(net_add_parse(rows[i].result, strlen(rows[i].result), &add, &e), 0);
		if (net_remote_nic(&conf, UUID, 1, &add, &nic, &e) < 0) {
			assert_string_equal(e.msg, rows[i].nic);
		} else {
			assert_string_equal(show_nic(&nic), rows[i].nic);
			guest_nic_dispose(&nic);
		}
		net_add_dispose(&add);
		net_conf_dispose(&conf);
	}
}

static void checks_what_is_selected(void **state)
{
	static const struct { const char *text, *msg; } rows[] = {
		{ "{\"name\": \"x\"}", "network 'x' (/n/a.conf): it has no type" },
		{ "{\"name\": \"x\", \"type\": \"../sh\"}", "network 'x' (/n/a.conf): plugin '../sh' is no file name" },
		{ "{\"name\": \"x\", \"type\": \"ptp\", \"ipam\": {\"type\": \"a/b\"}}",
			"network 'x' (/n/a.conf): plugin 'a/b' is no file name" },
		{ "{\"name\": \"x\", \"type\": \"bridge\", \"stage1-xen/backend\": \"n\"}",
			"network 'x' (/n/a.conf): it is in domain 'n': it needs an ipam type for its addresses" },
		{ "{\"name\": \"x\", \"type\": \"bridge\", \"stage1-xen/backend\": \"n\", \"ipMasq\": true}",
			"network 'x' (/n/a.conf): it is in domain 'n': ipMasq cannot be had from here" },
		{ "{\"name\": \"x\", \"type\": \"bridge\", \"stage1-xen/backend\": \"n\", \"stage1-xen/only-gateway\": true}",
			"network 'x' (/n/a.conf): it is in domain 'n': stage1-xen/only-gateway cannot be had from here" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_conf conf;
		struct err e = ERR_INIT;

		parse("/n/a.conf", rows[i].text, &conf);
		assert_int_equal(net_conf_check(&conf, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
		net_conf_dispose(&conf);
	}
}

static void expect_input(const struct net_conf *conf, size_t i, const char *prev, const char *ports, const char *want)
{
	AUTO_FREE char *text = NULL;
	struct err e = ERR_INIT;
	size_t len;

	assert_int_equal(net_conf_input(conf, i, prev, ports, &text, &len, &e), 0);
	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want));
}

static void gives_plugins_what_they_read(void **state)
{
	static const char plain[] = "{ \"name\":\"x\",\n\"type\" : \"ptp\", \"more\": 12345678901234567890 }\n";
	struct net_conf conf;

	(void)state;
	parse("/n/a.conf", plain, &conf);
	assert_string_equal(conf.file, "a.conf");
	assert_string_equal(conf.version, "0.1.0");
	assert_false(net_conf_del_takes_result(&conf));
	expect_input(&conf, 0, NULL, "[ ]", plain); /* byte for byte: it takes no ports */
	expect_input(&conf, 0, "{\"a\":1}", NULL, "{\"name\":\"x\",\"type\":\"ptp\",\"more\":12345678901234567890,"
		"\"prevResult\":{\"a\":1}}");
	net_conf_dispose(&conf);

	parse("/n/a.conflist", "{\"name\":\"x\",\"cniVersion\":\"1.0.0\",\"plugins\":[{\"type\":\"ptp\",\"ipMasq\":true},"
		"{\"type\":\"portmap\",\"capabilities\":{\"portMappings\":true}}]}", &conf);
	assert_true(conf.ip_masq && net_conf_del_takes_result(&conf));
	assert_true(!conf.plugins[0].takes_ports && conf.plugins[1].takes_ports);
	expect_input(&conf, 0, NULL, "[ 1 ]",
		"{\"type\":\"ptp\",\"ipMasq\":true,\"name\":\"x\",\"cniVersion\":\"1.0.0\"}");
	expect_input(&conf, 1, "{}", "[ 1 ]", "{\"type\":\"portmap\",\"capabilities\":{\"portMappings\":true},"
		"\"name\":\"x\",\"cniVersion\":\"1.0.0\",\"runtimeConfig\":{\"portMappings\":[1]},\"prevResult\":{}}");
	net_conf_dispose(&conf);
}

static void knows_versions_and_files(void **state)
{
	static const struct { const char *version; bool takes; } rows[] = {
		{ "0.1.0", false }, { "0.3.1", false }, { "0.4.0", true }, { "1.0.0", true }, { "1.1.0", true }, { "x", false },
	};
	static const struct { const char *name; bool is; } files[] = {
		{ "10-a.conf", true }, { "a.conflist", true }, { ".conf", false }, { ".a.conf", false }, { "a.conf~", false },
		{ "a.json", false }, { "conf", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *text = xasprintf("{\"name\":\"x\",\"cniVersion\":\"%s\"}", rows[i].version);
		struct net_conf conf;

		parse("a.conf", text, &conf);
		assert_int_equal(net_conf_del_takes_result(&conf), rows[i].takes);
		net_conf_dispose(&conf);
	}
	for (size_t i = 0; i < COUNT(files); i++)
		assert_int_equal(net_conf_is_file(files[i].name), files[i].is);
}

/* Builtin ones of directory 0, then the user's. */
static struct net_conf some[] = {
	{ .path = TEXT("/b/99-default.conf"), .file = "99-default.conf", .dir = 0, .name = TEXT("default") },
	{ .path = TEXT("/b/99-r.conf"), .file = "99-r.conf", .dir = 0, .name = TEXT("default-restricted") },
	{ .path = TEXT("/u/10-lan.conf"), .file = "10-lan.conf", .dir = 1, .name = TEXT("lan"), .ip_masq = true },
	{ .path = TEXT("/u/20-lan.conf"), .file = "20-lan.conf", .dir = 1, .name = TEXT("lan") },
	{ .path = TEXT("/u/50-default.conf"), .file = "50-default.conf", .dir = 1, .name = TEXT("default") },
	{ .path = TEXT("/u/99-r.conf"), .file = "99-r.conf", .dir = 1, .name = TEXT("other") },
};

static void selects_networks(void **state)
{
	static const struct { const char *flag, *want; size_t forwardable; } rows[] = {
		{ "default", "eth0=/u/50-default.conf:50-default.conf:", 0 },
		{ "default-restricted", "eth0=/b/99-r.conf:99-r.conf:", 0 },
		{ "default,lan", "eth0=/u/10-lan.conf:10-lan.conf: eth1=/u/50-default.conf:50-default.conf:", 0 },
		{ "lan:IP=10.0.0.5;X=1,other", "eth0=/u/10-lan.conf:10-lan.conf:IP=10.0.0.5;X=1 "
			"eth1=/u/99-r.conf:99-r.conf:", 0 },
		{ "default,other", "eth0=/u/50-default.conf:50-default.conf: eth1=/u/99-r.conf:99-r.conf:", 1 },
		{ "all", "eth0=/u/10-lan.conf:10-lan.conf: eth1=/u/50-default.conf:50-default.conf: "
			"eth2=/b/99-r.conf:99-r.conf: eth3=/u/99-r.conf:eth3-99-r.conf:", 0 },
		{ "all,lan:A=b", "eth0=/u/10-lan.conf:10-lan.conf:A=b eth1=/u/50-default.conf:50-default.conf: "
			"eth2=/b/99-r.conf:99-r.conf: eth3=/u/99-r.conf:eth3-99-r.conf:", 0 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_choice *list;
		char got[600] = "";
		struct err e = ERR_INIT;
		size_t n, len = 0;

		assert_int_equal(net_select(rows[i].flag, some, COUNT(some), "/u, /b", &list, &n, &e), 0);
		for (size_t k = 0; k < n; k++)
			len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%s=%s:%s:%s", k ? " " : "", list[k].ifname,
				list[k].conf->path, list[k].copy, list[k].args);
		assert_string_equal(got, rows[i].want);
		assert_int_equal(net_forwardable(list, n), rows[i].forwardable);
		net_choices_dispose(list, n);
	}
}

static void says_which_networks_are_missing(void **state)
{
	static const struct { const char *flag; size_t n; const char *msg; } rows[] = {
		{ "lan,x,y:A=1", COUNT(some), "--net=lan,x,y:A=1: networks not found: 'x', 'y' (looked in /u, /b)" },
		{ "", COUNT(some), "--net=: networks not found: '' (looked in /u, /b)" },
		{ "lan,", COUNT(some), "--net=lan,: networks not found: '' (looked in /u, /b)" },
		{ "all", 0, "--net=all: there are no networks in /u, /b" },
	};
	struct net_conf many[NET_NETWORKS_MAX + 1];
	char names[NET_NETWORKS_MAX + 1][8];
	struct net_choice *list;
	size_t n;
	struct err e = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		e = (struct err)ERR_INIT;
		assert_int_equal(net_select(rows[i].flag, some, rows[i].n, "/u, /b", &list, &n, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
	}
	for (size_t i = 0; i < COUNT(many); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "n%zu", i);
		many[i] = (struct net_conf){ .name = names[i], .file = names[i], .path = names[i] };
	}
	e = (struct err)ERR_INIT;
	assert_int_equal(net_select("all", many, COUNT(many), "/u", &list, &n, &e), -1);
	assert_string_equal(e.msg, "--net=all: 17 networks, more than 16");
}

static void reads_results_of_every_version(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "{}", "" },
		{ "{\"cniVersion\":\"0.1.0\",\"ip4\":{\"ip\":\"10.1.0.2/16\",\"gateway\":\"10.1.0.1\",\"routes\":[]},\"dns\":{}}",
			"4 10.1.0.2/16 10.1.0.1" },
		{ "{\"ip4\":{\"ip\":\"10.1.0.2/16\"},\"ip6\":{\"ip\":\"FD00::2/64\",\"gateway\":\"fd00:0::1\"}}",
			"4 10.1.0.2/16 |6 fd00::2/64 fd00::1" },
		{ "{\"cniVersion\":\"0.3.1\",\"ips\":[{\"version\":\"4\",\"address\":\"10.1.0.2/32\",\"interface\":2}]}",
			"4 10.1.0.2/32 " },
		{ "{\"cniVersion\":\"1.0.0\",\"ips\":[{\"address\":\"fd00::2/128\",\"gateway\":\"fd00::1\"},"
			"{\"address\":\"10.1.0.2/0\",\"gateway\":\"10.1.0.1\"}],\"interfaces\":[{}]}",
			"6 fd00::2/128 fd00::1|4 10.1.0.2/0 10.1.0.1" },
		{ "{\"ips\":null,\"ip4\":null}", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_add add;
		struct err e = ERR_INIT;
		char got[300] = "";
		size_t len = 0;

		assert_int_equal(net_add_parse(rows[i].text, strlen(rows[i].text), &add, &e), 0);
		for (size_t k = 0; k < add.nips; k++)
			len += (size_t)snprintf(got + len, sizeof(got) - len, "%s%d %s/%u %s", k ? "|" : "",
				add.ips[k].family, add.ips[k].ip, add.ips[k].prefix, add.ips[k].gateway);
		assert_string_equal(got, rows[i].want);
		net_add_dispose(&add);
	}
}

static void says_where_a_result_is_wrong(void **state)
{
	static const struct { const char *text, *msg; } rows[] = {
		{ "", "result: not JSON: ends too early" },
		{ "null\n", "result: expected object, found null" },
		{ "{\"ips\":{}}", "result.ips: expected array, found object" },
		{ "{\"ips\":[{}]}", "result.ips[0].address: missing" },
		{ "{\"ips\":[{\"address\":\"10.1.0.2\"}]}", "result.ips[0].address: '10.1.0.2' is no address with a prefix" },
		{ "{\"ips\":[{\"address\":\"10.1.0.2/33\"}]}",
			"result.ips[0].address: '10.1.0.2/33' is no address with a prefix" },
		{ "{\"ips\":[{\"address\":\"10.1.0.2/+1\"}]}",
			"result.ips[0].address: '10.1.0.2/+1' is no address with a prefix" },
		{ "{\"ips\":[{\"address\":\"fd00::1/129\"}]}",
			"result.ips[0].address: 'fd00::1/129' is no address with a prefix" },
		{ "{\"ip4\":{\"ip\":\"fd00::1/64\"}}", "result.ip4.ip: 'fd00::1/64' is no IPv4 address" },
		{ "{\"ips\":[{\"address\":\"10.1.0.2/8\",\"gateway\":\"fd00::1\"}]}",
			"result.ips[0].gateway: 'fd00::1' is no IPv4 address" },
		{ "{\"dns\":{\"nameservers\":[\"a\"]}}", "result.dns.nameservers[0]: 'a' is no address" },
		{ "{\"dns\":{\"search\":[\"a\\nb\"]}}", "result.dns.search[0]: 'a?b' is no word" },
		{ "{\"dns\":{\"domain\":\"a b\"}}", "result.dns.domain: 'a b' is no word" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct net_add add;
		struct err e = ERR_INIT;

		assert_int_equal(net_add_parse(rows[i].text, strlen(rows[i].text), &add, &e), -1);
		assert_string_equal(e.msg, rows[i].msg);
	}
}

static void writes_resolv_conf(void **state)
{
	static const char text[] = "{\"dns\":{\"nameservers\":[\"10.0.0.1\",\"fd00::1\"],\"domain\":\"d.test\","
		"\"search\":[\"a.test\",\"b.test\"],\"options\":[\"ndots:2\"]}}";
	static const char words[] = "{\"dns\":{\"search\":[\"a\"]}}";
	AUTO_FREE char *got = NULL;
	struct net_add add;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(net_add_parse(text, strlen(text), &add, &e), 0);
	got = net_resolv_conf(&add.dns, "lan");
	assert_string_equal(got, "# Generated by rkt from network 'lan'\n\nsearch a.test b.test\nnameserver 10.0.0.1\n"
		"nameserver fd00::1\noptions ndots:2\ndomain d.test\n");
	net_add_dispose(&add);
	assert_int_equal(net_add_parse(words, strlen(words), &add, &e), 0);
	assert_null(net_resolv_conf(&add.dns, "lan"));
	net_add_dispose(&add);
}

static void reads_complaints(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "{\"cniVersion\":\"0.1.0\",\"code\":100,\"msg\":\"no room\",\"details\":\"really\"}", "no room; really" },
		{ "{\"code\":100,\"msg\":\"no room\"}", "no room" },
		{ "{\"code\":100}", NULL }, { "[]", NULL }, { "no JSON", NULL }, { "", NULL }, { "{\"msg\":7}", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *got = net_failure_text(rows[i].text, strlen(rows[i].text));

		assert_string_equal(got ? got : "-", rows[i].want ? rows[i].want : "-");
	}
}

/* The example of the contract, byte for byte. */
static void writes_net_info_as_rkt(void **state)
{
	static const char want[] = "[{\"netName\":\"default\",\"netConf\":\"net/99-default.conf\",\"pluginPath\":"
		"\"stage1/rootfs/usr/lib/rkt/plugins/net/ptp\",\"ifName\":\"eth0\",\"ip\":\"172.16.28.2\",\"args\":\"\","
		"\"mask\":\"255.255.255.0\"}]\n";
	static const char *const results[] = { "{\"ip4\":{\"ip\":\"172.16.28.2/24\"}}", "{\"ip6\":{\"ip\":\"fd00::2/64\"}}",
		"{\"ips\":[{\"address\":\"fd00::2/64\"},{\"address\":\"10.0.0.1/0\"}]}", "{}" };
	static const char *const ips[][2] = { { "172.16.28.2", "255.255.255.0" }, { "fd00::2", "" },
		{ "10.0.0.1", "0.0.0.0" }, { "", "" } };
	struct net_infos infos, again;
	AUTO_FREE char *none = NULL;
	AUTO_FREE char *got = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(net_infos_parse(want, strlen(want), &infos, &e), 0);
	assert_int_equal(infos.n, 1);
	for (size_t i = COUNT(results); i-- > 0;) {
		struct net_add add;

		assert_int_equal(net_add_parse(results[i], strlen(results[i]), &add, &e), 0);
		net_info_set_ip(&infos.list[0], &add);
		assert_string_equal(infos.list[0].ip, ips[i][0]);
		assert_string_equal(infos.list[0].mask, ips[i][1]);
		net_add_dispose(&add);
	}
	got = net_infos_print(&infos);
	assert_string_equal(got, want);
	net_infos_dispose(&infos);
	none = net_infos_print(&infos);
	assert_string_equal(none, "null\n");
	assert_int_equal(net_infos_parse(none, 5, &again, &e), 0);
	assert_int_equal(again.n, 0);
	assert_int_equal(net_infos_parse("{}", 2, &again, &e), -1);
	assert_string_equal(e.msg, "net-info.json: expected array, found object");
}

#define APP_PORTS(...) .ports = (struct pod_port[]){ __VA_ARGS__ }, \
	.nports = sizeof((struct pod_port[]){ __VA_ARGS__ }) / sizeof(struct pod_port)

static struct pod_app apps[] = {
	{ .name = TEXT("web"), APP_PORTS({ TEXT("http"), POD_TCP, 80, false }, { TEXT("x"), POD_OTHER, 9, false }) },
	{ .name = TEXT("dns"), APP_PORTS({ TEXT("dns"), POD_UDP, 53, false }, { TEXT("same"), POD_TCP, 1, false }) },
	{ .name = TEXT("end"), APP_PORTS({ TEXT("same"), POD_TCP, 2, false }) },
};

static void refuses_ports(void **state)
{
	static struct pod_host_port lists[][2] = {
		{ { .name = TEXT("http"), .port = 8080 }, { .name = TEXT("no"), .port = 1 } },
		{ { .name = TEXT("same"), .port = 8080 } },
		{ { .name = TEXT("x"), .port = 8080 } },
		{ { .name = TEXT("http"), .port = 8080 }, { .name = TEXT("http"), .port = 8080, .family = 4, .ip = "10.0.0.1" } },
		{ { .name = TEXT("dns"), .port = 53, .family = 6, .ip = "fd00::1" }, { .name = TEXT("dns"), .port = 53, .family = 6 } },
		{ { .name = TEXT("http"), .port = 80, .family = 6, .ip = "::1" } },
	};
	static const size_t ns[] = { 2, 1, 1, 2, 2, 1 };
	static const char *const msgs[] = {
		"port 'no': no app has one of that name",
		"port 'same': apps 'dns' and 'end' have one of that name",
		"port 'x': its protocol is neither tcp nor udp",
		"ports 'http' and 'http': both are the host's tcp port 8080",
		"ports 'dns' and 'dns': both are the host's udp port 53",
		"port 'http': connections to ::1 cannot leave the host, 127.0.0.1 can be led to the pod",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(lists); i++) {
		const struct pod pod = { .apps = apps, .napps = COUNT(apps), .ports = lists[i], .nports = ns[i] };
		struct net_forward *list;
		struct err e = ERR_INIT;
		size_t n;

		assert_int_equal(net_forwards(&pod, &list, &n, &e), -1);
		assert_string_equal(e.msg, msgs[i]);
	}
}

static void leads_ports_to_the_pod(void **state)
{
	static struct pod_port other = { TEXT("any"), POD_UDP, 7, false };
	static struct pod_host_port ports[] = {
		{ .name = TEXT("http"), .port = 8080 }, { .name = TEXT("http"), .port = 80, .family = 4, .ip = "10.0.0.1" },
		{ .name = TEXT("dns"), .port = 8080, .family = 6, .ip = "fd00::9" },
		{ .name = TEXT("none"), .port = 9, .family = 4, .pod_port = &other },
	};
	const struct pod pod = { .apps = apps, .napps = COUNT(apps), .ports = ports, .nports = COUNT(ports) };
	const struct net_target to = { .ip4 = "172.16.28.2", .ip6 = "fd00::2", .device = "veth0" };
	static const char want[] =
		"add table inet stage1-xen-" UUID "\ndelete table inet stage1-xen-" UUID "\n"
		"table inet stage1-xen-" UUID " {\n"
		"\tchain ports {\n"
		"\t\tmeta nfproto ipv4 tcp dport 8080 dnat ip to 172.16.28.2:80\n"
		"\t\tmeta nfproto ipv6 ip6 daddr != ::1 tcp dport 8080 dnat ip6 to [fd00::2]:80\n"
		"\t\tmeta nfproto ipv4 ip daddr 10.0.0.1 tcp dport 80 dnat ip to 172.16.28.2:80\n"
		"\t\tmeta nfproto ipv6 ip6 daddr fd00::9 udp dport 8080 dnat ip6 to [fd00::2]:53\n"
		"\t\tmeta nfproto ipv4 udp dport 9 dnat ip to 172.16.28.2:7\n"
		"\t}\n"
		"\tchain prerouting {\n\t\ttype nat hook prerouting priority -100; policy accept;\n"
		"\t\tfib daddr type local jump ports\n\t}\n"
		"\tchain output {\n\t\ttype nat hook output priority -100; policy accept;\n"
		"\t\tfib daddr type local jump ports\n\t}\n"
		"\tchain postrouting {\n\t\ttype nat hook postrouting priority 100; policy accept;\n"
		"\t\tct status dnat ip daddr 172.16.28.2 fib saddr type local masquerade\n"
		"\t\tct status dnat ip daddr 172.16.28.2 ip saddr 172.16.28.2 masquerade\n"
		"\t\tct status dnat ip6 daddr fd00::2 fib saddr type local masquerade\n"
		"\t\tct status dnat ip6 daddr fd00::2 ip6 saddr fd00::2 masquerade\n"
		"\t}\n"
		"\tchain loopback {\n\t\ttype filter hook prerouting priority -300; policy accept;\n"
		"\t\tiifname \"veth0\" ip daddr 127.0.0.0/8 counter drop\n"
		"\t\tiifname \"veth0\" ip saddr 127.0.0.0/8 counter drop\n\t}\n"
		"}\n";
	AUTO_FREE struct net_forward *list = NULL;
	AUTO_FREE char *mappings = NULL;
	AUTO_FREE char *got = NULL;
	struct err e = ERR_INIT;
	size_t n;

	(void)state;
	assert_int_equal(net_forwards(&pod, &list, &n, &e), 0);
	assert_int_equal(net_forwards_check(list, n, &to, &e), 0);
	got = net_forward_rules(UUID, list, n, &to);
	assert_string_equal(got, want);
	mappings = net_forward_mappings(list + 1, 1);
	assert_string_equal(mappings, "[ { \"hostPort\": 80, \"containerPort\": 80, \"protocol\": \"tcp\", "
		"\"hostIP\": \"10.0.0.1\" } ]");
	assert_null(net_forward_mappings(list, 0));
	assert_int_equal(net_forwards_check(list, n, &(struct net_target){ .ip4 = "172.16.28.2" }, &e), -1);
	assert_string_equal(e.msg,
		"port 'dns': the pod has no IPv6 address that the host's fd00::9 port 8080 could lead to");
	e = (struct err)ERR_INIT;
	assert_int_equal(net_forwards_check(list, 1, &(struct net_target){ .ip4 = NULL }, &e), -1);
	assert_string_equal(e.msg, "port 'http': the pod's network gave it no address");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plans_a_device_of_another_domain),
		cmocka_unit_test(says_where_a_configuration_is_wrong),
		cmocka_unit_test(checks_what_is_selected),
		cmocka_unit_test(gives_plugins_what_they_read),
		cmocka_unit_test(knows_versions_and_files),
		cmocka_unit_test(selects_networks),
		cmocka_unit_test(says_which_networks_are_missing),
		cmocka_unit_test(reads_results_of_every_version),
		cmocka_unit_test(says_where_a_result_is_wrong),
		cmocka_unit_test(writes_resolv_conf),
		cmocka_unit_test(reads_complaints),
		cmocka_unit_test(writes_net_info_as_rkt),
		cmocka_unit_test(refuses_ports),
		cmocka_unit_test(leads_ports_to_the_pod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
