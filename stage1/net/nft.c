/* See nft.h. */
#include "stage1/net/nft.h"

#include <string.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/net/child.h"

enum { NFT_TIMEOUT_MS = 60 * 1000, NFT_OUTPUT_MAX = 1 << 16, NFT_SAID_MAX = 300 };

char *nft_find(struct err *e)
{
	size_t len;

	for (const char *p = NFT_PATHS; *p; p += len + (p[len] == ':')) {
		AUTO_FREE char *path = NULL;

		len = strcspn(p, ":");
		path = xstrndup(p, len);
		if (access(path, X_OK) == 0)
			return STEAL(path);
	}
	(void)err_set(e, ERR_HOST, "networks need the program nft (package nftables)");
	return NULL;
}

int nft_load(const char *rules, const char *define, struct err *e)
{
	char *plain[] = { (char *)"nft", (char *)"-f", (char *)"-", NULL };
	char *defined[] = { (char *)"nft", (char *)"-D", (char *)define, (char *)"-f", (char *)"-", NULL };
	char *env[] = { (char *)"PATH=/usr/sbin:/usr/bin:/sbin:/bin", (char *)"LC_ALL=C", NULL };
	AUTO_FREE char *program = nft_find(e);
	AUTO_FREE char *output = NULL;
	struct child_call call = { .program = program, .argv = define ? defined : plain, .env = env, .input = rules, .input_len = strlen(rules),
		.output_max = NFT_OUTPUT_MAX, .with_errors = true, .timeout_ms = NFT_TIMEOUT_MS, .cancel = -1 };
	char how[40];
	size_t len;
	int status;

	if (!program || child_run(&call, &status, &output, &len, e) < 0)
		return -1;
	if (status == 0)
		return 0;
	child_status_text(status, how);
	return err_set(e, ERR_HOST, "%s: %s: %.*s", program, how, (int)strcspn(output, "\n"), output);
}
