/* See run.h. The order of the steps is what makes each failure leave nothing. */
#include "stage1/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage1/apps.h"
#include "stage1/common/util.h"
#include "stage1/control.h"
#include "stage1/core.h"
#include "stage1/etc.h"
#include "stage1/export.h"
#include "stage1/listen.h"
#include "stage1/net/net.h"
#include "stage1/notify.h"
#include "stage1/output.h"
#include "stage1/plan/logs.h"
#include "stage1/plan/plan.h"
#include "stage1/plan/size.h"
#include "stage1/plan/streams.h"
#include "stage1/poddir.h"
#include "stage1/relay.h"
#include "stage1/signals.h"
#include "stage1/supervise.h"
#include "stage1/terminal.h"
#include "stage1/trace.h"
#include "stage1/volumes.h"

enum { STATUS_ESCAPED = 1 }; /* as nspawn's (contract 2.1.4) */

struct run {
	const struct run_opts *opts;
	const struct xen_ops *xo;
	int signals;
	struct pod pod;
	char *s1root; /* absolute */
	struct mounts_plan mounts;
	struct etc_files etc;
	struct xen *xen;
	struct domain_plan domain_plan;
	struct net_request net_request;
	struct net_plan *net_plan;
	struct net_making *making; /* the networks, as long as they are not there */
	struct net_result net;
	bool have_net;
	uint8_t *guest_plan; /* encoded */
	size_t guest_plan_len;
	bool has_terminal, lends_terminal;
	struct plan_terminal terminal; /* ours */
	int stdin_app;
	struct session *session;
	struct control *control;
	struct apps *apps; /* of a mutable pod */
	struct listen_sockets sockets; /* that we were started with */
	struct listen_plans listens;
	struct relay *relay;
	struct output *output;
	struct crilog **crilogs; /* one for each app; NULL: it has none */
	uint32_t domid;
	bool have_domain, crashed;
};

static void say(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "stage1 run: guest: %s%s", line, terminal_eol());
}

/* What this host has of what the pod names: files, directories and networks, nothing of Xen. */
static int look_around(struct run *r, struct plan_warnings *warnings, struct err *e)
{
	struct etc_modes modes;

	if (plan_mounts(&r->pod, &r->mounts, warnings, e) < 0 || export_check(&r->pod, r->s1root, e) < 0 ||
		volumes_look(&r->mounts, e) < 0 || etc_modes_parse(r->opts->dns_conf_mode, &modes, e) < 0)
		return -1;
	if (etc_read(&modes, r->s1root, &r->etc, e) < 0)
		return -1;
	r->mounts.exports_volumes = r->mounts.exports_volumes || r->opts->mutable_pod; /* they may come later */
	r->net_request = (struct net_request){ .net = r->opts->net, .uuid = r->opts->uuid, .s1root = r->s1root,
		.local_config = r->opts->local_config, .pod = &r->pod, .step = trace_step, .cancel = -1 };
	return net_plan_make(&r->net_request, &r->net_plan, e);
}

static struct plan_input plan_input(const struct run *r)
{
	return (struct plan_input){
		.opts = r->opts, .pod = &r->pod, .s1root = r->s1root, .mounts = &r->mounts, .etc = &r->etc,
		.nics = r->net.nics, .nnics = net_plan_count(r->net_plan), .net_resolv = r->net.resolv_conf,
		.net_host = r->net.host_ip, .terminal = r->has_terminal ? &r->terminal : NULL,
		.listens = &r->listens, .kernel_params = getenv(PLAN_KERNEL_PARAMS),
	};
}

/* Emptied as kubelet has it: when nothing can be refused any more. */
static int open_crilogs(struct run *r, struct err *e)
{
	const struct plan_input in = plan_input(r);

	r->crilogs = xcalloc(r->pod.napps, sizeof(*r->crilogs));
	for (size_t i = 0; i < r->pod.napps; i++) {
		const struct pod_app *app = &r->pod.apps[i];
		struct log_plan log;

		if (plan_log(&in, app, &log, e) < 0 || (log.dir && crilog_open(log.dir, log.name, &r->crilogs[i], e) < 0))
			return err_prefix(e, "app '%s'", app->name);
	}
	return 0;
}

