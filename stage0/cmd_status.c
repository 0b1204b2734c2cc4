/* stage0 status: what is known of one pod, as lines KEY=VALUE or JSON; waits for it when asked to. */
#include <stdio.h>
#include <string.h>

#include <json-c/json.h>

#include "stage0/podcli.h"
#include "stage0/podjson.h"
#include "stage0/podread.h"
#include "stage0/wait.h"
#include "stage0/when.h"
#include "stage1/common/util.h"

static const char usage[] =
	"usage: stage0 status [FLAGS] UUID\n\n"
	"Says what is known of a pod: its state, times and process, and how its apps ended.\n"
	"--wait and --wait-ready take true, false, or a duration such as 30s.\n";

struct status_opts {
	struct pod_cli cli;
	const char *wait_text, *ready_text, *format_text;
	int64_t wait, ready; /* ns, as patience_parse has it */
	enum pod_format format;
};

static void print_nets(const struct pod_nets *nets)
{
	(void)printf("networks=");
	for (size_t i = 0; i < nets->n; i++) {
		AUTO_FREE char *net = xasprintf("%s:ip4=%s", nets->v[i].name, nets->v[i].ip);

		text_make_harmless(net);
		(void)printf("%s%s", i ? ", " : "", net);
	}
	(void)putchar('\n');
}

static int print_codes(const struct known_pod *pod, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	int code;

	if (pod_read_meta(pod->dir.fd, &meta, e) < 0)
		return err_prefix(e, "pod %s", pod->dir.uuid);
	for (size_t i = 0; i < meta.napps; i++)
		if (pod_exit_code(pod->dir.fd, meta.apps[i].name, &code))
			(void)printf("app-%s=%d\n", meta.apps[i].name, code);
	pod_meta_dispose(&meta);
	return 0;
}

static int print_run(const struct known_pod *pod, struct err *e)
{
	bool parent;
	int pid;

	if (pod_read_pid(pod->dir.fd, &pid, &parent))
		(void)printf("pid=%d\n", pid);
	(void)printf("exited=%s\n", pod->life == LIFE_EXITED || pod->life == LIFE_EXITED_GARBAGE ? "true" : "false");
	return pod->life == LIFE_RUNNING ? 0 : print_codes(pod, e);
}

static int print_text(const struct known_pod *pod, struct err *e)
{
	struct pod_nets nets = POD_NETS_INIT;
	struct pod_times times;
	char text[WHEN_SIZE];

	if (pod_read_times(pod, &times, e) < 0 || pod_read_nets(pod, &nets, e) < 0)
		return -1;
	(void)printf("state=%s\n", pod_life_name(pod->life));
	when_full(&times.created, text);
	(void)printf("created=%s\n", text);
	when_full(&times.started, text);
	if (times.started.tv_sec)
		(void)printf("started=%s\n", text);
	if (pod->life == LIFE_RUNNING || pod->life == LIFE_EXITED)
		print_nets(&nets);
	pod_nets_dispose(&nets);
	if (pod->life == LIFE_RUNNING || (pod_after_run(pod->life) && pod->life != LIFE_GARBAGE))
		return print_run(pod, e);
	return 0;
}

static int print(const struct status_opts *o, const struct known_pod *pod, struct err *e)
{
	json_object *obj;

	if (pod->life == LIFE_GONE)
		return err_set(e, ERR_HOST, "pod %s was removed", pod->dir.uuid);
	if (o->format == FORMAT_TEXT)
		return print_text(pod, e);
	if (pod_json(pod, &obj, e) < 0)
		return -1;
	pod_cli_print_json(obj, o->format);
	json_object_put(obj);
	return 0;
}

static int status(const struct status_opts *o, const char *uuid, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	int ret = pods_find(o->cli.dir, uuid, &pod, e);

	if (ret == 0 && o->ready)
		ret = wait_ready(&pod, o->ready, e);
	if (ret == 0 && o->wait)
		ret = wait_finished(&pod, o->wait, e);
	if (ret == 0)
		ret = print(o, &pod, e);
	known_pod_dispose(&pod);
	return ret;
}

/* Alone, these two mean true: the word behind them is not theirs. */
static void complete_flags(int argc, char **argv)
{
	static const char *const full[][2] = {
		{ "wait", "--wait=true" }, { "wait-ready", "--wait-ready=true" },
	};

	for (int i = 1; i < argc; i++)
		for (size_t k = 0; argv[i][0] == '-' && k < COUNT(full); k++)
			if (!strcmp(argv[i] + (argv[i][1] == '-' ? 2 : 1), full[k][0]))
				argv[i] = (char *)full[k][1]; /* never written to */
}

int cmd_status(int argc, char **argv)
{
	struct status_opts o = { .cli = POD_CLI_INIT, .wait_text = "false", .ready_text = "false" };
	const struct cli_flag flags[] = {
		{ "wait", CLI_STRING, &o.wait_text, "HOW", "until the pod has ended" },
		{ "wait-ready", CLI_STRING, &o.ready_text, "HOW", "until the pod is ready" },
		POD_CLI_FORMAT(&o.format_text),
		POD_CLI_UUID_FILE(&o.cli),
		POD_CLI_FLAGS(&o.cli),
	};
	struct cli_list uuids = { .n = 0 };
	struct err e = ERR_INIT;
	int ret, code = EXIT_STAGE0;

	complete_flags(argc, argv);
	ret = pod_cli_read(&o.cli, usage, flags, COUNT(flags), argc, argv, &e);
	if (ret == 0) {
		ret = pod_cli_uuids(&o.cli, 1, &uuids, &e);
		code = ret < 0 && e.kind == ERR_SYSTEM ? 1 : EXIT_STAGE0; /* rkt's, for an unreadable file */
	}
	if (ret == 0 && (patience_parse("wait", o.wait_text, &o.wait, &e) < 0 ||
		patience_parse("wait-ready", o.ready_text, &o.ready, &e) < 0 ||
		pod_cli_format(o.format_text, &o.format, &e) < 0))
		ret = -1;
	if (ret == 0)
		ret = status(&o, uuids.v[0], &e);
	pod_cli_dispose(&o.cli);
	if (ret < 0)
		(void)cmd_fail(&e);
	return ret < 0 ? code : cmd_end(0);
}
