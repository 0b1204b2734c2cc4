/* Ports that apps listen at, and which of the host lead to them. See pod.h; appc schema/types/port.go. */
#include <arpa/inet.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/pod/read.h"

static int read_port_number(const struct jnode *at, const char *key, uint16_t *port_r, struct err *e)
{
	struct jnode child;
	int64_t n;

	if (jnode_get(at, key, json_type_int, &child, e) < 0 || jnode_int(&child, 1, 65535, &n, e) < 0)
		return -1;
	*port_r = (uint16_t)n;
	return 0;
}

static int read_app_port(const struct jnode *at, struct pod_port *port, struct err *e)
{
	const char *protocol = "";

	port->name = xstrdup("");
	if (read_string(at, "name", &port->name, e) < 0 || jnode_opt_str(at, "protocol", &protocol, e) < 0 ||
		read_port_number(at, "port", &port->port, e) < 0 ||
		jnode_opt_bool(at, "socketActivated", &port->activated, e) < 0)
		return -1;
	if (!acname_valid(port->name))
		return jnode_err(e, at, "'%s' is not a port name (a-z, 0-9 and single dashes)", port->name);
	/* only those that lead somewhere are looked at again: an app may have others */
	port->protocol = !strcmp(protocol, "tcp") ? POD_TCP : !strcmp(protocol, "udp") ? POD_UDP : POD_OTHER;
	return 0;
}

int read_app_ports(const struct jnode *at, struct pod_app *app, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(at, "ports", &list, e);

	if (ret <= 0)
		return ret;
	app->ports = xcalloc(jnode_len(&list), sizeof(*app->ports));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		if (jnode_item(&list, i, json_type_object, &item, e) < 0)
			return -1;
		app->nports++;
		if (read_app_port(&item, &app->ports[i], e) < 0)
			return -1;
	}
	return 0;
}

/* Its canonical text; "" and the addresses that mean any are "". */
static int read_host_ip(const struct jnode *at, struct pod_host_port *port, struct err *e)
{
	struct jnode where = { .up = at, .key = "hostIP" };
	struct in6_addr v6;
	struct in_addr v4;
	const char *text = "";

	if (jnode_opt_str(at, "hostIP", &text, e) < 0)
		return -1;
	if (!*text)
		return 0;
	if (inet_pton(AF_INET, text, &v4) == 1) {
		port->family = 4;
		if (v4.s_addr != INADDR_ANY)
			(void)inet_ntop(AF_INET, &v4, port->ip, sizeof(port->ip));
	} else if (inet_pton(AF_INET6, text, &v6) == 1) {
		port->family = 6;
		if (!IN6_IS_ADDR_UNSPECIFIED(&v6))
			(void)inet_ntop(AF_INET6, &v6, port->ip, sizeof(port->ip));
	} else {
		return jnode_err(e, &where, "'%s' is no IP address", text);
	}
	return 0;
}

static int read_host_port(const struct jnode *at, struct pod_host_port *port, struct err *e)
{
	struct jnode pod_port;
	int ret;

	port->name = xstrdup("");
	if (read_string(at, "name", &port->name, e) < 0 ||
		read_port_number(at, "hostPort", &port->port, e) < 0 || read_host_ip(at, port, e) < 0)
		return -1;
	ret = jnode_opt(at, "podPort", json_type_object, &pod_port, e);
	if (ret <= 0)
		return ret;
	port->pod_port = xcalloc(1, sizeof(*port->pod_port));
	return read_app_port(&pod_port, port->pod_port, e);
}

int read_host_ports(const struct jnode *root, struct pod *pod, struct err *e)
{
	struct jnode list, item;
	int ret = read_list(root, "ports", &list, e);

	if (ret <= 0)
		return ret;
	if (jnode_len(&list) > POD_PORTS_MAX)
		return jnode_err(e, &list, "more than %d ports", POD_PORTS_MAX);
	pod->ports = xcalloc(jnode_len(&list), sizeof(*pod->ports));
	for (size_t i = 0; i < jnode_len(&list); i++) {
		if (jnode_item(&list, i, json_type_object, &item, e) < 0)
			return -1;
		pod->nports++;
		if (read_host_port(&item, &pod->ports[i], e) < 0)
			return -1;
	}
	return 0;
}

void free_app_ports(struct pod_app *app)
{
	for (size_t i = 0; i < app->nports; i++)
		free(app->ports[i].name);
	free(app->ports);
}

void free_host_ports(struct pod *pod)
{
	for (size_t i = 0; i < pod->nports; i++) {
		free(pod->ports[i].name);
		if (pod->ports[i].pod_port)
			free(pod->ports[i].pod_port->name);
		free(pod->ports[i].pod_port);
	}
	free(pod->ports);
}
