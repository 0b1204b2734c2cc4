/* See conf.h. */
#include "stage1/net/conf.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n > m && !strcmp(s + n - m, end);
}

bool net_conf_is_file(const char *name)
{
	return *name != '.' && (ends_with(name, ".conf") || ends_with(name, ".conflist"));
}

/* CNI spec 1.0.0, "Network configuration format": it becomes part of paths and of rules. */
static bool name_valid(const char *s)
{
	static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
	static const char rest[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

	return *s && strchr(first, *s) && !s[strspn(s, rest)] && strlen(s) <= 200;
}

static int read_text(const struct jnode *at, const char *key, char **text_r, struct err *e)
{
	const char *s = NULL;

	if (jnode_opt_str(at, key, &s, e) < 0)
		return -1;
	*text_r = s && *s ? xstrdup(s) : NULL;
	return 0;
}

static int read_plugin(const struct jnode *at, struct net_conf *conf, struct err *e)
{
	struct net_plugin *p = &conf->plugins[conf->nplugins++];
	struct jnode child;
	bool masq = false;
	int ret;

	if (read_text(at, "type", &p->type, e) < 0 || jnode_opt_bool(at, "ipMasq", &masq, e) < 0)
		return -1;
	conf->ip_masq = conf->ip_masq || masq;
	ret = jnode_opt(at, "ipam", json_type_object, &child, e);
	if (ret < 0 || (ret > 0 && read_text(&child, "type", &p->ipam, e) < 0))
		return -1;
	ret = jnode_opt(at, "capabilities", json_type_object, &child, e);
	if (ret < 0 || (ret > 0 && jnode_opt_bool(&child, "portMappings", &p->takes_ports, e) < 0))
		return -1;
	return 0;
}

static int read_chain(const struct jnode *root, struct net_conf *conf, struct err *e)
{
	struct jnode list, item;

	if (jnode_get(root, "plugins", json_type_array, &list, e) < 0)
		return -1;
	if (jnode_len(&list) == 0 || jnode_len(&list) > NET_PLUGINS_MAX)
		return jnode_err(e, &list, "%zu plugins, not 1 to %d", jnode_len(&list), NET_PLUGINS_MAX);
	for (size_t i = 0; i < jnode_len(&list); i++)
		if (jnode_item(&list, i, json_type_object, &item, e) < 0 || read_plugin(&item, conf, e) < 0)
			return -1;
	return 0;
}

/* Two numbers of bits: what is less than IPv4 wants is a mistake, and so is more than a frame holds. */
enum { MTU_MIN = 68, MTU_MAX = 65535 - 14, DOMAIN_NAME_MAX = 100 };

static int read_backend(const struct jnode *root, struct net_conf *conf, struct err *e)
{
	static const char key[] = "stage1-xen/backend";
	struct jnode at = { .up = root, .key = key }, mtu;
	int64_t n = 0;
	int ret;

	if (read_text(root, key, &conf->backend, e) < 0)
		return -1;
	if (!conf->backend)
		return 0;
	for (const char *p = conf->backend; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || p - conf->backend >= DOMAIN_NAME_MAX)
			return jnode_err(e, &at, "this is not a domain's name");
	if (read_text(root, "bridge", &conf->bridge, e) < 0 ||
		jnode_opt_bool(root, "isDefaultGateway", &conf->default_gateway, e) < 0)
		return -1;
	ret = jnode_opt(root, "mtu", json_type_int, &mtu, e);
	if (ret < 0 || (ret > 0 && jnode_int(&mtu, MTU_MIN, MTU_MAX, &n, e) < 0))
		return -1;
	conf->mtu = (unsigned)n;
	return 0;
}

static int read_conf(const struct jnode *root, struct net_conf *conf, struct err *e)
{
	struct jnode name;
	const char *s;

	if (jnode_expect(root, json_type_object, e) < 0)
		return -1;
	if (jnode_get(root, "name", json_type_string, &name, e) < 0 || jnode_string(&name, &s, e) < 0)
		return -1;
	if (!name_valid(s))
		return jnode_err(e, &name, "'%s' is not a network name (letters, digits and . _ -)", s);
	conf->name = xstrdup(s);
	if (read_text(root, "cniVersion", &conf->version, e) < 0 ||
		jnode_opt_bool(root, "stage1-xen/any-source", &conf->any_source, e) < 0 ||
		jnode_opt_bool(root, "stage1-xen/only-gateway", &conf->only_gateway, e) < 0 ||
		read_backend(root, conf, e) < 0)
		return -1;
	if (!conf->version)
		conf->version = xstrdup("0.1.0");
	return conf->list ? read_chain(root, conf, e) : read_plugin(root, conf, e);
}

int net_conf_parse(const char *path, const char *text, size_t len, struct net_conf *conf_r, struct err *e)
{
	struct net_conf conf = NET_CONF_INIT;
	json_object *doc = NULL;
	struct jnode root;
	int ret;

	if (json_parse(text, len, path, &doc, e) < 0)
		return -1;
	conf.path = xstrdup(path);
	conf.file = strrchr(conf.path, '/') ? strrchr(conf.path, '/') + 1 : conf.path;
	conf.list = ends_with(path, ".conflist");
	conf.plugins = xcalloc(NET_PLUGINS_MAX, sizeof(*conf.plugins));
	root = jnode_root(doc, path);
	ret = read_conf(&root, &conf, e);
	json_object_put(doc);
	if (ret < 0) {
		net_conf_dispose(&conf);
		return -1;
	}
	conf.text = xmalloc(len + 1);
	memcpy(conf.text, text, len);
	conf.text[len] = '\0';
	conf.len = len;
	*conf_r = conf;
	return 0;
}

void net_conf_dispose(struct net_conf *conf)
{
	for (size_t i = 0; i < conf->nplugins; i++) {
		free(conf->plugins[i].type);
		free(conf->plugins[i].ipam);
	}
	free(conf->plugins);
	free(conf->path);
	free(conf->name);
	free(conf->version);
	free(conf->backend);
	free(conf->bridge);
	free(conf->text);
	*conf = (struct net_conf)NET_CONF_INIT;
}

static int check_type(const struct net_conf *conf, const char *type, struct err *e)
{
	if (strchr(type, '/') || !strcmp(type, ".") || !strcmp(type, ".."))
		return err_set(e, ERR_INPUT, "network '%s' (%s): plugin '%s' is no file name", conf->name,
			conf->path, type);
	return 0;
}

/* What nobody could do, for it would be dom0's to do. */
static int check_backend(const struct net_conf *conf, struct err *e)
{
	const struct { bool wanted; const char *what; } rows[] = {
		{ conf->list, "a chain of plugins" }, { conf->ip_masq, "ipMasq" },
		{ conf->only_gateway, "stage1-xen/only-gateway" },
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].wanted)
			return err_set(e, ERR_INPUT, "network '%s' (%s): it is in domain '%s': %s cannot be had from here",
				conf->name, conf->path, conf->backend, rows[i].what);
	if (!conf->plugins[0].ipam)
		return err_set(e, ERR_INPUT, "network '%s' (%s): it is in domain '%s': it needs an ipam type for its addresses",
			conf->name, conf->path, conf->backend);
	return 0;
}

