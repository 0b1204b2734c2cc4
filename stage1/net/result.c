/* See result.h. */
#include "stage1/net/result.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"

enum { WORDS_MAX = 64 };

static int family_of(const char *text, char canonical_r[NET_IP_TEXT])
{
	unsigned char bytes[16];

	if (inet_pton(AF_INET, text, bytes) == 1)
		return inet_ntop(AF_INET, bytes, canonical_r, NET_IP_TEXT) ? 4 : 0;
	if (inet_pton(AF_INET6, text, bytes) == 1)
		return inet_ntop(AF_INET6, bytes, canonical_r, NET_IP_TEXT) ? 6 : 0;
	return 0;
}

/* "A/LEN" and the gateway; `key` is the address's. */
static int read_ip(const struct jnode *at, const char *key, int family, struct net_ip *ip, struct err *e)
{
	struct jnode address = { .up = at, .key = key }, gate = { .up = at, .key = "gateway" };
	const char *text, *gateway = "", *number;
	char ip_text[NET_IP_TEXT] = "";

	if (jnode_str(at, key, &text, e) < 0 || jnode_opt_str(at, "gateway", &gateway, e) < 0)
		return -1;
	number = text + strcspn(text, "/");
	if (number - text < NET_IP_TEXT) {
		memcpy(ip_text, text, (size_t)(number - text));
		ip->family = family_of(ip_text, ip->ip);
	}
	number += *number == '/';
	if (ip->family == 0 || !*number || strlen(number) > 3 || number[strspn(number, "0123456789")] ||
		strtoul(number, NULL, 10) > (ip->family == 4 ? 32 : 128))
		return jnode_err(e, &address, "'%s' is no address with a prefix", text);
	if (family && ip->family != family)
		return jnode_err(e, &address, "'%s' is no IPv%d address", text, family);
	ip->prefix = (unsigned)strtoul(number, NULL, 10);
	if (*gateway && family_of(gateway, ip->gateway) != ip->family)
		return jnode_err(e, &gate, "'%s' is no IPv%d address", gateway, ip->family);
	return 0;
}

static int read_old_ips(const struct jnode *root, struct net_add *add, struct err *e)
{
	static const struct { const char *key; int family; } both[] = { { "ip4", 4 }, { "ip6", 6 } };

	for (size_t i = 0; i < COUNT(both); i++) {
		struct jnode child;
		int ret = jnode_opt(root, both[i].key, json_type_object, &child, e);

		if (ret < 0 || (ret > 0 && read_ip(&child, "ip", both[i].family, &add->ips[add->nips++], e) < 0))
			return -1;
	}
	return 0;
}

static int read_ips(const struct jnode *root, struct net_add *add, struct err *e)
{
	struct jnode list, item;
	int ret = jnode_opt(root, "ips", json_type_array, &list, e);

	add->ips = xcalloc(NET_RESULT_IPS_MAX, sizeof(*add->ips));
	if (ret <= 0)
		return ret < 0 ? -1 : read_old_ips(root, add, e);
	if (jnode_len(&list) > NET_RESULT_IPS_MAX)
		return jnode_err(e, &list, "more than %d addresses", NET_RESULT_IPS_MAX);
	for (size_t i = 0; i < jnode_len(&list); i++)
		if (jnode_item(&list, i, json_type_object, &item, e) < 0 ||
			read_ip(&item, "address", 0, &add->ips[add->nips++], e) < 0)
			return -1;
	return 0;
}

/* It becomes a word of a line of resolv.conf. */
static bool is_word(const char *s)
{
	for (const char *p = s; *p; p++)
		if (*p <= ' ' || *p == 0x7f)
			return false;
	return *s != '\0';
}

static int read_words(const struct jnode *at, const char *key, bool addresses, char ***list_r, size_t *n_r,
	struct err *e)
{
	struct jnode list, item;
	int ret = jnode_opt(at, key, json_type_array, &list, e);

	if (ret <= 0)
		return ret;
	if (jnode_len(&list) > WORDS_MAX)
		return jnode_err(e, &list, "more than %d", WORDS_MAX);
	*list_r = xcalloc(jnode_len(&list), sizeof(**list_r));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		char ip[NET_IP_TEXT];
		const char *s;

