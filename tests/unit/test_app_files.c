/* The trees of an added app: taken where the caller sees them, placed where the backend does, and nowhere else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stage1/app_files.h"
#include "stage1/common/util.h"
#include "stage1/p9/confine.h"

#define ENTRY PLAN_EXPORT_POD "/" PLAN_POD_APPS "/web.7"

static char dir[] = "/tmp/stage1-xen-files.XXXXXX";
static char *s1root;
static int host = -1, backend = -1; /* a mount namespace; a pidfd */
static pid_t backend_pid;

static struct pod_volume host_volume = { .name = (char *)"v", .kind = POD_VOLUME_HOST, .read_only = POD_TRUE };
static struct pod_volume null_volume = { .name = (char *)"n", .kind = POD_VOLUME_HOST, .source = (char *)"/dev/null" };
static struct pod_volume bad_volume = { .name = (char *)"b", .kind = POD_VOLUME_HOST, .source = (char *)"/nowhere/at/all" };
static struct pod_volume empty_volume = { .name = (char *)"e", .kind = POD_VOLUME_EMPTY, .mode = 01777 };

static void must(int ret, const char *what)
{
	if (ret < 0)
		fail_msg("%s: %s", what, strerror(errno));
}

/* In the host's namespace, as stage0 and the administrator are. */
static int in_host(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(setns(host, CLONE_NEWNS) < 0 || chdir(dir) < 0 || fn() < 0);
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int write_text(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	return write_file_atomic(AT_FDCWD, path, text, strlen(text), 0644, &e);
}

static int mount_root(void)
{
	const char *root = "stage1/rootfs/opt/stage2/web/rootfs";

	return mount("root", root, "tmpfs", 0, NULL) < 0 || write_text("stage1/rootfs/opt/stage2/web/rootfs/hello", "hi") < 0
		? -1 : 0;
}

/* Not lazily: nothing of ours may keep it busy. */
static int unmount_root(void)
{
	return umount("stage1/rootfs/opt/stage2/web/rootfs");
}

static int mount_volume(void)
{
	return mount("volume", "volume", "tmpfs", 0, NULL) < 0 ? -1 : write_text("volume/file", "of the host");
}

static void start_backend(void)
{
	AUTO_FREE char *pod = xasprintf("%s/" PLAN_EXPORT_POD, s1root), *volumes = xasprintf("%s/" PLAN_EXPORT_VOLUMES, s1root);
	char *paths[] = { pod, volumes }, byte;
	int ends[2], roots[2], proc;
	struct err e = ERR_INIT;

	must(pipe2(ends, O_CLOEXEC), "pipe");
	backend_pid = fork();
	if (backend_pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (unshare(CLONE_NEWNS) == 0 && confine_root(paths, 2, roots, &proc, &e) == 0 && write(ends[1], "", 1) == 1)
			for (;;)
				(void)pause();
		(void)dprintf(2, "# %s\n", e.msg);
		_exit(1);
	}
	(void)close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	(void)close(ends[0]);
	backend = (int)syscall(SYS_pidfd_open, backend_pid, 0);
	must(backend, "pidfd_open");
}

static int setup(void **state)
{
	static const char *const dirs[] = { "stage1", "stage1/rootfs", "stage1/rootfs/export", "stage1/rootfs/opt",
		"stage1/rootfs/opt/stage2", "stage1/rootfs/opt/stage2/web", "stage1/rootfs/opt/stage2/web/rootfs", "volume" };
	static const struct id_shift none = { 0, 0 };
	const struct pod pod = POD_INIT;
	const struct mounts_plan mounts = MOUNTS_PLAN_INIT;
	struct err e = ERR_INIT;

	(void)state;
	if (!mkdtemp(dir) || mount("test", dir, "tmpfs", 0, NULL) < 0 || chdir(dir) < 0)
		return -1;
	for (size_t i = 0; i < COUNT(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return -1;
	host_volume.source = xasprintf("%s/volume", dir);
	s1root = xasprintf("%s/stage1/rootfs", dir);
	host = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (host < 0 || export_mount(&pod, s1root, &mounts, &none, &e, &e) < 0)
		return -1;
	start_backend();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	(void)kill(backend_pid, SIGKILL);
	(void)waitpid(backend_pid, NULL, 0);
	free(s1root);
	free(host_volume.source);
	(void)chdir("/");
	return setns(host, CLONE_NEWNS) < 0 || umount2(dir, MNT_DETACH) < 0 || rmdir(dir) < 0 ? -1 : 0;
}

/* What the backend has at that path; NULL: nothing. */
static const char *backend_reads(const char *path)
{
	AUTO_FREE char *full = xasprintf("/proc/%d/root/%s", (int)backend_pid, path);
	static char text[64];
	AUTO_CLOSE int fd = open(full, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0)
		return NULL;
	text[n] = '\0';
	return text;
}

static bool backend_has(const char *path)
{
	AUTO_FREE char *full = xasprintf("/proc/%d/root/%s", (int)backend_pid, path);

	return access(full, F_OK) == 0;
}

static int add(size_t nmounts, struct err *e)
{
	static const struct id_shift none = { 0, 0 };
	struct pod_mount list[] = {
		{ .volume = (char *)"e", .path = (char *)"/e", .app_volume = &empty_volume },
		{ .volume = (char *)"v", .path = (char *)"/v", .app_volume = &host_volume },
		{ .volume = (char *)"n", .path = (char *)"/n", .app_volume = &null_volume },
		{ .volume = (char *)"b", .path = (char *)"/b", .app_volume = &bad_volume },
	};
	struct pod_app app = { .name = (char *)"web", .mounts = list, .nmounts = nmounts };
	const struct pod pod = { .apps = &app, .napps = 1 };
	struct mounts_plan all, own;
	struct err warning = ERR_INIT;
	int ret;

	assert_int_equal(plan_mounts(&pod, &all, NULL, e), 0);
	mounts_of_app(&all, 0, 7, &own);
	ret = app_files_add(&(struct app_files){ .caller = host, .backend = backend, .s1root = s1root, .shift = &none,
		.app = &app, .entry = ENTRY, .mounts = &own }, &warning, e);
	if (ret == 0 && nmounts > 2)
		assert_string_equal(own.volumes[2].node, "/dev/null");
	mounts_plan_dispose(&own);
	mounts_plan_dispose(&all);
	return ret;
}

static void comes_and_goes(void **state)
{
	AUTO_FREE char *twin = NULL;
	char *entries[] = { (char *)ENTRY, (char *)PLAN_EXPORT_VOLUMES "/8" };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(in_host(mount_root), 0); /* now: nobody but the host sees that */
	assert_int_equal(in_host(mount_volume), 0);
	if (add(3, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(backend_reads("0/apps/web.7/hello"), "hi");
	assert_string_equal(backend_reads("1/8/file"), "of the host");
	assert_true(backend_has("0/empty/e"));
	twin = xasprintf("/proc/%d/root/1/8/new", (int)backend_pid);
	assert_int_equal(open(twin, O_WRONLY | O_CREAT | O_CLOEXEC, 0600), -1);
	assert_int_equal(errno, EROFS);
	free(twin);
	twin = xasprintf("/proc/%d/root/0/apps/new", (int)backend_pid);
	assert_int_equal(mkdir(twin, 0700), -1); /* the base is read-only where it is served */
	assert_int_equal(errno, EROFS);
	assert_int_equal(access(s1root, F_OK), 0);
	assert_int_equal(in_host(unmount_root), 0); /* free even while it is served */
	assert_string_equal(backend_reads("0/apps/web.7/hello"), "hi");
	if (app_files_remove(backend, s1root, entries, 2, &e) < 0)
		fail_msg("%s", e.msg);
	assert_false(backend_has("0/apps/web.7") || backend_has("1/8"));
	assert_true(backend_has("0/empty/e")); /* it is the pod's */
	assert_int_equal(app_files_remove(backend, s1root, entries, 2, &e), 0);
}

static void what_fails_leaves_nothing(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(in_host(mount_root), 0);
	assert_int_equal(add(4, &e), -1);
	assert_string_equal(e.msg, "app 'web', volume 'b': Failed to stat /nowhere/at/all: No such file or directory");
	assert_false(backend_has("0/apps/web.7") || backend_has("1/8"));
	e = (struct err)ERR_INIT;
	null_volume.source = (char *)"/dev/kmsg";
	assert_int_equal(add(3, &e), -1);
	assert_non_null(strstr(e.msg, "/dev/kmsg is a device of this host"));
	assert_false(backend_has("0/apps/web.7") || backend_has("1/8"));
	null_volume.source = (char *)"/dev/null";
	e = (struct err)ERR_INIT;
	if (add(3, &e) < 0)
		fail_msg("%s", e.msg);
	e = (struct err)ERR_INIT;
	assert_int_equal(add(3, &e), -1); /* its place is taken */
	assert_string_equal(backend_reads("0/apps/web.7/hello"), "hi");
	assert_int_equal(in_host(unmount_root), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_and_goes),
		cmocka_unit_test(what_fails_leaves_nothing),
	};

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		printf("ok 1 - files of an added app # SKIP mount namespaces: %s\n1..1\n", strerror(errno));
		return 0;
	}
	return cmocka_run_group_tests(tests, setup, teardown);
}
