/* See runline.h. */
#include "stage0/runline.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "stage0/overrides.h"
#include "stage1/common/util.h"

extern char **environ;

enum { FLAGS_MAX = 96, ENV_FILE_MAX = 1 << 20 };

#define NET_WHEN_NONE_IS_GIVEN "default" /* rkt's */

#define NO_STORE "there is no image store here: images are files, given by path"

struct flags {
	struct cli_flag v[FLAGS_MAX];
	size_t n;
};

static void add(struct flags *f, const struct cli_flag *more, size_t n)
{
	memcpy(f->v + f->n, more, n * sizeof(*more));
	f->n += n;
}

static void add_image_flags(struct flags *f, struct app_opts *a, struct cli_list *mounts)
{
#define OF_IMAGE(member) (a ? &a->member : NULL)
	const struct cli_flag flags[] = {
		{ NULL, CLI_GROUP, NULL, NULL, "Of the image before them" },
		{ "name", CLI_STRING, OF_IMAGE(name), "NAME", "name of the app (the image's)" },
		{ "exec", CLI_ONCE, OF_IMAGE(exec), "PROGRAM", "run this instead of the image's program" },
		{ "user", CLI_STRING, OF_IMAGE(user), "USER", "name, number, or path whose owner is meant" },
		{ "group", CLI_STRING, OF_IMAGE(group), "GROUP", "likewise" },
		{ "supplementary-gids", CLI_LIST, OF_IMAGE(gids), "N,N...", "further groups, by number" },
		{ "working-dir", CLI_STRING, OF_IMAGE(working_dir), "DIR", "directory the app starts in" },
		{ "environment", CLI_LIST, OF_IMAGE(environment), "NAME=VALUE",
			"set a variable of the app; repeatable, as those below" },
		{ "mount", CLI_LIST, a ? &a->mounts : mounts, "volume=NAME,target=PATH",
			"mount a volume; before any image: in all apps, where they have no mount of their own" },
		{ "readonly-rootfs", CLI_SWITCH, OF_IMAGE(read_only_root), NULL,
			"the app cannot write to its root" },
		{ "memory", CLI_STRING, OF_IMAGE(memory), "QUANTITY", "limit, such as 128Mi or 1G" },
		{ "cpu", CLI_STRING, OF_IMAGE(cpu), "QUANTITY", "limit, such as 500m or 2" },
		{ "cpu-shares", CLI_STRING, OF_IMAGE(cpu_shares), "N", "weight, 2 to 262144 (1024)" },
		{ "oom-score-adj", CLI_STRING, OF_IMAGE(oom_score_adj), "N",
			"who is killed first when memory runs out, -1000 to 1000" },
		{ "caps-retain", CLI_STRING, OF_IMAGE(caps_retain), "CAP_X,...", "the app's capabilities" },
		{ "caps-remove", CLI_STRING, OF_IMAGE(caps_remove), "CAP_X,...",
			"take these out of the default ones" },
		{ "seccomp", CLI_STRING, OF_IMAGE(seccomp), "mode=MODE,CALL,...",
			"MODE retain: only these system calls (or @sets of them) are allowed; remove: all but "
			"these. With errno=ENAME the others fail so, else they kill" },
		{ "stdin", CLI_STRING, OF_IMAGE(stdin_mode), "MODE", "null, stream or tty" },
		{ "stdout", CLI_STRING, OF_IMAGE(stdout_mode), "MODE", "log, null, stream or tty" },
		{ "stderr", CLI_STRING, OF_IMAGE(stderr_mode), "MODE", "likewise" },
		{ "annotation", CLI_LIST, OF_IMAGE(annotations), "NAME=VALUE", "of the app in the manifest" },
		{ "user-annotation", CLI_LIST, OF_IMAGE(user_annotations), "NAME=VALUE",
			"replace the image's user annotations" },
		{ "user-label", CLI_LIST, OF_IMAGE(user_labels), "NAME=VALUE", "replace the image's user labels" },
		{ "cap-retain", CLI_REFUSED, NULL, NULL, "it is --caps-retain" },
		{ "cap-remove", CLI_REFUSED, NULL, NULL, "it is --caps-remove" },
	};
#undef OF_IMAGE
	add(f, flags, COUNT(flags));
}

