/*
 * rkt's crossing entrypoints for the apps of a mutable pod, in the pod's directory: one program under the
 * names app_add, app_start, app_stop and app_rm. The supervisor does the work.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "stage1/appctl.h"
#include "stage1/cli.h"
#include "stage1/common/util.h"

enum { STATUS_FAILED = 254 };

static int find_op(const char *program, uint32_t *op_r, struct err *e)
{
	static const struct {
		const char *name;
		enum appctl_op op;
	} ops[] = {
		{ "app_add", APPCTL_ADD }, { "app_start", APPCTL_START }, { "app_stop", APPCTL_STOP },
		{ "app_rm", APPCTL_REMOVE },
	};
	const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;

	for (size_t i = 0; i < COUNT(ops); i++)
		if (!strcmp(name, ops[i].name)) {
			*op_r = ops[i].op;
			return 0;
		}
	return err_set(e, ERR_USAGE, "'%s': this program is app_add, app_start, app_stop or app_rm", name);
}

static int ask(struct appctl_request *rq, struct err *e)
{
	AUTO_CLOSE int ns = -1;
	struct appctl_answer answer;

	if (rq->op == APPCTL_ADD) {
		ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
		if (ns < 0)
			return err_sys(e, "open our mount namespace");
	}
	return appctl_ask(rq, ns, &answer, e);
}

int main(int argc, char **argv)
{
	struct appctl_request rq = { .op = 0 };
	struct err e = ERR_INIT;
	struct crossing_opts opts;

	if (find_op(argv[0], &rq.op, &e) == 0 && cli_crossing(argc, argv, &opts, &e) == 0) {
		(void)snprintf(rq.app, sizeof(rq.app), "%s", opts.app);
		if (ask(&rq, &e) == 0)
			return 0;
	}
	fprintf(stderr, "stage1 app: %s\n", e.msg);
	return STATUS_FAILED;
}
