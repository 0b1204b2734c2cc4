/*
 * All of `run` (main_run.c down to the border) against a Xen that fails its n-th call, a guest that
 * dies at each step of the protocol, and signals at each moment. After every life: the exit status
 * and the one line of the contract, and nothing left. Writes TAP; needs no Xen, only mount namespaces.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/applog.h"
#include "stage1/common/util.h"
#include "stage1/pod/pod.h"
#include "stage1/host.h"
#include "tests/stub/world.h"

enum { FAILED = 254, LIFE_S = 60, TEXT_MAX = 1 << 16 };

#define MANIFEST "{ \"acVersion\": \"1.30.0\", \"acKind\": \"PodManifest\"," \
	"\"annotations\": [ { \"name\": \"stage1-xen/core\", \"value\": \"1Gi\" } ], \"apps\": [ { \"name\": \"app\"," \
	"\"image\": { \"name\": \"example.com/app\", \"id\": \"sha512-00\" }, \"app\": { \"exec\": [ \"/bin/app\" ]," \
	"\"user\": \"0\", \"group\": \"0\" }, \"mounts\": [ { \"volume\": \"e\", \"path\": \"/e\" }," \
	"{ \"volume\": \"h\", \"path\": \"/h\" } ] } ], \"volumes\": [ { \"name\": \"e\", \"kind\": \"empty\" }," \
	"{ \"name\": \"h\", \"kind\": \"host\", \"source\": \"/tmp\", \"readOnly\": true } ] }"
#define SANDBOX "{ \"acVersion\": \"1.30.0\", \"acKind\": \"PodManifest\"," \
	"\"annotations\": [ { \"name\": \"stage1-xen/core\", \"value\": \"1Gi\" } ], \"apps\": [] }"
/* In place of stage1/main_p9.c: lives on, once it has been told of the domain. */
#define BACKEND "#!/bin/sh\nread -r domid || exit 0\nexec sleep 60\n"
#define CRASHED "stage1 run: the guest's memory is in the pod's directory: core|stage1 run: the guest crashed"
#define NOT_LOGGED "stage1 run: warning: app 'app': 1 lines are not in its log"
/* It says itself when it is ready: the guest of these tests does. */
#define IMAGE "{ \"annotations\": [ { \"name\": \"" NOTIFY_NOTE "\", \"value\": \"true\" } ] }"
#define MANAGER "manager" /* in the pod's directory */
#define NOT_READY "stage1 run: make stage1/rootfs/rkt/supervisor-status: Input/output error"
#define STATUS_FILE "stage1/rootfs/rkt/status/app"

int run_main(int argc, char **argv);

static const struct xen_ops *border;
static int number, bad;
static int manager; /* the service manager's socket */
static char dir[] = "/tmp/stage1-xen-stub.XXXXXX";

/* In place of stage1/host.c: this host is what it has to be. */
int host_check(struct err *e)
{
	return world_fails("host_check") ? err_set(e, ERR_HOST, "host_check fails") : 0;
}

int host_load_xen(const char *s1root, const struct xen_ops **ops_r, struct err *e)
{
	(void)s1root;
	if (world_fails("host_load_xen"))
		return err_set(e, ERR_HOST, "host_load_xen fails");
	*ops_r = border;
	return 0;
}

struct life {
	int status;     /* of the process, -1: killed */
	char *out, *err; /* what it said */
	bool pid_file;
	char status_file[16]; /* "" when there is none */
	char told[200]; /* what the service manager was, the first lines, each with '|' behind it */
	char problem[1000];   /* "" when there is nothing to complain of */
};

static void complain(struct life *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void complain(struct life *l, const char *fmt, ...)
{
	va_list ap;

	if (*l->problem)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(l->problem, sizeof(l->problem), fmt, ap);
	va_end(ap);
}

static void fd_name(int fd, char name[200])
{
	char path[40];
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, name, 199);
	name[n > 0 ? n : 0] = '\0';
}

/* Descriptors that were not there before, but for the two ends of the pipe of signals.h. */
static void list_leaks(const bool before[256])
{
	char first[200] = "", name[200];
	size_t len = 0;
	int pipes = 0;

	for (int fd = 3; fd < 256; fd++) {
		if (before[fd] || fcntl(fd, F_GETFD) < 0)
			continue;
		fd_name(fd, name);
		if (str_has_prefix(name, "pipe:") && (pipes == 0 || !strcmp(first, name))) {
			(void)snprintf(first, sizeof(first), "%s", name);
			pipes++;
			continue;
		}
		if (len < sizeof(world->leaks) - 210)
			len += (size_t)snprintf(world->leaks + len, sizeof(world->leaks) - len, " %d=%s", fd, name);
	}
	if (pipes > 2)
		(void)snprintf(world->leaks, sizeof(world->leaks), "%d ends of pipes", pipes);
}

