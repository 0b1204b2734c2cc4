/* stage0 rm: removes pods that are not running, at once. */
#include <stdint.h>
#include <stdio.h>

#include "stage0/delete.h"
#include "stage0/podcli.h"
#include "stage1/common/util.h"

static const char usage[] =
	"usage: stage0 rm [FLAGS] UUID...\n\n"
	"Removes pods that have ended, or never were run, with all that they left on this host.\n";

struct rm_opts {
	struct pod_cli cli;
	struct delete_opts delete;
};

/* In state of what nobody uses, locked by us: it goes to where garbage is. */
static int mark(struct known_pod *pod, struct err *e)
{
	enum pod_life life;
	int ret = pods_lock(pod, e);

	if (ret < 0)
		return -1;
	life = pod->life;
	if (ret > 0 && (life == LIFE_EXITED_GARBAGE || life == LIFE_GARBAGE))
		return 0;
	if (ret > 0 && life == LIFE_EXITED)
		return pods_move(pod, PODS_EXITED_GARBAGE, e);
	if (ret > 0 && (life == LIFE_PREPARED || life == LIFE_ABORTED_PREPARE))
		return pods_move(pod, PODS_GARBAGE, e);
	if (life == LIFE_RUNNING)
		return err_set(e, ERR_HOST, "pod \"%s\" is currently running", pod->dir.uuid);
	if (life == LIFE_EXITED_DELETING || life == LIFE_DELETING || life == LIFE_GONE)
		return err_set(e, ERR_HOST, "pod \"%s\" is currently being deleted", pod->dir.uuid);
	if (life == LIFE_PREPARING || life == LIFE_EMBRYO)
		return err_set(e, ERR_HOST, "pod \"%s\" is currently being prepared", pod->dir.uuid);
	return err_set(e, ERR_HOST, "pod \"%s\" is in use by another command", pod->dir.uuid);
}

static int rm_one(const struct rm_opts *o, const char *uuid, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	int ret = pods_find(o->cli.dir, uuid, &pod, e);

	if (ret == 0)
		ret = mark(&pod, e);
	if (ret == 0)
		ret = pod_delete(&pod, &o->delete, e);
	if (ret == 0)
		(void)printf("\"%s\"\n", pod.dir.uuid);
	known_pod_dispose(&pod);
	return ret;
}

static int rm_all(const struct rm_opts *o, const struct cli_list *uuids)
{
	int status = 0;

	for (size_t i = 0; i < uuids->n; i++) {
		struct err e = ERR_INIT;

		if (rm_one(o, uuids->v[i], &e) < 0)
			status = cmd_fail(&e);
	}
	if (status)
		cmd_say("failed to remove one or more pods");
	return status;
}

int cmd_rm(int argc, char **argv)
{
	struct rm_opts o = { .cli = POD_CLI_INIT };
	const struct cli_flag flags[] = {
		{ "force", CLI_SWITCH, &o.delete.force, NULL, "also when stage1's gc fails" },
		POD_CLI_UUID_FILE(&o.cli),
		POD_CLI_FLAGS(&o.cli),
	};
	struct cli_list uuids = { .n = 0 };
	struct err e = ERR_INIT;
	int ret = pod_cli_read(&o.cli, usage, flags, COUNT(flags), argc, argv, &e), status = 0;

	if (ret == 0)
		ret = pod_cli_uuids(&o.cli, SIZE_MAX, &uuids, &e);
	if (ret == 0 && !cmd_is_root("remove pods")) {
		status = EXIT_STAGE0;
	} else if (ret == 0) {
		o.delete.debug = o.cli.debug;
		o.delete.local_config = o.cli.local_config;
		status = rm_all(&o, &uuids);
	}
	pod_cli_dispose(&o.cli);
	return ret < 0 ? cmd_fail(&e) : cmd_end(status);
}
