/*
 * Isolators that flags append or replace. Sources of facts: rkt stage0/run.go (prepareIsolators),
 * common/apps/apps.go (SeccompOverride), appc schema/types/isolator*.go. See overrides.h.
 */
#include <string.h>

#include "stage0/overrides.h"
#include "stage0/quantity.h"
#include "stage1/common/util.h"

#define MEMORY "resource/memory"
#define CPU "resource/cpu"
#define CPU_SHARES "os/linux/cpu-shares"
#define OOM_SCORE_ADJ "os/linux/oom-score-adj"
#define CAPS_RETAIN "os/linux/capabilities-retain-set"
#define CAPS_REMOVE "os/linux/capabilities-remove-set"
#define SECCOMP_RETAIN "os/linux/seccomp-retain-set"
#define SECCOMP_REMOVE "os/linux/seccomp-remove-set"

static void append(json_object *app, const char *name, json_object *value)
{
	json_object *isolator = json_object_new_object();

	jb_string(isolator, "name", name);
	jb_member(isolator, "value", value);
	(void)json_object_array_add(jb_list(app, "isolators"), isolator);
}

static void drop(json_object *app, const char *name)
{
	json_object *list = jb_list(app, "isolators");

	for (size_t i = json_object_array_length(list); i-- > 0;)
		if (!strcmp(jb_text(json_object_array_get_idx(list, i), "name"), name))
			(void)json_object_array_del_idx(list, i, 1);
}

/* Appended, as rkt's: of several the last counts. */
static int add_quantity(json_object *app, const char *flag, const char *text, const char *name, int64_t min,
	struct err *e)
{
	AUTO_FREE char *canonical = NULL;
	json_object *value;
	int64_t n;

	if (!text)
		return 0;
	if (quantity_read(text, &canonical, &n, e) < 0)
		return err_prefix(e, "--%s", flag);
	if (n < min)
		return min ? flag_err(e, flag, text, "%lld bytes are too few (16M are 16 megabytes, 16m are none)",
			(long long)n) : flag_err(e, flag, text, "negative");
	value = json_object_new_object();
	jb_member(value, "default", json_object_new_boolean(false));
	jb_string(value, "request", canonical);
	jb_string(value, "limit", canonical);
	append(app, name, value);
	return 0;
}

static int set_number(json_object *app, const char *flag, const char *text, const char *name, long min, long max,
	struct err *e)
{
	char *end;
	long n;

	if (!text)
		return 0;
	n = strtol(text, &end, 10);
	if (!*text || *end || !strchr("+-0123456789", *text) || strlen(text) > 9 || n < min || n > max)
		return flag_err(e, flag, text, "not a number from %ld to %ld", min, max);
	drop(app, name);
	append(app, name, json_object_new_int64(n));
	return 0;
}

static json_object *set_of(json_object *names)
{
	json_object *value = json_object_new_object();

	jb_member(value, "set", names);
	return value;
}

static bool capability_valid(const char *s)
{
	return !strncmp(s, "CAP_", 4) && s[4] &&
		!s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789")];
}

static int add_caps(json_object *app, const char *flag, const char *text, const char *name, struct err *e)
{
	AUTO_FREE char *copy = xstrdup(text);
	json_object *names = json_object_new_array();
	char *rest = copy;

	for (char *cap = strsep(&rest, ","); cap; cap = strsep(&rest, ",")) {
		if (!capability_valid(cap)) {
			json_object_put(names);
			return flag_err(e, flag, text, "'%s' is no capability (such as CAP_KILL)", cap);
		}
		(void)json_object_array_add(names, json_object_new_string(cap));
	}
	append(app, name, set_of(names));
	return 0;
}

static int override_caps(json_object *app, const struct app_opts *o, struct err *e)
{
	if (o->caps_retain && o->caps_remove)
		return err_set(e, ERR_USAGE, "--caps-retain and --caps-remove exclude each other");
	if (!o->caps_retain && !o->caps_remove)
		return 0;
	drop(app, CAPS_RETAIN);
	drop(app, CAPS_REMOVE);
	return o->caps_retain ? add_caps(app, "caps-retain", o->caps_retain, CAPS_RETAIN, e) :
		add_caps(app, "caps-remove", o->caps_remove, CAPS_REMOVE, e);
}

struct seccomp {
	const char *mode, *errno_name; /* in the copy of the flag's text */
	json_object *calls;
};

static int read_seccomp_word(const char *text, char *word, struct seccomp *s, struct err *e)
{
	char *value = strchr(word, '=');

	if (value)
		*value++ = '\0';
	if (!*word)
		return flag_err(e, "seccomp", text, "an empty word");
	if (!value)
		(void)json_object_array_add(s->calls, json_object_new_string(word));
	else if (!strcmp(word, "mode"))
		s->mode = value;
	else if (!strcmp(word, "errno"))
		s->errno_name = value;
	else
		return flag_err(e, "seccomp", text, "unknown '%s='", word);
	return 0;
}

static int read_seccomp(const char *text, char *copy, struct seccomp *s, struct err *e)
{
	for (char *word = strsep(&copy, ","); word; word = strsep(&copy, ","))
		if (read_seccomp_word(text, word, s, e) < 0)
			return -1;
	if (strcmp(s->mode, "retain") != 0 && strcmp(s->mode, "remove") != 0)
		return flag_err(e, "seccomp", text, "mode=retain or mode=remove is missing");
	if (!json_object_array_length(s->calls))
		return flag_err(e, "seccomp", text, "no system calls are named");
	if (*s->errno_name && (*s->errno_name != 'E' ||
		s->errno_name[strspn(s->errno_name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")]))
		return flag_err(e, "seccomp", text, "'%s' is no name of an error (such as EPERM)", s->errno_name);
	return 0;
}

static int override_seccomp(json_object *app, const char *text, struct err *e)
{
	AUTO_FREE char *copy = NULL;
	struct seccomp s = { .mode = "", .errno_name = "" };
	json_object *value;

	if (!text || !*text)
		return 0;
	copy = xstrdup(text);
	s.calls = json_object_new_array();
	if (read_seccomp(text, copy, &s, e) < 0) {
		json_object_put(s.calls);
		return -1;
	}
	drop(app, SECCOMP_RETAIN);
	drop(app, SECCOMP_REMOVE);
	value = set_of(s.calls);
	jb_string(value, "errno", s.errno_name);
	append(app, strcmp(s.mode, "retain") ? SECCOMP_REMOVE : SECCOMP_RETAIN, value);
	return 0;
}

int override_isolators(json_object *app, const struct app_opts *o, struct err *e)
{
	if (add_quantity(app, "memory", o->memory, MEMORY, 4096, e) < 0 ||
		add_quantity(app, "cpu", o->cpu, CPU, 0, e) < 0 ||
		set_number(app, "cpu-shares", o->cpu_shares, CPU_SHARES, 2, 262144, e) < 0 ||
		set_number(app, "oom-score-adj", o->oom_score_adj, OOM_SCORE_ADJ, -1000, 1000, e) < 0)
		return -1;
	return override_caps(app, o, e) < 0 ? -1 : override_seccomp(app, o->seccomp, e);
}
