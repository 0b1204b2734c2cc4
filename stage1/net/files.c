/* See files.h. */
#include "stage1/net/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage1/common/util.h"
#include "stage1/net/select.h"

enum { CONFS_MAX = 1024 };

int net_conf_read(const char *path, struct net_conf *conf_r, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_file_at(AT_FDCWD, path, NET_CONF_MAX, &text, &len, e) < 0)
		return -1;
	return net_conf_parse(path, text, len, conf_r, e);
}

static int is_conf(const struct dirent *entry)
{
	return net_conf_is_file(entry->d_name);
}

/* In the order of bytes: alphasort() knows languages. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* The last one: whether another one of its directory has the name is looked at here. */
static void warn_if_repeated(const struct net_confs *confs)
{
	const struct net_conf *conf = &confs->list[confs->n - 1];

	if (net_conf_is_repeated(confs->list, confs->n - 1))
		fprintf(stderr, "stage1: warning: %s: network '%s' is defined by an earlier file\n", conf->path, conf->name);
}

int net_confs_add(const char *path, const char *text, size_t len, unsigned dir, struct net_confs *confs, struct err *e)
{
	struct net_conf *conf = &confs->list[confs->n];

	if (confs->n == CONFS_MAX)
		return err_set(e, ERR_INPUT, "%s: more than %d configurations of networks", path, CONFS_MAX);
	if (net_conf_parse(path, text, len, conf, e) < 0)
		return -1;
	conf->dir = dir;
	confs->n++;
	warn_if_repeated(confs);
	return 0;
}

static int read_one(const char *dir, const char *name, unsigned number, struct net_confs *confs, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
	AUTO_FREE char *text = NULL;
	struct stat st;
	size_t len;

	if (stat(path, &st) < 0)
		return err_sys(e, "look at %s", path);
	if (S_ISDIR(st.st_mode))
		return 0;
	if (read_file_at(AT_FDCWD, path, NET_CONF_MAX, &text, &len, e) < 0)
		return -1;
	return net_confs_add(path, text, len, number, confs, e);
}

static int read_dir(const char *dir, unsigned number, struct net_confs *confs, struct err *e)
{
	struct dirent **list;
	int n = scandir(dir, &list, is_conf, by_name), ret = 0;

	if (n < 0)
		return errno == ENOENT ? 0 : err_sys(e, "read %s", dir);
	for (int i = 0; i < n; i++) {
		if (ret == 0)
			ret = read_one(dir, list[i]->d_name, number, confs, e);
		free(list[i]);
	}
	free(list);
	return ret;
}

static char *local_dir(const char *local_config)
{
	return xasprintf("%s/net.d", local_config ? local_config : LOCAL_CONFIG_DEFAULT);
}

void net_confs_init(const char *builtin, const char *local_config, struct net_confs *confs_r)
{
	AUTO_FREE char *local = local_dir(local_config);

	*confs_r = (struct net_confs){ .list = xcalloc(CONFS_MAX + 1, sizeof(*confs_r->list)),
		.where = xasprintf("%s, %s", local, builtin) };
}

int net_confs_local(const char *local_config, struct net_confs *confs, struct err *e)
{
	AUTO_FREE char *local = local_dir(local_config);

	return read_dir(local, 1, confs, e);
}

int net_confs_read(const char *s1root, const char *local_config, struct net_confs *confs_r, struct err *e)
{
	AUTO_FREE char *builtin = xasprintf("%s/etc/rkt/net.d", s1root);
	struct net_confs confs;

	net_confs_init(builtin, local_config, &confs);
	if (read_dir(builtin, 0, &confs, e) < 0 || net_confs_local(local_config, &confs, e) < 0) {
		net_confs_dispose(&confs);
		return -1;
	}
	*confs_r = confs;
	return 0;
}

void net_confs_dispose(struct net_confs *confs)
{
	for (size_t i = 0; i < confs->n; i++)
		net_conf_dispose(&confs->list[i]);
	free(confs->list);
	free(confs->where);
	*confs = (struct net_confs){ .list = NULL };
}

int net_infos_write(const struct net_infos *infos, struct err *e)
{
	AUTO_FREE char *text = net_infos_print(infos);

	return write_file_atomic(AT_FDCWD, NET_INFO_FILE, text, strlen(text), 0644, e);
}

int net_infos_read(struct net_infos *infos_r, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (access(NET_INFO_FILE, F_OK) < 0 && errno == ENOENT) {
		*infos_r = (struct net_infos){ .list = NULL };
		return 0;
	}
	if (read_file_at(AT_FDCWD, NET_INFO_FILE, NET_INFO_MAX, &text, &len, e) < 0)
		return -1;
	return net_infos_parse(text, len, infos_r, e);
}

char *net_file(const char *ifname, const char *suffix)
{
	return xasprintf(NET_DIR "/%s.%s", ifname, suffix);
}

int net_file_write(const char *ifname, const char *suffix, const char *text, struct err *e)
{
	AUTO_FREE char *path = net_file(ifname, suffix);

	return write_file_atomic(AT_FDCWD, path, text, strlen(text), 0644, e);
}

int net_file_read(const char *ifname, const char *suffix, char **text_r, struct err *e)
{
	AUTO_FREE char *path = net_file(ifname, suffix);
	size_t len;

	*text_r = NULL;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	return read_file_at(AT_FDCWD, path, NET_RESULT_MAX, text_r, &len, e);
}
