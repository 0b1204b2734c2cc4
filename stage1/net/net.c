/* See net.h. Choosing, and the child that makes; what is made is in make.c, what takes it away again in remove.c. */
#include "stage1/net/net.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/net/making.h"
#include "stage1/net/netns.h"
#include "stage1/net/nft.h"
#include "stage1/net/plugin.h"

/* Rules of dom0 cannot lead to where dom0 is not. */
static int check_ports(const struct net_plan *plan, struct err *e)
{
	const struct net_conf *conf = plan->list[net_forwardable(plan->list, plan->n)].conf;

	if (plan->nforwards == 0 || !conf->backend)
		return 0;
	return err_set(e, ERR_INPUT, "port '%s': network '%s' (%s) is in domain '%s', where this host's ports cannot lead",
		plan->forwards[0].name, conf->name, conf->path, conf->backend);
}

static int check(struct net_plan *plan, struct err *e)
{
	AUTO_FREE char *nft = NULL;

	for (size_t i = 0; i < plan->n; i++)
		if (net_conf_check(plan->list[i].conf, e) < 0 || plugins_check(plan->list[i].conf, plan->path, e) < 0)
			return -1;
	if (check_ports(plan, e) < 0)
		return -1;
	nft = nft_find(e);
	return nft ? 0 : -1;
}

int net_plan_make(const struct net_request *request, struct net_plan **plan_r, struct err *e)
{
	struct net_plan *plan;

	if (!strcmp(request->net, "none")) {
		*plan_r = NULL;
		return 0;
	}
	plan = xcalloc(1, sizeof(*plan));
	plan->request = request;
	plan->path = plugin_path(request->local_config ? request->local_config : LOCAL_CONFIG_DEFAULT, request->s1root);
	if (net_confs_read(request->s1root, request->local_config, &plan->confs, e) < 0 ||
		net_select(request->net, plan->confs.list, plan->confs.n, plan->confs.where, &plan->list, &plan->n, e) < 0 ||
		net_forwards(request->pod, &plan->forwards, &plan->nforwards, e) < 0 || check(plan, e) < 0) {
		net_plan_free(plan);
		return -1;
	}
	*plan_r = plan;
	return 0;
}

void net_plan_free(struct net_plan *plan)
{
	if (!plan)
		return;
	ports_release(&plan->held);
	net_choices_dispose(plan->list, plan->n);
	net_confs_dispose(&plan->confs);
	free(plan->path);
	free(plan->forwards);
	free(plan);
}

const char *net_plan_backend(const struct net_plan *plan, size_t i, const char **bridge_r, const char **path_r)
{
	*bridge_r = plan->list[i].conf->bridge;
	*path_r = plan->list[i].conf->path;
	return plan->list[i].conf->backend;
}

size_t net_plan_count(const struct net_plan *plan)
{
	return plan ? plan->n : 0;
}

void net_result_dispose(struct net_result *result)
{
	for (size_t i = 0; i < result->nnics; i++)
		guest_nic_dispose(&result->nics[i]);
	free(result->nics);
	free(result->resolv_conf);
	free(result->host_ip);
	*result = (struct net_result)NET_RESULT_INIT;
}

static void making_free(struct net_making *m)
{
	if (m->netns >= 0)
		(void)close(m->netns);
	if (m->socket >= 0)
		(void)close(m->socket);
	free(m->netns_path);
	free(m->mappings);
	free(m);
}

/* As if nothing had been made. */
static void undo(const struct net_request *rq, struct err *e)
{
	struct err late = ERR_INIT;

	if (net_remove(&(struct net_removal){ .uuid = rq->uuid, .s1root = rq->s1root, .local_config = rq->local_config,
			.forget = true, .timeout_ms = rq->timeout_ms }, &late) < 0)
		err_append(e, "; and undoing what was made: %s", late.msg);
	else
		(void)unlink(NET_INFO_FILE);
}

/*
 * In the child. It is our process without the right to any of our work: signals are the supervisor's, which shuts the
 * socket when plugins are to end, and it ends with the supervisor. As long as it lives the pod's lock is held.
 */
