/* See etc.h. */
#include "stage1/plan/etc.h"

#include <string.h>

#include "stage1/common/util.h"

static const char *const names[] = {
	[ETC_DEFAULT] = "default", [ETC_NONE] = "none", [ETC_STAGE0] = "stage0", [ETC_HOST] = "host"
};

static int parse_mode(const char *text, size_t len, bool none_is_one, enum etc_mode *mode_r)
{
	for (size_t i = 0; i < COUNT(names); i++)
		if (strlen(names[i]) == len && !strncmp(names[i], text, len) && (none_is_one || i != ETC_NONE)) {
			*mode_r = (enum etc_mode)i;
			return 0;
		}
	return -1;
}

int etc_modes_parse(const char *text, struct etc_modes *modes_r, struct err *e)
{
	struct etc_modes modes = { ETC_DEFAULT, ETC_DEFAULT };
	size_t len;

	for (const char *p = text; p && *p; p += len + (p[len] == ',')) {
		int ret = -1;

		len = strcspn(p, ",");
		if (str_has_prefix(p, "resolv="))
			ret = parse_mode(p + 7, len - 7, true, &modes.resolv);
		else if (str_has_prefix(p, "hosts="))
			ret = parse_mode(p + 6, len - 6, false, &modes.hosts);
		if (ret < 0)
			return err_set(e, ERR_INPUT, "--dns-conf-mode=%s: resolv=host|stage0|none|default,"
				"hosts=host|stage0|default", text);
	}
	*modes_r = modes;
	return 0;
}

void etc_files_dispose(struct etc_files *files)
{
	free(files->resolv);
	free(files->hosts);
	*files = (struct etc_files){ .resolv = NULL };
}

/* Bytes of the line before its comment and the blanks around it; 0 unless it begins with the address. */
static size_t address_line(const char *line, size_t len, const char *address)
{
	size_t n = strlen(address);

	if (len <= n || strncmp(line, address, n) != 0 || !strchr(" \t", line[n]))
		return 0;
	for (size_t i = 0; i < len; i++)
		if (line[i] == '#')
			len = i;
	while (len > n && strchr(" \t\r", line[len - 1]))
		len--;
	return len;
}

char *hosts_add_name(const char *text, const char *address, const char *name)
{
	size_t lines = 1, len, add = strlen(address) + strlen(name) + 3;
	bool found = false;
	char *out, *end;

	for (const char *p = text; *p; p++)
		lines += *p == '\n';
	out = end = xmalloc(strlen(text) + (lines + 1) * add + 1);
	for (const char *p = text; *p; p += len) {
		size_t head;

		len = strcspn(p, "\n");
		head = address_line(p, len, address);
		end = mempcpy(end, p, head);
		if (head) {
			*end++ = ' ';
			end = stpcpy(end, name);
			found = true;
		}
		end = mempcpy(end, p + head, len - head);
		if (p[len] || !found)
			*end++ = '\n';
		len += p[len] == '\n';
	}
	*end = '\0';
	if (!found)
		(void)stpcpy(stpcpy(stpcpy(stpcpy(end, address), "\t"), name), "\n");
	return out;
}
