/* /etc/hosts and /etc/resolv.conf: modes, whose text it is, and the pod's name in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "stage1/common/util.h"
#include "stage1/etc.h"

static void reads_modes(void **state)
{
	static const struct { const char *text; enum etc_mode resolv, hosts; } rows[] = {
		{ NULL, ETC_DEFAULT, ETC_DEFAULT },
		{ "", ETC_DEFAULT, ETC_DEFAULT },
		{ "resolv=host,hosts=stage0", ETC_HOST, ETC_STAGE0 },
		{ "hosts=host,resolv=none", ETC_NONE, ETC_HOST },
		{ "resolv=default,hosts=default,resolv=stage0", ETC_STAGE0, ETC_DEFAULT },
	};
	static const char *const bad[] = { "x", "resolv=", "resolv=hosts", "hosts=none", "resolv=host,,",
		",resolv=host", "resolv=host hosts=host", "hosts=host,x=y" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct etc_modes modes;
		struct err e = ERR_INIT;

		assert_int_equal(etc_modes_parse(rows[i].text, &modes, &e), 0);
		assert_int_equal(modes.resolv, rows[i].resolv);
		assert_int_equal(modes.hosts, rows[i].hosts);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		AUTO_FREE char *msg = xasprintf("--dns-conf-mode=%s: resolv=host|stage0|none|default,"
			"hosts=host|stage0|default", bad[i]);
		struct etc_modes modes;
		struct err e = ERR_INIT;

		assert_int_equal(etc_modes_parse(bad[i], &modes, &e), -1);
		assert_string_equal(e.msg, msg);
	}
}

static void adds_the_name_of_the_pod(void **state)
{
	static const struct { const char *text, *want; } rows[] = {
		{ "127.0.0.1 localhost\n", "127.0.0.1 localhost box\n" },
		{ "127.0.0.1\tlocalhost", "127.0.0.1\tlocalhost box" },
		{ "", "127.0.0.1\tbox\n" },
		{ "::1 six\n", "::1 six\n127.0.0.1\tbox\n" },
		{ "::1 six", "::1 six\n127.0.0.1\tbox\n" },
		{ "# c\n127.0.0.1 a  # why\n\n127.0.0.1 b \n", "# c\n127.0.0.1 a box  # why\n\n127.0.0.1 b box \n" },
		{ "127.0.0.11 x\n", "127.0.0.11 x\n127.0.0.1\tbox\n" },
		{ "#127.0.0.1 x\n127.0.0.1", "#127.0.0.1 x\n127.0.0.1\n127.0.0.1\tbox\n" },
		{ "127.0.0.1 a\r\n", "127.0.0.1 a box\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_FREE char *got = hosts_add_name(rows[i].text, "127.0.0.1", "box");

		assert_string_equal(got, rows[i].want);
	}
}

static void put(const char *dir, const char *name, const char *text, size_t len)
{
	AUTO_FREE char *path = xasprintf("%s/etc/%s", dir, name);
	struct err e = ERR_INIT;

	assert_int_equal(write_file_atomic(AT_FDCWD, path, text, len, 0644, &e), 0);
}

static void reads_whose_text_it_is(void **state)
{
	char dir[] = "/tmp/test-etc-XXXXXX";
	static const struct { struct etc_modes modes; const char *resolv, *hosts; } rows[] = {
		{ { ETC_DEFAULT, ETC_DEFAULT }, NULL, "fallback" },
		{ { ETC_NONE, ETC_STAGE0 }, NULL, "given" },
		{ { ETC_STAGE0, ETC_STAGE0 }, "resolv", "given" },
	};
	const struct etc_modes both = { ETC_STAGE0, ETC_STAGE0 };
	AUTO_FREE char *etc = NULL;
	AUTO_FREE char *remove = xasprintf("rm -rf %s", mkdtemp(dir));
	AUTO_FREE char *missing = xasprintf("open %s/etc/rkt-hosts: No such file or directory", dir);
	AUTO_FREE char *nul = xasprintf("%s/etc/rkt-hosts: contains a NUL", dir);
	AUTO_FREE char *big = xcalloc(1, (1 << 20) + 1);
	AUTO_FREE char *large = xasprintf("%s/etc/rkt-hosts: larger than 1048576 bytes", dir);
	struct etc_files files;
	struct err e = ERR_INIT;

	(void)state;
	etc = xasprintf("%s/etc", dir);
	assert_int_equal(mkdir(etc, 0755), 0);
	put(dir, "rkt-resolv.conf", "resolv", 6);
	assert_int_equal(etc_read(&(const struct etc_modes){ ETC_DEFAULT, ETC_DEFAULT }, dir, &files, &e), 0);
	assert_string_equal(files.hosts, "127.0.0.1\tlocalhost\n::1\tlocalhost\n");
	etc_files_dispose(&files);
	put(dir, "hosts-fallback", "fallback", 8);
	assert_int_equal(etc_read(&both, dir, &files, &e), -1);
	assert_string_equal(e.msg, missing);
	put(dir, "rkt-hosts", "given", 5);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(etc_read(&rows[i].modes, dir, &files, &e), 0);
		assert_string_equal(files.resolv ? files.resolv : "-", rows[i].resolv ? rows[i].resolv : "-");
		assert_string_equal(files.hosts, rows[i].hosts);
		etc_files_dispose(&files);
	}
	put(dir, "rkt-hosts", "a\0b", 3);
	e = (struct err)ERR_INIT;
	assert_int_equal(etc_read(&both, dir, &files, &e), -1);
	assert_string_equal(e.msg, nul);
	memset(big, 'x', (1 << 20) + 1);
	put(dir, "rkt-hosts", big, (1 << 20) + 1);
	e = (struct err)ERR_INIT;
	assert_int_equal(etc_read(&both, dir, &files, &e), -1);
	assert_string_equal(e.msg, large);
	assert_int_equal(system(remove), 0);
}

static void reads_the_hosts_own(void **state)
{
	static const struct etc_modes host = { ETC_HOST, ETC_HOST };
	static const char *const paths[] = { "/etc/resolv.conf", "/etc/hosts" };
	struct etc_files files = { .resolv = NULL };
	AUTO_FREE char *msg = NULL;
	char *want[2] = { NULL, NULL };
	struct err e = ERR_INIT;
	size_t len;

	(void)state;
	for (size_t i = 0; i < COUNT(paths) && !msg; i++)
		if (read_file_at(AT_FDCWD, paths[i], 1 << 20, &want[i], &len, &e) < 0)
			msg = xstrdup(e.msg);
	e = (struct err)ERR_INIT;
	assert_int_equal(etc_read(&host, "/none", &files, &e), msg ? -1 : 0); /* our own etc is not asked */
	assert_string_equal(e.msg, msg ? msg : "");
	if (!msg) {
		assert_string_equal(files.resolv, want[0]);
		assert_string_equal(files.hosts, want[1]);
	}
	etc_files_dispose(&files);
	free(want[0]);
	free(want[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_modes),
		cmocka_unit_test(adds_the_name_of_the_pod),
		cmocka_unit_test(reads_whose_text_it_is),
		cmocka_unit_test(reads_the_hosts_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