static void add_pod_flags(struct flags *f, struct run_line *r)
{
	const struct cli_flag flags[] = {
		{ NULL, CLI_GROUP, NULL, NULL, "Of the pod's content" },
		{ "volume", CLI_LIST, &r->pod.volumes, "NAME,kind=KIND,...",
			"a volume for mounts. host: source=PATH[,readOnly=BOOL][,recursive=BOOL]; "
			"empty: [mode=MODE][,uid=N][,gid=N]" },
		{ "port", CLI_LIST, &r->pod.ports, "NAME:[IP:]PORT",
			"let a port of this host lead to the port NAME of an app" },
		{ "set-env", CLI_LIST, &r->pod.set_env, "NAME=VALUE", "set a variable in all apps, above all else" },
		{ "set-env-file", CLI_LIST, &r->env_files, "FILE", "likewise, a line each, below --set-env" },
		{ "inherit-env", CLI_SWITCH, &r->inherit_env, NULL, "pass our environment on, below all else" },
		{ "pod-annotation", CLI_LIST, &r->pod.annotations, "NAME=VALUE",
			"of the pod in the manifest (not in rkt)" },
		{ "pod-manifest", CLI_STRING, &r->pod_manifest, "FILE",
			"use this manifest as it is; images only say where its apps' images are" },
		{ "stage1-path", CLI_STRING, &r->stage1_path, "ACI", "stage1 image (" STAGE1_PATH_DEFAULT ")" },
		{ "private-users", CLI_SWITCH, &r->private_users, NULL,
			"accepted: a pod's users are its virtual machine's own, always" },
		{ "no-overlay", CLI_SWITCH, &r->no_overlay, NULL, "unpack images for this pod alone; the default. --no-overlay=false unpacks them once for "
			"all pods, whose own layers lie over them" },
		{ "uuid-file-save", CLI_STRING, &r->uuid_file, "FILE", "write the pod's UUID there" },
		{ "stage1-url", CLI_REFUSED, NULL, NULL, "nothing is fetched here: use --stage1-path=FILE" },
		{ "stage1-name", CLI_REFUSED, NULL, NULL, NO_STORE ": use --stage1-path=FILE" },
		{ "stage1-hash", CLI_REFUSED, NULL, NULL, NO_STORE ": use --stage1-path=FILE" },
		{ "stage1-from-dir", CLI_REFUSED, NULL, NULL, "use --stage1-path=FILE" },
		{ "store-only", CLI_REFUSED, NULL, NULL, NO_STORE },
		{ "no-store", CLI_REFUSED, NULL, NULL, NO_STORE },
		{ "pull-policy", CLI_REFUSED, NULL, NULL, NO_STORE },
		{ "mutable", CLI_REFUSED, NULL, NULL, "it is of pods without apps: use app sandbox" },
	};

	add(f, flags, COUNT(flags));
}

static void add_sandbox_flags(struct flags *f, struct run_line *r)
{
	const struct cli_flag flags[] = {
		{ NULL, CLI_GROUP, NULL, NULL, "Of the pod" },
		{ "port", CLI_LIST, &r->pod.ports, "NAME:PROTOCOL:PODPORT:IP:PORT", "let a port of this host lead into the pod" },
		{ "annotation", CLI_LIST, &r->pod.annotations, "NAME=VALUE", "of the pod in the manifest" },
		{ "user-annotation", CLI_LIST, &r->pod.user_annotations, "NAME=VALUE", "likewise, of yours" },
		{ "user-label", CLI_LIST, &r->pod.user_labels, "NAME=VALUE", "likewise" },
		{ "stage1-path", CLI_STRING, &r->stage1_path, "ACI", "stage1 image (" STAGE1_PATH_DEFAULT ")" },
		{ "no-overlay", CLI_SWITCH, &r->no_overlay, NULL, "as of run; the default" },
		{ "uuid-file-save", CLI_STRING, &r->uuid_file, "FILE", "write the pod's UUID there" },
		{ "stage1-url", CLI_REFUSED, NULL, NULL, "nothing is fetched here: use --stage1-path=FILE" },
		{ "stage1-name", CLI_REFUSED, NULL, NULL, NO_STORE ": use --stage1-path=FILE" },
		{ "stage1-hash", CLI_REFUSED, NULL, NULL, NO_STORE ": use --stage1-path=FILE" },
		{ "stage1-from-dir", CLI_REFUSED, NULL, NULL, "use --stage1-path=FILE" },
	};

	add(f, flags, COUNT(flags));
}

