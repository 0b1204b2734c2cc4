/* stage0 pause, stage0 resume: ours; Xen keeps the pod's processors from running, whatever it does. */
#include <stdint.h>
#include <stdio.h>

#include "stage0/machine.h"
#include "stage0/podcli.h"
#include "stage0/pods.h"
#include "stage1/common/util.h"

struct verb {
	const char *name, *doing, *usage;
};

static const struct verb pause_verb = { "pause", "pausing",
	"usage: stage0 pause [FLAGS] UUID...\n\n"
	"Holds running pods: their apps stop where they are, and go on with resume. stop works on them too.\n" };
static const struct verb resume_verb = { "resume", "resuming",
	"usage: stage0 resume [FLAGS] UUID...\n\n"
	"Lets pods run on that were paused.\n" };

static int tell_one(const struct verb *verb, const char *data, const char *uuid, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	int ret = pods_find(data, uuid, &pod, e);

	if (ret < 0)
		return -1;
	if (pod.life != LIFE_RUNNING)
		ret = err_set(e, ERR_HOST, "pod \"%s\" is not running", pod.dir.uuid);
	else if (machine_call(&pod, verb->name, NULL, e) < 0)
		ret = err_prefix(e, "error %s \"%s\"", verb->doing, pod.dir.uuid);
	else
		(void)printf("\"%s\"\n", pod.dir.uuid);
	known_pod_dispose(&pod);
	return ret;
}

static int tell_all(const struct verb *verb, const char *data, const struct cli_list *uuids)
{
	size_t failed = 0;

	for (size_t i = 0; i < uuids->n; i++) {
		struct err e = ERR_INIT;

		if (tell_one(verb, data, uuids->v[i], &e) == 0)
			continue;
		(void)cmd_fail(&e);
		failed++;
	}
	if (failed)
		cmd_say("failed to %s %zu pod(s)", verb->name, failed);
	return failed ? EXIT_STAGE0 : 0;
}

static int tell(const struct verb *verb, int argc, char **argv)
{
	struct pod_cli cli = POD_CLI_INIT;
	const struct cli_flag flags[] = {
		POD_CLI_UUID_FILE(&cli),
		POD_CLI_FLAGS(&cli),
	};
	struct cli_list uuids = { .n = 0 };
	struct err e = ERR_INIT;
	int ret = pod_cli_read(&cli, verb->usage, flags, COUNT(flags), argc, argv, &e), status = 0;

	if (ret == 0)
		ret = pod_cli_uuids(&cli, SIZE_MAX, &uuids, &e);
	if (ret < 0)
		status = cmd_fail(&e);
	if (ret == 0)
		status = tell_all(verb, cli.dir, &uuids);
	pod_cli_dispose(&cli);
	return cmd_end(status);
}

int cmd_pause(int argc, char **argv)
{
	return tell(&pause_verb, argc, argv);
}

int cmd_resume(int argc, char **argv)
{
	return tell(&resume_verb, argc, argv);
}
