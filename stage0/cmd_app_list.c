/* stage0 app list: the apps of a pod and their states (rkt rkt/app_list.go). */
#include <stdio.h>

#include "stage0/appcli.h"
#include "stage0/appstate.h"
#include "stage0/table.h"
#include "stage1/common/util.h"

static int print(const struct known_pod *pod, bool no_legend, struct err *e)
{
	struct pod_meta meta = POD_META_INIT;
	struct table table = TABLE_INIT(2);

	if (pod_read_meta(pod->dir.fd, &meta, e) < 0)
		return -1;
	if (!no_legend)
		table_row(&table, (const char *[]){ "NAME", "STATE" });
	for (size_t i = 0; i < meta.napps; i++) {
		struct err why = ERR_INIT;
		struct app_state state;

		if (app_state_read(pod, meta.apps[i].name, &state, &why) < 0)
			cmd_say("cannot get the state of app '%s': %s", meta.apps[i].name, why.msg);
		else
			table_row(&table, (const char *[]){ meta.apps[i].name, state.name });
	}
	table_print(&table, stdout);
	if (table.nrows == 0)
		(void)putchar('\n'); /* as rkt, which ends all it prints so */
	table_dispose(&table);
	pod_meta_dispose(&meta);
	return 0;
}

int cmd_app_list(int argc, char **argv)
{
	struct app_cli c = APP_CLI_INIT;
	bool no_legend = false;
	const struct cli_flag flags[] = {
		{ "no-legend", CLI_SWITCH, &no_legend, NULL, "without the line of headings" },
		POD_CLI_FLAGS(&c.cli),
	};
	struct known_pod pod = KNOWN_POD_INIT;
	struct err e = ERR_INIT;
	int ret = app_cli_read(&c, "usage: stage0 app list UUID\n\nLists the apps of a mutable pod and their states.\n", flags,
		COUNT(flags), argc, argv, &e);

	if (ret == 0 && (pods_find(c.cli.dir, c.cli.rest.words.v[0], &pod, &e) < 0 || print(&pod, no_legend, &e) < 0))
		ret = err_prefix(&e, "error listing apps");
	known_pod_dispose(&pod);
	pod_cli_dispose(&c.cli);
	if (ret < 0)
		(void)cmd_fail(&e);
	return ret < 0 ? 1 : cmd_end(0); /* rkt's */
}
