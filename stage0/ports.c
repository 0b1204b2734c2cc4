/*
 * Ports of the host that lead into the pod. Sources of facts: rkt rkt/run.go (portList),
 * common/networking/ports.go (ForwardedPorts). See overrides.h.
 */
#include <arpa/inet.h>
#include <string.h>

#include "stage0/overrides.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"

/* As Go prints it: an IPv4 address in IPv6's clothes is IPv4. */
static bool read_ip(const char *text, char ip_r[INET6_ADDRSTRLEN])
{
	struct in6_addr v6;
	struct in_addr v4;

	if (inet_pton(AF_INET, text, &v4) == 1)
		return inet_ntop(AF_INET, &v4, ip_r, INET6_ADDRSTRLEN);
	if (inet_pton(AF_INET6, text, &v6) != 1)
		return false;
	return IN6_IS_ADDR_V4MAPPED(&v6) ? inet_ntop(AF_INET, v6.s6_addr + 12, ip_r, INET6_ADDRSTRLEN) :
		inet_ntop(AF_INET6, &v6, ip_r, INET6_ADDRSTRLEN);
}

/* NAME:[IP:]PORT */
static int read_port(const char *whole, json_object *port, struct err *e)
{
	AUTO_FREE char *copy = xstrdup(whole);
	char *ip = strchr(copy, ':'), *number = strrchr(copy, ':'), address[INET6_ADDRSTRLEN];

	if (!ip)
		return flag_err(e, "port", whole, "not NAME:PORT or NAME:IP:PORT");
	*ip++ = '\0';
	*number++ = '\0';
	if (!acname_valid(copy))
		return flag_err(e, "port", whole, "'%s' is no name (a-z, 0-9 and single dashes)", copy);
	if (!*number || strlen(number) > 5 || number[strspn(number, "0123456789")] ||
		strtol(number, NULL, 10) < 1 || strtol(number, NULL, 10) > 65535)
		return flag_err(e, "port", whole, "'%s' is no port (1 to 65535)", number);
	jb_string(port, "name", copy);
	jb_member(port, "hostPort", json_object_new_int64(strtol(number, NULL, 10)));
	if (ip == number)
		return 0;
	if (!read_ip(ip, address))
		return flag_err(e, "port", whole, "'%s' is no IP address", ip);
	jb_string(port, "hostIP", address);
	return 0;
}

/* The one port of that name in all apps. */
static int find_app_port(const char *whole, const char *name, json_object *apps, json_object **found_r,
	struct err *e)
{
	json_object *found = NULL;

	for (size_t i = 0; i < json_object_array_length(apps); i++) {
		json_object *app = jb_get(json_object_array_get_idx(apps, i), "app");
		json_object *ports = jb_get(app, "ports");

		for (size_t k = 0; ports && k < json_object_array_length(ports); k++) {
			json_object *port = json_object_array_get_idx(ports, k);

			if (strcmp(jb_text(port, "name"), name) != 0)
				continue;
			if (found)
				return flag_err(e, "port", whole, "several apps have a port '%s'", name);
			found = port;
		}
	}
	if (!found)
		return flag_err(e, "port", whole, "no app has a port '%s'", name);
	*found_r = found;
	return 0;
}

static bool conflict(json_object *a, const char *a_protocol, json_object *b, const char *b_protocol)
{
	const char *any = "0.0.0.0", *a_ip = jb_text(a, "hostIP"), *b_ip = jb_text(b, "hostIP");

	if (strcmp(a_protocol, b_protocol) != 0 ||
		json_object_get_int(jb_get(a, "hostPort")) != json_object_get_int(jb_get(b, "hostPort")))
		return false;
	return !*a_ip || !*b_ip || !strcmp(a_ip, any) || !strcmp(b_ip, any) || !strcmp(a_ip, b_ip);
}

static int check_port(const struct cli_list *flags, json_object *ports, size_t i, json_object *apps,
	struct err *e)
{
	json_object *port = json_object_array_get_idx(ports, i), *mine, *other;

	if (find_app_port(flags->v[i], jb_text(port, "name"), apps, &mine, e) < 0)
		return -1;
	for (size_t k = 0; k < i; k++) {
		json_object *before = json_object_array_get_idx(ports, k);

		if (find_app_port(flags->v[k], jb_text(before, "name"), apps, &other, e) < 0)
			return -1;
		if (conflict(port, jb_text(mine, "protocol"), before, jb_text(other, "protocol")))
			return flag_err(e, "port", flags->v[i], "the host's port is taken by --port '%s'",
				flags->v[k]);
	}
	return 0;
}

int make_ports(const struct cli_list *flags, json_object *apps, json_object **list_r, struct err *e)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < flags->n; i++) {
		json_object *port = json_object_new_object();

		(void)json_object_array_add(list, port);
		if (read_port(flags->v[i], port, e) < 0 || check_port(flags, list, i, apps, e) < 0) {
			json_object_put(list);
			return -1;
		}
	}
	*list_r = list;
	return 0;
}

static bool read_number(const char *text, int64_t *n_r)
{
	if (!*text || strlen(text) > 5 || text[strspn(text, "0123456789")])
		return false;
	*n_r = strtol(text, NULL, 10);
	return *n_r >= 1 && *n_r <= 65535;
}

/* NAME:PROTOCOL:PODPORT:IP:PORT; an IPv6 address has colons of its own. */
static int read_pod_port(const char *whole, json_object *port, struct err *e)
{
	AUTO_FREE char *copy = xstrdup(whole);
	char *ip = copy, *name = strsep(&ip, ":"), *protocol = ip ? strsep(&ip, ":") : NULL, *pod = ip ? strsep(&ip, ":") : NULL;
	char *host = ip ? strrchr(ip, ':') : NULL, address[INET6_ADDRSTRLEN];
	int64_t pod_port, host_port;
	json_object *leads_to;

	if (!host)
		return flag_err(e, "port", whole, "not NAME:PROTOCOL:PODPORT:IP:PORT");
	*host++ = '\0';
	if (!acname_valid(name))
		return flag_err(e, "port", whole, "'%s' is no name (a-z, 0-9 and single dashes)", name);
	if (strcmp(protocol, "tcp") != 0 && strcmp(protocol, "udp") != 0)
		return flag_err(e, "port", whole, "'%s' is neither tcp nor udp", protocol);
	if (!read_number(pod, &pod_port) || !read_number(host, &host_port))
		return flag_err(e, "port", whole, "a port is a number from 1 to 65535");
	if (!read_ip(ip, address))
		return flag_err(e, "port", whole, "'%s' is no IP address", ip);
	jb_string(port, "name", name);
	jb_member(port, "hostPort", json_object_new_int64(host_port));
	jb_string(port, "hostIP", address);
	leads_to = json_object_new_object();
	jb_member(port, "podPort", leads_to);
	jb_string(leads_to, "name", name);
	jb_string(leads_to, "protocol", protocol);
	jb_member(leads_to, "port", json_object_new_int64(pod_port));
	jb_member(leads_to, "count", json_object_new_int64(1));
	jb_member(leads_to, "socketActivated", json_object_new_boolean(false));
	return 0;
}

int make_pod_ports(const struct cli_list *flags, json_object **list_r, struct err *e)
{
	json_object *list = json_object_new_array();

	for (size_t i = 0; i < flags->n; i++) {
		json_object *port = json_object_new_object();

		(void)json_object_array_add(list, port);
		if (read_pod_port(flags->v[i], port, e) < 0) {
			json_object_put(list);
			return -1;
		}
	}
	*list_r = list;
	return 0;
}
