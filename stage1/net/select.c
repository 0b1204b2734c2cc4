/* See select.h. */
#include "stage1/net/select.h"

#include <stdio.h>
#include <string.h>

#include "stage1/common/util.h"

bool net_conf_is_repeated(const struct net_conf *confs, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (confs[k].dir == confs[i].dir && !strcmp(confs[k].name, confs[i].name))
			return true;
	return false;
}

/* Another one counts: an earlier of the directory, or any of a later directory. */
static bool is_hidden(const struct net_conf *confs, size_t n, size_t i)
{
	for (size_t k = i + 1; k < n; k++)
		if (confs[k].dir > confs[i].dir && !strcmp(confs[k].name, confs[i].name))
			return true;
	return net_conf_is_repeated(confs, i);
}

/* A word of the list of networks: NAME or NAME:ARGS. */
struct word {
	const char *name, *args;
	size_t len, args_len;
};

/* The next one, and where it ends; false at the end. */
static bool next_word(const char **rest, struct word *w)
{
	const char *p = *rest, *colon;
	size_t len;

	if (!p)
		return false;
	len = strcspn(p, ",");
	colon = memchr(p, ':', len);
	w->name = p;
	w->len = colon ? (size_t)(colon - p) : len;
	w->args = colon ? colon + 1 : "";
	w->args_len = colon ? len - w->len - 1 : 0;
	*rest = p[len] ? p + len + 1 : NULL;
	return true;
}

static bool is_name(const struct word *w, const char *name)
{
	return strlen(name) == w->len && !strncmp(name, w->name, w->len);
}

static bool find_word(const char *flag, const char *name, struct word *w_r)
{
	struct word w;

	while (next_word(&flag, &w))
		if (is_name(&w, name)) {
			*w_r = w;
			return true;
		}
	return false;
}

static int check_found(const char *flag, const struct net_conf *confs, size_t n, const char *where, struct err *e)
{
	const char *rest = flag;
	char missing[200] = "";
	size_t len = 0;
	struct word w;

	while (next_word(&rest, &w)) {
		size_t i = 0;

		while (i < n && !is_name(&w, confs[i].name))
			i++;
		if (i < n || is_name(&w, "all"))
			continue;
		if (len < sizeof(missing))
			len += (size_t)snprintf(missing + len, sizeof(missing) - len, "%s'%.*s'", len ? ", " : "",
				(int)w.len, w.name);
	}
	if (*missing)
		return err_set(e, ERR_INPUT, "--net=%s: networks not found: %s (looked in %s)", flag, missing, where);
	return 0;
}

static int by_file(const void *a, const void *b)
{
	const struct net_conf *x = ((const struct net_choice *)a)->conf, *y = ((const struct net_choice *)b)->conf;
	int order = strcmp(x->file, y->file);

	return order ? order : x->dir < y->dir ? -1 : x->dir > y->dir;
}

static void name_them(struct net_choice *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(list[i].ifname, sizeof(list[i].ifname), "eth%zu", i);
		if (i > 0 && !strcmp(list[i].conf->file, list[i - 1].conf->file))
			list[i].copy = xasprintf("%s-%s", list[i].ifname, list[i].conf->file);
		else
			list[i].copy = xstrdup(list[i].conf->file);
	}
}

int net_select(const char *flag, const struct net_conf *confs, size_t n, const char *where,
	struct net_choice **list_r, size_t *n_r, struct err *e)
{
	struct net_choice *list;
	struct word all, w;
	bool has_all = find_word(flag, "all", &all);
	size_t count = 0;

	if (check_found(flag, confs, n, where, e) < 0)
		return -1;
	list = xcalloc(n, sizeof(*list));
	for (size_t i = 0; i < n; i++) {
		bool named = find_word(flag, confs[i].name, &w);

		if ((!named && !has_all) || is_hidden(confs, n, i))
			continue;
		list[count].conf = &confs[i];
		list[count++].args = named ? xstrndup(w.args, w.args_len) : xstrdup("");
	}
	qsort(list, count, sizeof(*list), by_file);
	name_them(list, count);
	if (count == 0 || count > NET_NETWORKS_MAX) {
		net_choices_dispose(list, count);
		return count == 0 ? err_set(e, ERR_INPUT, "--net=%s: there are no networks in %s", flag, where) :
			err_set(e, ERR_INPUT, "--net=%s: %zu networks, more than %d", flag, count, NET_NETWORKS_MAX);
	}
	*list_r = list;
	*n_r = count;
	return 0;
}

void net_choices_dispose(struct net_choice *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(list[i].args);
		free(list[i].copy);
	}
	free(list);
}

size_t net_forwardable(const struct net_choice *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].conf->ip_masq)
			return i;
	return n - 1;
}
