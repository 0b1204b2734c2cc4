/* The pod's networks, in the world's ledger: stage1/net has tests of its own, on a real kernel. */
#include <fcntl.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/net/net.h"
#include "tests/stub/world.h"

struct net_plan {
	char nothing;
};

int net_plan_make(const struct net_request *request, struct net_plan **plan_r, struct err *e)
{
	(void)request;
	if (world_fails("net_plan_make"))
		return err_set(e, ERR_HOST, "net_plan_make fails");
	*plan_r = xcalloc(1, sizeof(**plan_r));
	return 0;
}

void net_plan_free(struct net_plan *plan)
{
	free(plan);
}

const char *net_plan_backend(const struct net_plan *plan, size_t i, const char **bridge_r, const char **path_r)
{
	(void)plan;
	(void)i;
	*bridge_r = *path_r = NULL;
	return NULL;
}

size_t net_plan_count(const struct net_plan *plan)
{
	return plan ? 1 : 0;
}

struct net_making {
	int fds[2];
};

int net_begin(struct net_plan *plan, struct net_making **making_r, struct err *e)
{
	struct net_making *m;

	if (!plan)
		world_misuse("networks are made that were not planned");
	if (world->domains)
		world_misuse("the domain is there before its networks are begun");
	if (world_fails("net_begin"))
		return err_set(e, ERR_HOST, "net_begin fails"); /* leaves nothing, says net.h */
	world->networks++;
	m = xcalloc(1, sizeof(*m));
	if (pipe2(m->fds, O_CLOEXEC) < 0)
		abort();
	if (!world->networks_late)
		(void)!write(m->fds[1], "", 1);
	*making_r = m;
	return 0;
}

int net_fd(const struct net_making *m)
{
	return m ? m->fds[0] : -1;
}

void net_abandon(struct net_making *m)
{
	if (!m)
		world_misuse("networks are abandoned that are made");
	(void)close(m->fds[0]);
	(void)close(m->fds[1]);
	free(m);
}

int net_finish(struct net_making *m, struct net_result *result_r, struct err *e)
{
	net_abandon(m);
	if (!world->unpaused)
		world_misuse("the networks are waited for before the domain runs");
	if (world_fails("net_finish")) {
		world->networks--;
		return err_set(e, ERR_HOST, "net_finish fails"); /* likewise */
	}
	*result_r = (struct net_result){ .nics = xcalloc(1, sizeof(struct guest_nic)), .nnics = 1 };
	result_r->nics[0] = (struct guest_nic){ .name = xstrdup("eth0"), .mtu = 1500 };
	return 0;
}

void net_result_dispose(struct net_result *result)
{
	for (size_t i = 0; i < result->nnics; i++)
		guest_nic_dispose(&result->nics[i]);
	free(result->nics);
	*result = (struct net_result)NET_RESULT_INIT;
}

int net_remove(const struct net_removal *removal, struct err *e)
{
	(void)removal;
	if (world->domains)
		world_misuse("the networks go before the domain");
	if (world->networks == 0)
		world_misuse("networks are removed that nobody made");
	if (world_fails("net_remove"))
		return err_set(e, ERR_HOST, "net_remove fails");
	world->networks--;
	return 0;
}
