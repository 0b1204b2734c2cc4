/*
 * What `run` and `gc` do of networks, without a pod: podnet make NET UUID, podnet remove|gc UUID, in a
 * directory that stands for a pod's. `make` stays, as the supervisor does, until its stdin ends; with
 * PODNET_CANCEL set, what there is to read on stdin is the pod's signal to stop.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"
#include "stage1/net/net.h"
#include "stage1/pod/pod.h"

enum { TIMEOUT_MS = 5000 };

static int read_pod(struct pod *pod, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	return read_file_at(AT_FDCWD, "pod", POD_MANIFEST_MAX, &text, &len, e) < 0 ? -1 : pod_parse(text, len, pod, e);
}

static void print(const struct net_result *result)
{
	for (size_t i = 0; i < result->nnics; i++)
		printf("%s mtu %u, %zu addresses, %zu routes\n", result->nics[i].name, result->nics[i].mtu,
			result->nics[i].naddrs, result->nics[i].nroutes);
	printf("host %s\n%s", result->host_ip ? result->host_ip : "-", result->resolv_conf ? result->resolv_conf : "");
	printf("made\n");
	(void)fflush(stdout);
}

static int make(const char *net, const char *uuid, const char *s1root, struct err *e)
{
	struct pod pod = POD_INIT;
	struct net_request request = { .net = net, .uuid = uuid, .s1root = s1root, .local_config = "local",
		.pod = &pod, .timeout_ms = TIMEOUT_MS,
		.cancel = getenv("PODNET_CANCEL") ? STDIN_FILENO : -1 };
	struct net_plan *plan = NULL;
	struct net_making *making = NULL;
	struct net_result result = NET_RESULT_INIT;
	int ret = read_pod(&pod, e) < 0 || net_plan_make(&request, &plan, e) < 0 || net_begin(plan, &making, e) < 0 ? -1 : 0;
	char byte;

	if (ret == 0 && making)
		ret = net_finish(making, &result, e);
	if (ret == 0) {
		print(&result);
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	}
	net_result_dispose(&result);
	net_plan_free(plan);
	pod_dispose(&pod);
	return ret;
}

int main(int argc, char **argv)
{
	AUTO_FREE char *cwd = getcwd(NULL, 0);
	AUTO_FREE char *s1root = xasprintf("%s/stage1/rootfs", cwd ? cwd : "");
	struct err e = ERR_INIT;
	int ret;

	if (argc == 4 && !strcmp(argv[1], "make"))
		ret = make(argv[2], argv[3], s1root, &e);
	else if (argc == 3)
		ret = net_remove(&(struct net_removal){ .uuid = argv[2], .s1root = s1root, .local_config = "local",
			.say = true, .forget = !strcmp(argv[1], "gc"), .timeout_ms = TIMEOUT_MS }, &e);
	else
		ret = err_set(&e, ERR_USAGE, "usage: podnet make NET UUID | remove UUID | gc UUID");
	if (ret < 0)
		fprintf(stderr, "podnet: %s\n", e.msg);
	return ret < 0;
}