static void __attribute__((noreturn)) be_child(const struct net_making *m, int ours, pid_t parent)
{
	static const int sigs[] = { SIGTERM, SIGINT, SIGHUP, SIGPWR, SIGWINCH, SIGTSTP };
	struct err e = ERR_INIT;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	for (size_t i = 0; i < COUNT(sigs); i++)
		(void)signal(sigs[i], SIG_IGN);
	(void)signal(SIGCHLD, SIG_DFL);
	if (making_call(m, ours, &e) == 0)
		_exit(0);
	(void)send(ours, &e, sizeof(e), MSG_NOSIGNAL);
	_exit(1);
}

static int start_child(struct net_making *m, struct err *e)
{
	pid_t parent = getpid();
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, "make a pair of sockets");
	m->socket = pair[0];
	m->pid = fork();
	if (m->pid == 0) {
		(void)close(pair[0]);
		be_child(m, pair[1], parent);
	}
	(void)close(pair[1]);
	if (m->pid < 0) {
		m->pid = 0;
		return err_sys(e, "start a process for the networks");
	}
	return 0;
}

static int begin(struct net_making *m, struct err *e)
{
	if (mkdir(NET_DIR, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "make %s", NET_DIR);
	if (write_file_atomic(AT_FDCWD, NETNS_FILE, m->netns_path, strlen(m->netns_path), 0644, e) < 0 ||
		netns_create(m->netns_path, e) < 0 || netns_open(m->netns_path, &m->netns, e) < 0)
		return -1;
	return start_child(m, e);
}

int net_begin(struct net_plan *plan, struct net_making **making_r, struct err *e)
{
	struct net_making *m;

	if (!plan) {
		*making_r = NULL;
		return net_infos_write(&(struct net_infos){ .list = NULL }, e);
	}
	if (ports_hold(plan->forwards, plan->nforwards, &plan->held, e) < 0)
		return -1;
	m = xcalloc(1, sizeof(*m));
	*m = (struct net_making){ .plan = plan, .netns = -1, .socket = -1, .netns_path = netns_path(plan->request->uuid),
		.mappings = net_forward_mappings(plan->forwards, plan->nforwards) };
	if (begin(m, e) < 0) {
		making_free(m);
		undo(plan->request, e);
		return -1;
	}
	*making_r = m;
	plan_step(plan, "the networks' plugins begin");
	return 0;
}

int net_fd(const struct net_making *m)
{
	return m ? m->socket : -1;
}

/* 0 when the plugins have done their work; else *e has why not. */
static int child_end(struct net_making *m, struct err *e)
{
	struct err why;
	ssize_t n;
	int status = 0;

	while ((n = recv(m->socket, &why, sizeof(why), 0)) < 0 && errno == EINTR)
		;
	while (waitpid(m->pid, &status, 0) < 0 && errno == EINTR)
		;
	m->pid = 0;
	if (n == (ssize_t)sizeof(why))
		return err_set(e, why.kind, "%s", why.msg);
	if (n != 0 || status != 0)
		return err_set(e, ERR_HOST, "the process that makes the networks ended early");
	return 0;
}

int net_finish(struct net_making *m, struct net_result *result_r, struct err *e)
{
	const struct net_request *rq = m->plan->request;
	struct pollfd fds[] = { { .fd = m->socket, .events = POLLIN }, { .fd = rq->cancel, .events = POLLIN } };
	int ret;

	while (poll(fds, COUNT(fds), -1) < 0 && errno == EINTR)
		;
	if (fds[1].revents)
		(void)shutdown(m->socket, SHUT_WR);
	ret = child_end(m, e);
	if (ret == 0)
		ret = making_take(m, result_r, e);
	making_free(m);
	if (ret < 0)
		undo(rq, e);
	return ret;
}

void net_abandon(struct net_making *m)
{
	struct err ignored = ERR_INIT;

	(void)shutdown(m->socket, SHUT_WR);
	(void)child_end(m, &ignored);
	making_free(m);
}