static void close_crilogs(struct run *r)
{
	for (size_t i = 0; r->crilogs && i < r->pod.napps; i++) {
		unsigned long lost = crilog_close(r->crilogs[i]);

		if (lost > 0)
			fprintf(stderr, "stage1 run: warning: app '%s': %lu lines are not in its kubernetes log\n",
				r->pod.apps[i].name, lost);
	}
	free(r->crilogs);
}

/* Driver domains must be there. */
static int find_backends(struct run *r, struct err *e)
{
	for (uint32_t i = 0; i < r->domain_plan.nnics; i++) {
		const char *bridge, *path, *name = net_plan_backend(r->net_plan, i, &bridge, &path);
		uint32_t domid;

		if (!name)
			continue;
		if (r->xo->lookup(r->xen, name, &domid, e) < 0)
			return err_prefix(e, "%s: stage1-xen/backend", path);
		if (domid == 0)
			return err_set(e, ERR_INPUT, "%s: stage1-xen/backend: '%s' is this domain: leave the key out", path, name);
		plan_domain_backend(&r->domain_plan, i, domid, bridge);
	}
	return 0;
}

/* All that can be known, and refused, before anything is made. */
static int plan_ahead(struct run *r, struct err *e)
{
	struct plan_warnings warnings = { .n = 0 };
	struct plan_input in = plan_input(r);
	struct host_facts facts;
	int ret = -1;

	if (plan_listen(&r->pod, &r->sockets, &r->listens, &warnings, e) < 0)
		goto out;
	plan_listen_claim(&r->pod, &r->listens); /* those need no network */
	if (plan_check(&in, &warnings, e) < 0)
		goto out;
	if (look_around(r, &warnings, e) < 0 ||
		r->xo->open(r->opts->debug, &r->xen, e) < 0 || r->xo->facts(r->xen, &facts, e) < 0)
		goto out;
	in = plan_input(r);
	in.facts = &facts;
	if (plan_domain(&in, &r->domain_plan, &warnings, e) < 0 || find_backends(r, e) < 0)
		goto out;
	for (size_t i = 0; i < warnings.n; i++)
		fprintf(stderr, "stage1 run: warning: %s\n", warnings.line[i]);
	ret = 0;
out:
	plan_warnings_dispose(&warnings);
	return ret;
}

static int no_metadata(struct err *e)
{
	return err_set(e, ERR_HOST, "--mds-token: the pod's network names no gateway: the metadata service could not be "
		"reached");
}

static int make_guest_plan(struct run *r, struct err *e)
{
	const struct plan_input in = plan_input(r);
	struct guest_plan guest = GUEST_PLAN_INIT;
	int ret;

	plan_guest(&in, &guest);
	r->stdin_app = plan_stdin_app(&in);
	r->lends_terminal = r->has_terminal && r->stdin_app >= 0 &&
		guest.apps[r->stdin_app].io.kind[WIRE_STDIN] == GUEST_IO_TTY;
	free(r->guest_plan);
	r->guest_plan = NULL;
	ret = guest_plan_encode(&guest, &r->guest_plan, &r->guest_plan_len, e);
	guest_plan_dispose(&guest);
	return ret;
}

/* Their plugins run while the domain is built, and while it starts. */
static int begin_networks(struct run *r, struct err *e)
{
	if (net_begin(r->net_plan, &r->making, e) < 0)
		return -1;
	r->have_net = true;
	if (r->opts->mds_token && !r->net_plan)
		return no_metadata(e);
	return make_guest_plan(r, e); /* without them, whether there is one */
}

/* The session's plan is complete when the networks are there. */
static int plan_networks(void *arg, struct err *e)
{
	struct run *r = arg;

	if (net_finish(STEAL(r->making), &r->net, e) < 0) {
		r->have_net = false;
		return -1;
	}
	trace_step("the networks are made");
	plan_domain_nics(&r->domain_plan, r->net.nics);
	if (r->opts->mds_token && !r->net.host_ip)
		return no_metadata(e);
	if (make_guest_plan(r, e) < 0)
		return -1;
	session_plan(r->session, r->guest_plan, r->guest_plan_len);
	return 0;
}