static void add_launch_flags(struct flags *f, struct run_line *r, bool sandbox)
{
	const struct cli_flag flags[] = {
		{ NULL, CLI_GROUP, NULL, NULL, "Of how the pod runs" },
		{ "net", CLI_NET, &r->nets, "NAME[:ARGS],...",
			"networks (" NET_WHEN_NONE_IS_GIVEN "; without a value: default)" },
		{ "hostname", CLI_STRING, &r->opts.hostname, "NAME", "host name of the pod (rkt-UUID)" },
		{ "dns", CLI_LIST, &r->dns_flags.dns, "IP,...",
			"name servers; host: the host's resolv.conf; none: not those of networks either" },
		{ "dns-search", CLI_LIST, &r->dns_flags.search, "DOMAIN", "domain to search names in; repeatable" },
		{ "dns-opt", CLI_LIST, &r->dns_flags.options, "OPTION", "option of resolv.conf; repeatable" },
		{ "dns-domain", CLI_STRING, &r->dns_flags.domain, "DOMAIN", "the pod's own domain" },
		{ "hosts-entry", CLI_LIST, &r->dns_flags.entries, "IP=NAME,...",
			"lines of /etc/hosts; host: the host's" },
	};
	const struct cli_flag of_apps[] = {
		{ "interactive", CLI_SWITCH, &r->opts.interactive, NULL, "connect the app to this terminal" },
		{ "ipc", CLI_STRING, &r->opts.ipc, "MODE", "auto, private or parent" },
		{ "mds-register", CLI_SWITCH, &r->mds_register, NULL,
			"register the pod with rkt's metadata service" },
	};

	add(f, flags, COUNT(flags));
	if (!sandbox)
		add(f, of_apps, COUNT(of_apps));
}

static void add_general_flags(struct flags *f, struct run_line *r)
{
	const struct cli_flag flags[] = {
		{ NULL, CLI_GROUP, NULL, NULL, "General" },
		{ "dir", CLI_STRING, &r->dir, "DIR", "data directory (" DATA_DIR_DEFAULT ")" },
		{ "local-config", CLI_STRING, &r->opts.local_config, "DIR", "configuration (/etc/rkt)" },
		{ "system-config", CLI_STRING, &r->system_config, "DIR",
			"the system's configuration (" SYSTEM_CONFIG_DEFAULT ")" },
		{ "insecure-options", CLI_LIST, &r->insecure, "LIST",
			"what is not to be secured: image, paths, capabilities, seccomp, all-run, all" },
		{ "debug", CLI_SWITCH, &r->opts.debug, NULL, "let stage1 say more" },
		{ "help", CLI_SWITCH, &r->help, NULL, "print this" },
	};

	add(f, flags, COUNT(flags));
}

/* The flags that may stand behind the image `a`, or before all when there is none. */
static void make_flags(struct run_line *r, struct app_opts *a, int which, struct flags *f_r)
{
	f_r->n = 0;
	if (which & LINE_PREPARE) {
		add_image_flags(f_r, a, &r->pod.mounts);
		add_pod_flags(f_r, r);
	}
	if (which == LINE_PREPARE)
		add(f_r, &(struct cli_flag){ "quiet", CLI_SWITCH, &r->quiet, NULL,
			"accepted: nothing but the UUID is printed" }, 1);
	if (which & LINE_SANDBOX)
		add_sandbox_flags(f_r, r);
	if (which & LINE_ADD) {
		add_image_flags(f_r, a, &r->pod.mounts);
		add(f_r, &(struct cli_flag){ "mnt-volume", CLI_LIST, a ? &a->mnt_volumes : NULL, "name=NAME,target=PATH,kind=KIND,...",
			"a volume of this app, as of run --volume, and where it is mounted" }, 1);
	}
	if (which & LINE_LAUNCH)
		add_launch_flags(f_r, r, which & LINE_SANDBOX);
	add_general_flags(f_r, r);
}