		if (jnode_item(&list, i, json_type_string, &item, e) < 0 || jnode_string(&item, &s, e) < 0)
			return -1;
		if (addresses ? !family_of(s, ip) : !is_word(s))
			return jnode_err(e, &item, "'%s' is no %s", s, addresses ? "address" : "word");
		(*list_r)[(*n_r)++] = xstrdup(s);
	}
	return 0;
}

static int read_dns(const struct jnode *root, struct net_dns *dns, struct err *e)
{
	struct jnode at, domain = { .up = &at, .key = "domain" };
	const char *s = "";
	int ret = jnode_opt(root, "dns", json_type_object, &at, e);

	if (ret <= 0)
		return ret;
	if (read_words(&at, "nameservers", true, &dns->servers, &dns->nservers, e) < 0 ||
		read_words(&at, "search", false, &dns->search, &dns->nsearch, e) < 0 ||
		read_words(&at, "options", false, &dns->options, &dns->noptions, e) < 0 ||
		jnode_opt_str(&at, "domain", &s, e) < 0)
		return -1;
	if (*s && !is_word(s))
		return jnode_err(e, &domain, "'%s' is no word", s);
	dns->domain = *s ? xstrdup(s) : NULL;
	return 0;
}

int net_add_parse(const char *text, size_t len, struct net_add *add_r, struct err *e)
{
	struct net_add add = NET_ADD_INIT;
	json_object *doc = NULL;
	struct jnode root;
	int ret;

	if (json_parse(text, len, "result", &doc, e) < 0)
		return -1;
	root = jnode_root(doc, "result");
	ret = jnode_expect(&root, json_type_object, e);
	if (ret == 0)
		ret = read_ips(&root, &add, e);
	if (ret == 0)
		ret = read_dns(&root, &add.dns, e);
	if (ret == 0)
		add.text = xstrdup(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(doc);
	if (ret < 0)
		net_add_dispose(&add);
	else
		*add_r = add;
	return ret;
}

static void free_words(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

void net_add_dispose(struct net_add *add)
{
	free(add->ips);
	free_words(add->dns.servers, add->dns.nservers);
	free_words(add->dns.search, add->dns.nsearch);
	free_words(add->dns.options, add->dns.noptions);
	free(add->dns.domain);
	free(add->text);
	*add = (struct net_add)NET_ADD_INIT;
}

const struct net_ip *net_add_ip(const struct net_add *add, int family)
{
	for (size_t i = 0; i < add->nips; i++)
		if (add->ips[i].family == family)
			return &add->ips[i];
	return NULL;
}

static void put_words(FILE *out, const char *key, char **list, size_t n)
{
	if (n == 0)
		return;
	fputs(key, out);
	for (size_t i = 0; i < n; i++)
		fprintf(out, " %s", list[i]);
	fputc('\n', out);
}

char *net_resolv_conf(const struct net_dns *dns, const char *network)
{
	char *text = NULL;
	size_t len;
	FILE *out;

	if (dns->nservers == 0)
		return NULL;
	out = open_memstream(&text, &len);
	if (!out)
		abort();
	fprintf(out, "# Generated by rkt from network '%s'\n\n", network);
	put_words(out, "search", dns->search, dns->nsearch);
	for (size_t i = 0; i < dns->nservers; i++)
		fprintf(out, "nameserver %s\n", dns->servers[i]);
	put_words(out, "options", dns->options, dns->noptions);
	if (dns->domain)
		fprintf(out, "domain %s\n", dns->domain);
	(void)fclose(out);
	return text;
}

char *net_failure_text(const char *text, size_t len)
{
	const char *msg = "", *details = "";
	struct err why = ERR_INIT;
	json_object *doc = NULL;
	struct jnode root;
	char *said = NULL;

	if (json_parse(text, len, "failure", &doc, &why) < 0)
		return NULL;
	root = jnode_root(doc, "failure");
	if (json_object_is_type(doc, json_type_object) && jnode_opt_str(&root, "msg", &msg, &why) == 0 &&
		jnode_opt_str(&root, "details", &details, &why) == 0 && *msg)
		said = *details ? xasprintf("%s; %s", msg, details) : xstrdup(msg);
	json_object_put(doc);
	return said;
}