static int attach_networks(void *arg, struct err *e)
{
	struct run *r = arg;

	if (r->xo->attach(r->xen, &r->domain_plan, r->domid, e) < 0)
		return -1;
	trace_step("the domain has its network devices");
	return 0;
}

/* A domain with the pod's uuid is a live pod's, or one whose supervisor was killed. */
static int refuse_second_domain(struct run *r, struct err *e)
{
	uint32_t domid;
	int found = r->xo->find(r->xen, r->domain_plan.uuid, &domid, e);

	if (found > 0)
		return err_set(e, ERR_HOST, "the pod already has a domain, number %u: "
			"gc removes it once the pod has ended", domid);
	return found;
}

static int make_domain(struct run *r, struct err *e)
{
	struct err warning = ERR_INIT;

	if (export_mount(&r->pod, r->s1root, &r->mounts, &r->opts->shift, &warning, e) < 0)
		return -1;
	if (warning.kind != ERR_NONE)
		fprintf(stderr, "stage1 run: warning: %s\n", warning.msg);
	trace_step("the apps' files are exported");
	if (r->xo->create(r->xen, &r->domain_plan, &r->domid, e) < 0)
		return -1;
	r->have_domain = true;
	trace_step("the domain is built");
	return r->xo->watch(r->xen, r->domid, e);
}

static void set_ready(void *arg, bool ready)
{
	struct err e = ERR_INIT;

	(void)arg;
	if (poddir_set_ready(ready, &e) < 0)
		fprintf(stderr, "stage1 run: %s%s", e.msg, terminal_eol());
	e = (struct err)ERR_INIT;
	if (notify_manager(getenv("NOTIFY_SOCKET"), ready, &e) < 0)
		fprintf(stderr, "stage1 run: warning: %s%s", e.msg, terminal_eol());
}

static void look_at_terminal(struct run *r)
{
	r->has_terminal = terminal_there();
	if (!r->has_terminal)
		return;
	terminal_size(&r->terminal.rows, &r->terminal.cols);
	r->terminal.term = getenv("TERM");
}

static size_t give(void *arg, size_t app, unsigned stream, const uint8_t *data, size_t len)
{
	return control_give(arg, app, stream, data, len);
}

/* The streams of an app, by their modes: lines carry its name, the rest is its alone, or of those who attach. */
static void open_app(struct run *r, const struct plan_input *in, size_t i)
{
	const struct stream_modes modes = plan_streams(in, &r->pod.apps[i]);
	const struct guest_io io = plan_io(in, &modes);
	uint32_t endpoints = plan_endpoints(&modes, &io);

	output_app(r->output, i, r->pod.apps[i].name);
	r->output->apps[i].cri = r->crilogs[i];
	control_attachable(r->control, i, r->pod.apps[i].name, endpoints);
	for (int k = WIRE_STDOUT; k < WIRE_STREAMS; k++) {
		if (endpoint_of_output(endpoints, k))
			r->output->apps[i].mode[k] = OUTPUT_GIVEN;
		else if (modes.mode[k] != STREAM_LOG)
			r->output->apps[i].mode[k] = OUTPUT_RAW;
	}
}

static void open_output(struct run *r)
{
	const struct plan_input in = plan_input(r);

	r->output = xcalloc(1, sizeof(*r->output));
	output_open(r->output, r->session, &(struct output_ends){ .out = STDOUT_FILENO, .err = STDERR_FILENO,
		.journal = JOURNAL_SOCKET, .pod = r->opts->uuid, .writer = PODJOURNAL_WRITER, .root = r->s1root, .give = give,
		.give_arg = r->control });
	for (size_t i = 0; i < r->pod.napps; i++)
		open_app(r, &in, i);
}

