/* Runs a fuzz target on each file of a directory, in a child each. Writes TAP. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"

enum { SIZE_MAX_SEED = 1 << 20, SECONDS = 30 };

static int replay(const char *path)
{
	AUTO_FREE char *data = NULL;
	AUTO_FREE uint8_t *exact = NULL;
	struct err e = ERR_INIT;
	size_t len;
	pid_t pid;
	int status;

	(void)fflush(stdout);
	pid = fork();
	if (pid > 0)
		return waitpid(pid, &status, 0) == pid && status == 0;
	(void)alarm(SECONDS);
	if (pid < 0 || read_file_at(AT_FDCWD, path, SIZE_MAX_SEED, &data, &len, &e) < 0) {
		printf("# %s\n", e.msg);
		return 0;
	}
	exact = xmalloc(len); /* no NUL behind it, as the fuzzer has none */
	memcpy(exact, data, len);
	(void)LLVMFuzzerTestOneInput(exact, len);
	free(STEAL(exact));
	free(STEAL(data));
	exit(0);
}

int main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : CORPUS;
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort), number = 0, bad = 0;

	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", dir, list[i]->d_name);

		if (list[i]->d_name[0] != '.') {
			int good = replay(path);

			printf("%sok %d - %s\n", good ? "" : "not ", ++number, list[i]->d_name);
			bad += !good;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	printf("1..%d\n", number);
	return number == 0 || bad > 0;
}