static void print_help(const char *command, struct run_line *r, int which)
{
	struct flags f;

	make_flags(r, NULL, which, &f);
	if (which & LINE_SANDBOX)
		(void)printf("usage: stage0 app %s [FLAGS]\n\nRuns a pod without apps, to which some can be added while it runs.\n\n", command);
	else if (which & LINE_ADD)
		(void)printf("usage: stage0 app %s UUID IMAGE [FLAGS] [-- ARGS]\n\n"
			"Adds an app to such a pod. ARGS take the place of its program's own arguments.\n\n", command);
	else if (!(which & LINE_PREPARE))
		(void)printf("usage: stage0 %s [FLAGS] UUID\n\nRuns a pod that was prepared.\n\n", command);
	else
		(void)printf("usage: stage0 %s [FLAGS] IMAGE [FLAGS] [-- ARGS [---]] [IMAGE ...]\n\n"
		"Runs images as the apps of one pod: ACIs, OCI layouts, what docker saves (FILE, or FILE:TAG).\n"
		"Flags of an image follow it; ARGS, up to a lone '---', follow its program's own arguments.\n\n", command);
	cli_help(f.v, f.n, stdout);
}

/* "-- ARGS": eats them and the "---" behind. */
static int read_args(int argc, char **argv, int *i, struct run_line *r, struct err *e)
{
	struct app_opts *a = r->pod.napps ? &r->pod.apps[r->pod.napps - 1] : NULL;
	int start = ++*i;

	if (!a)
		return err_set(e, ERR_USAGE, "'--': an image is required before its arguments");
	if (a->args)
		return err_set(e, ERR_USAGE, "'--': image %s has its arguments already", a->image);
	while (*i < argc && strcmp(argv[*i], "---") != 0)
		++*i;
	a->args = argv + start;
	a->nargs = (size_t)(*i - start);
	return 0;
}

static int read_words(int argc, char **argv, int which, struct run_line *r, struct err *e)
{
	struct app_opts *a = NULL;
	struct flags f;

	make_flags(r, a, which, &f);
	for (int i = 1; i < argc && !r->help; i++) {
		if (!*argv[i] || !strcmp(argv[i], "---"))
			continue; /* as rkt */
		if (!strcmp(argv[i], "--")) {
			if (read_args(argc, argv, &i, r, e) < 0)
				return -1;
		} else if (!cli_is_flag(argv[i])) {
			a = pod_opts_add(&r->pod, argv[i]);
			make_flags(r, a, which, &f);
		} else if (cli_read_flag(f.v, f.n, argv, &i, e) < 0) {
			return a && which & LINE_PREPARE ? err_prefix(e, "image %s", a->image) : -1;
		}
	}
	return 0;
}

static char *keep_text(struct run_line *r, char *text)
{
	r->env_texts = xrealloc(r->env_texts, r->nenv_texts + 1, sizeof(*r->env_texts));
	return r->env_texts[r->nenv_texts++] = text;
}

/* Names that a manifest cannot hold (bash exports functions so) are left out, and said to be. */
static void inherit(struct run_line *r)
{
	for (char **var = environ; *var; var++) {
		size_t len = strcspn(*var, "=");

		if ((*var)[len] && env_name_valid(*var, len))
			cli_list_add(&r->pod.inherited, keep_text(r, xstrdup(*var)));
		else
			(void)fprintf(stderr, "stage0: warning: --inherit-env: '%.*s' is no name of a variable\n",
				(int)len, *var);
	}
}

static int read_environment(struct run_line *r, struct err *e)
{
	for (size_t i = 0; i < r->env_files.n; i++) {
		const char *path = r->env_files.v[i];
		char *text;
		size_t len;

		if (read_file_at(AT_FDCWD, path, ENV_FILE_MAX, &text, &len, e) < 0)
			return err_prefix(e, "--set-env-file");
		if (env_file_read(path, keep_text(r, text), len, &r->pod.env_file, e) < 0)
			return -1;
	}
	if (r->inherit_env)
		inherit(r);
	return 0;
}

static int check_launch(struct run_line *r, struct err *e)
{
	static const char *const modes[] = { "auto", "private", "parent" };
	const char *ipc = r->opts.ipc;
	size_t i = 0;

	if (net_list(&r->nets, NET_WHEN_NONE_IS_GIVEN, &r->net, e) < 0 || dns_plan(&r->dns_flags, &r->dns, e) < 0)
		return -1;
	r->opts.net = r->net;
	r->opts.dns_conf_mode = r->dns.mode;
	while (ipc && *ipc && i < COUNT(modes) && strcmp(ipc, modes[i]) != 0)
		i++;
	if (i == COUNT(modes))
		return err_set(e, ERR_USAGE, "--ipc=%s: neither auto, private nor parent", ipc);
	if (ipc && !*ipc)
		r->opts.ipc = NULL; /* as rkt */
	if (r->opts.hostname && !*r->opts.hostname)
		r->opts.hostname = NULL;
	if (r->pod.ports.n && (net_has(r->net, "none") || net_has(r->net, "host")))
		return err_set(e, ERR_USAGE, "--port: there are no ports to lead to with --net=%s", r->net);
	if (r->mds_register && net_has(r->net, "none"))
		return err_set(e, ERR_USAGE, "--mds-register: the metadata service cannot be reached with --net=none");
	return 0;
}