static void close_output(struct run *r)
{
	const struct output *o = r->output;

	if (!o)
		return;
	output_close(r->output);
	for (size_t i = 0; i < r->pod.napps; i++)
		if (o->apps[i].log.lost > 0)
			fprintf(stderr, "stage1 run: warning: app '%s': %lu lines are not in its log\n",
				r->pod.apps[i].name, o->apps[i].log.lost);
	if (r->opts->debug && o->journal.lost > 0)
		fprintf(stderr, "stage1 run: %lu lines are not in the host's journal\n", o->journal.lost);
	if (o->podjournal.why.kind != ERR_NONE)
		fprintf(stderr, "stage1 run: warning: the pod's journal lacks lines, at least %lu: %s\n", o->podjournal.lost,
			o->podjournal.why.msg);
	else if (o->podjournal.lost > 0)
		fprintf(stderr, "stage1 run: warning: %lu lines are not in the pod's journal: its writer was asked to end\n",
			o->podjournal.lost);
	output_dispose(r->output);
	free(r->output);
}

static int let_run(struct run *r, struct err *e)
{
	AUTO_CLOSE int backend = -1;
	const struct plan_input plan = plan_input(r);
	struct machine machine = { .xo = r->xo, .xen = r->xen, .domid = r->domid,
		.memory_kib = r->domain_plan.memory_kib, .memory_max_kib = r->domain_plan.memory_max_kib,
		.vcpus = r->domain_plan.vcpus, .vcpus_max = r->domain_plan.vcpus_max,
		.guest_kib = SIZE_GUEST_KIB + size_tables_kib(r->domain_plan.memory_max_kib - r->domain_plan.memory_kib) };
	struct apps_input apps = { .plan = &plan, .machine = &machine };
	int console = -1, ret;

	if (r->xo->backend(r->xen, r->domid, &backend, e) < 0 ||
		r->xo->console(r->xen, r->domid, &console, e) < 0)
		return -1;
	if (r->xo->unpause(r->xen, r->domid, e) < 0) {
		(void)close(console);
		return -1;
	}
	trace_step("the domain runs");
	r->session = xcalloc(1, sizeof(*r->session));
	session_init(r->session, r->guest_plan, r->guest_plan_len, r->pod.napps, say, NULL);
	if (r->making)
		session_awaits_plan(r->session);
	for (size_t i = 0; i < r->pod.napps; i++)
		if (r->pod.apps[i].says_ready)
			session_awaits_ready(r->session, i);
	if (r->opts->mutable_pod)
		session_let_come_and_go(r->session);
	open_output(r);
	apps.session = r->session;
	apps.output = r->output;
	apps.control = r->control;
	apps.backend = backend;
	if (r->opts->mutable_pod && apps_open(&r->apps, &apps, e) < 0) {
		(void)close(console);
		return -1;
	}
	r->relay = relay_open(&r->listens);
	ret = supervise(&(struct supervise_input){
		.xo = r->xo, .xen = r->xen, .domid = r->domid, .session = r->session,
		.signals = r->signals, .backend = backend, .console = console, .control = r->control, .apps = r->apps,
		.relay = r->relay, .debug = r->opts->debug, .output = r->output, .stdin_app = r->stdin_app,
		.networks = net_fd(r->making), .plan = plan_networks, .attach = attach_networks,
		.terminal = r->lends_terminal, .ready = set_ready, .arg = r, .crashed_r = &r->crashed,
	}, e);
	apps_close(r->apps);
	r->domain_plan.memory_kib = machine.memory_kib; /* it may have grown */
	if (ret == 0 && r->opts->mutable_pod && !r->session->stopping)
		return err_set(e, ERR_HOST, "the guest has ended, and nobody asked it to");
	return ret;
}

/* Apps whose end is known leave their status, also when the guest died afterwards. */
static int write_statuses(const struct run *r, struct err *e)
{
	for (size_t i = 0; r->session && !r->opts->mutable_pod && i < r->session->napps; i++) { /* apps.c has written those */
		const struct session_app *app = &r->session->apps[i];

		if (app->state != SESSION_APP_OVER)
			continue;
		if (*app->text) /* why it never ran, or what ended it */
			fprintf(stderr, "stage1 run: app '%s': %s\n", r->pod.apps[i].name, app->text);
		else if (r->opts->debug && app->by_shutdown && app->how == WIRE_APP_EXITED && app->value != 0)
			fprintf(stderr, "stage1 run: app '%s': exited with status %u when the pod ended\n",
				r->pod.apps[i].name, app->value);
		if (poddir_write_status(r->pod.apps[i].name, session_app_status(app), e) < 0)
			return -1;
	}
	return 0;
}

