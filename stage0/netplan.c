/* See netplan.h. */
#include "stage0/netplan.h"

#include <archive_entry.h>
#include <fcntl.h>
#include <string.h>

#include "stage0/stream.h"
#include "stage0/unpack.h"
#include "stage1/common/util.h"
#include "stage1/net/files.h"
#include "stage1/net/forward.h"
#include "stage1/net/select.h"

#define IMAGE_NET_DIR "rootfs/etc/rkt/net.d/"

static int take_entry(struct tar_stream *s, const char *name, const char *image, struct net_confs *confs, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s: %s", image, name + strlen("rootfs/"));
	AUTO_FREE char *text = xmalloc(NET_CONF_MAX + 1);
	size_t len = 0;
	la_ssize_t n;

	while (len < NET_CONF_MAX && (n = archive_read_data(s->tar, text + len, NET_CONF_MAX - len)) > 0)
		len += (size_t)n;
	return net_confs_add(path, text, len, 0, confs, e);
}

/* In the order of their names, as an image's tar has them. */
static int read_image(const char *image, struct net_confs *confs, struct err *e)
{
	const struct aci_limits limits = ACI_LIMITS_DEFAULT;
	struct tar_stream s = TAR_STREAM_INIT;
	AUTO_CLOSE int fd = open(image, O_RDONLY | O_CLOEXEC);
	struct archive_entry *entry;
	int ret;

	if (fd < 0)
		return err_sys(e, "open %s", image);
	if (tar_stream_open(&s, fd, limits.bytes, e) < 0)
		return err_prefix(e, "%s", image);
	while ((ret = tar_stream_next(&s, &entry, e)) > 0) {
		const char *name = archive_entry_pathname(entry);

		if (!name || !str_has_prefix(name, IMAGE_NET_DIR) || archive_entry_filetype(entry) != AE_IFREG ||
			!net_conf_is_file(name + strlen(IMAGE_NET_DIR)))
			continue;
		ret = take_entry(&s, name, image, confs, e);
		if (ret < 0)
			break;
	}
	tar_stream_dispose(&s);
	return ret;
}

static void print(const char *what, const char *text, FILE *out)
{
	AUTO_FREE char *line = xstrdup(text);

	text_make_harmless(line);
	fprintf(out, "%-18s \"%s\"\n", what, line);
}

static void print_network(const struct net_choice *c, FILE *out)
{
	const struct net_conf *conf = c->conf;

	print("  network", conf->name, out);
	print("    interface", c->ifname, out);
	print("    configuration", conf->path, out);
	for (size_t i = 0; i < conf->nplugins; i++) {
		if (!conf->backend)
			print("    plugin", conf->plugins[i].type, out);
		if (conf->plugins[i].ipam)
			print("    addresses by", conf->plugins[i].ipam, out);
	}
	if (conf->backend)
		print("    in domain", conf->backend, out);
	if (conf->bridge)
		print("    at bridge", conf->bridge, out);
	if (*c->args)
		print("    arguments", c->args, out);
}

static void print_ports(const struct net_forward *list, size_t n, const char *network, FILE *out)
{
	for (size_t i = 0; i < n; i++) {
		AUTO_FREE char *text = xasprintf("%s: %s port %s%s%u to %u of network %s", list[i].name, list[i].udp ? "udp" : "tcp",
			list[i].ip, *list[i].ip ? " " : "", list[i].host_port, list[i].pod_port, network);

		print("  port", text, out);
	}
}

static int choose(const struct net_sources *from, const struct net_confs *confs, FILE *out, size_t *n_r, struct err *e)
{
	struct net_choice *list = NULL;
	struct net_forward *forwards = NULL;
	size_t n = 0, nforwards = 0;
	int ret = net_select(from->net, confs->list, confs->n, confs->where, &list, &n, e);

	if (ret < 0)
		return -1;
	for (size_t i = 0; ret == 0 && i < n; i++)
		ret = net_conf_check(list[i].conf, e);
	if (ret == 0)
		ret = net_forwards(from->pod, &forwards, &nforwards, e);
	if (ret == 0) {
		for (size_t i = 0; i < n; i++)
			print_network(&list[i], out);
		print_ports(forwards, nforwards, list[net_forwardable(list, n)].conf->name, out);
		*n_r = n;
	}
	free(forwards);
	net_choices_dispose(list, n);
	return ret;
}

/* Without the image the networks it has are not known, and so not what a name means. */
static int look(const struct net_sources *from, FILE *out, size_t *n_r, struct err *e)
{
	struct net_confs confs;
	struct err why = ERR_INIT;
	int ret = -1;

	*n_r = 0;
	if (!strcmp(from->net, "none")) {
		fprintf(out, "  none\n");
		return 0;
	}
	net_confs_init(from->image, from->local_config, &confs);
	if (read_image(from->image, &confs, &why) < 0) {
		print("  not known", why.msg, out);
		ret = 0;
	} else if (net_confs_local(from->local_config, &confs, e) == 0) {
		ret = choose(from, &confs, out, n_r, e);
	}
	net_confs_dispose(&confs);
	return ret;
}

int netplan(const struct net_sources *from, char **text_r, size_t *n_r, struct err *e)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int ret;

	if (!out)
		abort();
	fprintf(out, "networks\n");
	ret = look(from, out, n_r, e);
	if (fclose(out) != 0)
		abort();
	if (ret < 0)
		free(text);
	else
		*text_r = text;
	return ret;
}