const char *net_conf_type(const struct net_conf *conf, size_t i)
{
	return conf->backend ? conf->plugins[i].ipam : conf->plugins[i].type;
}

int net_conf_check(const struct net_conf *conf, struct err *e)
{
	if (conf->backend && check_backend(conf, e) < 0)
		return -1;
	for (size_t i = 0; i < conf->nplugins; i++) {
		const struct net_plugin *p = &conf->plugins[i];

		if (!p->type)
			return err_set(e, ERR_INPUT, "network '%s' (%s): it has no type", conf->name, conf->path);
		if (check_type(conf, p->type, e) < 0 || (p->ipam && check_type(conf, p->ipam, e) < 0))
			return -1;
	}
	return 0;
}

bool net_conf_del_takes_result(const struct net_conf *conf)
{
	unsigned major = 0, minor = 0;

	if (sscanf(conf->version, "%3u.%3u", &major, &minor) != 2)
		return false;
	return major > 0 || minor >= 4;
}

static int add_text(json_object *obj, const char *key, const char *text, struct err *e)
{
	json_object *value = NULL;

	if (!text)
		return 0;
	if (json_parse(text, strlen(text), key, &value, e) < 0)
		return -1;
	return json_object_object_add(obj, key, value);
}

static int complete(const struct net_conf *conf, json_object *obj, bool takes_ports, const char *prev,
	const char *ports, struct err *e)
{
	json_object *runtime;

	if (conf->list) {
		(void)json_object_object_add(obj, "name", json_object_new_string(conf->name));
		(void)json_object_object_add(obj, "cniVersion", json_object_new_string(conf->version));
	}
	if (takes_ports && ports) {
		runtime = json_object_new_object();
		(void)json_object_object_add(obj, "runtimeConfig", runtime);
		if (add_text(runtime, "portMappings", ports, e) < 0)
			return -1;
	}
	return add_text(obj, "prevResult", prev, e);
}

int net_conf_input(const struct net_conf *conf, size_t i, const char *prev, const char *ports, char **text_r,
	size_t *len_r, struct err *e)
{
	bool takes_ports = conf->plugins[i].takes_ports;
	json_object *doc = NULL, *obj;
	struct jnode root, list;
	int ret = 0;

	if (!conf->list && !prev && !(takes_ports && ports)) {
		*text_r = xmalloc(conf->len + 1);
		memcpy(*text_r, conf->text, conf->len + 1);
		*len_r = conf->len;
		return 0;
	}
	if (json_parse(conf->text, conf->len, conf->path, &doc, e) < 0)
		return -1;
	root = jnode_root(doc, conf->path);
	obj = doc;
	if (conf->list) {
		ret = jnode_get(&root, "plugins", json_type_array, &list, e);
		obj = ret < 0 ? NULL : json_object_array_get_idx(list.obj, i);
	}
	if (ret == 0)
		ret = complete(conf, obj, takes_ports, prev, ports, e);
	if (ret == 0) {
		*text_r = xstrdup(json_object_to_json_string_ext(obj, JSON_C_TO_STRING_NOSLASHESCAPE));
		*len_r = strlen(*text_r);
	}
	json_object_put(doc);
	return ret;
}
