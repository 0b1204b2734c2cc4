/* See info.h. */
#include "stage1/net/info.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/net/select.h"
#include "stage1/pod/jnode.h"

struct member {
	const char *key;
	size_t at;       /* in struct net_info */
};

/* in rkt's order */
static const struct member members[] = {
	{ "netName", offsetof(struct net_info, name) }, { "netConf", offsetof(struct net_info, conf) },
	{ "pluginPath", offsetof(struct net_info, plugin) }, { "ifName", offsetof(struct net_info, ifname) },
	{ "ip", offsetof(struct net_info, ip) }, { "args", offsetof(struct net_info, args) },
	{ "mask", offsetof(struct net_info, mask) },
};

static char **text_of(const struct net_info *info, const struct member *m)
{
	return (char **)((char *)info + m->at);
}

char *net_infos_print(const struct net_infos *infos)
{
	json_object *list;
	char *text;

	if (infos->n == 0)
		return xstrdup("null\n");
	list = json_object_new_array();
	for (size_t i = 0; i < infos->n; i++) {
		json_object *obj = json_object_new_object();

		for (size_t k = 0; k < COUNT(members); k++)
			(void)json_object_object_add(obj, members[k].key,
				json_object_new_string(*text_of(&infos->list[i], &members[k])));
		(void)json_object_array_add(list, obj);
	}
	text = xasprintf("%s\n", json_object_to_json_string_ext(list,
		JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(list);
	return text;
}

static int read_info(const struct jnode *at, struct net_info *info, struct err *e)
{
	for (size_t i = 0; i < COUNT(members); i++) {
		const char *s = "";

		if (jnode_opt_str(at, members[i].key, &s, e) < 0)
			return -1;
		*text_of(info, &members[i]) = xstrdup(s);
	}
	return 0;
}

static int read_infos(const struct jnode *root, struct net_infos *infos, struct err *e)
{
	struct jnode item;

	if (!json_object_is_type(root->obj, json_type_array))
		return jnode_err(e, root, "expected array, found %s",
			json_type_to_name(json_object_get_type(root->obj)));
	if (jnode_len(root) > NET_NETWORKS_MAX)
		return jnode_err(e, root, "more than %d networks", NET_NETWORKS_MAX);
	infos->list = xcalloc(jnode_len(root), sizeof(*infos->list));
	for (size_t i = 0; i < jnode_len(root); i++) {
		if (jnode_item(root, i, json_type_object, &item, e) < 0)
			return -1;
		if (read_info(&item, &infos->list[infos->n++], e) < 0)
			return -1;
	}
	return 0;
}

int net_infos_parse(const char *text, size_t len, struct net_infos *infos_r, struct err *e)
{
	struct net_infos infos = { .list = NULL };
	json_object *doc = NULL;
	struct jnode root;
	int ret = 0;

	if (json_parse(text, len, NET_INFO_FILE, &doc, e) < 0)
		return -1;
	root = jnode_root(doc, NET_INFO_FILE);
	if (doc)
		ret = read_infos(&root, &infos, e);
	json_object_put(doc);
	if (ret < 0)
		net_infos_dispose(&infos);
	else
		*infos_r = infos;
	return ret;
}

void net_info_dispose(struct net_info *info)
{
	for (size_t k = 0; k < COUNT(members); k++)
		free(*text_of(info, &members[k]));
	*info = (struct net_info){ .name = NULL };
}

void net_infos_dispose(struct net_infos *infos)
{
	for (size_t i = 0; i < infos->n; i++)
		net_info_dispose(&infos->list[i]);
	free(infos->list);
	*infos = (struct net_infos){ .list = NULL };
}

void net_info_set_ip(struct net_info *info, const struct net_add *add)
{
	const struct net_ip *ip = add ? net_add_ip(add, 4) : NULL;
	char mask[INET_ADDRSTRLEN] = "";
	struct in_addr bits;

	if (ip) {
		bits.s_addr = htonl(ip->prefix ? ~0U << (32 - ip->prefix) : 0);
		(void)inet_ntop(AF_INET, &bits, mask, sizeof(mask));
	} else if (add && add->nips) {
		ip = &add->ips[0];
	}
	free(info->ip);
	free(info->mask);
	info->ip = xstrdup(ip ? ip->ip : "");
	info->mask = xstrdup(mask);
}