/* The child: from what stage0 leaves to its exit. */
static void live(void) __attribute__((noreturn));

static void live(void)
{
	char *argv[] = { (char *)"init", (char *)"--net=none", (char *)(world->mutable_pod ? "--mutable=true" : "--mutable=false"),
		(char *)WORLD_UUID, NULL };
	bool before[256];
	char text[16], manager_path[100];
	int lock, status;

	lock = open(".", O_RDONLY | O_DIRECTORY); /* as stage0 hands it on: not close-on-exec */
	(void)snprintf(text, sizeof(text), "%d", lock);
	(void)setenv("RKT_LOCK_FD", text, 1);
	(void)snprintf(manager_path, sizeof(manager_path), "%s/" MANAGER, dir);
	(void)setenv("NOTIFY_SOCKET", manager_path, 1);
	(void)alarm(LIFE_S);
	for (int fd = 0; fd < 256; fd++)
		before[fd] = fcntl(fd, F_GETFD) >= 0;

	status = run_main(4, argv);

	if (world->console >= 0)
		(void)close(world->console);
	list_leaks(before);
	world->children = waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
	if (world->domains > 0 && world->backend_ours) { /* a destroy that failed: the test's to end */
		(void)kill(world->backend, SIGKILL);
		(void)waitpid(world->backend, NULL, 0);
	}
	if (world->quick)
		_exit(status);
	exit(status); /* with the leak checker */
}

static char *slurp(int fd)
{
	char *text = xcalloc(TEXT_MAX, 1);

	(void)!pread(fd, text, TEXT_MAX - 1, 0);
	return text;
}

static void read_status_file(struct life *l)
{
	int fd = open(STATUS_FILE, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		(void)!read(fd, l->status_file, sizeof(l->status_file) - 1);
		(void)close(fd);
	}
}

/* Everything below a directory, a path a line. */
static void list_below(const char *path, FILE *out)
{
	struct dirent **list;
	int n = scandir(path, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		AUTO_FREE char *below = xasprintf("%s/%s", path, name);

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && strcmp(name, APPLOG_DIR) != 0) {
			fprintf(out, "%s\n", below);
			if (list[i]->d_type == DT_DIR)
				list_below(below, out);
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static char *list_files(void)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	list_below(".", out);
	(void)fclose(out);
	return text;
}

static char *files_before;

static void look_at_directory(struct life *l)
{
	AUTO_FREE char *files = NULL;
	AUTO_FREE char *mounts = NULL;
	struct err e = ERR_INIT;
	size_t len;

	l->pid_file = unlink("pid") == 0;
	if (unlink("subcgroup") < 0 && l->pid_file && access("/proc/self/cgroup", R_OK) == 0)
		complain(l, "a pid file, and no subcgroup");
	read_status_file(l);
	(void)unlink(STATUS_FILE);
	(void)rmdir("sharedVolumes/e"); /* the pod's, like all of its directory */
	(void)rmdir("sharedVolumes");
	files = list_files();
	if (strcmp(files, files_before) != 0)
		complain(l, "the pod's directory changed: %.400s", files);
	if (read_file_at(AT_FDCWD, "/proc/self/mountinfo", 1 << 20, &mounts, &len, &e) == 0 &&
		strstr(mounts, "/stage1/rootfs"))
		complain(l, "a mount is left in the host's namespace");
}

static void hear_as_manager(struct life *l)
{
	char text[100];
	size_t len = 0;
	ssize_t n;

	while ((n = recv(manager, text, sizeof(text) - 1, MSG_DONTWAIT)) > 0 && len < sizeof(l->told)) {
		text[n] = '\0';
		len += (size_t)snprintf(l->told + len, sizeof(l->told) - len, "%.*s|",
			(int)strcspn(text, "\n"), text);
	}
}

static int open_manager(void)
{
	const struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = MANAGER };

	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return bind(manager, (const struct sockaddr *)&addr, sizeof(addr));
}

