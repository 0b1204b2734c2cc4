/* See etc.h. */
#include "stage1/etc.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "stage1/common/util.h"

enum { ETC_FILE_MAX = 1 << 20 }; /* bytes: lists of blocked hosts are long */

static int read_text(const char *path, char **text_r, struct err *e)
{
	size_t len;

	if (read_file_at(AT_FDCWD, path, ETC_FILE_MAX, text_r, &len, e) < 0)
		return -1;
	if (strlen(*text_r) != len)
		return err_set(e, ERR_INPUT, "%s: contains a NUL", path);
	return 0;
}

/* What rkt writes for itself when our image has no fallback. */
static int read_fallback(const char *s1root, char **text_r, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/etc/hosts-fallback", s1root);

	if (access(path, F_OK) < 0 && errno == ENOENT) {
		*text_r = xstrdup("127.0.0.1\tlocalhost\n::1\tlocalhost\n");
		return 0;
	}
	return read_text(path, text_r, e);
}

static int read_ours(const char *s1root, const char *name, char **text_r, struct err *e)
{
	AUTO_FREE char *path = xasprintf("%s/etc/%s", s1root, name);

	return read_text(path, text_r, e);
}

static int read_hosts(enum etc_mode mode, const char *s1root, char **text_r, struct err *e)
{
	if (mode == ETC_HOST)
		return read_text("/etc/hosts", text_r, e);
	if (mode == ETC_STAGE0)
		return read_ours(s1root, "rkt-hosts", text_r, e);
	return read_fallback(s1root, text_r, e);
}

int etc_read(const struct etc_modes *modes, const char *s1root, struct etc_files *files_r,
	struct err *e)
{
	struct etc_files files = { .resolv = NULL };
	int ret = 0;

	if (modes->resolv == ETC_HOST)
		ret = read_text("/etc/resolv.conf", &files.resolv, e);
	else if (modes->resolv == ETC_STAGE0)
		ret = read_ours(s1root, "rkt-resolv.conf", &files.resolv, e);
	if (ret == 0)
		ret = read_hosts(modes->hosts, s1root, &files.hosts, e);
	if (ret < 0) {
		etc_files_dispose(&files);
		return -1;
	}
	*files_r = files;
	return 0;
}
