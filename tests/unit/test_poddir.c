/* What stage1 leaves in the pod's directory for rkt to read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stage1/common/util.h"
#include "stage1/poddir.h"

static void finds_its_cgroup(void **state)
{
	static const struct { const char *text, *path; } rows[] = {
		{ "0::/system.slice/web.service\n", "system.slice/web.service" },
		{ "0::/\n", "" },
		{ "0::/a:b c\n", "a:b c" },
		{ "12:cpu,cpuacct:/x\n1:name=systemd:/system.slice/web.service\n0::/other\n", "system.slice/web.service" },
		{ "1:name=other:/x\n0::/unified", "unified" },
		{ "4:cpu:/x\n", NULL },
		{ "10::/x\n", NULL },
		{ "", NULL },
		{ "0:", NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *path = poddir_cgroup(rows[i].text);

		if (rows[i].path && path)
			assert_string_equal(path, rows[i].path);
		else if (rows[i].path || path)
			fail_msg("row %zu: '%s'", i, path ? path : "(none)");
		free(path);
	}
}

/* In the order that rkt wants them: whoever sees `pid` finds the other. */
static void writes_what_rkt_reads(void **state)
{
	char dir[] = "/tmp/test_poddir.XXXXXX", *home = getcwd(NULL, 0);
	struct err e = ERR_INIT;
	struct stat st;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(poddir_write_cgroup(&e), 0);
	assert_int_equal(poddir_write_pid(&e), 0);
	assert_int_equal(poddir_read_pid(&pid, &e), 0);
	assert_int_equal(pid, getpid());
	if (access("/proc/self/cgroup", R_OK) == 0) {
		assert_int_equal(stat("subcgroup", &st), 0);
		assert_int_equal(st.st_mode & 0777, 0644);
	}
	assert_false(poddir_is_ready());
	assert_int_equal(mkdir("stage1", 0755), 0);
	assert_int_equal(mkdir("stage1/rootfs", 0755), 0);
	assert_int_equal(mkdir("stage1/rootfs/rkt", 0755), 0);
	assert_int_equal(poddir_set_ready(true, &e), 0);
	assert_true(poddir_is_ready());
	assert_int_equal(poddir_set_ready(false, &e), 0);
	assert_false(poddir_is_ready());
	(void)unlink("pid");
	(void)unlink("subcgroup");
	(void)rmdir("stage1/rootfs/rkt");
	(void)rmdir("stage1/rootfs");
	(void)rmdir("stage1");
	assert_int_equal(chdir(home), 0);
	assert_int_equal(rmdir(dir), 0);
	free(home);
}

/*
 * A pod's directory in a mount namespace of our own, with stage1's root as an overlay, which stage0 changes from
 * below. Needs root.
 */
static int make_pod(void **state)
{
	(void)state;
	if (geteuid() != 0)
		return 0;
	assert_int_equal(unshare(CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("pod", "/mnt", "tmpfs", 0, "mode=0755"), 0);
	assert_int_equal(chdir("/mnt"), 0);
	for (const char *const *dir = (const char *const[]){ "lower", "lower/rkt", "lower/rkt/status", "upper", "work", "stage1",
			"stage1/rootfs", NULL }; *dir; dir++)
		assert_int_equal(mkdir(*dir, 0755), 0);
	assert_int_equal(mount("overlay", PODDIR_S1ROOT, "overlay", 0, "lowerdir=lower,upperdir=upper,workdir=work"), 0);
	return 0;
}

static void expect_status(const char *path, const char *wanted)
{
	struct err e = ERR_INIT;
	AUTO_FREE char *text = NULL;
	size_t len;

	if (read_file_at(AT_FDCWD, path, 64, &text, &len, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(text, wanted);
}

static void a_status_that_stage0_has_removed_is_written_again(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(poddir_write_status("web", 3, &e), 0);
	expect_status("upper/rkt/status/web", "3\n");
	assert_int_equal(unlink("upper/rkt/status/web"), 0);
	if (poddir_write_status("web", 4, &e) < 0)
		fail_msg("%s", e.msg);
	expect_status("upper/rkt/status/web", "4\n");
	expect_status(PODDIR_S1ROOT "/rkt/status/web", "4\n");
}

static void what_cannot_be_written_is_said_once(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(poddir_write_status("no/such", 1, &e), -1);
	assert_string_equal(e.msg, "create stage1/rootfs/rkt/status/no/such.new: No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_its_cgroup),
		cmocka_unit_test(writes_what_rkt_reads),
		cmocka_unit_test_setup(a_status_that_stage0_has_removed_is_written_again, make_pod),
		cmocka_unit_test_setup(what_cannot_be_written_is_said_once, make_pod),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
