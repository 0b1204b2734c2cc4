/* See names.h. */
#include "stage0/names.h"

#include <string.h>

#include "stage1/common/util.h"

int name_clean(const char *name, char **clean_r, struct err *e)
{
	AUTO_FREE char *out = NULL;
	const char *p = name;
	size_t len = 0;

	if (*name == '/')
		return err_set(e, ERR_INPUT, "an absolute name");
	out = xcalloc(strlen(name) + 2, 1);
	while (*p) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return err_set(e, ERR_INPUT, "'..' in a name");
		if (n > 0 && !(n == 1 && *p == '.')) {
			if (len)
				out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n;
		p += strspn(p, "/");
	}
	*clean_r = STEAL(out);
	return 0;
}

char *name_follow(const char *name, const char *target)
{
	const char *slash = strrchr(name, '/'), *p = target;
	AUTO_FREE char *out = xcalloc(strlen(name) + strlen(target) + 2, 1);
	size_t len = slash ? (size_t)(slash - name) : 0;

	if (*target == '/')
		return NULL;
	memcpy(out, name, len);
	while (*p) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.') {
			if (!len)
				return NULL;
			while (len && out[len - 1] != '/')
				len--;
			len -= len > 0; /* the slash too */
		} else if (n > 0 && !(n == 1 && *p == '.')) {
			if (len)
				out[len++] = '/';
			memcpy(out + len, p, n);
			len += n;
		}
		p += n;
		p += strspn(p, "/");
	}
	out[len] = '\0';
	return STEAL(out);
}