static int run_steps(struct run *r, int *status_r, struct err *e)
{
	int ret;

	trace_on(r->opts->debug);
	trace_step("stage1 begins");
	look_at_terminal(r);
	listen_take(&r->sockets);
	if (poddir_lock_keep(e) < 0 || poddir_read(&r->pod, &r->s1root, e) < 0 ||
		plan_ahead(r, e) < 0 || refuse_second_domain(r, e) < 0 || open_crilogs(r, e) < 0 || control_open(&r->control, e) < 0 ||
		poddir_write_cgroup(e) < 0 ||
		poddir_write_pid(e) < 0) /* whoever reads the pid may enter: the socket comes first */
		return -1;
	trace_step("all is planned");
	if (begin_networks(r, e) < 0 || make_domain(r, e) < 0)
		return -1;
	if (signals_next(r->signals) != 0) { /* asked to stop before anything ran */
		*status_r = 0;
		return 0;
	}
	ret = let_run(r, e);
	if (ret < 0)
		return -1;
	*status_r = ret == SUPERVISE_ESCAPED ? STATUS_ESCAPED : ret == SUPERVISE_UNBORN ? 0 : session_exit_status(r->session);
	return 0;
}

/* Also after a create that failed, whose own clean-up may have failed. */
static bool domain_is_left(const struct run *r)
{
	struct err why = ERR_INIT;
	uint32_t domid;

	return r->xen && r->have_net && r->xo->find(r->xen, r->domain_plan.uuid, &domid, &why) != 0;
}

/* Addresses and ports are free at once; what gc needs to do it again stays. */
static int remove_networks(const struct run *r, struct err *e)
{
	return net_remove(&(struct net_removal){ .uuid = r->opts->uuid, .s1root = r->s1root,
		.local_config = r->opts->local_config, .say = r->opts->debug }, e);
}

int run_pod(const struct run_opts *opts, const struct xen_ops *xo, int signals, int *status_r,
	struct err *e)
{
	struct run r = { .opts = opts, .xo = xo, .signals = signals, .pod = POD_INIT };
	struct err late = ERR_INIT;
	int ret = run_steps(&r, status_r, e);

	if (r.making)
		net_abandon(r.making);
	if (write_statuses(&r, ret < 0 ? &late : e) < 0)
		ret = -1;
	control_close(r.control, r.session);
	relay_close(r.relay, r.session);
	if (r.xen)
		xo->channel_close(r.xen); /* or the guest's pages keep a zombie */
	trace_step("the pod has ended");
	if (r.crashed)
		core_dump(xo, r.xen, r.domid, &r.domain_plan);
	if (r.have_domain && xo->destroy(r.xen, r.domid, ret < 0 ? &late : e) < 0) {
		ret = -1;
		r.have_net = false; /* its device is the guest's as long as that lives: gc comes for both */
	} else if (!r.have_domain && domain_is_left(&r)) {
		r.have_net = false;
	}
	trace_step("the domain is gone");
	xo->close(r.xen);
	if (r.have_net && remove_networks(&r, ret < 0 ? &late : e) < 0)
		ret = -1;
	if (r.net_plan)
		trace_step("the networks are gone");
	close_output(&r);
	apps_free(r.apps);
	close_crilogs(&r);
	if (r.session)
		session_dispose(r.session);
	free(r.session);
	free(r.guest_plan);
	domain_plan_dispose(&r.domain_plan);
	net_result_dispose(&r.net);
	net_plan_free(r.net_plan);
	etc_files_dispose(&r.etc);
	mounts_plan_dispose(&r.mounts);
	pod_dispose(&r.pod);
	free(r.s1root);
	return ret;
}
