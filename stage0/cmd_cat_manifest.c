/* stage0 cat-manifest: the pod manifest, indented unless told otherwise. */
#include <stdio.h>

#include <json-c/json.h>

#include "stage0/podcli.h"
#include "stage0/podread.h"
#include "stage1/common/util.h"

static int cat_manifest(const char *dir, const char *uuid, bool pretty, struct err *e)
{
	struct known_pod pod = KNOWN_POD_INIT;
	struct pod_meta meta = POD_META_INIT;

	if (pods_find(dir, uuid, &pod, e) < 0)
		return -1;
	if (pod_read_meta(pod.dir.fd, &meta, e) < 0) {
		(void)err_prefix(e, "pod %s", pod.dir.uuid);
		known_pod_dispose(&pod);
		return -1;
	}
	pod_cli_print_json(meta.doc, pretty ? FORMAT_JSON_PRETTY : FORMAT_JSON);
	pod_meta_dispose(&meta);
	known_pod_dispose(&pod);
	return 0;
}

int cmd_cat_manifest(int argc, char **argv)
{
	struct pod_cli cli = POD_CLI_INIT;
	bool pretty = true;
	const struct cli_flag flags[] = {
		{ "pretty-print", CLI_SWITCH, &pretty, NULL, "indent it (the default; =false does not)" },
		POD_CLI_UUID_FILE(&cli),
		POD_CLI_FLAGS(&cli),
	};
	struct cli_list uuids = { .n = 0 };
	struct err e = ERR_INIT;
	int ret = pod_cli_read(&cli, "usage: stage0 cat-manifest [FLAGS] UUID\n\nPrints the manifest of a pod.\n",
		flags, COUNT(flags), argc, argv, &e);

	if (ret == 0)
		ret = pod_cli_uuids(&cli, 1, &uuids, &e);
	if (ret == 0)
		ret = cat_manifest(cli.dir, uuids.v[0], pretty, &e);
	pod_cli_dispose(&cli);
	return ret < 0 ? cmd_fail(&e) : cmd_end(0);
}