/* The process's own lines: without what it passes on of the guest's, and warnings. */
static void own_lines(const char *err, char *to, size_t size)
{
	size_t len = 0;

	for (*to = '\0'; *err;) {
		size_t n = strcspn(err, "\n");

		if (!str_has_prefix(err, "guest: ") && !str_has_prefix(err, "oops") &&
			!str_has_prefix(err, NOT_READY) && !str_has_prefix(err, NOT_LOGGED))
			len += (size_t)snprintf(to + len, size - len, "%s%.*s", len ? "|" : "", (int)n, err);
		if (len >= size)
			return;
		err += n + (err[n] == '\n');
	}
	for (char *p; (p = strstr(to, dir)) != NULL;) {
		memcpy(p, "DIR", 3);
		memmove(p + 3, p + strlen(dir), strlen(p + strlen(dir)) + 1);
	}
}

/* Takes from the app's lines what says whose they are; a line without it stays, and is not what is expected. */
static void bare(char *text)
{
	while (*text) {
		unsigned long long sec, usec;
		size_t rest;
		int len = 0;

		if (sscanf(text, "[%llu.%6llu] app[12]: %n", &sec, &usec, &len) == 2 && len > 0) {
			rest = strlen(text + len) + 1;
			memmove(text, text + len, rest);
		} else if (str_has_prefix(text, "out") || str_has_prefix(text, "oops")) {
			*text = '!';
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

/* One life of `run` with `script`, and everything that holds after each. */
static void play(struct life *l, const struct world *script)
{
	int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC), status;
	pid_t pid;

	*l = (struct life){ .status = -1 };
	*world = *script;
	world->console = -1;
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		if (dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
			_exit(99);
		(void)close(null);
		(void)close(out);
		(void)close(err);
		live();
	}
	(void)waitpid(pid, &status, 0);
	l->out = slurp(out);
	l->err = slurp(err);
	bare(l->out);
	bare(l->err);
	(void)close(out);
	(void)close(err);
	if (WIFEXITED(status))
		l->status = WEXITSTATUS(status);
	else
		complain(l, "killed by signal %d: %.600s", WTERMSIG(status), l->err);
	look_at_directory(l);
	hear_as_manager(l);
	if (*world->misuse)
		complain(l, "%s", world->misuse);
	if (*world->leaks)
		complain(l, "descriptors are left:%s", world->leaks);
	if (world->contexts || world->stores || world->death_watches || world->channels)
		complain(l, "left: %d contexts, %d stores, %d watches, %d channels", world->contexts,
			world->stores, world->death_watches, world->channels);
	if (l->status == FAILED && l->err[0] == '\0')
		complain(l, "it fails and does not say why");
}

static void ended(struct life *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void ended(struct life *l, const char *fmt, ...)
{
	va_list ap;

	printf("%sok %d - %s: ", *l->problem ? "not " : "", ++number, border == &fake_ops ? "ops" : "libxl");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	if (*l->problem)
		printf("# %s\n", l->problem);
	bad += *l->problem != 0;
	free(l->out);
	free(l->err);
}

/* Status, and the lines on stderr ("" for none), '|' between. */
static void expect(struct life *l, int status, const char *lines)
{
	char said[2000];

	own_lines(l->err, said, sizeof(said));
	if (l->status != status)
		complain(l, "exit status %d, not %d: %.600s", l->status, status, l->err);
	if (strcmp(said, lines) != 0)
		complain(l, "it says '%.400s', not '%.400s'", said, lines);
}

static void expect_unmade(struct life *l)
{
	if (world->domains != 0 || world->creates != world->destroys)
		complain(l, "%d domains made, %d destroyed", world->creates, world->destroys);
	if (world->networks != !strcmp(world->failed, "net_remove"))
		complain(l, "%d networks are left", world->networks);
	if (world->children)
		complain(l, "a child is left");
	if (l->pid_file != (world->creates > 0) && !*world->failed)
		complain(l, "%s pid file", l->pid_file ? "a" : "no");
}

static void expect_whole_life(struct life *l)
{
	if (!strcmp(world->failed, "mkdir logs") != (strstr(l->err, NOT_LOGGED) != NULL))
		complain(l, "it does not say that it could not log, or says so");
	if (!strcmp(world->failed, "symlink ready") && !strstr(l->err, NOT_READY))
		complain(l, "it does not say that it could not say it is ready");
	if (strcmp(l->told, "READY=1|STOPPING=1|") != 0)
		complain(l, "its manager was told '%s'", l->told);
	expect(l, WORLD_EXIT, "");
	expect_unmade(l);
	if (strcmp(l->out, "out\n") != 0 || !strstr(l->err, "oops\n"))
		complain(l, "the app's output is '%.100s', '%.100s'", l->out, l->err);
	if (strcmp(l->status_file, "7\n") != 0)
		complain(l, "the status file holds '%s'", l->status_file);
	if (!l->pid_file)
		complain(l, "no pid file");
	if (world->attaches != 1)
		complain(l, "it has %d network devices", world->attaches);
}

/*
 * What a call's failure leads to. NULL: nothing, it is got over. Otherwise the message, in which %s
 * is the call; libxl's own words come with it.
 */
static const struct consequence {
	const char *call, *msg;
} consequences[] = {
	{ "host_check", "%s fails" },
	{ "host_load_xen", "%s fails" },
	/* system calls */
	{ "renameat pid", "write pid: Input/output error" },
	{ "renameat backend", "write backend: Input/output error" },
	{ "unshare", "make a mount namespace: Input/output error" },
	{ "mount /", "make a mount namespace: Input/output error" },
	{ "mount export", "mount DIR/stage1/rootfs/export: Input/output error" },
	{ "mkdir pod", "make DIR/stage1/rootfs/export/pod: Input/output error" },
	{ "mkdir apps", "make DIR/stage1/rootfs/export/pod/apps: Input/output error" },
	{ "mkdir empty", "make DIR/stage1/rootfs/export/pod/empty: Input/output error" },
	{ "mkdir volumes", "make DIR/stage1/rootfs/export/volumes: Input/output error" },
	{ "mkdir app", "app 'app': export its root file system: Input/output error" },
	{ "mkdir sharedVolumes", "make sharedVolumes: Input/output error" },
	{ "mkdirat e", "app 'app', volume 'e': make it: Input/output error" },
	{ "mkdir 0", "app 'app', volume 'e': export e: Input/output error" },
	{ "mkdir 1", "app 'app', volume 'h': export /tmp: Input/output error" },
	{ "open_tree 1", "app 'app': export its root file system: Input/output error" },
	{ "mount_setattr 1", "app 'app': export its root file system: Input/output error" },
	{ "move_mount 1", "app 'app': export its root file system: Input/output error" },
	{ "open_tree 2", "app 'app', volume 'e': export e: Input/output error" },
	{ "mount_setattr 2", "app 'app', volume 'e': export e: Input/output error" },
	{ "move_mount 2", "app 'app', volume 'e': export e: Input/output error" },
	{ "open_tree 3", "app 'app', volume 'h': export /tmp: Input/output error" },
	{ "mount_setattr 3", "app 'app', volume 'h': export /tmp: Input/output error" },
	{ "move_mount 3", "app 'app', volume 'h': export /tmp: Input/output error" },
	{ "remount export", "make DIR/stage1/rootfs/export read-only: Input/output error" },
	{ "symlink ready", NULL }, /* a warning */
	{ "mkdir logs", NULL },    /* likewise */
	{ "renameat subcgroup", "write subcgroup: Input/output error" },
	{ "renameat app", "write stage1/rootfs/rkt/status/app: Input/output error" },
	/* the upper border */
	{ "channel read", "the guest closed its control channel" },
	{ "channel write", "the guest closed its control channel" },
	/* the lower border */
	{ "libxl_ctx_alloc", "cannot talk to Xen (is xenstored running?): Domain 5:%s fails" },
	{ "xs_open", "cannot talk to xenstored: Input/output error" },
	{ "libxl_get_physinfo", "ask Xen about the host: Domain 5:%s fails" },
	{ "libxl_get_free_memory", "ask Xen for its free memory: Domain 5:%s fails" },
	{ "libxl_get_online_cpus", "ask Xen for its processors: Domain 5:%s fails" },
	{ "libxl_list_cpupool", "ask Xen for its cpupools: Domain 5:%s fails" },
	{ "libxl_list_domain", "list the domains: Domain 5:%s fails" },
	{ "libxl_domain_create_new", "create domain 'rkt-" WORLD_UUID "': Domain 5:%s fails" },
	{ "libxl_device_nic_add", "give domain 'rkt-" WORLD_UUID "' its network device 0: Domain 5:%s fails" },
	{ "libxl_evenable_domain_death", "watch domain 5: Domain 5:%s fails" },
	{ "libxl_domain_unpause", "let domain 5 run: Domain 5:%s fails" },
	{ "libxl_domain_destroy", "destroy domain 5: Domain 5:%s fails" },
	{ "libxl_console_get_tty", "find the console of domain 5: Domain 5:%s fails" },
	{ "libxl_osevent_beforepoll", "prepare to wait for Xen: Domain 5:%s fails" },
	{ "libxl_event_check", "hear from Xen: Domain 5:%s fails" },
	{ "xs_transaction_start offer", "tell xenstore of the exports of domain 5: Input/output error" },
	{ "xs_mkdir", "tell xenstore of the exports of domain 5: Input/output error" },
	{ "xs_set_permissions", "tell xenstore of the exports of domain 5: Input/output error" },
	{ "xs_write", "tell xenstore of the exports of domain 5: Input/output error" },
	{ "xs_transaction_end offer", "tell xenstore of the exports of domain 5: Input/output error" },
	{ "xs_transaction_start remove", NULL },
	{ "xs_transaction_end remove", NULL },
	{ "xs_directory", NULL },
	{ "xs_read p9-backend-id", NULL },
	{ "xs_read p9-pid", NULL },
	{ "xs_read state", NULL },
	{ "xs_read event-channel", NULL },
	{ "xs_watch /local/domain/0/backend/9pfs/5/0/state",
		"watch /local/domain/0/backend/9pfs/5/0/state: Input/output error" },
	{ "xs_watch /local/domain/0/backend/9pfs/5/1/state",
		"watch /local/domain/0/backend/9pfs/5/1/state: Input/output error" },
	{ "xs_watch /local/domain/5/data/ctl", "watch /local/domain/5/data/ctl: Input/output error" },
	{ "xs_check_watch", NULL },
	{ "xs_unwatch", NULL },
	{ "xs_rm", NULL },
	{ "libxl_domid_to_name", NULL },
	{ "libxenvchan_client_init", "map the guest's control channel: libxl does not say why" },
	{ "libxenvchan_wait", NULL },
	{ "libxenvchan_read", "the guest closed its control channel" },
	{ "libxenvchan_write", "the guest closed its control channel" },
};

/* The line expected of a failing call; false when the pod's life goes on. */
static bool consequence(char *line, size_t size)
{
	const char *fmt = "%s fails"; /* the fake operations' own */

	for (size_t i = 0; i < COUNT(consequences); i++)
		if (!strcmp(consequences[i].call, world->failed))
			fmt = consequences[i].msg;
	if (fmt) {
		char msg[300], *hole;

		(void)snprintf(msg, sizeof(msg), "%s", fmt);
		hole = strstr(msg, "%s");
		if (hole)
			(void)snprintf(line, size, "stage1 run: %.*s%s%s", (int)(hole - msg), msg, world->failed,
				hole + 2);
		else
			(void)snprintf(line, size, "stage1 run: %s", msg);
	}
	return fmt != NULL;
}

static bool is_channel(const char *call)
{
	return str_has_prefix(call, "channel ") || !strcmp(call, "libxenvchan_read") ||
		!strcmp(call, "libxenvchan_write");
}

static void judge_failed_call(struct life *l, bool destroy_fails)
{
	char line[400];
	bool fatal = *world->failed && consequence(line, sizeof(line));

	if (is_channel(world->failed) && world->said_end && !strstr(l->err, "closed"))
		fatal = false; /* END had been heard */
	if (destroy_fails && !fatal)
		(void)snprintf(line, sizeof(line), "stage1 run: %s", border == &fake_ops ? "destroy fails" :
			"destroy domain 5: destroy fails");
	if (!fatal && !destroy_fails) {
		expect_whole_life(l);
		return;
	}
	expect(l, FAILED, line);
	if (*l->status_file && (!world->said_exited || strcmp(l->status_file, "7\n") != 0))
		complain(l, "the status file holds '%s'", l->status_file);
	if (strncmp(l->out, "out\n", strlen(l->out)) != 0)
		complain(l, "the app's output is '%.100s'", l->out);
	if (!strstr(world->failed, "destroy") && !destroy_fails)
		expect_unmade(l);
	else if (world->domains != 1)
		complain(l, "%d domains after a destroy that failed", world->domains);
}

/* For n = 1, 2, ... until a whole life: the n-th call fails, then with every destroy failing too. */
static void fail_each_call(void)
{
	char call[60];
	struct life l;
	int n = 1;

	for (;; n++) {
		bool made;

		play(&l, &(struct world){ .fail_at = n, .half_domain = true });
		(void)snprintf(call, sizeof(call), "%s", world->failed);
		if (!*call)
			break;
		if (!strcmp(call, "libxl_domain_create_new")) {
			judge_failed_call(&l, false);
			ended(&l, "call %d, %s, fails and leaves half a domain", n, call);
			play(&l, &(struct world){ .fail_at = n });
		}
		judge_failed_call(&l, false);
		made = world->creates > 0;
		ended(&l, "call %d, %s, fails", n, call);
		if (!made || strstr(call, "destroy"))
			continue;
		play(&l, &(struct world){ .fail_at = n, .half_domain = true, .destroy_fails = true, .quick = true });
		judge_failed_call(&l, true);
		ended(&l, "call %d, %s, fails, and so does the destruction", n, call);
	}
	expect_whole_life(&l);
	if (n < 15)
		complain(&l, "only %d calls were made to fail", n - 1);
	ended(&l, "nothing fails in %d calls", n - 1);
}

/* TERM during each call: the pod ends in order, and nothing is left. */
static void signal_each_call(void)
{
	bool before = false, after = false;
	struct life l;

	for (int n = 1;; n++) {
		play(&l, &(struct world){ .signal_at = n, .quick = true });
		if (world->calls < n) {
			expect_whole_life(&l);
			break;
		}
		before = before || (l.status == 0 && world->unpauses == 0);
		after = after || (l.status == 0 && world->unpauses > 0);
		expect(&l, l.status == WORLD_EXIT ? WORLD_EXIT : 0, "");
		expect_unmade(&l);
		if (l.status == 0 && *l.status_file && strcmp(l.status_file, "0\n") != 0)
			complain(&l, "the status file holds '%s'", l.status_file);
		if (l.status == 0 && world->unpauses == 0 && (*l.out || *l.status_file))
			complain(&l, "something ran");
		ended(&l, "TERM during call %d", n);
	}
	if (!before || !after)
		complain(&l, "TERM never came %s the domain ran", before ? "after" : "before");
	ended(&l, "no TERM");
}

static const char *const step_names[] = { "its boot", "HELLO", "its app starts", "output", "more output",
	"EOF", "its app exits", "END", "BYE" };

static const struct {
	const char *what, *lines; /* the latter: before END */
	int status, status_after;
	bool needs_channel;
} fates[FATES] = {
	[FATE_POWEROFF] = { "the guest powers off",
		"stage1 run: the guest powered off before the pod had ended", FAILED, WORLD_EXIT, false },
	[FATE_CRASH] = { "the guest crashes", CRASHED, FAILED, WORLD_EXIT, false },
	[FATE_GONE] = { "the domain is gone", "stage1 run: the guest was destroyed", FAILED, WORLD_EXIT, false },
	[FATE_BACKEND] = { "the backend dies",
		"stage1 run: the process that serves the pod's file systems died", FAILED, WORLD_EXIT, false },
	[FATE_TAKEN] = { "somebody destroys the domain", "stage1 run: the guest was destroyed", FAILED,
		WORLD_EXIT, false },
	[FATE_CLOSE] = { "the guest closes its channel", "stage1 run: the guest closed its control channel",
		FAILED, WORLD_EXIT, true },
	[FATE_HALF] = { "the guest closes it inside a frame",
		"stage1 run: the guest closed its control channel inside a frame", FAILED, WORLD_EXIT, true },
	[FATE_GARBAGE] = { "the guest says garbage",
		"stage1 run: the guest broke the protocol: frame of unknown type 255", FAILED, FAILED, true },
	[FATE_STALL] = { "the guest stalls and is told to stop", NULL, FAILED, WORLD_EXIT, false },
	[FATE_TERM] = { "TERM", "", 0, WORLD_EXIT, false },
	[FATE_HANG_UP] = { "its terminal hangs up", "", 0, WORLD_EXIT, false },
	[FATE_PWR_TWICE] = { "PWR twice", "", 0, WORLD_EXIT, false },
	[FATE_PAUSE] = { "somebody pauses the guest, which is told to stop much later", "", 0, WORLD_EXIT, false },
	[FATE_TERM_TWICE] = { "TERM twice", "stage1 run: asked twice to stop: the pod is destroyed", FAILED,
		FAILED, false },
};

static void judge_fate(struct life *l, enum fate fate, enum step step)
{
	const char *lines = fates[fate].lines;
	int status = fates[fate].status;

	if (!world->struck)
		complain(l, "it did not happen");
	if (fate == FATE_STALL)
		lines = step > STEP_HELLO ? "stage1 run: the guest did not stop in time"
					  : "stage1 run: the guest did not answer in time";
	if (step == STEPS) {
		status = fates[fate].status_after;
		lines = status == FAILED ? lines : "";
	} else if (status == 0 && step > STEP_EXITED) {
		status = WORLD_EXIT;
	}
	expect(l, status, lines);
	expect_unmade(l);
	if (!l->pid_file)
		complain(l, "no pid file");
	if (strcmp(l->out, step > STEP_STDOUT ? "out\n" : "") != 0)
		complain(l, "the app's output is '%.100s'", l->out);
	if (step > STEP_EXITED && strcmp(l->status_file, "7\n") != 0)
		complain(l, "the status file holds '%s'", l->status_file);
	if (step <= STEP_EXITED && strcmp(l->status_file, fates[fate].status == 0 ? "0\n" : "") != 0)
		complain(l, "the status file holds '%s'", l->status_file);
}

static void strike_at_each_step(void)
{
	for (enum fate fate = FATE_POWEROFF; fate < FATES; fate++) {
		for (int step = fates[fate].needs_channel ? STEP_STARTED : STEP_BOOT; step <= STEPS; step++) {
			struct life l;

			play(&l, &(struct world){ .fate = fate, .fate_at = (enum step)step,
				.quick = border == &fake_ops });
			judge_fate(&l, fate, (enum step)step);
			ended(&l, "%s %s %s", fates[fate].what, step == STEPS ? "after" : "before",
				step_names[step == STEPS ? STEP_END : step]);
		}
	}
}

static void sleep_at_each_step(void)
{
	for (int step = STEP_BOOT; step < STEPS; step++) {
		struct life l;

		play(&l, &(struct world){ .fate = FATE_SLEEP, .fate_at = (enum step)step });
		expect_whole_life(&l);
		ended(&l, "the supervisor is stopped for ten minutes, and the guest goes on with %s", step_names[step]);
	}
}

/* The guest dies after each byte of all it has to say. */
static void die_at_each_byte(void)
{
	struct life l;
	int n = 1;

	for (;; n++) {
		play(&l, &(struct world){ .cut_at = n, .quick = true });
		if (world->said_end && l.status == WORLD_EXIT)
			break;
		expect(&l, FAILED, CRASHED);
		expect_unmade(&l);
		if (*l.problem)
			break;
		free(l.out);
		free(l.err);
	}
	if (!*l.problem) {
		expect_whole_life(&l);
		if (world->sent != n)
			complain(&l, "it ended well after %d of %d bytes", n, world->sent);
	}
	ended(&l, "the guest dies after each of its %d bytes", n);
}

static void refuse_what_is_there(void)
{
	struct life l;

	play(&l, &(struct world){ .other_domain = true });
	expect(&l, FAILED, "stage1 run: the pod already has a domain, number 6: gc removes it once the pod has ended");
	if (world->creates || world->destroys)
		complain(&l, "a domain was touched");
	ended(&l, "a domain with the pod's uuid is refused and left alone");
	play(&l, &(struct world){ .dump_fails = true, .fate = FATE_CRASH, .fate_at = STEP_STDOUT });
	expect(&l, FAILED, border == &fake_ops ?
		"stage1 run: warning: no core of the guest: dump fails|stage1 run: the guest crashed" :
		"stage1 run: warning: no core of the guest: dump the core of domain 5: dump fails|stage1 run: the guest crashed");
	if (world->dumps != 1)
		complain(&l, "%d cores", world->dumps);
	expect_unmade(&l);
	ended(&l, "the core of a guest that crashed cannot be written");
	if (border == &fake_ops)
		return;
	play(&l, &(struct world){ .backend_never = true });
	expect(&l, FAILED, "stage1 run: the 9p backend did not come up within 60 s");
	expect_unmade(&l);
	ended(&l, "the 9p backend does not come up");
}

static void judge_mutable(struct life *l, int status, const char *lines)
{
	expect(l, status, lines);
	if (strstr(world->failed, "destroy") ? world->domains != 1 : world->domains != 0)
		complain(l, "%d domains are left", world->domains);
	if (!strstr(world->failed, "destroy"))
		expect_unmade(l);
	if (*l->status_file || *l->out)
		complain(l, "an app left its status or output");
}

/* A pod without apps, which lives until it is told to end. */
static void live_without_apps(void)
{
	struct world script = { .mutable_pod = true, .fate = FATE_TERM, .fate_at = STEP_END };
	struct err e = ERR_INIT;
	struct life l;

	(void)write_file_atomic(AT_FDCWD, "pod", SANDBOX, strlen(SANDBOX), 0644, &e);
	for (int n = 1;; n++) {
		char line[400];
		bool fatal;

		script.fail_at = n;
		play(&l, &script);
		if (!*world->failed)
			break;
		fatal = consequence(line, sizeof(line));
		if (is_channel(world->failed) && world->said_end && !strstr(l.err, "closed"))
			fatal = false;
		if (!strcmp(world->failed, "libxl_domain_info") && l.status == 0)
			fatal = false; /* asked when END had been heard */
		judge_mutable(&l, fatal ? FAILED : 0, fatal ? line : "");
		ended(&l, "a mutable pod, call %d, %s, fails", n, world->failed);
	}
	judge_mutable(&l, 0, "");
	if (strcmp(l.told, "READY=1|STOPPING=1|") != 0)
		complain(&l, "its manager was told '%s'", l.told);
	ended(&l, "a mutable pod is told to stop");
	play(&l, &(struct world){ .mutable_pod = true, .ends_itself = true });
	judge_mutable(&l, FAILED, "stage1 run: the guest has ended, and nobody asked it to");
	ended(&l, "a mutable pod ends by itself");
	play(&l, &(struct world){ .mutable_pod = true, .fate = FATE_CRASH, .fate_at = STEP_END });
	judge_mutable(&l, FAILED, CRASHED);
	ended(&l, "the guest of a mutable pod crashes");
	(void)write_file_atomic(AT_FDCWD, "pod", MANIFEST, strlen(MANIFEST), 0644, &e);
}

/* Plugins that run for ever: who asks the pod to stop does not wait for them, nor for a guest that has no plan. */
static void stop_before_networks(void)
{
	for (int step = STEP_BOOT; step <= STEP_HELLO; step++) {
		struct life l;

		play(&l, &(struct world){ .networks_late = true, .fate = FATE_TERM, .fate_at = (enum step)step });
		expect(&l, 0, "");
		expect_unmade(&l);
		if (!world->struck || world->attaches || *l.out || *l.status_file)
			complain(&l, "something ran");
		ended(&l, "TERM while its networks are made, before %s", step_names[step]);
	}
	for (int step = STEP_BOOT; step <= STEP_HELLO; step++) {
		struct life l;

		play(&l, &(struct world){ .networks_late = true, .fate = FATE_CRASH, .fate_at = (enum step)step });
		expect(&l, FAILED, CRASHED);
		expect_unmade(&l);
		ended(&l, "the guest crashes while its networks are made, before %s", step_names[step]);
	}
}

/* The pod's directory in a file system whose mounts would spread to us. */
static int make_pod(void)
{
	static const char *const dirs[] = { "stage1", "stage1/rootfs", "stage1/rootfs/export",
		"stage1/rootfs/opt", "stage1/rootfs/opt/stage2", "stage1/rootfs/opt/stage2/app",
		"stage1/rootfs/opt/stage2/app/rootfs", "stage1/rootfs/rkt", "stage1/rootfs/rkt/status",
		"appsinfo", "appsinfo/app" };
	struct err e = ERR_INIT;

	if (!mkdtemp(dir) || mount("stage1-xen-test", dir, "tmpfs", 0, NULL) < 0 ||
		mount(NULL, dir, NULL, MS_SHARED, NULL) < 0 || chdir(dir) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return -1;
	if (write_file_atomic(AT_FDCWD, "pod", MANIFEST, strlen(MANIFEST), 0644, &e) < 0 ||
		write_file_atomic(AT_FDCWD, "appsinfo/app/manifest", IMAGE, strlen(IMAGE), 0644, &e) < 0 ||
		write_file_atomic(AT_FDCWD, "stage1/rootfs/p9", BACKEND, strlen(BACKEND), 0755, &e) < 0 ||
		open_manager() < 0)
		return -1;
	files_before = list_files();
	return 0;
}

int main(void)
{
	static const struct xen_ops *const borders[] = { &fake_ops, &stage1_xen_ops };

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (int fd = 3; fd < 256; fd++)
		(void)close(fd); /* what we were given is none of the pod's */
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		printf("ok 1 - run without Xen # SKIP mount namespaces: %s\n1..1\n", strerror(errno));
		return 0;
	}
	if (make_pod() < 0) {
		printf("not ok 1 - the pod's directory: %s\n1..1\n", strerror(errno));
		return 1;
	}
	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	for (size_t i = 0; i < COUNT(borders); i++) {
		border = borders[i];
		fail_each_call();
		signal_each_call();
		strike_at_each_step();
		sleep_at_each_step();
		die_at_each_byte();
		refuse_what_is_there();
		live_without_apps();
		stop_before_networks();
	}
	(void)!chdir("/");
	(void)umount2(dir, MNT_DETACH);
	(void)rmdir(dir);
	free(files_before);
	printf("1..%d\n", number);
	return bad > 0;
}
