/* stage0 stop: asks the stage1 of each pod to end it (contract 2.4), and does not wait for it. */
#include <stdint.h>
#include <stdio.h>

#include "stage0/entry.h"
#include "stage0/podcli.h"
#include "stage0/pods.h"
#include "stage1/common/util.h"

static const char usage[] =
	"usage: stage0 stop [FLAGS] UUID...\n\n"
	"Asks pods to end: their apps get TERM, and time to end. See status --wait for when they have.\n";

static int call_stop(const struct known_pod *pod, bool force, struct err *e)
{
	AUTO_FREE char *dir = poddir_path(&pod->dir), *path = NULL;
	struct stage1_image s = STAGE1_IMAGE_INIT;
	const char *argv[4], *entry;
	size_t n = 0;
	int ret;

	if (stage1_image_read(pod->dir.fd, &s, e) < 0)
		return -1;
	ret = entry_path(&s.image, "stop", &entry, e);
	if (ret == 0)
		ret = err_set(e, ERR_INPUT, "its stage1 cannot be asked to stop: it has no entrypoint 'stop'");
	if (ret > 0) {
		path = xasprintf("%s/stage1/rootfs/%s", dir, entry);
		argv[n++] = path;
		if (force)
			argv[n++] = "--force";
		argv[n++] = pod->dir.uuid;
		argv[n] = NULL;
		ret = entry_run(&(struct entry_call){ .path = path, .argv = argv, .cwd = pod->dir.fd }, e);
	}
	stage1_image_dispose(&s);
	if (ret == 0)
		return err_set(e, ERR_HOST, "start %s: there is no such file", path);
	return ret < 0 ? -1 : 0;
}

static int stop_one(const char *data, const char *uuid, bool force, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	int ret = pods_find(data, uuid, &pod, e);

	if (ret < 0)
		return -1;
	if (pod_after_run(pod.life)) {
		(void)printf("pod \"%s\" is already stopped\n", pod.dir.uuid);
	} else if (pod.life != LIFE_RUNNING) {
		ret = err_set(e, ERR_HOST, "pod \"%s\" is not running", pod.dir.uuid);
	} else {
		ret = call_stop(&pod, force, e);
		if (ret == 0)
			(void)printf("\"%s\"\n", pod.dir.uuid);
		else
			(void)err_prefix(e, "error stopping \"%s\"", pod.dir.uuid);
	}
	known_pod_dispose(&pod);
	return ret;
}

static int stop_all(const char *data, const struct cli_list *uuids, bool force)
{
	size_t failed = 0;

	for (size_t i = 0; i < uuids->n; i++) {
		struct err e = ERR_INIT;

		if (stop_one(data, uuids->v[i], force, &e) == 0)
			continue;
		(void)cmd_fail(&e);
		failed++;
	}
	if (failed)
		cmd_say("failed to stop %zu pod(s)", failed);
	return failed ? EXIT_STAGE0 : 0;
}

int cmd_stop(int argc, char **argv)
{
	struct pod_cli cli = POD_CLI_INIT;
	bool force = false;
	const struct cli_flag flags[] = {
		{ "force", CLI_SWITCH, &force, NULL, "end them at once, without asking" },
		POD_CLI_UUID_FILE(&cli),
		POD_CLI_FLAGS(&cli),
	};
	struct cli_list uuids = { .n = 0 };
	struct err e = ERR_INIT;
	int ret = pod_cli_read(&cli, usage, flags, COUNT(flags), argc, argv, &e), status = 0;

	if (ret == 0)
		ret = pod_cli_uuids(&cli, SIZE_MAX, &uuids, &e);
	if (ret < 0)
		status = cmd_fail(&e);
	if (ret < 0 && e.kind == ERR_SYSTEM)
		status = 1; /* rkt's, for a file that cannot be read */
	if (ret == 0)
		status = stop_all(cli.dir, &uuids, force);
	pod_cli_dispose(&cli);
	return cmd_end(status);
}
