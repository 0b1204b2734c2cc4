/* See mounts.h. */
#include "stage0/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "stage1/common/util.h"

enum { MOUNTINFO_MAX = 64 << 20 };

/* "\040" and the like, in place (proc(5)) */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && strspn(s + 1, "01234567") >= 3) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

void mounts_parse(const char *mountinfo, const char *dir, struct mounts *mounts_r)
{
	AUTO_FREE char *text = xstrdup(mountinfo);
	struct mounts mounts = { .n = 0 };
	char *lines = NULL, *words;
	size_t len = strlen(dir);

	for (char *line = strtok_r(text, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		char *point = strtok_r(line, " ", &words); /* the fifth word */

		for (int i = 0; point && i < 4; i++)
			point = strtok_r(NULL, " ", &words);
		if (!point)
			continue;
		unescape(point);
		if (strncmp(point, dir, len) != 0 || (point[len] && point[len] != '/'))
			continue;
		mounts.v = xrealloc(mounts.v, mounts.n + 1, sizeof(*mounts.v));
		mounts.v[mounts.n++] = xstrdup(point);
	}
	*mounts_r = mounts;
}

int mounts_below(const char *dir, struct mounts *mounts_r, struct err *e)
{
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_file_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len, e) < 0)
		return -1;
	mounts_parse(text, dir, mounts_r);
	return 0;
}

void mounts_dispose(struct mounts *mounts)
{
	for (size_t i = 0; i < mounts->n; i++)
		free(mounts->v[i]);
	free(mounts->v);
	*mounts = (struct mounts){ .n = 0 };
}

/* One round over what there is; the error is about the first of what is left. */
static int remove_round(const char *dir, size_t *done_r, size_t *left_r, struct err *e)
{
	struct mounts mounts = { .n = 0 };
	int ret = mounts_below(dir, &mounts, e);

	*done_r = *left_r = 0;
	/* all of them first: unmounting one must not reach the peers of another */
	for (size_t i = 0; ret == 0 && i < mounts.n; i++)
		if (mount(NULL, mounts.v[i], NULL, MS_PRIVATE, NULL) < 0 && errno != EINVAL && errno != ENOENT)
			ret = err_sys(e, "make the mount at %s private", mounts.v[i]);
	for (size_t i = mounts.n; ret == 0 && i > 0; i--) {
		if (umount2(mounts.v[i - 1], UMOUNT_NOFOLLOW) == 0)
			++*done_r;
		else if (++*left_r == 1)
			(void)err_sys(e, "unmount %s", mounts.v[i - 1]);
	}
	mounts_dispose(&mounts);
	return ret;
}

/* As long as a round gets something done, the next one may get more done. */
int mounts_remove(const char *dir, struct err *e)
{
	size_t done, left;

	for (;;) {
		struct err why = ERR_INIT;

		if (remove_round(dir, &done, &left, &why) == 0 && left == 0)
			return 0;
		if (why.kind != ERR_NONE && done == 0) {
			err_set_(e, why.kind, "%s", why.msg);
			return -1;
		}
	}
}
