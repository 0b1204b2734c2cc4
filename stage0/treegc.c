/* See treegc.h. */
#include "stage0/treegc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

#include "stage0/pods.h"
#include "stage0/podread.h"
#include "stage0/treestore.h"
#include "stage1/common/util.h"

struct ids {
	char **v; /* owned */
	size_t n;
};

static bool has(const void *arg, const char *id)
{
	const struct ids *ids = arg;

	for (size_t i = 0; i < ids->n; i++)
		if (!strcmp(ids->v[i], id))
			return true;
	return false;
}

/* Of a pod, or an app of it, that has a tree. It may be removed while we look. */
static int add(struct ids *ids, int pod, const char *path, struct err *e)
{
	struct err why = ERR_INIT;
	char *id;

	if (pod_read_tree_id(pod, path, &id, &why) < 0) {
		if (faccessat(pod, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
			return 0;
		*e = why;
		return -1;
	}
	ids->v = xrealloc(ids->v, ids->n + 1, sizeof(*ids->v));
	ids->v[ids->n++] = id;
	return 0;
}

static int add_of_apps(struct ids *ids, int pod, struct err *e)
{
	AUTO_CLOSE int fd = openat(pod, "appsinfo", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : dir_read(fd);
	struct dirent *d = NULL;
	int ret = 0;

	if (!dir)
		return errno == ENOENT ? 0 : err_sys(e, "open appsinfo");
	while (ret == 0 && (errno = 0, d = readdir(dir))) {
		AUTO_FREE char *path = xasprintf("appsinfo/%s/treeStoreID", d->d_name);

		if (d->d_name[0] != '.')
			ret = add(ids, pod, path, e);
	}
	if (ret == 0 && errno)
		ret = err_sys(e, "read appsinfo");
	(void)closedir(dir);
	return ret;
}

static int add_of_pods(struct ids *ids, const char *data, struct err *e)
{
	struct pod_names names = { .n = 0 };
	int ret = pods_list(data, (1U << PODS_NDIRS) - 1, &names, e);

	for (size_t i = 0; ret >= 0 && i < names.n; i++) {
		struct known_pod pod = KNOWN_POD_INIT;

		ret = pods_open(data, names.v[i], &pod, e);
		if (ret > 0 && (add(ids, pod.dir.fd, "stage1TreeStoreID", e) < 0 || add_of_apps(ids, pod.dir.fd, e) < 0))
			ret = err_prefix(e, "pod %s", names.v[i]);
		known_pod_dispose(&pod);
	}
	pod_names_dispose(&names);
	return ret < 0 ? -1 : 0;
}

static void dispose(struct ids *ids)
{
	for (size_t i = 0; i < ids->n; i++)
		free(ids->v[i]);
	free(ids->v);
}

int tree_is_in_use(const char *data, const char *id, struct err *e)
{
	struct ids ids = { .n = 0 };
	int ret = add_of_pods(&ids, data, e);

	ret = ret < 0 ? -1 : has(&ids, id);
	dispose(&ids);
	return ret;
}

int trees_collect(const char *data, struct err *e)
{
	AUTO_FREE char *trees = xasprintf("%s/cas/tree", data);
	struct ids ids = { .n = 0 };
	struct err why = ERR_INIT;
	AUTO_CLOSE int lock = -1;
	int ret;

	if (access(trees, F_OK) < 0 && errno == ENOENT)
		return 0;
	lock = trees_lock(data, LOCK_EX | LOCK_NB, &why);
	if (lock < 0 && errno == EWOULDBLOCK)
		return 0;
	if (lock < 0) {
		*e = why;
		return -1;
	}
	ret = add_of_pods(&ids, data, e);
	if (ret == 0)
		ret = trees_sweep(data, has, &ids, e);
	dispose(&ids);
	return ret < 0 ? err_prefix(e, "trees that no pod has") : 0;
}
