/* See listen.h. */
#include "stage1/plan/listen.h"

#include <stdlib.h>
#include <string.h>

#include "stage1/common/util.h"

/* The host's port of that name, or the app's own number: rkt's findHostPort. */
static uint16_t host_port(const struct pod *pod, const struct pod_port *port)
{
	for (size_t i = 0; i < pod->nports; i++)
		if (!strcmp(pod->ports[i].name, port->name))
			return pod->ports[i].port;
	return port->port;
}

static const struct listen_socket *find(const struct listen_sockets *sockets, uint16_t port)
{
	for (size_t i = 0; i < sockets->n; i++)
		if (sockets->v[i].port == port)
			return &sockets->v[i];
	return NULL;
}

static bool is_taken(const struct listen_plans *plans, uint16_t port)
{
	for (size_t i = 0; i < plans->n; i++)
		if (plans->v[i].port == port)
			return true;
	return false;
}

static int add(const struct pod *pod, size_t app, const struct pod_port *port, const struct listen_sockets *sockets,
	struct listen_plans *plans, struct plan_warnings *w, struct err *e)
{
	const char *name = pod->apps[app].name;
	uint16_t number = host_port(pod, port);
	const struct listen_socket *s = find(sockets, number);
	size_t same = 0;

	for (size_t i = 0; i < plans->n; i++)
		same += plans->v[i].app == app;
	if (port->protocol != POD_TCP)
		return err_set(e, ERR_INPUT, "app '%s', port '%s': only TCP can be socket-activated", name, port->name);
	if (is_taken(plans, number))
		return err_set(e, ERR_INPUT, "app '%s', port '%s': port %u is another socket's already", name, port->name,
			number);
	if (plans->n == LISTEN_MAX || same == GUEST_LISTENS_MAX)
		return err_set(e, ERR_INPUT, "app '%s': %d socket-activated ports, and in the pod %d, are all there can be", name,
			GUEST_LISTENS_MAX, LISTEN_MAX);
	if (!s)
		plan_warn(w, "app '%s', port '%s': no socket of ours (LISTEN_FDS) is at port %u: it is not reached from the "
			"host by one", name, port->name, number);
	plans->v[plans->n++] = (struct listen_plan){ .app = app, .port = number, .fd = s ? s->fd : -1 };
	return 0;
}

int plan_listen(const struct pod *pod, const struct listen_sockets *sockets, struct listen_plans *plans_r,
	struct plan_warnings *w, struct err *e)
{
	struct listen_plans plans = { .n = 0 };

	for (size_t i = 0; i < pod->napps; i++)
		for (size_t k = 0; k < pod->apps[i].nports; k++)
			if (pod->apps[i].ports[k].activated &&
				add(pod, i, &pod->apps[i].ports[k], sockets, &plans, w, e) < 0)
				return -1;
	for (size_t i = 0; i < sockets->n; i++)
		if (!is_taken(&plans, sockets->v[i].port))
			plan_warn(w, "LISTEN_FDS: no app has a socket-activated port for the socket at port %u",
				sockets->v[i].port);
	if (sockets->nothers > 0)
		plan_warn(w, "LISTEN_FDS: %zu descriptors are no TCP sockets that listen: they are ignored", sockets->nothers);
	*plans_r = plans;
	return 0;
}

static bool is_relayed(const struct listen_plans *plans, uint16_t port)
{
	for (size_t i = 0; i < plans->n; i++)
		if (plans->v[i].port == port && plans->v[i].fd >= 0)
			return true;
	return false;
}

static bool is_activated(const struct pod *pod, const char *name)
{
	for (size_t i = 0; i < pod->napps; i++)
		for (size_t k = 0; k < pod->apps[i].nports; k++)
			if (pod->apps[i].ports[k].activated && !strcmp(pod->apps[i].ports[k].name, name))
				return true;
	return false;
}

void plan_listen_claim(struct pod *pod, const struct listen_plans *plans)
{
	size_t kept = 0;

	for (size_t i = 0; i < pod->nports; i++) {
		struct pod_host_port *port = &pod->ports[i];

		if (port->pod_port || !is_activated(pod, port->name) || !is_relayed(plans, port->port)) {
			pod->ports[kept++] = *port;
			continue;
		}
		free(port->name);
	}
	pod->nports = kept;
}
