/* See passwd.h. */
#include "init/passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "stage1/common/util.h"

enum { LINE_SIZE = 8192, ID_FIELD = 2 };

static const struct {
	const char *noun, *file;
	int fields;
} kinds[] = {
	[PASSWD_USER] = { "user", "/etc/passwd", 7 },
	[PASSWD_GROUP] = { "group", "/etc/group", 4 },
};

/* Decimal and nothing else; (uid_t)-1 means "no change" to the kernel and is nobody's. */
static bool parse_id(const char *s, uint32_t *id_r)
{
	unsigned long long n;

	if (!*s || s[strspn(s, "0123456789")] || strlen(s) > 10)
		return false;
	n = strtoull(s, NULL, 10);
	if (n >= UINT32_MAX)
		return false;
	*id_r = (uint32_t)n;
	return true;
}

/* 1 when the line is the name's, 0 when another's. Cuts the line up. */
static int match_line(char *line, const char *file, enum passwd_kind kind, const char *name,
	uint32_t *id_r, struct err *e)
{
	char *field[8] = { line };
	int n = 1;

	if (!*line || *line == '#')
		return 0;
	for (char *p = line; (p = strchr(p, ':')) != NULL && n < (int)COUNT(field);) {
		*p++ = '\0';
		field[n++] = p;
	}
	if (n < kinds[kind].fields || !field[ID_FIELD])
		return err_set(e, ERR_INPUT, "%s: a line with %d fields, %d are needed", file, n,
			kinds[kind].fields);
	if (strcmp(field[0], name) != 0)
		return 0;
	if (!parse_id(field[ID_FIELD], id_r))
		return err_set(e, ERR_INPUT, "%s: '%s' is not the number of a %s", file,
			field[ID_FIELD], kinds[kind].noun);
	return 1;
}

int passwd_search(int fd, const char *file, enum passwd_kind kind, const char *name,
	uint32_t *id_r, struct err *e)
{
	char buf[LINE_SIZE];
	size_t have = 0;
	ssize_t n;
	int ret;

	for (;;) {
		char *line = buf, *end;

		n = read(fd, buf + have, sizeof(buf) - 1 - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(e, "read %s", file);
		have += (size_t)n;
		while ((end = memchr(line, '\n', have - (size_t)(line - buf))) != NULL) {
			*end = '\0';
			ret = match_line(line, file, kind, name, id_r, e);
			if (ret != 0)
				return ret;
			line = end + 1;
		}
		have -= (size_t)(line - buf);
		memmove(buf, line, have);
		if (n == 0) {
			buf[have] = '\0'; /* a last line without newline */
			return match_line(buf, file, kind, name, id_r, e);
		}
		if (have == sizeof(buf) - 1)
			return err_set(e, ERR_INPUT, "%s: a line over %d bytes", file, LINE_SIZE - 1);
	}
}

/* Links are the image's and stay in it, but for those of /proc, which the kernel follows by itself. */
static int open_image(const char *path, int flags)
{
	struct open_how how = { .flags = (unsigned)(flags | O_CLOEXEC), .resolve = RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));
}

int passwd_lookup(enum passwd_kind kind, const char *spec, uint32_t *id_r, struct err *e)
{
	const char *file = kinds[kind].file;
	AUTO_CLOSE int fd = -1;
	struct stat st;
	int ret;

	if (!strcmp(spec, "root")) {
		*id_r = 0;
		return 0;
	}
	if (parse_id(spec, id_r))
		return 0;
	if (*spec == '/') {
		fd = open_image(spec, O_PATH);
		if (fd < 0 || fstat(fd, &st) < 0)
			return err_sys(e, "%s by the owner of '%s'", kinds[kind].noun, spec);
		*id_r = kind == PASSWD_USER ? st.st_uid : st.st_gid;
		return 0;
	}
	/* The image may have anything there: a FIFO or a device must not stop PID 1's child. */
	fd = open_image(file, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return err_sys(e, "\"%s\" %s not found: %s", spec, kinds[kind].noun, file);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, ERR_INPUT, "\"%s\" %s not found: %s is not a regular file", spec,
			kinds[kind].noun, file);
	ret = passwd_search(fd, file, kind, spec, id_r, e);
	if (ret == 0)
		return err_set(e, ERR_INPUT, "\"%s\" %s not found", spec, kinds[kind].noun);
	return ret < 0 ? -1 : 0;
}
