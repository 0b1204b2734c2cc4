/* stage0 gc: marks what has ended as garbage, and removes garbage that is old enough (contract 2.3). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "stage0/delete.h"
#include "stage0/podcli.h"
#include "stage0/treegc.h"
#include "stage0/when.h"
#include "stage1/common/util.h"

static const char usage[] =
	"usage: stage0 gc [FLAGS]\n\n"
	"Marks the pods that have ended as garbage, and removes those that have been garbage for longer than the\n"
	"grace period. A pod that cannot be cleaned up is kept, and said: the exit status is then 254.\n"
	"Images that were unpacked for several pods (--no-overlay=false) go when no pod has them any more.\n";

struct gc_opts {
	struct pod_cli cli;
	const char *grace_text, *expire_text;
	int64_t grace, expire; /* ns */
	bool mark_only;
	struct delete_opts delete;
};

/* Each step looks at the pods of one directory; 0 when all went well. */
typedef int gc_step(const struct gc_opts *o, struct known_pod *pod, struct err *e);

/* Of the directory's last change, which for what was renamed is when it was. */
static int is_older(const struct known_pod *pod, int64_t age, struct err *e)
{
	struct timespec now;
	struct stat st;

	if (fstat(pod->dir.fd, &st) < 0 || clock_gettime(CLOCK_REALTIME, &now) < 0)
		return err_sys(e, "pod %s", pod->dir.uuid);
	return (now.tv_sec - st.st_ctim.tv_sec) * WHEN_NS + now.tv_nsec - st.st_ctim.tv_nsec > age;
}

/* Under its lock, so that nobody runs it meanwhile. */
static int move(struct known_pod *pod, enum pod_life from, enum pods_dir to, const char *what, struct err *e)
{
	int ret = pods_lock(pod, e);

	if (ret <= 0 || pod->life != from)
		return ret < 0 ? -1 : 0;
	(void)fprintf(stderr, "stage0: moving %s \"%s\" to garbage\n", what, pod->dir.uuid);
	return pods_move(pod, to, e);
}

static int mark_exited(const struct gc_opts *o, struct known_pod *pod, struct err *e)
{
	(void)o;
	return move(pod, LIFE_EXITED, PODS_EXITED_GARBAGE, "pod", e);
}

static int mark_aborted(const struct gc_opts *o, struct known_pod *pod, struct err *e)
{
	(void)o;
	return move(pod, LIFE_ABORTED_PREPARE, PODS_GARBAGE, "failed prepare", e);
}

static int mark_expired(const struct gc_opts *o, struct known_pod *pod, struct err *e)
{
	int old = pod->life == LIFE_PREPARED ? is_older(pod, o->expire, e) : 0;

	return old > 0 ? move(pod, LIFE_PREPARED, PODS_GARBAGE, "expired prepared pod", e) : old;
}

