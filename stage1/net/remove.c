/* net_remove() of net.h: by the files alone, for it may be another process that made the networks. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/net/files.h"
#include "stage1/net/net.h"
#include "stage1/net/netns.h"
#include "stage1/net/plugin.h"
#include "stage1/net/ports.h"

enum { NSFS = 0x6e736673 }; /* NSFS_MAGIC, linux/magic.h */

/* Keeps the first of several errors. */
static void keep(struct err *e, const struct err *why)
{
	if (why->kind != ERR_NONE)
		err_set_(e, why->kind, "%s", why->msg);
}

/* Without a namespace (the host was started anew) plugins get none: they may not know a path that leads nowhere. */
static bool netns_is_there(const char *path)
{
	struct statfs st;

	return statfs(path, &st) == 0 && st.f_type == NSFS;
}

/* A network whose configuration is not there any more has been removed. */
static void remove_network(const struct net_removal *rm, const struct net_info *info, const char *netns,
	const char *plugins, struct err *e)
{
	struct net_conf conf = NET_CONF_INIT;
	struct plugin_call call = { .command = "DEL", .conf = &conf, .uuid = rm->uuid,
		.netns = netns_is_there(netns) ? netns : "", .ifname = info->ifname, .args = info->args,
		.path = plugins, .timeout_ms = rm->timeout_ms ? rm->timeout_ms : NET_PLUGIN_TIMEOUT_MS, .cancel = -1 };
	AUTO_FREE char *result = NULL;
	AUTO_FREE char *ports = NULL;
	struct err why = ERR_INIT;

	if (access(info->conf, F_OK) < 0 && errno == ENOENT)
		return;
	if (net_conf_read(info->conf, &conf, &why) == 0 && net_conf_check(&conf, &why) == 0 &&
		net_file_read(info->ifname, "result", &result, &why) == 0 &&
		net_file_read(info->ifname, "ports", &ports, &why) == 0) {
		call.ports = ports;
		if (rm->say)
			fprintf(stderr, "stage1: executing net-plugin %s\n", info->plugin);
		(void)plugins_del(&call, result, &why);
	}
	net_conf_dispose(&conf);
	keep(e, &why);
}

/* The directory net/ and what is in it; `netns` last, which says that there was any. */
static int forget(struct err *e)
{
	DIR *dir = opendir(NET_DIR);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			unlinkat(dirfd(dir), entry->d_name, 0) < 0 && errno != ENOENT) {
			(void)closedir(dir);
			return err_sys(e, "remove " NET_DIR "/%s", entry->d_name);
		}
	if (dir)
		(void)closedir(dir);
	if (rmdir(NET_DIR) < 0 && errno != ENOENT)
		return err_sys(e, "remove " NET_DIR);
	return unlink(NETNS_FILE) < 0 && errno != ENOENT ? err_sys(e, "remove " NETNS_FILE) : 0;
}

int net_remove(const struct net_removal *rm, struct err *e)
{
	AUTO_FREE char *netns = netns_path(rm->uuid);
	AUTO_FREE char *plugins = plugin_path(rm->local_config ? rm->local_config : LOCAL_CONFIG_DEFAULT, rm->s1root);
	struct net_infos infos = { .list = NULL };
	struct err first = ERR_INIT, why = ERR_INIT;

	if (access(NETNS_FILE, F_OK) < 0 && access(NET_DIR, F_OK) < 0)
		return 0;
	(void)ports_unlead(rm->uuid, &why);
	keep(&first, &why);
	why = (struct err)ERR_INIT;
	(void)net_infos_read(&infos, &why);
	keep(&first, &why);
	for (size_t i = infos.n; i-- > 0;)
		remove_network(rm, &infos.list[i], netns, plugins, &first);
	net_infos_dispose(&infos);
	why = (struct err)ERR_INIT;
	if (netns_remove(netns, &why) < 0)
		keep(&first, &why);
	if (first.kind != ERR_NONE)
		return err_set(e, first.kind, "%s", first.msg);
	return rm->forget ? forget(e) : 0;
}
