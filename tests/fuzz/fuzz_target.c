/*
 * A hostile root and places to mount at in it. The bytes are lines: "l NAME TEXT" is a link, "f PATH"
 * and "d PATH" ask for a file's and a directory's place. Whatever the links say, what is opened lies in
 * the root, and nothing outside is touched.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

#include "init/target.h"
#include "stage1/common/util.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/tar.h"

enum { LINES_MAX = 40 };

static struct sandbox box = SANDBOX_INIT("/tmp/fuzz_target.XXXXXX");

/* Where the kernel says that the descriptor leads. */
static void must_be_inside(int fd)
{
	char where[40], path[2 * PATH_MAX];
	ssize_t len;

	(void)snprintf(where, sizeof(where), "/proc/self/fd/%d", fd);
	len = readlink(where, path, sizeof(path) - 1);
	if (len < 0 && errno == ENAMETOOLONG)
		return;
	MUST(len > 0);
	path[len] = '\0';
	len = (ssize_t)strlen(box.path);
	MUST(!strncmp(path, box.path, (size_t)len) && !strncmp(path + len, "/in/rootfs", 10));
	MUST(path[len + 10] == '\0' || path[len + 10] == '/');
}

static void ask(int root, const char *path, bool file)
{
	AUTO_CLOSE int before = target_open(root, path, O_PATH);
	AUTO_CLOSE int fd = target_make(root, path, file, file ? 0644 : 0755);
	struct stat st, again;

	if (fd < 0) {
		MUST(errno != 0 && before < 0);
		return;
	}
	must_be_inside(fd);
	MUST(fstat(fd, &st) == 0);
	if (before < 0)
		MUST(S_ISDIR(st.st_mode) || (file && S_ISREG(st.st_mode))); /* "x/." is a directory */
	else
		MUST(fstat(before, &again) == 0 && again.st_ino == st.st_ino);
}

static void obey(int root, char *line)
{
	char *space;

	if (line[0] == 'l' && line[1] == ' ') {
		space = strchr(line + 2, ' ');
		if (!space)
			return;
		*space = '\0';
		if (!strchr(line + 2, '/'))
			(void)!symlinkat(space + 1, root, line + 2);
	} else if ((line[0] == 'f' || line[0] == 'd') && line[1] == ' ') {
		ask(root, line + 2, line[0] == 'f');
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = xmalloc(size + 1);
	char *line = text, *end;
	int root;

	sandbox_ready(&box);
	MUST(mkdirat(box.in, "rootfs", 0755) == 0);
	root = openat(box.in, "rootfs", O_PATH | O_DIRECTORY | O_CLOEXEC);
	memcpy(text, data, size);
	text[size] = '\0';
	for (int n = 0; n < LINES_MAX && (end = strchr(line, '\n')) != NULL; n++, line = end + 1) {
		*end = '\0';
		obey(root, line);
	}
	(void)close(root);
	sandbox_check_and_clean(&box);
	return 0;
}