/* Who died between making an embryo and filling it left an empty directory, which only rmdir() takes. */
static int drop_embryo(const struct gc_opts *o, struct known_pod *pod, struct err *e)
{
	AUTO_FREE char *path = xasprintf("embryo/%s", pod->dir.uuid);
	int ret = pod->life == LIFE_EMBRYO ? is_older(pod, o->expire, e) : 0;

	if (ret > 0)
		ret = pods_lock(pod, e);
	if (ret <= 0 || pod->life != LIFE_EMBRYO)
		return ret;
	if (unlinkat(pod->dir.pods, path, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return err_sys(e, "remove %s/pods/%s", pod->dir.data, path);
	return 0;
}

static int empty(const struct gc_opts *o, struct known_pod *pod, struct err *e)
{
	int ret = pods_lock(pod, e); /* another one may be at it: theirs, then */

	if (ret <= 0 || (pod->life != LIFE_EXITED_GARBAGE && pod->life != LIFE_GARBAGE))
		return ret < 0 ? -1 : 0;
	(void)printf("Garbage collecting pod \"%s\"\n", pod->dir.uuid);
	return pod_delete(pod, &o->delete, e);
}

static int empty_exited(const struct gc_opts *o, struct known_pod *pod, struct err *e)
{
	int old = is_older(pod, o->grace, e);

	if (old == 0 && pod->life == LIFE_EXITED_GARBAGE)
		(void)fprintf(stderr, "stage0: pod \"%s\" not removed: still within grace period (%s)\n",
			pod->dir.uuid, o->grace_text);
	return old > 0 ? empty(o, pod, e) : old;
}

static int walk(const struct gc_opts *o, enum pods_dir at, gc_step *step, bool *failed, struct err *e)
{
	struct pod_names names = { .n = 0 };

	if (pods_list(o->cli.dir, 1U << at, &names, e) < 0)
		return -1;
	for (size_t i = 0; i < names.n; i++) {
		struct known_pod pod = KNOWN_POD_INIT;
		struct err why = ERR_INIT;
		int ret = pods_open(o->cli.dir, names.v[i], &pod, &why);

		if (ret > 0)
			ret = step(o, &pod, &why);
		known_pod_dispose(&pod);
		if (ret >= 0)
			continue;
		cmd_say("%s", why.msg);
		*failed = true;
	}
	pod_names_dispose(&names);
	return 0;
}

/* 1 when some pod could not be handled: it was said. */
static int gc(const struct gc_opts *o, struct err *e)
{
	static const struct {
		enum pods_dir at;
		gc_step *step;
		bool marks;
	} steps[] = {
		{ PODS_RUN, mark_exited, true },
		{ PODS_PREPARE, mark_aborted, true },
		{ PODS_PREPARED, mark_expired, false },
		{ PODS_EXITED_GARBAGE, empty_exited, false },
		{ PODS_GARBAGE, empty, false },
		{ PODS_EMBRYO, drop_embryo, false },
	};
	struct err why = ERR_INIT;
	bool failed = false;

	for (size_t i = 0; i < COUNT(steps); i++)
		if ((steps[i].marks || !o->mark_only) && walk(o, steps[i].at, steps[i].step, &failed, e) < 0)
			return -1;
	if (!o->mark_only && trees_collect(o->cli.dir, &why) < 0) {
		cmd_say("%s", why.msg);
		failed = true;
	}
	return failed;
}

int cmd_gc(int argc, char **argv)
{
	struct gc_opts o = { .cli = POD_CLI_INIT, .grace_text = "30m0s", .expire_text = "24h0m0s" };
	const struct cli_flag flags[] = {
		{ "grace-period", CLI_STRING, &o.grace_text, "DURATION", "how long garbage is kept (30m)" },
		{ "expire-prepared", CLI_STRING, &o.expire_text, "DURATION", "how long a prepared pod waits (24h)" },
		{ "mark-only", CLI_SWITCH, &o.mark_only, NULL, "mark what has ended, remove nothing" },
		{ "force", CLI_SWITCH, &o.delete.force, NULL, "remove pods even if stage1's gc fails for them" },
		POD_CLI_FLAGS(&o.cli),
	};
	struct err e = ERR_INIT;
	int ret = pod_cli_read(&o.cli, usage, flags, COUNT(flags), argc, argv, &e), status = 0;

	if (ret == 0 && (duration_parse("grace-period", o.grace_text, &o.grace, &e) < 0 ||
		duration_parse("expire-prepared", o.expire_text, &o.expire, &e) < 0))
		ret = -1;
	if (ret == 0 && o.cli.rest.words.n)
		ret = err_set(&e, ERR_USAGE, "gc is for all pods, '%s' is too much: see rm", o.cli.rest.words.v[0]);
	if (ret == 0 && !cmd_is_root("remove pods")) {
		status = EXIT_STAGE0;
	} else if (ret == 0) {
		o.delete.debug = o.cli.debug;
		o.delete.local_config = o.cli.local_config;
		ret = gc(&o, &e);
		status = ret > 0 ? EXIT_STAGE0 : 0;
	}
	pod_cli_dispose(&o.cli);
	return ret < 0 ? cmd_fail(&e) : cmd_end(status);
}