static int check_bare_app(const struct app_opts *a, const char *why, struct err *e)
{
	struct app_opts bare;

	memset(&bare, 0, sizeof(bare));
	bare.image = a->image;
	/* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison): both began as zeroes */
	return memcmp(&bare, a, sizeof(bare)) == 0 ? 0 : err_set(e, ERR_USAGE, "image %s: %s", a->image, why);
}

/* With --pod-manifest images are only what they are: all else is the manifest's to say. */
static int check_bare(const struct run_line *r, struct err *e)
{
	if (r->pod.volumes.n || r->pod.ports.n || r->pod.mounts.n || r->pod.inherited.n || r->env_files.n ||
		r->pod.set_env.n || r->pod.annotations.n || r->inherit_env)
		return err_set(e, ERR_USAGE, "--pod-manifest excludes --volume, --port, --mount, "
			"--set-env, --set-env-file, --inherit-env and --pod-annotation");
	for (size_t i = 0; i < r->pod.napps; i++)
		if (check_bare_app(&r->pod.apps[i], "with --pod-manifest it can have neither flags nor arguments", e) < 0)
			return -1;
	return 0;
}

static int check_pod(const struct run_line *r, struct err *e)
{
	if (r->pod_manifest && check_bare(r, e) < 0)
		return -1;
	if (r->pod.napps == 0)
		return err_set(e, ERR_USAGE, "no image given");
	if (r->opts.interactive && !r->pod_manifest && r->pod.napps > 1)
		return err_set(e, ERR_USAGE, "--interactive: there must be one image only");
	return 0;
}

/* The pod stands where another command has its first image. */
static int check_added(struct run_line *r, struct err *e)
{
	if (r->pod.napps < 2)
		return err_set(e, ERR_USAGE, "must provide the pod UUID and an image");
	if (r->pod.napps > 2)
		return err_set(e, ERR_USAGE, "must give only one app: '%s' is too much", r->pod.apps[2].image);
	if (check_bare_app(&r->pod.apps[0], "an app's flags follow its image, not the pod's UUID", e) < 0)
		return -1;
	r->pod_uuid = r->pod.apps[0].image;
	r->pod.apps[0] = r->pod.apps[1];
	r->pod.napps = 1;
	r->pod.added = true;
	return 0;
}

int run_line_read(int argc, char **argv, int which, struct run_line *r, struct err *e)
{
	if (read_words(argc, argv, which, r, e) < 0)
		return -1;
	if (r->help) {
		print_help(argv[0], r, which);
		return 0;
	}
	for (size_t i = 0; i < r->insecure.n; i++) /* rkt adds them up too */
		if (insecure_options(r->insecure.v[i], &r->opts, e) < 0)
			return -1;
	if ((which & LINE_LAUNCH) && check_launch(r, e) < 0)
		return -1;
	if (which & LINE_ADD)
		return check_added(r, e);
	if (which & LINE_SANDBOX && r->pod.napps > 0)
		return err_set(e, ERR_USAGE, "'%s': a sandbox begins without apps", r->pod.apps[0].image);
	r->opts.mutable_pod = r->pod.mutable_pod = which & LINE_SANDBOX;
	if (!(which & LINE_PREPARE))
		return 0;
	return read_environment(r, e) < 0 ? -1 : check_pod(r, e);
}

void run_line_dispose(struct run_line *r)
{
	pod_opts_dispose(&r->pod);
	dns_flags_dispose(&r->dns_flags);
	dns_plan_dispose(&r->dns);
	cli_list_dispose(&r->nets);
	cli_list_dispose(&r->env_files);
	cli_list_dispose(&r->insecure);
	for (size_t i = 0; i < r->nenv_texts; i++)
		free(r->env_texts[i]);
	free(r->env_texts);
	free(r->net);
}
