/* See scratch.h. */
#include "tests/p9/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage0/root.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"

static char path[] = "/tmp/fuzz_p9.XXXXXX"; /* holds in/ and outside/victim */
static int top = -1, home = -1, proc = -1;
static struct stat victim, outside;
static struct client client;
static unsigned open_before;

static void clean_up(void)
{
	AUTO_CLOSE int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct err e = ERR_INIT;

	(void)tree_remove(tmp, strrchr(path, '/') + 1, &e);
}

static void make_file(const char *name, const char *text)
{
	AUTO_CLOSE int fd = openat(top, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	MUST(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
}

static void set_up(void)
{
	MUST(mkdtemp(path) != NULL);
	(void)atexit(clean_up);
	top = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(top >= 0 && mkdirat(top, "outside", 0755) == 0);
	make_file("outside/victim", "untouched");
	MUST(fstatat(top, "outside/victim", &victim, 0) == 0 && fstatat(top, "outside", &outside, 0) == 0);
	home = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	proc = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	MUST(home >= 0 && proc >= 0);
}

static unsigned descriptors(void)
{
	DIR *d = opendir("."); /* our own, in /proc */
	unsigned n = 0;

	MUST(d != NULL);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

struct client *scratch_begin(void)
{
	struct p9_limits limits = P9_LIMITS_DEFAULT;
	int root;

	if (top < 0)
		set_up();
	MUST(server_enter(proc) == 0);
	open_before = descriptors();
	MUST(mkdirat(top, "in", 0755) == 0 && mkdirat(top, "in/dir", 0755) == 0);
	make_file("in/file", "text");
	make_file("in/dir/inner", "text");
	MUST(symlinkat("../outside", top, "in/out") == 0 && symlinkat("../outside/victim", top, "in/victim") == 0);
	MUST(symlinkat("..", top, "in/dir/up") == 0 && symlinkat("/", top, "in/root") == 0);
	limits.nodes_open = 4; /* closing and finding again happens all the time */
	limits.fids = 64;
	root = openat(top, "in", O_PATH | O_DIRECTORY | O_CLOEXEC);
	memset(&client, 0, offsetof(struct client, reply));
	client.slow = 0;
	client.split = 0;
	client.server = server_open(root, &limits);
	MUST(client.server && client_start(&client, 0) == 0);
	return &client;
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_mode == b->st_mode && a->st_uid == b->st_uid &&
		a->st_gid == b->st_gid && a->st_nlink == b->st_nlink && a->st_size == b->st_size &&
		!memcmp(&a->st_mtim, &b->st_mtim, sizeof(a->st_mtim)) &&
		!memcmp(&a->st_ctim, &b->st_ctim, sizeof(a->st_ctim));
}

void scratch_check(void)
{
	struct stat v, o;
	struct dirent *entry;
	int entries = 0;
	DIR *d;

	MUST(fstatat(top, "outside/victim", &v, AT_SYMLINK_NOFOLLOW) == 0 && same(&v, &victim));
	MUST(fstatat(top, "outside", &o, AT_SYMLINK_NOFOLLOW) == 0 && same(&o, &outside));
	d = fdopendir(openat(top, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	MUST(d != NULL);
	while ((entry = readdir(d)))
		entries += *entry->d_name != '.';
	(void)closedir(d);
	MUST(entries == 2);
}

void scratch_end(void)
{
	struct err e = ERR_INIT;

	server_close(client.server);
	client.server = NULL;
	MUST(fchmodat(top, "in", 0755, 0) == 0);
	MUST(tree_remove(top, "in", &e) == 0);
	MUST(descriptors() == open_before);
	MUST(fchdir(home) == 0); /* where the fuzzer's files are */
}
