/* What is JSON in a pod's directory; see podread.h. Lenient: a pod is shown whatever else is wrong. */
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "stage0/manifest.h"
#include "stage0/podread.h"
#include "stage1/common/util.h"
#include "stage1/pod/jnode.h"
#include "stage1/pod/pod.h"

enum { NET_INFO_MAX = 1 << 20, NETS_MAX = 1024 };

static int read_net(const struct jnode *list, size_t i, struct pod_net *net, struct err *e)
{
	struct jnode item;

	net->name = net->ip = "";
	return jnode_item(list, i, json_type_object, &item, e) < 0 ||
		jnode_opt_str(&item, "netName", &net->name, e) < 0 ||
		jnode_opt_str(&item, "ip", &net->ip, e) < 0 ? -1 : 0;
}

static int parse_nets(const char *text, size_t len, struct pod_nets *nets, struct err *e)
{
	struct jnode root;

	if (json_parse(text, len, "net-info.json", &nets->doc, e) < 0)
		return -1;
	if (!nets->doc) /* null: no networks */
		return 0;
	root = jnode_root(nets->doc, "net-info.json");
	if (!json_object_is_type(nets->doc, json_type_array))
		return jnode_err(e, &root, "expected array, found %s",
			json_type_to_name(json_object_get_type(nets->doc)));
	if (jnode_len(&root) > NETS_MAX)
		return jnode_err(e, &root, "more than %d networks", NETS_MAX);
	nets->v = xcalloc(jnode_len(&root) + 1, sizeof(*nets->v));
	for (; nets->n < jnode_len(&root); nets->n++)
		if (read_net(&root, nets->n, &nets->v[nets->n], e) < 0)
			return -1;
	return 0;
}

int pod_read_nets(const struct known_pod *pod, struct pod_nets *nets_r, struct err *e)
{
	struct pod_nets nets = POD_NETS_INIT;
	AUTO_FREE char *text = NULL;
	size_t len;

	if ((pod->life != LIFE_RUNNING && !pod_after_run(pod->life)) ||
		faccessat(pod->dir.fd, "net-info.json", F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		*nets_r = nets;
		return 0;
	}
	if (pod_read_file(pod->dir.fd, "net-info.json", NET_INFO_MAX, &text, &len, e) < 0 ||
		parse_nets(text, len, &nets, e) < 0) {
		pod_nets_dispose(&nets);
		return err_prefix(e, "pod %s", pod->dir.uuid);
	}
	*nets_r = nets;
	return 0;
}

void pod_nets_dispose(struct pod_nets *nets)
{
	json_object_put(nets->doc);
	free(nets->v);
	*nets = (struct pod_nets)POD_NETS_INIT;
}

bool pod_has_manifest(enum pod_life life)
{
	return life != LIFE_PREPARING && life != LIFE_ABORTED_PREPARE && life != LIFE_DELETING;
}

static int read_app(const struct jnode *list, size_t i, struct pod_app_ref *app, struct err *e)
{
	struct jnode item, image;
	int ret;

	app->image_id = "";
	if (jnode_item(list, i, json_type_object, &item, e) < 0 || jnode_str(&item, "name", &app->name, e) < 0)
		return -1;
	app->obj = item.obj;
	if (!acname_valid(app->name))
		return jnode_err(e, &item, "'%s' is not an app name", app->name);
	ret = jnode_opt(&item, "image", json_type_object, &image, e);
	if (ret > 0)
		ret = jnode_opt_str(&image, "id", &app->image_id, e);
	return ret < 0 ? -1 : 0;
}

static int parse_meta(const char *text, size_t len, struct pod_meta *meta, struct err *e)
{
	struct jnode root, list;
	int ret;

	if (json_parse(text, len, "pod", &meta->doc, e) < 0)
		return -1;
	root = jnode_root(meta->doc, "pod");
	if (jnode_expect(&root, json_type_object, e) < 0)
		return -1;
	ret = jnode_opt(&root, "apps", json_type_array, &list, e);
	if (ret <= 0)
		return ret;
	if (jnode_len(&list) > POD_APPS_MAX)
		return jnode_err(e, &list, "more than %d", POD_APPS_MAX);
	meta->apps = xcalloc(jnode_len(&list) + 1, sizeof(*meta->apps));
	for (; meta->napps < jnode_len(&list); meta->napps++)
		if (read_app(&list, meta->napps, &meta->apps[meta->napps], e) < 0)
			return -1;
	return 0;
}

int pod_read_meta(int pod, struct pod_meta *meta_r, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	AUTO_FREE char *text = NULL;
	size_t len;

	if (pod_read_file(pod, "pod", POD_MANIFEST_MAX, &text, &len, e) < 0)
		return -1;
	if (parse_meta(text, len, &meta, e) < 0) {
		pod_meta_dispose(&meta);
		return -1;
	}
	*meta_r = meta;
	return 0;
}

void pod_meta_dispose(struct pod_meta *meta)
{
	json_object_put(meta->doc);
	free(meta->apps);
	*meta = (struct pod_meta)POD_META_INIT;
}

int pod_choose_app(const struct pod_meta *meta, const char *name, const struct pod_app_ref **app_r, struct err *e)
{
	for (size_t i = 0; name && i < meta->napps; i++) {
		if (!strcmp(meta->apps[i].name, name)) {
			*app_r = &meta->apps[i];
			return 0;
		}
	}
	if (name)
		return err_set(e, ERR_USAGE, "there is no app '%s' in the pod", name);
	if (meta->napps == 0)
		return err_set(e, ERR_INPUT, "there is no app in the pod");
	if (meta->napps > 1) {
		(void)err_set(e, ERR_USAGE, "there are %zu apps in the pod, choose one by --app=NAME:", meta->napps);
		for (size_t i = 0; i < meta->napps; i++)
			err_append(e, " %s", meta->apps[i].name);
		return -1;
	}
	*app_r = &meta->apps[0];
	return 0;
}

int pod_image_name(int pod, const char *app, char **name_r, struct err *e)
{
	AUTO_FREE char *path = xasprintf("appsinfo/%s/manifest", app), *text = NULL;
	struct image image = IMAGE_INIT;
	const char *version;
	size_t len;

	if (pod_read_file(pod, path, POD_MANIFEST_MAX, &text, &len, e) < 0 ||
		image_parse(text, len, &image, e) < 0)
		return -1;
	version = image_label(&image, "version");
	*name_r = version ? xasprintf("%s:%s", image.name, version) : xstrdup(image.name);
	image_dispose(&image);
	return 0;
}
